# Two commands set everything up by themselves: `make demo` and `make test`. Neither needs root, hardware or a broker.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_FLAGS ?=
RUNS ?= 1000000
JOBS ?= 1

.PHONY: demo test check bench powercut fuzz clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    a ship's night in the terminal: door, alert, SSAS test, record verified"
	@echo "make test    the tests"
	@echo "make check   formatting, lint, types, layers"
	@echo "make bench   ratios against the bare programs"
	@echo "make fuzz    a million made-up inputs for each decoder (RUNS=... for fewer)"
	@echo "make powercut  the record under load on a guest whose power is cut (Debian's qemu; minutes)"

demo: $(VENV)/.demo
	@$(BIN)/ispsd demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto $(PYTEST_FLAGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy daemon simulators
	$(BIN)/lint-imports
	$(BIN)/ispsd check config/ispsd.toml

bench: $(VENV)/.test
	$(BIN)/python -m bench

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz --runs $(RUNS) --jobs $(JOBS)

powercut: $(VENV)/.test
	$(BIN)/python -m tests.power

$(VENV)/.%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ispsd needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what '$*' needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
