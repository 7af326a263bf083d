# `make` alone lists what there is. The text behind ## is the help.
SHELL := /bin/sh
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough; choose another with PYTHON=
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
BIN := .venv/bin
POLYCLINIC := exec $(BIN)/python -m polyclinic

.PHONY: help demo demo-reset setup setup-dev test check bench looks pictures doctor translations lock clean python

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## run a whole network on this machine (PORT=8000, POLYCLINIC_HOME=./var)
	@$(POLYCLINIC) demo

demo-reset: setup ## the same, from nothing: deletes the demonstration's data first
	@$(POLYCLINIC) demo --afresh

setup: python ## install the pinned packages into .venv
	@"$(PYTHON)" requirements/install.py run

setup-dev: python ## the same, with what tests and checks need
	@"$(PYTHON)" requirements/install.py dev
	@$(BIN)/python -m polyclinic.runtime.frontend

test: setup-dev ## the whole suite, browsers included, after lint and types
	@$(BIN)/python tests/support/browser.py
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -n auto --dist loadfile

check: setup-dev ## lint, types, import contracts and the fast tests: before each commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile -m "not slow"

bench: setup-dev ## measure against baselines of the same run; results also in var/bench.json
	@$(BIN)/python -m benchmarks

looks: setup-dev ## every page × theme × width × mode × language as contact sheets in var/looks (ONLY=physio,390,dark)
	@PYTHONPATH=tests $(BIN)/python -m support.looks $(ONLY)

pictures: setup-dev ## make the pictures of the README again (docs/pictures)
	@PYTHONPATH=tests $(BIN)/python -m support.looks.pictures

doctor: setup ## say what is wrong with this machine or installation
	@$(POLYCLINIC) doctor

translations: setup-dev ## extract the texts, bring all catalogues up to date, compile them, say what is missing
	@$(BIN)/python -m polyclinic translations update
	@$(BIN)/python -m polyclinic translations compile
	@$(BIN)/python -m polyclinic translations check

lock: ## rewrite the lock files from pyproject.toml (needs uv)
	@requirements/lock.sh

clean: ## delete what was built or installed here; the demonstration's data stays
	rm -rf .venv platform/frontend/node_modules platform/polyclinic/static/build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo "Polyclinic needs Python 3.11 or newer, and none was found. Install it, or name it: make PYTHON=/path/to/python3 …" >&2; exit 1; }
