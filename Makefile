# The project's commands. `make help` lists them; each installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PREPARED := .build/.prepared
SCANNERS := .venv-scan/.installed
READERS := .venv-readers/.installed
PIP_FLAGS := --quiet --disable-pip-version-check --require-hashes

# An interrupted first run may leave an environment without pip.
environment = $(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1)

.DEFAULT_GOAL := help
.PHONY: help install layers local serve test engine readers arm64 sandbox check audit format bench lock clean

help:  ## list the commands
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: $(PREPARED)  ## install everything that the commands need (in .venv and .build)

$(INSTALLED): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"PYTHON: Python 3.11 or newer is needed, got {sys.version.split()[0]}; for example: make install PYTHON=python3.12")'
	@echo "Installing the pinned packages in $(VENV) ..." >&2
	@$(call environment,$(VENV))
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements/dev.txt
	@touch $@

# The tests and the embedded AWS need these without the network: the layer, and the same packages for this machine.
$(PREPARED): $(INSTALLED) requirements/layer.txt components/packaging.py
	@echo "Building the function's layer in .build ..." >&2
	@$(BIN)/python -m components.packaging >&2
	@$(BIN)/python -m local prepare >&2
	@touch $@

# checkov, cfn-lint and parliament need other versions of the project's packages, so they have their own environment.
$(SCANNERS): requirements/scan.txt
	@echo "Installing the pinned scanners in .venv-scan ..." >&2
	@$(call environment,.venv-scan)
	@.venv-scan/bin/python -m pip install $(PIP_FLAGS) -r requirements/scan.txt
	@touch $@

# Engines that read published files. Some have no wheel, and are built with pinned packages.
$(READERS): requirements/readers.txt requirements/build.txt
	@echo "Installing the pinned readers in .venv-readers ..." >&2
	@$(call environment,.venv-readers)
	@.venv-readers/bin/python -m pip install $(PIP_FLAGS) -r requirements/build.txt
	@.venv-readers/bin/python -m pip install $(PIP_FLAGS) --no-build-isolation -r requirements/readers.txt
	@touch $@

layers: $(INSTALLED)  ## build the layer for every supported Lambda runtime (needs the network)
	@$(BIN)/python -m components.packaging all

local: install  ## deploy three regions on the embedded AWS and process real files (FILE=path: your own; OUTPUT=folder: keep the results)
	@$(BIN)/python -m local run $${OUTPUT:+--output "$$OUTPUT"} $${FILE:+-- "$$FILE"}

serve: install  ## keep the embedded AWS running for any S3 client
	@$(BIN)/python -m local serve

test: install $(SCANNERS)  ## run the whole test suite
	@$(BIN)/python -m pytest
	@echo "Not run: tests/readers, which need Spark and Trino (make readers)"
	@echo "Not run: tests/engine, which need the Pulumi CLI (make engine)"

engine: install  ## deploy, change and destroy stacks with the real Pulumi engine, on the embedded AWS
	@$(BIN)/python -m tests.engine.cli
	@$(BIN)/python -m pytest --dist=loadfile tests/engine

readers: $(READERS)  ## read published files with pandas, polars, Spark, Trino and others (installs 2 GB)
	@.venv-readers/bin/python -m tests.readers.install
	@.venv-readers/bin/python -m pytest tests/readers -n 0

arm64: install  ## run the shipped function on arm64 (in an emulator on other machines)
	@$(BIN)/python -m tests.arm64

sandbox: install  ## deploy a separate region into your AWS account, test it and destroy it (STACK=us-east-1)
	@$(BIN)/python -m sandbox "$${STACK:?must be set to a stack of the project, for example us-east-1}"

check: install  ## lint and type check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

audit: $(SCANNERS)  ## check the pinned packages for known vulnerabilities (needs the network)
	@for lock in requirements.txt requirements/layer.txt requirements/dev.txt policy/requirements.txt; do \
		.venv-scan/bin/pip-audit --requirement $$lock --require-hashes --disable-pip || exit 1; \
	done

bench: install  ## compare the conversion with other engines; write docs/benchmarks.md and its plot
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements/bench.txt
	@PYTHONPATH=handler $(BIN)/python -m tests.benchmarks

format: install  ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: install  ## pin requirements/*.in with hashes, for every supported Python and platform
	@$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements/lock.txt
	@for set in lock dev layer program policy bench scan readers build spark-3.5 spark-4.0; do \
		target=requirements/$$set.txt; [ $$set = program ] && target=requirements.txt; \
		[ $$set = policy ] && target=policy/requirements.txt; \
		constraint=; case $$set in lock|dev|scan|build|spark-*) ;; *) constraint="-c requirements/dev.txt" ;; esac; \
		$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-annotate --no-header --quiet $$constraint requirements/$$set.in -o $$target || exit 1; \
	done

clean:  ## remove everything that was installed and built
	@rm -rf $(VENV) .venv-scan .venv-readers .build .pytest_cache .ruff_cache .hypothesis
