# The handful of verbs. CI calls the same ones, so that green here means green there.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?=
READY := $(VENV)/.installed
SYSTEM := $(VENV)/.system
NODE := $(VENV)/node/.installed
SCHEMATHESIS := $(VENV)/schemathesis/.installed
WRK := $(VENV)/.wrk
PEERS := build/peers/.installed

##@ Use it
.PHONY: run
run: $(BIN)/venice-mock ## serve on http://127.0.0.1:8402/api/v1 (PORT=... for another port)
	@exec $(BIN)/venice-mock serve $(if $(PORT),--port $(PORT))

URL ?= asgi:venice_mock.asgi:make_app
.PHONY: contract
contract: $(BIN)/venice-mock ## judge a server by the contract: the mock, or URL=http://host:port/api/v1
	$(BIN)/venice-contract run --base-url '$(URL)' --report build/contract

.PHONY: contract-real
contract-real: $(BIN)/venice-mock ## judge a paid server: URL=... HOST=... BUDGET=0.50, and VENICE_API_KEY
	$(BIN)/venice-contract run --profile real --base-url '$(URL)' --confirm-host '$(HOST)' --budget-usd '$(BUDGET)' --report build/contract-real

##@ Work on it
.PHONY: setup
setup: $(READY) ## make the environment in .venv with everything the tests need

.PHONY: test
test: $(READY) $(SYSTEM) $(NODE) lint types ## lint, types, every test that is not slow, every mutant (what CI runs)
	$(BIN)/pytest -n 2 --dist worksteal -m 'not slow' --no-header
	cd contract_tests && ../$(BIN)/python -m mutants

.PHONY: test-all
test-all: lint types coverage schemathesis test-redis ## everything, the slow parts too, with branch coverage
	cd contract_tests && ../$(BIN)/python -m mutants --whole

.PHONY: coverage
coverage: $(READY) $(SYSTEM) $(NODE) ## every test, the slow ones too, and the lines and branches that none reaches
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term --no-header

# Tests that touch state, the contract suite's CI profile and the real clients, each server on a real Redis.
ON_REDIS := $(addprefix server/tests/test_,$(addsuffix .py,clients config* control_* cors events examples faults \
	inspector* journal* keys ledger_storm lint logs meta_rules metrics payments postman prompt_magic readiness redis_store \
	request_ids retry_safety rules_authentication rules_bodies rules_control rules_laws rules_payment rules_precedence \
	rules_refusals safety sessions* shared_* signin steering* stores testing two_hundred_sessions verdict verify wallet_* workers)) \
	contract_tests/tests/test_conforming.py

.PHONY: test-redis
test-redis: $(READY) $(SYSTEM) $(NODE) ## the tests that touch state, once more with a real Redis behind every server
	VENICE_MOCK_TEST_STORE=redis $(BIN)/pytest -n 2 --dist worksteal -m 'not slow' --no-header $(ON_REDIS)

.PHONY: mutants
mutants: $(READY) ## break one rule at a time, see that the suite notices, and write docs/mutants.md
	cd contract_tests && ../$(BIN)/python -m mutants --whole --docs ../docs/mutants.md

.PHONY: schemathesis
schemathesis: $(READY) $(SCHEMATHESIS) ## let Schemathesis hold the mock against its own OpenAPI document
	cd contract_tests && ../$(BIN)/python -m second_opinion

.PHONY: docs
docs: $(READY) ## write docs/contract.md, docs/steering.md and the pictures again
	$(BIN)/python docs/make_contract_page.py
	$(BIN)/python docs/make_steering_page.py
	$(BIN)/python docs/make_gallery.py
	$(BIN)/python docs/make_inspector_picture.py

.PHONY: lint
lint: $(READY) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## mypy --strict
	$(BIN)/mypy

.PHONY: format
format: $(READY) ## let ruff format and fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(READY) $(WRK) ## measure: every ratio and its goal, in one run of ten minutes (ROUNDS=1: a quick look)
	$(BIN)/python -m benchmarks $(if $(filter 1,$(ROUNDS)),--quick,$(if $(ROUNDS),--rounds $(ROUNDS)) --chart docs/bench.svg)

.PHONY: bench-peers
bench-peers: $(READY) $(WRK) $(PEERS) ## send Prism and Mockoon, from npm, the same requests as ours
	$(BIN)/python -m benchmarks.peers $(if $(filter 1,$(ROUNDS)),--quick,$(if $(ROUNDS),--rounds $(ROUNDS)))

MINUTES ?= $(if $(REQUESTS),,20)
REQUESTS ?=
RESTART ?=
.PHONY: soak
soak: $(READY) ## 20 minutes of load on workers and a real Redis, then the books (MINUTES=, REQUESTS=, RESTART=1)
	@sh .ci/system-packages redis-server
	$(BIN)/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(REQUESTS),--requests $(REQUESTS)) $(if $(RESTART),--restart-store)

.PHONY: wheel
wheel: $(READY) ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --outdir dist .

.PHONY: clean
clean: ## remove the environment and everything that was made
	rm -rf $(VENV) dist build .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments -----------------------------------------------------------------------------------------

# Users of `make run` need no test tools: the package alone.
$(BIN)/venice-mock: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "venice-mock needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY): pyproject.toml $(BIN)/venice-mock
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

# System packages of the tests. Without root they are only looked for: a test that lacks its tool says so.
$(SYSTEM): Makefile | $(BIN)/venice-mock
	@sh .ci/system-packages curl openssl node npm chromium redis-server
	@touch $@

# The load of the benchmarks. Without it a client of our own does, more slowly.
$(WRK): | $(BIN)/venice-mock
	@sh .ci/system-packages wrk
	@touch $@

# The JavaScript clients of the tests, in the environment's own folder.
$(NODE): server/tests/clients/package.json | $(SYSTEM)
	@mkdir -p $(@D) && cp $< $(@D)/
	@if command -v npm >/dev/null; then npm install --prefix $(@D) --silent --no-audit --no-fund --no-package-lock; fi
	@touch $@

# The servers that ours is compared with, in a folder of their own.
$(PEERS): benchmarks/peers/package.json | $(SYSTEM)
	@mkdir -p $(@D) && cp $< $(@D)/
	npm install --prefix $(@D) --silent --no-audit --no-fund --no-package-lock
	@touch $@

# Schemathesis wants other versions than the tests may, so it gets an environment of its own.
$(SCHEMATHESIS): contract_tests/second_opinion/requirements.txt | $(BIN)/venice-mock
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade --requirement $<
	@touch $@
