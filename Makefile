# Two commands: `make demo` and `make test`. Needs git, make, python3 (3.11 or newer) with its venv module; nothing else.
SHELL := /bin/sh
# The distribution's own where it is fit: the same as in the container, and built with the profile-guided optimisation that one
# compiled by pyenv lacks, which costs the whole path 17 % more CPU (DECISIONS 117).
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.bereik-setup
LOCKS := requirements/uv.txt requirements/all.txt
ONCE ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench up down lock docs docker-test simulate mutants

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make demo ONCE=1  the same demo, which checks itself and stops"
	@echo "  The command line is $(BIN)/bereik."

setup: $(STAMP) ## make .venv from the hashed lock files
	@:

# pip itself only fetches uv; uv installs the rest. Bereik is installed in place, without fetching a build tool.
$(STAMP): $(LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bereik needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	@test -x $(BIN)/python && $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCKS)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

demo: setup ## start everything, run the fictional months, print the links (ONCE=1: check and stop)
	@$(BIN)/bereik demo $(if $(ONCE),--once)

test: setup ## all checks and all tests, on the real broker and database
	@$(BIN)/python tests/run.py

check: setup ## ruff, mypy, import-linter and the declarations
	@$(BIN)/python tests/run.py --check-only

bench: setup ## the whole path with 200,000 signals
	@$(BIN)/bereik bench pipeline --signals 200000

simulate: setup ## half a year on the pure rules: 20,000 signals, and every case ends
	@$(BIN)/python tests/simulation.py

mutants: setup ## change the rules of casework in small ways, and see whether the tests notice
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/mutants.txt
	@$(BIN)/python tests/mutants.py

up: setup ## start broker, database, consumers, board and Airflow
	@$(BIN)/bereik up

down: setup ## stop them all
	@$(BIN)/bereik down

docker-test: setup ## docker/compose.yaml for real: build, start, use, scale, kill, spoil, stop
	@$(BIN)/python tests/docker/run.py

docs: setup ## renew the generated parts of docs/
	@$(BIN)/bereik settings --into docs/deploy.md
	@$(BIN)/bereik rules book --into docs/rules.md

lock: setup ## renew the hashed lock files from requirements/*.in
	@for name in uv all service mutants; do \
	  case $$name in service|mutants) same="-c requirements/all.txt";; *) same=;; esac; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $$same \
	    --no-emit-index-url --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
