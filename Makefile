# make demo: the whole job on the embedded engine.  make test: everything that must hold.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check audit test-faults test-faults-short test-real bench screenshots clean

demo: $(VENV)/.installed
	@$(BIN)/sparktui demo

test: check
	$(BIN)/pytest -n 2 --dist worksteal

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(BIN)/python tests/security/audit.py

audit: $(VENV)/.dev
	@AUDIT=required $(BIN)/python tests/security/audit.py

test-faults: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist worksteal tests/faults
	SPARKTUI_FAULTS=long $(BIN)/pytest tests/faults/test_kill_matrix.py

test-faults-short: $(VENV)/.dev
	SPARKTUI_FAULTS=short $(BIN)/pytest tests/faults/test_kill_matrix.py

test-real: $(VENV)/.dev
	$(BIN)/python tests/real/environment.py
	$(BIN)/pytest -m real tests/real

bench: $(VENV)/.dev
	$(BIN)/python tests/bench/cost.py
	$(BIN)/python tests/bench/truth.py
	$(BIN)/python tests/bench/start.py
	$(BIN)/python tests/bench/ceiling.py
	$(BIN)/python tests/bench/calibrate.py
	$(BIN)/python tests/bench/side_by_side.py

screenshots: $(VENV)/.installed
	$(BIN)/python screenshots/make.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sparktui needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml
	@echo "installing sparktui into $(VENV) ..." >&2
	@$(BIN)/pip install -qq --disable-pip-version-check --editable .
	@$(BIN)/sparktui --version >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml
	@echo "installing sparktui and its tests' tools into $(VENV) ..." >&2
	@$(BIN)/pip install -qq --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/pytest --version >/dev/null
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
