# Every target installs the packages that it needs in .venv, once.
# Required: Python 3.11 or newer, with pip.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
LOWEST := .venv-lowest/bin
# HDF5 files of other projects, if present.
PEERS ?= ../shared/peers

.PHONY: help demo test coverage check docs bench hostile lowest release-check clean

help:
	@echo "make demo    all examples from end to end, results in demo-output/"
	@echo "make test    all tests"
	@echo "make coverage  all tests with line coverage: twice as slow"
	@echo "make check   linter, formatter, types"
	@echo "make docs    the documentation, in build/docs/; runs every example in it"
	@echo "make bench   benchmarks of this library and other readers (hours; ARGS=--quick: minutes)"
	@echo "make hostile  2,000 damaged granules, compared with h5py, and 2,500 indexes (half an hour on two cores)"
	@echo "make lowest  all tests with the lowest versions of dependencies allowed"
	@echo "make release-check  build sdist and wheel in dist/, and open a granule in a new environment"
	@echo "make clean   delete the environments and all build products"

demo: .venv/demo.stamp
	$(BIN)/python -m examples

test: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal

coverage: .venv/test.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term --cov-fail-under=95

check: .venv/check.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict

docs: .venv/docs.stamp
	$(BIN)/mkdocs build --strict

bench: .venv-bench/bench.stamp
	.venv-bench/bin/python -m benchmarks $(ARGS)

hostile: .venv/test.stamp
	$(BIN)/python -m tests.hostile --all
	if [ -d "$(PEERS)" ]; then $(BIN)/python -W ignore -m tests.peers "$(PEERS)"; fi
	$(BIN)/python -m tests.hostile_indexes --all

lowest: .venv-lowest/test.stamp
	$(LOWEST)/python -m pytest -n 2 --dist worksteal

release-check: .venv/release.stamp
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python -m tests.release dist

# mypy needs the types of the packages that the examples and the extras use.
.venv/check.stamp: extras = all,check,demo

.venv/%.stamp: extras = $*
.venv/%.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[$(extras)]"
	touch $@

.venv-bench/bench.stamp: pyproject.toml benchmarks/requirements.txt benchmarks/peers.txt \
    | .venv-bench/bin/python
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -e . \
	  -r benchmarks/requirements.txt
	grep -v '^#' benchmarks/peers.txt | while read -r peer; do \
	  .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" \
	    || echo "$$peer cannot be installed here and is omitted"; \
	done
	touch $@

.venv-lowest/%.stamp: requirements-lowest.txt | $(LOWEST)/python
	$(LOWEST)/python -m pip install --quiet --disable-pip-version-check -e ".[$*]" -c $<
	touch $@

requirements-lowest.txt: pyproject.toml
	grep -oE '"[A-Za-z0-9._-]+(\[[a-z]+\])?>=[0-9.]+[";]' $< | tr -d '";' \
	  | sed -E 's/(\[[a-z]+\])?>=/==/' | LC_ALL=C sort -u > $@

.venv/bin/python .venv-bench/bin/python .venv-lowest/bin/python:
	$(PYTHON) -m venv $(@:/bin/python=)

clean:
	rm -rf .venv .venv-bench .venv-lowest build dist demo-output benchmarks/results
