# make demo    the whole thing: Asterisk, acd, five softphone agents, callers that come and go
# make down    removes it
# make test    everything: lint, types, unit tests, the pages in Chromium, end-to-end tests on the real Asterisk
# make quick   the same without Docker and Chromium
# make chaos   faults under load on the real Asterisk, 40 minutes; writes the table of docs/reliability.md
# make load    how much acd uses beside Asterisk at 20, 50 and 100 calls a second, and what others use
# make screenshots   the pictures of docs/images, from a running `acd demo`
# make fuzz    looks for histories and inputs that break something, with other ones at each run

.PHONY: demo down test quick lint types unit pages screenshots e2e chaos fuzz bench load format lock clean
.DEFAULT_GOAL := quick

BIN := .venv/bin
# Once more, with every acd on PostgreSQL: what reads the database, or depends on what was written.
ON_POSTGRESQL := $(addprefix tests/web/test_,$(addsuffix .py,access board ledger reports site_reports stream webhooks))

.venv/ready: requirements-dev.lock pyproject.toml scripts/venv
	scripts/venv

demo:
	scripts/demo up

down:
	scripts/demo down

test: lint types unit pages e2e

quick: lint types unit

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/ready
	$(BIN)/mypy

unit: .venv/ready
	$(BIN)/pytest -m "not e2e and not browser"

pages: .venv/ready
	scripts/chromium-ready
	scripts/npm-packages
	$(BIN)/pytest -m "browser and not e2e"

screenshots: .venv/ready
	scripts/chromium-ready
	scripts/npm-packages
	$(BIN)/python -m tests.pages.screenshots

e2e: .venv/ready
	scripts/docker-ready
	scripts/chromium-ready
	scripts/npm-packages
	$(BIN)/pytest -m e2e
	$(BIN)/pytest --database=postgresql -m "not e2e and not browser" $(ON_POSTGRESQL)

chaos: .venv/ready
	scripts/docker-ready
	$(BIN)/python -m tests.chaos

fuzz: .venv/ready
	$(BIN)/pytest -m hypothesis --hypothesis-profile=fuzz --timeout=3600

bench: .venv/ready
	scripts/chromium-ready
	$(BIN)/python -m tests.bench

load: .venv/ready
	scripts/docker-ready
	$(BIN)/python -m tests.load

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The locked versions: hashes, and no address of any registry.
lock:
	python3 -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	.venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-options \
	    --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml
	.venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-options \
	    --no-emit-index-url --no-emit-find-links --extra dev --constraint requirements.lock \
	    --output-file requirements-dev.lock pyproject.toml
	rm -rf .venv-lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
