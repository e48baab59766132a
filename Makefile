# The two commands for users: make serve, make test. Both install all they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIVEKIT := v1.13.5
LIVEKIT_BUILT = $${XDG_CACHE_HOME:-$$HOME/.cache}/fake-convai/livekit-server-$(LIVEKIT)
NPM_BIN := .clients/node_modules/.bin
PRETTIER := $(NPM_BIN)/prettier --log-level warn --print-width 120 'fake_convai/dashboard/**/*.{js,ts,css}'
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint constraints.txt

# Each worker goes through modules in a row, whose servers it then starts once.
WORKERS := --numprocesses auto --dist worksteal

# Else each of the servers that tests start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: audit soak lowest docs sources serve livekit test check format lint types openapi fuzz bench dedup screenshots npm clean

serve: $(VENV)/.serve ## Run the fake; options go into ARGS: make serve ARGS="--demo --port 0"
	$(BIN)/fake-convai serve $(ARGS)

livekit: $(VENV)/.serve ## Build LiveKit's server into .venv/bin, so that characters come to rooms; needs Go, minutes once
	@if ! test -x "$(LIVEKIT_BUILT)"; then \
		command -v go >/dev/null || { echo "make livekit needs Go: https://go.dev/dl"; exit 1; }; \
		mkdir -p "$$(dirname "$(LIVEKIT_BUILT)")" && \
		folder=$$(mktemp -d "$(LIVEKIT_BUILT).XXXXXX") && \
		GOBIN=$$folder go install github.com/livekit/livekit-server/cmd/server@$(LIVEKIT) && \
		mv "$$folder/server" "$(LIVEKIT_BUILT)" && rmdir "$$folder"; \
	fi
	@install -m 755 "$(LIVEKIT_BUILT)" $(BIN)/livekit-server
	$(PIP) 'livekit>=1.2'

test: $(VENV)/.dev ## Run the tests on SQLite and PostgreSQL
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

check: lint types audit $(VENV)/.dev ## Everything that CI checks
	$(BIN)/python -m pytest $(WORKERS) -m "not postgresql" --cov --cov-report= --cov-fail-under=0
	COVERAGE_FOLLOWS=greenlet $(BIN)/python -m pytest $(WORKERS) -m postgresql \
		--cov --cov-append --cov-report=term-missing:skip-covered
	$(BIN)/coverage report --format=total
	$(BIN)/fake-convai openapi --check
	$(BIN)/python -m docs.generate --check

audit: $(VENV)/.dev ## Look for known vulnerabilities, and list the parts in dist/sbom.json (CycloneDX)
	@$(BIN)/python .ci/audit.py

soak: $(VENV)/.dev ## Load it for three minutes, kill it, leave it waiting, and count what was lost; ARGS="--seconds 30"
	$(BIN)/python -m benchmarks.soak $(ARGS)

lint: $(VENV)/.dev .clients/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@if test -x $(NPM_BIN)/tsc; then \
		$(NPM_BIN)/tsc --project fake_convai/dashboard && $(PRETTIER) --check; \
	else echo "lint: the page's JavaScript was not checked, which needs npm"; fi

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev .clients/.installed ## Bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@if test -x $(NPM_BIN)/prettier; then $(PRETTIER) --write; fi

openapi: $(VENV)/.dev ## Write openapi/ and the generated pages of docs/ anew
	$(BIN)/fake-convai openapi
	$(BIN)/python -m docs.generate

fuzz: $(VENV)/.dev ## Look longer for requests that break the contract: FUZZ_EXAMPLES=1000 make fuzz
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} $(BIN)/python -m pytest tests/openapi/test_schemathesis.py $(WORKERS)

docs: $(VENV)/.dev ## Build the site into site/; every link must lead somewhere
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs $(or $(ARGS),build --quiet)
	@$(if $(ARGS),,echo "The site is in site/, its first page site/index.html.")

sources: $(VENV)/.dev ## What the newest Web SDK calls, sends and reads that the contract does not know; needs npm
	$(BIN)/python -m docs.sources

bench: $(VENV)/.dev ## Measure, and write the table of docs/performance.md; needs wrk and npm: apt-get install wrk
	$(BIN)/python -m benchmarks $(ARGS)

dedup: $(VENV)/.dev ## Count how many labelled pairs of facts come out right; PAIRS="FILE ..." adds sets
	$(BIN)/python -m benchmarks.dedup $(PAIRS)

screenshots: $(VENV)/.dev ## Take the pictures of docs/ anew; needs Chromium
	$(BIN)/python docs/screenshots.py
	WIDGET_PICTURE=docs/images/widget.png $(BIN)/python -m pytest tests/room/test_web_sdk.py -k widget

npm: .clients/.installed ## Install the Web SDK that tests drive, and what checks the page's JavaScript

lowest: ## What users have decides: the tests of the fixture with the lowest versions that are allowed
	PYTHON=$(PYTHON) tests/lowest.sh

clean:
	rm -rf $(VENV) .bench .clients dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.serve

# Tests and linters that need what is missing here are skipped, and say so.
.clients/.installed: tests/clients/web-sdk/package.json
	@mkdir -p .clients && cp $< .clients/
	@if command -v npm >/dev/null && npm install --prefix .clients --no-package-lock --no-audit --no-fund \
		--ignore-scripts --omit=peer --loglevel=error; then touch $@; \
	else echo "the npm packages that some tests and linters use could not be installed"; fi
