# make demo    segment a real cine, export int8, benchmark; pictures in demo-out/
# make test    lint, types, tests
# make dist    the C runtime as a source tarball, in dist/
# The first two make the virtual environment .venv first. They need Python 3.11 to 3.13, git and make.

PYTHON ?= python3
# A release whose CPU build is known to work; on Linux another one may bring several GB of CUDA.
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: demo test lint dist clean

demo: .venv/ready
	$(BIN)/edgeecho demo --out demo-out

test: .venv/ready lint
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dist:
	$(PYTHON) device/dist.py dist

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), sys.version'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv demo-out build *.egg-info
