# What a contributor does. Every target makes its own .venv when there is none.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test coverage test-portable check docs study fuzz clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

# One stamp a set of extras: `make demo` must not wait for the documentation tools.
$(VENV)/.made:
	@echo "making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing driftkit and the demo's vectors and ratings (torch is the large part) ..."
	@$(PIP) install -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing driftkit with everything its tests and docs need ..."
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## fine-tune real GloVe on a real task, three ways, and audit all three
	@$(BIN)/driftkit demo

PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal

test: $(VENV)/.dev  ## run every test and doctest
	@# One thread a worker: two workers of two threads each would wait for each other on two cores.
	@# Each takes half of the files in order, so that what a file's tests share is made once.
	$(PYTEST) --durations=20

coverage: $(VENV)/.dev  ## the same, counting the lines that ran, which makes it take half as long again
	$(PYTEST) --cov --cov-report=term --cov-fail-under=95

test-portable: $(VENV)/.dev  ## run the suite under each arithmetic this processor can do (ONLY="torch-avx2 ...")
	$(BIN)/python tests/portable.py $(ONLY)

check: $(VENV)/.dev docs  ## lint, formatting, types, and the docs with warnings as errors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev  ## run the notebooks, and build the documentation into docs/_build/html
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

$(VENV)/.study: $(VENV)/.demo
	@$(PIP) install -c constraints.txt -e '.[study]'
	@touch $@

study: $(VENV)/.study  ## fine-tune by every recipe and measure what is forgotten (FAST=1: minutes)
	$(BIN)/python -m benchmarks.forgetting.study $(if $(FAST),--fast)

fuzz: $(VENV)/.dev  ## spoil valid files of every kind and see what parsers do (EXECUTIONS=100000 SEED=0)
	OMP_NUM_THREADS=1 $(BIN)/python tests/hostile/fuzz.py $(ONLY) \
		--executions $(or $(EXECUTIONS),100000) --seed $(or $(SEED),0)

clean:  ## remove what was built, the environment and the demo's files
	rm -rf $(VENV) docs/_build docs/reference/generated driftkit-demo docs/tutorial/driftkit-demo dist build \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov
