# Everything that is done here is done by one of these; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# A file's tests stay in one process: they share its fixtures.
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile
# make demo ONCE=1 ends by itself.
DEMO   := $(if $(ONCE),--once) $(ARGS)

.PHONY: help
help: ## Lists what can be made
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.PHONY: setup
setup: $(STAMP) ## Makes .venv with everything in it, from hash-locked requirements

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Farebox needs Python 3.11 or later: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: demo
demo: setup ## Starts a server, connects a wallet and charges it, before your eyes (ONCE=1: and ends)
	@$(BIN)/farebox demo $(DEMO)

.PHONY: test
test: setup ## Checks and tests, under ten minutes (ARGS="-k name" for some)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/pytest $(PARALLEL) $(ARGS)

.PHONY: test-slow
test-slow: setup ## The long rounds: crashes by the hundred, the whole trace
	$(BIN)/pytest -m slow $(ARGS)

.PHONY: check
check: setup ## Lint and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

.PHONY: format
format: setup ## Formats the code and mends what can be mended
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.bench ## Measures what is claimed, in minutes, against baselines in the same run
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-full
bench-full: $(VENV)/.bench ## The same with more rounds, longer ones, and what grows: an hour
	$(BIN)/python -m bench --full $(ARGS)
	$(BIN)/python -m bench.growth --full $(filter --save,$(ARGS))

$(VENV)/.bench: $(STAMP) requirements/bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

.PHONY: lock
lock: setup ## Renews the locked requirements (no index addresses in them)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
		pyproject.toml --extra server -o requirements/server.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
		pyproject.toml --extra server --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
		pyproject.toml --extra server --group dev --group bench -o requirements/bench.txt
	for name in hordak:"django-hordak psycopg[binary]" litellm:litellm; do printf '%s\n' $${name#*:} | \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade \
		- -o bench/baselines/apart/$${name%%:*}.txt || exit 1; done

.PHONY: assets
assets: ## Copies scripts and icons of the pages out of npm packages (hash-locked; needs Node, which running does not)
	cd assets && npm ci --no-audit --no-fund && ./copy.sh

UV_COMPILE := uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 --upgrade
LOCKED     := tests/clients/locked
.PHONY: lock-clients
lock-clients: setup ## Renews what our packages and the published ones are tested with
	$(BIN)/$(UV_COMPILE) pyproject.toml -o $(LOCKED)/farebox.txt
	for name in conxa knai syftbox tokenvault_sdk x402tools; do (cd clients/$$name && \
		../../$(BIN)/$(UV_COMPILE) --all-extras --no-emit-package farebox pyproject.toml -o ../../$(LOCKED)/$$name.txt) || exit 1; done
	for page in "conxa:flask fastapi httpx msgspec segno pillow" "conxa-published:conxa-sdk==1.3.0 flask fastapi httpx" \
		"knai-published:knai-provider==0.1.0" "tokenvault:groq redis httpx msgspec" "x402tools-published:x402tools==1.0.0"; do \
		printf '%s\n' $${page#*:} | $(BIN)/$(UV_COMPILE) - -o $(LOCKED)/seeds-$${page%%:*}.txt || exit 1; done

.PHONY: screenshots
screenshots: setup ## Renews the pictures of docs/design.md, by the tests
	folder=$$(mktemp -d) && FAREBOX_TEST_SCREENSHOTS=$$folder $(BIN)/pytest -q tests/pages && mkdir -p docs/images/pages && \
		for picture in $$(grep -oE 'images/pages/[a-z0-9-]+\.png' docs/design.md); do \
			$(BIN)/python -c 'import sys; from PIL import Image; Image.open(sys.argv[1]).convert("P", palette=1).save(sys.argv[2], optimize=True)' \
				$$folder/$$(basename $$picture) docs/$$picture; done

.PHONY: clean
clean: ## Removes what was made
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
