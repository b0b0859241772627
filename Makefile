# make demo      segment a real cine, export int8, benchmark; pictures in demo-out/
# make test      lint, types, all tests
# make test-fast the tests that are not marked `slow`
# make test-cpus int8 on seven processors, six of them emulated, equal to the bit (docs/processors.md); by hand, on Debian
# make test-arm  a model exported for ARM, run on emulated boards (docs/processors.md); by hand, on Debian, for minutes
# make constraints  renews constraints.txt, the versions of the packages in .venv
# make docs      the documentation site, in site/
# make web       the page that runs in a browser alone, in web/dist (docs/web.md); by hand, with node 20 and Emscripten
# make dist      the C runtime as a source tarball, in dist/
# make dist-models  each model as an archive for `edgeecho models --add`, with its SHA-256, in dist/
# All but constraints and dist make the virtual environment .venv first. They need Python 3.11 to 3.13, git and make.

PYTHON ?= python3
# A release whose CPU build is known to work; on Linux another one may bring several GB of CUDA.
TORCH ?= torch==2.13.0
# One version of every package that .venv gets, TORCH excepted, for each Python. Without it: make CONSTRAINTS=/dev/null.
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
C_CODE = $(wildcard device/include/*.h device/src/*.[ch] device/src/*/*.[ch] device/tests/*.[ch] examples/c/*.[ch]* web/native/*.[ch])

# A process for each core, up to 4, as each needs 2 GB of memory; one that has no tests left takes some of another's.
# NumPy reads the variable when it is imported, before tests/conftest.py sets it.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: demo test test-fast test-cpus test-arm lint docs web constraints dist dist-models clean

demo: .venv/ready
	$(BIN)/edgeecho demo --out demo-out

test: .venv/ready lint
	$(PYTEST)

test-fast: .venv/ready
	$(PYTEST) -m 'not slow'

test-cpus: .venv/ready
	$(BIN)/python tests/cpus/run.py --cache .arm

test-arm: .venv/ready
	$(BIN)/python tests/cpus/run.py --cache .arm --export default --cpus cortex-a53,cortex-a72,cortex-a76
	if [ -f device/test_arm.sh ]; then sh device/test_arm.sh .arm; fi

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(C_CODE)

docs: .venv/docs-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.venv/docs-ready: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[docs]'
	touch $@

# Models of the page; the first one is open at its start.
WEB_MODELS ?= default cl_unet_nano

web: .venv/ready
	cd web && npm ci && npm run check && PYTHON=../$(BIN)/python MODELS='$(WEB_MODELS)' npm run build

dist:
	$(PYTHON) device/dist.py dist

dist-models: .venv/ready
	$(BIN)/python -m edgeecho.model.archive dist $(notdir $(patsubst %/bundle.json,%,$(wildcard models/*/bundle.json)))

# Renews constraints.txt with the newest versions that fit pyproject.toml, for every Python at once. Commit the result
# after `make test`.
constraints:
	set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(PYTHON) -m venv "$$tools"; \
	"$$tools/bin/pip" install --quiet --disable-pip-version-check 'uv>=0.13'; \
	"$$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	  --no-emit-package torch --no-emit-package torchvision --no-annotate \
	  --custom-compile-command 'make constraints' --output-file constraints.txt pyproject.toml

# Torch is installed without constraints: an index of CPU builds that TORCH names may lack the pinned versions of what it
# requires. The next command brings these to the pinned versions.
.venv/ready: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), sys.version'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .arm demo-out build *.egg-info
