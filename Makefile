# The two commands for users: make serve, make test. Both install all they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LIVEKIT := v1.13.5
LIVEKIT_BUILT = $${XDG_CACHE_HOME:-$$HOME/.cache}/fake-convai/livekit-server-$(LIVEKIT)
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: docs serve livekit test check format lint types openapi fuzz bench screenshots clean

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
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

check: lint types $(VENV)/.dev ## Everything that CI checks
	@# What failed is run once more, alone: the embedded PostgreSQL server has been seen to fall over on a busy machine.
	$(BIN)/python -m pytest --numprocesses auto --cov --cov-report=term-missing:skip-covered || \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none
	$(BIN)/coverage report --format=total
	$(BIN)/fake-convai openapi --check
	$(BIN)/python -m docs.generate --check

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev ## Bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(VENV)/.dev ## Write openapi/ and the generated pages of docs/ anew
	$(BIN)/fake-convai openapi
	$(BIN)/python -m docs.generate

fuzz: $(VENV)/.dev ## Look longer for requests that break the contract: FUZZ_EXAMPLES=1000 make fuzz
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} $(BIN)/python -m pytest tests/openapi/test_schemathesis.py --numprocesses auto

docs: $(VENV)/.dev ## Build the site into site/; every link must lead somewhere
	$(BIN)/python -m mkdocs $(or $(ARGS),build --quiet)

bench: $(VENV)/.dev ## Measure, and write the table of docs/performance.md; needs wrk and npm: apt-get install wrk
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(VENV)/.dev ## Take the pictures of docs/ anew; needs Chromium
	$(BIN)/python docs/screenshots.py
	WIDGET_PICTURE=docs/images/widget.png $(BIN)/python -m pytest tests/room/test_web_sdk.py -k widget

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
