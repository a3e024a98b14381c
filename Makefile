# Every command a contributor needs. Nothing is installed outside this folder, and nothing needs root.
# All paths here are relative, and what the caller gives reaches the shell by the environment, so a clone may lie
# anywhere and a REPO may hold any character.

.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help

DATA := data
FAULTS := 0.1
export DATA REPO HOST PORT PYTHON FAULTS
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PY := .venv/bin/python
RUN := .venv/run.stamp
DEV := .venv/dev.stamp
PAGES := src/shipmend/web/static/vendor/htmx.min.js
TOOLS := node_modules/tests.stamp
SHIPMEND := scripts/shipmend
# From make's own command line alone: many a shell has a HOST in its environment that means something else.
given = $(filter command,$(firstword $(origin $(1))))
WHERE := $(if $(call given,HOST),--host "$$HOST") $(if $(call given,PORT),--port "$$PORT")

.PHONY: help try demo serve test check faults bench bench-git bench-pages pictures verify-attribution wheel assets lock clean

help: ## Show this list
	@echo "make <target>, where <target> is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  DATA=<folder>  where they keep their data (data; of demo: demo-data)    HOST=, PORT=  where they listen"

try: repo-given $(RUN) $(PAGES) ## Show Shipmend on a repository: make try REPO=<git URL or local path>
	@exec $(SHIPMEND) try --data "$$DATA" $(WHERE) -- "$$REPO"

.PHONY: repo-given
repo-given:
	@[ -n "$${REPO:-}" ] || { echo "Say which repository: make try REPO=<git URL or local path>" >&2; exit 2; }

demo: $(RUN) $(PAGES) ## Show Shipmend on a sample: three repositories, and what happened there in nearly a year
	@exec $(SHIPMEND) demo $(if $(call given,DATA),--data "$$DATA") $(WHERE)

serve: $(RUN) $(PAGES) ## Serve an instance from this folder; an empty one prints where to set it up
	@exec $(SHIPMEND) serve --data "$$DATA" $(WHERE)

test: $(DEV) $(TOOLS) ## Run every test: all on SQLite, then those that touch the database on PostgreSQL
	@$(PY) -m pytest -n 2
	@SHIPMEND_TEST_DATABASE=postgresql $(PY) -m pytest -n 2

faults: $(DEV) ## Break it on purpose and print what came of it: a tenth of the full measure; FAULTS=1, all of it, takes hours
	@figures=$$(mktemp); trap 'rm -f "$$figures"' EXIT; failed=0; \
	export SHIPMEND_FAULTS="$$FAULTS" SHIPMEND_FAULTS_FIGURES="$$figures"; \
	for database in sqlite postgresql; do \
	  SHIPMEND_TEST_DATABASE=$$database $(PY) -m pytest tests/faults || failed=1; \
	done; \
	$(PY) -m tests.faults.figures "$$figures"; exit $$failed

check: $(DEV) ## Check format, lint, types and layers
	@$(PY) -m ruff format --check --quiet --diff .
	@$(PY) -m ruff check --quiet .
	@PYTHONPATH=src $(PY) -m mypy
	@PYTHONPATH=src .venv/bin/lint-imports

verify-attribution: repo-given $(PY) ## Hold attribution against git: make verify-attribution REPO=<git directory or clone>
	@$(PY) bench/verify_attribution.py -- "$$REPO"

bench-git: $(DEV) ## Measure how fast history is read: make bench-git REPO=<git directory or clone>, or MILLION=1
	@PYTHONPATH=src:. $(PY) -m bench.git $(if $(call given,MILLION),--million,-- "$$REPO")

bench: $(DEV) $(PAGES) ## Measure what the figures of docs/ speak of
	@PYTHONPATH=src:. $(PY) -m bench

bench-pages: $(DEV) $(PAGES) ## Measure every page and report with a million commits: make bench-pages [DATA=<made before>]
	@PYTHONPATH=src:. $(PY) -m bench.pages $(if $(call given,DATA),--data "$$DATA")

pictures: $(DEV) $(TOOLS) ## Take the pictures of the README anew, from the sample
	@PYTHONPATH=src:. $(PY) -m tests.pictures

wheel: $(DEV) $(PAGES) ## Build dist/shipmend-….whl, which pip installs anywhere
	@rm -rf dist
	@$(PY) -m hatchling build -t wheel -d dist

assets: $(PAGES) ## Bring the pages' third-party files from the package registry

lock: $(DEV) ## Renew requirements/*.txt from pyproject.toml
	@for group in run dev; do \
	  $(PY) -m uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	    --no-header $$([ $$group = run ] || echo --group $$group) pyproject.toml -o requirements/$$group.txt; \
	done

clean: ## Remove what the other targets made; the data folder stays
	@rm -rf .venv node_modules dist src/shipmend/web/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

NEEDS_NPM := command -v npm >/dev/null || { echo "npm is missing: it brings what the pages load." >&2; exit 1; }

# What is set up, once: each is done again only when its lock file has changed.

$(PY):
	@for python in "$${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do \
	  if [ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec "$$python" -m venv .venv; \
	  fi; \
	done; \
	echo "Shipmend needs Python 3.11 or newer: install it, or say where it is with PYTHON=<path>." >&2; exit 1

$(RUN): requirements/run.txt | $(PY)
	@echo "Installing the Python packages that Shipmend runs on…"
	@$(PY) -m pip install --quiet --require-hashes -r requirements/run.txt
	@touch $@

$(DEV): requirements/dev.txt | $(PY)
	@echo "Installing the Python packages that its tests need…"
	@$(PY) -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $(RUN) $@

$(PAGES): package-lock.json scripts/assets.mjs
	@echo "Bringing what the pages load…"
	@$(NEEDS_NPM)
	@npm ci --silent --ignore-scripts --omit=dev
	@npm run --silent assets
	@touch $@

$(TOOLS): package-lock.json scripts/assets.mjs
	@echo "Bringing what the pages load, and a Chromium for the tests…"
	@$(NEEDS_NPM)
	@npm ci --silent --ignore-scripts
	@npm run --silent assets
	@touch $(PAGES) $@
