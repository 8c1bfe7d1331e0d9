# `make demo` and `make test` need Python 3.11 or later, make and a package index, `make test` the npm registry as well;
# everything goes into .venv. The tests of the pages drive a Chromium: the one they find ($CHROMIUM, the PATH), else
# `make test` installs Debian's package (as root) or playwright's own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test lint wheel bench clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.demo ## a seeded cloud on loopback, the real daemon, and what an auditor then sees (about a minute)
	@$(BIN)/python -m demo

test: $(VENV)/.test ## every test, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/.test ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/evidenced kinds lint

wheel: $(VENV)/.test ## build the wheel and try it in a clean environment with the source out of reach
	PYTHON=$(BIN)/python sh tests/wheel/check.sh

bench: $(VENV)/.test ## runs and items a second beside a bare boto3 loop
	$(BIN)/python -m tests.bench.sweep

clean: ## remove what the targets above made
	rm -rf $(VENV) demo-data dist build .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "evidenced needs Python 3.11 or later; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.venv pyproject.toml
	@echo "installing into $(VENV) ..."
	@$(PIP) --no-compile -e '.[demo]'
	@touch $@

$(VENV)/.packages: $(VENV)/.venv pyproject.toml
	@echo "installing into $(VENV), with what the tests need ..."
	@$(PIP) -e '.[test]'
	@touch $(VENV)/.demo $@

DESCRIBED := tests/fakes/described
$(VENV)/.test: $(VENV)/.packages $(DESCRIBED)/package-lock.json $(wildcard $(DESCRIBED)/vendors/*.py) tests/web/chromium.py
	@$(BIN)/python -m $(subst /,.,$(DESCRIBED)).install
	@$(BIN)/python -m tests.web.chromium
	@touch $@
