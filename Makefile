# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
# Needs git, make and Python 3.11 or newer; everything else goes into .venv.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := protocol firmware emulator host tests

.PHONY: help demo test check fix docs deploy clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed ## install, and let two emulated units share keys with no channel between them
	$(BIN)/ndks demo

test: .venv/.development ## install, and run all tests
	$(BIN)/pytest -n auto --cov --cov-report=term-missing:skip-covered $(TESTS)

check: .venv/.development ## format, lint, types, generated docs and vectors, rules of the board
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/pyright --warnings
	$(BIN)/python tests/checks/board_rules.py
	$(BIN)/python tests/checks/protocol_tables.py --check
	$(BIN)/python tests/checks/make_vectors.py --check

fix: .venv/.development ## format, and mend what ruff can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

docs: .venv/.development ## make the tables of PROTOCOL.md and the vectors anew
	$(BIN)/python tests/checks/protocol_tables.py
	$(BIN)/python tests/checks/make_vectors.py

deploy: .venv/.installed ## copy the firmware to a board: make deploy DRIVE=/media/you/CIRCUITPY
	$(BIN)/ndks deploy "$(DRIVE)"

clean: ## remove what was made, the virtual environment too
	rm -rf .venv dist htmlcov .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml
	@.ci/make-venv "$(PYTHON)" .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.development: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --group dev
	@touch $@
