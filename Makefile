# Two commands: `make run` opens the app, `make test` checks everything. Both set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -c constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	$(BIN)/hearken ui

test: $(VENV)/.complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n logical --dist loadfile

lint: $(VENV)/.complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.complete
	$(BIN)/python benchmarks/turn.py

# The default dependencies, without torch: enough for the whole app.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) uv
	$(UV) -e .
	$(BIN)/python -m compileall -q agent graph knowledge ui
	touch $@

# Everything for tests. pip takes torch first: from the constraints alone uv may choose another build.
$(VENV)/.complete: $(VENV)/.installed
	$(PIP) torch
	$(UV) -e ".[local,endpoint,train,serve,postgres,dev]"
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
