# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# Needs git, make and Python 3.11 or newer; everything else goes into .venv.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
QUIET := --quiet --disable-pip-version-check
SOURCES := protocol firmware emulator host tests

.PHONY: help demo homologate test tests test-full test-oldest fuzz bench check fix docs deploy clean install laboratory development

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { sub(/ .*/, "", $$1); printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## install, and let two emulated units share keys with no channel between them
	$(BIN)/ndks demo

# Suite hybrid has to be approved; suite paper has to be refused: exit status 1, not another one.
homologate: laboratory ## install, and set adversaries on two emulated units, for both suites; minutes
	rm -rf homologation
	mkdir homologation
	$(BIN)/ndks homologate --unit emulator:homologation/a --unit emulator:homologation/b -o homologation/hybrid
	$(BIN)/ndks homologate --unit emulator:homologation/a --unit emulator:homologation/b -o homologation/paper \
		--suite paper; [ $$? -eq 1 ]
	@echo "reports: homologation/hybrid/report.html homologation/paper/report.html"

test tests: development ## install, and run all tests, or those in TESTS
	$(BIN)/pytest -n auto -rs $(if $(TESTS),$(TESTS),--cov --cov-report=term-missing:skip-covered)

test-full: development ## install, and run all tests with every power cut; an hour
	NDKS_TEST_FULL=1 $(BIN)/pytest -n auto -rs --timeout 3600

test-oldest: .venv-oldest/.installed ## run the tests of unit and host with the lowest versions in pyproject.toml
	.venv-oldest/bin/pytest -n auto -rs tests/unit tests/host

fuzz: development ## let atheris fuzz frames, commands, sessions, capsules, files, flash; FUZZ_SECONDS=60 for each
	$(BIN)/python tests/fuzz/run.py $(or $(FUZZ_SECONDS),60)

bench: development ## measure: key bits, a long stream, encrypt and decrypt, flash wear, attacks on suite paper; twelve minutes
	$(BIN)/python tests/benchmarks/generator.py
	$(BIN)/python tests/benchmarks/stream.py
	$(BIN)/python tests/benchmarks/capsules.py
	$(BIN)/python tests/benchmarks/session.py
	$(BIN)/python tests/benchmarks/flash_wear.py
	$(BIN)/python tests/benchmarks/attacks.py
	$(BIN)/python tests/benchmarks/external.py

check: development ## format, lint, types, generated docs, pictures and vectors, rules of the board, arrows between rooms
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/pyright --warnings
	$(BIN)/python tests/checks/board_rules.py
	$(BIN)/python tests/checks/arrows.py
	$(BIN)/python tests/checks/protocol_tables.py --check
	$(BIN)/python tests/checks/make_vectors.py --check
	$(BIN)/python tests/checks/walk_tables.py --check
	$(BIN)/python tests/checks/pictures.py --check
	$(BIN)/python tests/checks/man_page.py --check
	$(BIN)/python tests/checks/paper_table.py
	$(BIN)/python tests/checks/make_site.py

fix: development ## format, and mend what ruff can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

docs: development ## make tables, vectors, pictures and manual page anew, and build the site in site/
	$(BIN)/python tests/checks/protocol_tables.py
	$(BIN)/python tests/checks/make_vectors.py
	$(BIN)/python tests/checks/walk_tables.py
	$(BIN)/python tests/checks/pictures.py
	$(BIN)/python tests/checks/man_page.py
	$(BIN)/python tests/checks/make_site.py

deploy: install ## copy the firmware to a board: make deploy DRIVE=/media/you/CIRCUITPY
	@[ -n "$(DRIVE)" ] || { echo 'make: no drive is named. Do: make deploy DRIVE=/media/you/CIRCUITPY' >&2; exit 2; }
	$(BIN)/ndks deploy "$(DRIVE)"

clean: ## remove what was made, the virtual environment too
	rm -rf .venv .venv-oldest .cache build dist homologation site htmlcov .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that does not work, or was made in another place, is made anew.
install: .venv/.installed
	@$(BIN)/python -c 'import ndks.cli, os, sys; sys.exit(not os.path.samefile(ndks.__path__[0], "host/ndks"))' 2>/dev/null \
		|| { echo 'make: .venv does not work here; making it anew'; rm -f .venv/.installed .venv/.homologation .venv/.development; $(MAKE) .venv/.installed; }

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

.venv/.development: .venv/.homologation
	$(BIN)/pip install $(QUIET) --group dev
	@touch $@

.venv-oldest/.installed: pyproject.toml .ci/lowest-bounds
	@.ci/make-venv "$(PYTHON)" .venv-oldest
	.venv-oldest/bin/python .ci/lowest-bounds > .venv-oldest/lowest.txt
	.venv-oldest/bin/pip install $(QUIET) --constraint .venv-oldest/lowest.txt --editable '.[homologation]' --group dev
	@touch $@
