# make demo      segment a real cine, export int8, benchmark; pictures in demo-out/
# make test      lint, types, tests
# make test-arm  a model exported for ARM, run on an emulated board (docs/arm.md); by hand, on Debian, for minutes
# make dist      the C runtime as a source tarball, in dist/
# All but dist make the virtual environment .venv first. They need Python 3.11 to 3.13, git and make.

PYTHON ?= python3
# A release whose CPU build is known to work; on Linux another one may bring several GB of CUDA.
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: demo test test-arm lint dist clean

demo: .venv/ready
	$(BIN)/edgeecho demo --out demo-out

test: .venv/ready lint
	$(BIN)/python -m pytest

test-arm: .venv/ready
	$(BIN)/python tests/arm/compare.py --cache .arm
	if [ -f device/test_arm.sh ]; then sh device/test_arm.sh .arm; fi

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
	rm -rf .venv .arm demo-out build *.egg-info
