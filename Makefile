# run, test, check, bench; each installs what it needs. PORT= and DATA= choose where `make run` listens and keeps data.

PYTHON ?= python3
PORT ?= 8000
DATA ?= data

VENV := .venv
BIN := $(VENV)/bin
# What pip reads when it installs: another front end or another dependency needs another installation.
SOURCES := pyproject.toml hatch_build.py web/package.json web/package-lock.json web/vite.config.ts \
	$(shell find web/src web/public -type f)

# What is tested once more over PostgreSQL: where the catalogue's lists and access and the features' store make the answer.
# What is not: files on disk, pages, log-in and headers, which know nothing of the store, and what is particular to
# GeoPackages. The stores themselves (tests/stores) and the cases of conditions are run over both in the first run.
ON_POSTGIS := $(addprefix tests/api/test_,$(addsuffix .py, access_matrix access_sharing attribute_ops every_route \
	features_read features_write first_day import_again import_files jobs layers maps roles search tables tiles)) \
	tests/contract/test_table.py tests/robustness/test_many_processes.py

.DELETE_ON_ERROR:
.PHONY: run test check bench clean

run: $(VENV)/installed
	@$(BIN)/python scripts/run.py --data "$(DATA)" --port "$(PORT)"

# Tests write much that they throw away at once: into memory, where there is plenty of it.
test: export TMPDIR := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null \
	&& echo /dev/shm || echo "$${TMPDIR:-/tmp}")
test: check
	scripts/install-test-tools
	scripts/npm test
	$(BIN)/python -m pytest -q -n 2
	$(BIN)/python -m pytest -q -n 2 --store postgis $(ON_POSTGIS)

check: $(VENV)/installed-for-tests web/node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	scripts/npm run check

bench: $(VENV)/installed-for-tests
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf $(VENV) web/node_modules src/graticule/web_dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(SOURCES) | $(BIN)/python
	@echo "Installing Graticule into $(VENV); this takes a minute or two."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-for-tests: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json | $(VENV)/installed-for-tests
	scripts/npm ci --no-audit --no-fund
	@touch $@
