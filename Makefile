# Where the server listens and keeps its data.
PORT ?= 8000
DATA ?= data

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml hatch_build.py $(shell find web -path web/node_modules -prune -o -type f -print)

.PHONY: run test check bench clean

# Install, make the data directory with the demonstration map at first start, and serve.
run: $(VENV)/installed
	@scripts/run "$(DATA)" "$(PORT)"

# Everything that has to be right before a change is done.
test: check
	scripts/npm --prefix web test
	$(BIN)/python -m pytest -n 2

# What can be said without running the product.
check: $(VENV)/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/npm --prefix web run check

# Times, which mean something on a quiet machine only.
bench: $(VENV)/ready-to-test
	for script in benchmarks/bench_*.py; do $(BIN)/python "$$script"; done

clean:
	rm -rf $(VENV) web/node_modules src/graticule/web_dist

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# The package is installed in place: a change of its Python needs no other install, one of the front end does.
$(VENV)/installed: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/ready-to-test: $(VENV)/bin/python $(SOURCES) scripts/install-test-tools
	scripts/install-test-tools
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed
