# One door for everything that is done with the sources. `make help` lists it.

PYTHON ?= python3
# Many tests wait for audio in real time, so more run at once than there are processors.
TEST_WORKERS ?= 6
# A quarter of the tests' work is to read modules; what is made of their sources is kept.
unexport PYTHONDONTWRITEBYTECODE
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install venv system-packages docs demo talk test branches coverage lint format typecheck bench resilience redis-certificate image-digests clean
.DELETE_ON_ERROR:

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12    the interpreter to build $(VENV) with (3.11 or newer)"

install: $(STAMP) ## make .venv with everything in it; done once, and again when the pins change

# Who only wants to hear it waits for a third of the packages.
TALK_STAMP := $(VENV)/.talks
TALKS := $(if $(wildcard $(STAMP)),$(STAMP),$(TALK_STAMP))
INSTALL := $(BIN)/python -m tests.packaging.install -c constraints.txt -e

$(STAMP): pyproject.toml constraints.txt | venv
	@$(MAKE) --no-print-directory system-packages
	$(INSTALL) '.[offline,test,dev]'
	@touch $@

$(TALK_STAMP): pyproject.toml constraints.txt | venv
	@$(MAKE) --no-print-directory system-packages SYSTEM_PACKAGES=flite
	$(INSTALL) '.[offline]'
	@touch $@

venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is not Python 3.11 or newer; name one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

# flite is the clearest voice that a machine without a cloud can speak with; without it the voice
# that comes with the Python packages speaks. redis-server and postgresql are for tests of what nodes
# share and where records go, chromium for those of the console's pages; without them they are
# skipped. So nothing here is fatal.
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 -o DPkg::Lock::Timeout=60 \
       -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Dpkg::Options::=--force-confold
SYSTEM_PACKAGES := flite redis-server postgresql chromium
# The tests start servers of their own: no database is made, and no server begun, for the machine.
NO_CLUSTER := /etc/postgresql-common/createcluster.conf

system-packages: ## install flite, redis-server, postgresql and chromium, where this is root on Debian
	@missing=; for package in $(SYSTEM_PACKAGES); do \
	  { command -v $$package || ls /usr/lib/$$package/*/bin/initdb; } >/dev/null 2>&1 || \
	  missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then \
	  echo "not installed:$$missing; optional (on Debian, as root: apt-get install$$missing)"; exit 0; fi; \
	echo "Installing$$missing"; \
	[ -e $(NO_CLUSTER) ] || { mkdir -p $(dir $(NO_CLUSTER)) && \
	  echo "create_main_cluster = false" >$(NO_CLUSTER); }; \
	{ $(APT) update && $(APT) install -y --no-install-recommends $$missing; } </dev/null >/dev/null || \
	  echo "apt-get could not install$$missing; going on without" >&2

DOCS_STAMP := $(VENV)/.docs

docs: $(DOCS_STAMP) ## build the documentation site in build/site, with every link checked
	$(BIN)/python -m docs.site build/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "the site is build/site/index.html"

$(DOCS_STAMP): $(STAMP)
	$(INSTALL) '.[docs]'
	@touch $@

demo: $(TALKS) ## place a supervised phone call on this machine, and crash it
	$(BIN)/aybiza demo

talk: $(TALKS) ## speak with the agent yourself: a page with a softphone, no keys needed
	@echo "When it says ready: http://127.0.0.1:3000/console/phone (Ctrl-C ends it)"
	$(BIN)/aybiza run --emulated

PYTEST := $(BIN)/python -m pytest --workers $(TEST_WORKERS)
# Of what decides and does not act it is measured which branches its own tests take: tests/pure.py.
PURE := config claude speech dialogue
MEASURED := build/measured
BRANCHES := $(BIN)/python -m tests.measured $(MEASURED)

# The types are checked beside the tests, behind them in turn: most of them wait for nobody's clock.
test: install lint ## lint, type check, run all tests
	@rm -rf $(MEASURED); mkdir -p build
	nice $(BIN)/mypy >build/types 2>&1 & types=$$!; \
	MEASURED=$(MEASURED) $(PYTEST); tested=$$?; \
	wait $$types; typed=$$?; cat build/types; \
	[ $$tested = 0 ] && [ $$typed = 0 ]
	@$(BRANCHES)

branches: # fails where the tests that ran last have left too many branches
	@$(BRANCHES)

lint: install ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: install ## check the types
	$(BIN)/mypy

coverage: install ## list the branches of the floors that decide that their own tests leave; fail at many
	@rm -rf $(MEASURED)
	MEASURED=$(MEASURED) $(PYTEST) -q -m pure $(addprefix tests/,$(PURE))
	@$(BRANCHES) -v

format: install ## put the sources into the project's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

PIPECAT := build/pipecat
PIPECAT_PINS := benchmarks/pipecat/requirements.txt
PIPECAT_LOAD := $(BIN)/aybiza bench load --seconds 60 -- $(PIPECAT)/bin/python benchmarks/pipecat/server.py

bench: install $(PIPECAT)/.installed ## measure the runtime beside its peers, and calls beside Pipecat
	$(BIN)/aybiza bench runtime
	$(BIN)/aybiza bench load --calls 1,20,50,100 --seconds 60
	PIPECAT_TURN_SECONDS=0 PIPECAT_CLIENT=shared $(PIPECAT_LOAD)
	PIPECAT_TURN_SECONDS=0 $(PIPECAT_LOAD)

$(PIPECAT)/.installed: $(PIPECAT_PINS)
	$(PYTHON) -m venv --clear $(PIPECAT)
	$(PIPECAT)/bin/python -m pip install --quiet --disable-pip-version-check -r $(PIPECAT_PINS)
	@touch $@

# The ports are the command's to choose.
resilience: install $(PIPECAT)/.installed ## measure what callers hear when things fail, here and with Pipecat
	AYBIZA_LOG_LEVEL=warning $(BIN)/aybiza bench resilience --url 'http://127.0.0.1:{port}' -- \
	  $(BIN)/aybiza run --http-port '{port}' --media-port 0 --cluster-port '{port2}'
	$(BIN)/aybiza bench resilience --url 'http://127.0.0.1:{port}/incoming' -- \
	  $(PIPECAT)/bin/python benchmarks/pipecat/server.py

redis-certificate: ## make an authority and a certificate with which Redis speaks TLS
	deploy/docker/redis-certificate.sh deploy/docker/tls

image-digests: ## print the images of deploy/ with the digests that their registry has today
	@deploy/docker/image-digests.sh

clean: ## remove .venv and everything that tools leave behind
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
