# make demo      segment a real cine, export int8, benchmark; pictures in demo-out/
# make test      lint, types, all tests
# make test-fast the tests that are not marked `slow`
# make native    the native engine for Python, edgeecho._native; needs a C compiler
# make test-cpus int8 on seven processors, six of them emulated, equal to the bit (docs/processors.md); by hand, on Debian
# make test-arm  a model exported for ARM, run on emulated boards (docs/processors.md); by hand, on Debian, for minutes
# make constraints  renews constraints.txt, the versions of the packages in .venv
# make lowest    the tests with the lowest versions of all packages that pyproject.toml allows (CONTRIBUTING.md); by hand
# make mutation  whether a test notices changed lines (docs/mutation.md); by hand, for an hour and more
# make docs      the documentation site, in site/
# make web       the page that runs in a browser alone, in web/dist (docs/web.md); by hand, with node 20 and Emscripten
# make dist      the C runtime as a source tarball, in dist/
# make dist-models  each model as an archive for `edgeecho models --add`, with its SHA-256, in dist/
# make sbom      bills of materials of the package, the C library and each model (docs/licences.md), in dist/
# make release-check  every file of a release, built twice and tried (docs/releases.md), in dist/; by hand, for minutes
# All but constraints and dist make the virtual environment .venv first. They need Python 3.11 to 3.13, git and make.

PYTHON ?= python3
# A release whose CPU build is known to work; on Linux another one may bring several GB of CUDA.
TORCH ?= torch==2.13.0
# One version of every package that .venv gets, TORCH excepted, for each Python. Without it: make CONSTRAINTS=/dev/null.
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
C_CODE = $(wildcard device/include/*.h device/src/*.[ch] device/src/*/*.[ch] device/src/*/*/*.[ch] device/tests/*.[ch] examples/c/*.[ch]*) \
         $(wildcard web/native/*.[ch])

# A process for each core, up to 4, as each needs 2 GB of memory; one that has no tests left takes some of another's.
# NumPy reads the variable when it is imported, before tests/conftest.py sets it.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: demo native test tests test-fast test-cpus test-arm lint lowest mutation docs web constraints dist dist-models sbom
.PHONY: release-check clean

demo: .venv/ready
	$(BIN)/edgeecho demo --out demo-out

# Compiled into this folder, where an editable installation finds it.
native: .venv/ready
	EDGEECHO_NATIVE=1 $(BIN)/python setup.py --quiet build_ext --inplace

# The types are checked beside the tests, by a process that no test waits for.
test: .venv/ready
	if command -v cc >/dev/null; then $(MAKE) native; fi
	$(MAKE) --jobs 2 lint tests

tests: .venv/ready
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

sbom: .venv/release-ready
	$(BIN)/python -m release.sbom dist

release-check: .venv/release-ready
	$(BIN)/python -m release.check $(RELEASE)

.venv/release-ready: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[release]'
	touch $@

mutation: .venv/ready
	$(BIN)/python -m tests.mutation.run --out mutation.json
	$(BIN)/python -m tests.mutation.page mutation.json

# An environment of its own with the lowest version of each package that pyproject.toml names, and the tests in it. What
# newer packages call deprecated in these is no error there.
lowest:
	$(call with_uv,pip compile --quiet --resolution lowest-direct --python-version 3.11 --extra all --extra cluster \
	  --extra dicom-gpl --extra video-gpl --extra test --no-emit-package torch --no-annotate \
	  --custom-compile-command 'make lowest' --output-file build/lowest.txt pyproject.toml)
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check $(TORCH)
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check --constraint build/lowest.txt \
	  --editable '.[all,cluster,dicom-gpl,video-gpl,test]'
	OMP_NUM_THREADS=1 .venv-lowest/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal \
	  -W default::DeprecationWarning

# Renews constraints.txt with the newest versions that fit pyproject.toml, for every Python at once. Commit the result
# after `make test`.
constraints:
	$(call with_uv,pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --extra docs \
	  --extra release --no-emit-package torch --no-emit-package torchvision --no-annotate \
	  --custom-compile-command 'make constraints' --output-file constraints.txt pyproject.toml)

# Runs uv, in an environment that is removed again.
define with_uv
	set -e; mkdir -p build; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; $(PYTHON) -m venv "$$tools"; \
	"$$tools/bin/pip" install --quiet --disable-pip-version-check 'uv>=0.13'; "$$tools/bin/uv" $(1)
endef

# Torch is installed without constraints: an index of CPU builds that TORCH names may lack the pinned versions of what it
# requires. The next command brings these to the pinned versions.
.venv/ready: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), sys.version'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .venv-lowest .arm demo-out build *.egg-info
