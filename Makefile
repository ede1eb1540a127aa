# Two commands do everything: `make run` serves, `make test` checks. Both work from any folder, as root or not.
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VENV := $(ROOT)/.venv
BIN  := $(VENV)/bin
REQ  := $(ROOT)/requirements
NODE := $(ROOT)/tests/corpus $(ROOT)/tests/screens
UV   := $(BIN)/uv
PYTHON ?= python3
SYNC := cd $(ROOT) && VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --compile-bytecode --require-hashes

.PHONY: run test check demo bench model lock clean

run: $(VENV)/.run-ready
	@$(BIN)/tulliana serve

test: $(VENV)/.test-ready $(VENV)/.node-ready
	@cd $(ROOT) && $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.test-ready
	cd $(ROOT) && $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

demo: $(VENV)/.run-ready
	@$(BIN)/tulliana demo

bench: $(VENV)/.test-ready
	@cd $(ROOT) && $(BIN)/python -m tests.load $(ARGS)

model:
	@$(ROOT)/docs/relay-model/run.sh $(ARGS)

lock: $(UV)
	cd $(ROOT) && $(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 $(REQ)/uv.in -o $(REQ)/uv.txt
	cd $(ROOT) && $(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml $(REQ)/build.in -o $(REQ)/run.txt
	cd $(ROOT) && $(UV) pip compile -q --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml $(REQ)/build.in --group dev -o $(REQ)/test.txt

clean:
	rm -rf $(VENV)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tulliana needs Python 3.11 or newer: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make an environment: on Debian or Ubuntu run 'sudo apt install python3-venv'"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(REQ)/uv.txt

$(VENV)/.run-ready: $(REQ)/run.txt $(ROOT)/pyproject.toml | $(UV)
	@echo "Setting up (once, a minute) ..."
	@$(SYNC) -r $(REQ)/run.txt
	@cd $(ROOT) && VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@cd $(ROOT) && $(BIN)/python -m compileall -q forms records sync exports server
	@touch $@

$(VENV)/.node-ready: $(NODE:=/package-lock.json) | $(VENV)/.test-ready
	@if command -v npm >/dev/null; then for folder in $(NODE); do npm ci --prefix $$folder --ignore-scripts --no-audit --no-fund --silent || exit 1; done && touch $@; fi

$(VENV)/.test-ready: $(VENV)/.run-ready $(REQ)/test.txt
	@echo "Setting up the tests (once) ..."
	@$(SYNC) -r $(REQ)/test.txt
	@touch $@
