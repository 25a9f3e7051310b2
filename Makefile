# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# Needs git, make and Python 3.11 or newer; everything else is installed in .venv.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
QUIET := --quiet --disable-pip-version-check
SOURCES := protocol firmware emulator host tests docs
CHIP_SOURCES := $(wildcard emulator/chip/core/* emulator/chip/*.py emulator/chip/*.toml emulator/chip/ndks_chip/*.pyx)

.PHONY: help demo network-demo gateway-demo homologate test tests test-full test-oldest network-sim fuzz proofs bench bench-gateways bench-serve chip chip-bench check check-types check-rest fix docs deploy clean install laboratory development

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { sub(/ .*/, "", $$1); printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## install, and show how two emulated units share keys with no channel
	$(BIN)/ndks demo

network-demo: install ## install, and show the life of a network of emulated units over Mosquitto and over folders (CARRIER=dir: these only); a minute
	$(BIN)/python -m ndks_laboratory.networks $(if $(CARRIER),--carrier $(CARRIER))

gateway-demo: install ## install, and show two gateways in network namespaces, with a tapped cable that is pulled; a minute
	$(BIN)/python -m ndks_laboratory.gateways

# Suite hybrid must be approved; suite paper must be refused, with exit status 1.
homologate: laboratory ## install, and test and attack three emulated units and their network with both suites; minutes
	rm -rf homologation
	mkdir homologation
	$(BIN)/ndks homologate --units 3 -o homologation/hybrid
	$(BIN)/ndks homologate --units 3 -o homologation/paper --suite paper; [ $$? -eq 1 ]
	@echo "reports: homologation/hybrid/report.html homologation/paper/report.html"

test tests: development ## install, and run all tests, or those of TESTS=PATHS; a few that fail get a second try
	rm -f .pytest_cache/v/cache/lastfailed
	$(BIN)/pytest -n auto --dist worksteal -rs $(if $(TESTS),$(TESTS),--cov --cov-report=term-missing:skip-covered) \
		|| $(BIN)/python tests/checks/second_try.py $$?

test-full: development ## install, and run all tests with a power cut at every step; an hour
	NDKS_TEST_FULL=1 $(BIN)/pytest -n auto --dist worksteal -rs --timeout 3600

test-oldest: .venv-oldest/.installed ## run the tests of unit and host with the oldest versions that pyproject.toml permits
	.venv-oldest/bin/pytest -n auto --dist worksteal -rs tests/unit tests/host

network-sim: development ## simulate networks with thieves, power cuts, crashes, partitions: SEED=1 SEEDS=60 NODES=50; five minutes
	PYTHONPATH=tests $(BIN)/python -m network --seed $(or $(SEED),1) --seeds $(or $(SEEDS),60) --nodes $(or $(NODES),0)

fuzz: development ## fuzz frames, commands, sessions, capsules, files, flash and service with atheris; FUZZ_SECONDS=60 each
	$(BIN)/python tests/fuzz/run.py $(or $(FUZZ_SECONDS),60)

proofs: ## prove the handshakes with ProVerif, where it is installed (or PROVERIF=PATH); seconds
	@"$(PYTHON)" tests/checks/proofs.py

bench: development ## measure key bits, a long stream, encryption, flash wear, and attacks on suite paper; twelve minutes
	$(BIN)/python tests/benchmarks/generator.py
	$(BIN)/python tests/benchmarks/stream.py
	$(BIN)/python tests/benchmarks/capsules.py
	$(BIN)/python tests/benchmarks/batches.py
	$(BIN)/python tests/benchmarks/opening.py
	$(BIN)/python tests/benchmarks/folders.py
	$(BIN)/python tests/benchmarks/session.py
	PYTHONPATH=tests:tests/checks $(BIN)/python tests/benchmarks/shared_unit.py
	$(BIN)/python tests/benchmarks/flash_wear.py
	PYTHONPATH=tests $(BIN)/python -m benchmarks.network 2 10 50
	$(BIN)/python tests/benchmarks/attacks.py
	$(BIN)/python tests/benchmarks/external.py
	$(BIN)/python tests/benchmarks/chip.py

bench-gateways: development ## measure ndks tunnel beside spiped and stunnel, where they are installed; ARGUMENTS=--json; four minutes
	PYTHONPATH=tests:tests/checks $(BIN)/python -m benchmarks.gateways $(ARGUMENTS)

bench-serve: development ## measure ndks serve beside a bare aiohttp server, and those of others in KME_DIR; ARGUMENTS=--write; four minutes
	PYTHONPATH=tests:tests/checks $(BIN)/python -m benchmarks.key_servers $(ARGUMENTS)

chip: .venv/.chip ## install the emulated chip (needs a C compiler) and test it; with NDKS_UF2=IMAGE, also CircuitPython on it
	$(BIN)/pytest -n auto --dist worksteal -rs tests/emulated_chip
	$(if $(NDKS_UF2),$(BIN)/pytest -n auto --dist worksteal -rs -m chip tests)

chip-bench: development .venv/.chip ## measure the firmware on an emulated chip: NDKS_UF2=IMAGE.uf2 make chip-bench; ten minutes
	PYTHONPATH=tests:tests/checks:docs/make $(BIN)/python -m benchmarks.on_chip $(ARGUMENTS)

check: development ## check format, lint, types, generated docs, pictures and vectors, what was proved, rules of the board, and arrows between rooms
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target check-types check-rest

check-types:
	$(BIN)/pyright --warnings

check-rest:
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/python tests/checks/board_rules.py
	$(BIN)/python tests/checks/arrows.py
	$(BIN)/python docs/make/protocol_tables.py --check
	$(BIN)/python docs/make/command_tables.py --check
	$(BIN)/python docs/make/folder_tables.py --check
	$(BIN)/python tests/checks/make_vectors.py --check
	$(BIN)/python tests/checks/proofs.py --check
	$(BIN)/python docs/make/proof_tables.py --check
	$(BIN)/python docs/make/walk_tables.py --check
	$(BIN)/python docs/make/serve_tables.py --check
	$(BIN)/python docs/make/pictures.py --check
	$(BIN)/python docs/make/man_page.py --check
	$(BIN)/python docs/make/paper_table.py
	$(BIN)/python docs/make/make_site.py

fix: development ## format, and apply the fixes of ruff
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

docs: development ## generate tables, vectors, pictures and manual page, and build the site in site/
	$(BIN)/python docs/make/protocol_tables.py
	$(BIN)/python docs/make/command_tables.py
	$(BIN)/python docs/make/folder_tables.py
	$(BIN)/python tests/checks/make_vectors.py
	$(BIN)/python docs/make/proof_tables.py
	$(BIN)/python docs/make/walk_tables.py
	$(BIN)/python docs/make/serve_tables.py
	$(BIN)/python docs/make/pictures.py
	$(BIN)/python docs/make/man_page.py
	$(BIN)/python docs/make/make_site.py

deploy: install ## copy the firmware to a board: make deploy DRIVE=/media/you/CIRCUITPY
	@[ -n "$(DRIVE)" ] || { echo 'make: DRIVE is missing. Do: make deploy DRIVE=/media/you/CIRCUITPY' >&2; exit 2; }
	@$(MAKE) --no-print-directory .venv/.deploy
	$(BIN)/ndks deploy "$(DRIVE)"

clean: ## remove all generated files and the virtual environments
	rm -rf .venv .venv-oldest .cache build dist homologation site htmlcov .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache
	rm -rf emulator/chip/build emulator/chip/*.egg-info emulator/chip/ndks_chip/_core.c emulator/chip/ndks_chip/_core.*.so
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# A broken environment, or one of a moved clone, is made again.
install: .venv/.installed
	@$(BIN)/python -c 'import ndks.cli, os, sys; sys.exit(not os.path.samefile(ndks.__path__[0], "host/ndks"))' 2>/dev/null \
		|| { echo 'make: .venv does not work here; making it again'; rm -f .venv/.installed .venv/.homologation .venv/.development .venv/.chip .venv/.deploy; $(MAKE) .venv/.installed; }

laboratory: install
	@$(MAKE) --no-print-directory .venv/.homologation

development: install
	@$(MAKE) --no-print-directory .venv/.development

.venv/.installed: pyproject.toml
	@.ci/make-venv "$(PYTHON)" .venv
	$(BIN)/pip install $(QUIET) --editable .
	@touch $@

.venv/.homologation: .venv/.installed
	$(BIN)/pip install $(QUIET) --editable '.[homologation]'
	@touch $@

.venv/.deploy: .venv/.installed
	$(BIN)/pip install $(QUIET) --group deploy
	@touch $@

.venv/.development: .venv/.homologation
	$(BIN)/pip install $(QUIET) --editable '.[gateways,postgresql,strongswan]' --group dev
	@touch $@

.venv/.chip: .venv/.development $(CHIP_SOURCES)
	@command -v $(CC) >/dev/null \
		|| { echo 'make: a C compiler is missing. Do: sudo apt-get install gcc' >&2; exit 1; }
	@$(BIN)/python -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
		|| { echo 'make: the headers of Python are missing. Do: sudo apt-get install python3-dev' >&2; exit 1; }
	$(BIN)/pip install $(QUIET) --quiet --editable ./emulator/chip
	@touch $@

.venv-oldest/.installed: pyproject.toml .ci/lowest-bounds
	@.ci/make-venv "$(PYTHON)" .venv-oldest
	.venv-oldest/bin/python .ci/lowest-bounds > .venv-oldest/lowest.txt
	.venv-oldest/bin/pip install $(QUIET) --constraint .venv-oldest/lowest.txt --editable '.[homologation,gateways,postgresql,strongswan]' --group dev
	@touch $@
