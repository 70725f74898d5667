# From nothing but Python 3.11 (or later) and make:
#   make run     serve on http://127.0.0.1:8080 (PORT=9000 make run moves it)
#   make test    every test this machine can run, with what was skipped and why
#   make check   style, types, import rules and the quick tests
#   make coverage  the quick tests, and which lines and branches of the four rooms they do not reach
#   make bench   the performance table, as ratios in one run
#   make docs    what docs/ and the README show of our own output, written anew
#   make terminology  the bundled FHIR terminology, written anew from tools/terminology/*.csv
#   make wheel   the package as dist/*.whl
#   make lock    resolve the dependencies anew (uv from the package index)

PORT ?= 8080
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check coverage bench docs terminology wheel lock clean

run: $(READY)
	$(BIN)/icans-cds serve --host 127.0.0.1 --port $(PORT)

test: $(READY)
	$(BIN)/python -m pytest $(PYTEST_ARGUMENTS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m "not slow and not integration"

coverage: $(READY)
	$(BIN)/python -m pytest -q -m "not slow and not integration" --cov --cov-report=term-missing:skip-covered

bench: $(READY)
	$(BIN)/python -m benchmarks.bench

docs: $(READY)
	$(BIN)/python -m tests.spec.document
	$(BIN)/python -m tools.build_docs

wheel: $(READY)
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation --no-index --wheel-dir dist .

terminology: $(READY)
	$(BIN)/python tools/build_terminology.py

$(VENV)/.locked: requirements.lock
	@test -n "$(PYTHON)" || \
	  { echo "Python 3.11 or later was not found: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "installing $$(grep -c '^[a-z].*==' requirements.lock) packages into $(VENV), once" >&2
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	@touch $@

$(READY): $(VENV)/.locked pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --no-index \
	  --config-settings editable_mode=compat --editable .
	@touch $@

LOCK := $(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock:
	"$(PYTHON)" -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --disable-pip-version-check --quiet uv
	$(LOCK) --upgrade --extra dev --output-file requirements.lock
	$(LOCK) --constraint requirements.lock --output-file requirements-runtime.lock

clean:
	rm -rf $(VENV) $(VENV)-lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
