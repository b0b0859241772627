"""Is the repository ready for a release? `make release-check` runs every step and prints a line for each.

    python -m release.check [--out dist] [--final] [--python 3.11 3.12 3.13]

It builds from what is committed. The steps: nothing is left uncommitted; one version everywhere, and an entry of it in
the changelog; all files are built twice to the same bytes; the wheel is installed in an empty environment of each
Python, where the default model must find a drawn ventricle and every archive must be installed; the C tarball builds;
the pages are built. With `--final` the changelog may have nothing under "Unreleased". docs/releases.md tells more.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from release.build import CHECKSUMS, build_all, export_sources
from release.command import run
from release.environment import find_python, try_wheel
from release.version import ROOT, version

PYTHONS = ("3.11", "3.12", "3.13")


class StepError(Exception):
    """A step that does not hold, with what is wrong and what to do."""


def check_tree() -> str:
    """Nothing is left uncommitted, as the files are built from what is committed."""
    if changed := run(["git", "status", "--porcelain"], ROOT).splitlines():
        raise StepError(f"{len(changed)} files are not committed ({changed[0].strip()}, ...); commit them")
    return run(["git", "rev-parse", "--short=12", "HEAD"], ROOT).strip()


def check_versions(*, final: bool) -> str:
    """The version of pyproject.toml stands in the C header, and has an entry in the changelog."""
    header = (ROOT / "device" / "include" / "edgeecho.h").read_text()
    in_header = ".".join(re.findall(r"^#define EDGEECHO_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, re.MULTILINE))
    if in_header != version():
        raise StepError(f"the C header has {in_header}, pyproject.toml {version()}: python device/write_headers.py")
    changelog = (ROOT / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(version())} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        raise StepError(f"CHANGELOG.md has no entry '## {version()} - DATE'")
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## )", changelog, re.MULTILINE | re.DOTALL)
    entries = len(re.findall(r"^- ", unreleased[1], re.MULTILINE)) if unreleased else 0
    if entries and final:
        raise StepError(f"CHANGELOG.md has {entries} entries under Unreleased; give them a version and a date")
    return f"{version()}" + (f"; {entries} entries under Unreleased, for the next version" if entries else "")


def check_builds(out: Path, scratch: Path) -> str:
    """All files are built twice, from two copies of the sources, to the same bytes."""
    if out.is_dir() and (inside := [path.name for path in out.iterdir() if path.is_dir()]):
        raise StepError(f"{out} would be emptied and has folders in it ({inside[0]}); give another --out")
    shutil.rmtree(out, ignore_errors=True)
    folders = [out, scratch / "again"]
    for at, folder in enumerate(folders):
        sources = scratch / f"sources-{at}"
        sources.mkdir()
        build_all(export_sources(sources), folder)
        shutil.rmtree(sources)
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    if names[0] != names[1]:
        raise StepError(f"two builds gave other files: {set(names[0]) ^ set(names[1])}")
    if differ := [name for name in names[0] if (out / name).read_bytes() != (folders[1] / name).read_bytes()]:
        raise StepError(f"two builds gave other bytes: {', '.join(differ)}")
    shutil.rmtree(folders[1])
    return f"{len(names[0])} files, twice the same bytes; {CHECKSUMS} lists them"


def check_python(name: str, out: Path, scratch: Path) -> str:
    """The wheel works in an empty environment of a Python."""
    found = find_python(name)
    if found is None:
        raise StepError(f"no Python {name} on this machine; install it, or leave it out with --python")
    return try_wheel(found, out, scratch / f"environment-{name}")


def check_tarball(out: Path, scratch: Path) -> str:
    """The C tarball builds, and its own tests pass."""
    if missing := [tool for tool in ("cc", "cmake") if not shutil.which(tool)]:
        raise StepError(f"no {', '.join(missing)}; install them")
    folder = scratch / "device"
    shutil.unpack_archive(out / f"edgeecho-device-{version()}.tar.gz", folder, filter="data")
    (source,) = folder.iterdir()
    run([sys.executable, str(source / "fetch_onnxruntime.py"), str(folder / "onnxruntime")], ROOT)
    settings = [f"-DONNXRUNTIME_ROOT={folder / 'onnxruntime'}", "-DEDGEECHO_BUILD_TESTS=ON"]
    run(["cmake", "-S", str(source), "-B", str(folder / "build"), *settings], ROOT)
    run(["cmake", "--build", str(folder / "build")], ROOT)
    passed = run(["ctest", "--test-dir", str(folder / "build"), "--output-on-failure"], ROOT)
    shutil.rmtree(folder)
    return next(line.strip() for line in passed.splitlines() if "tests passed" in line)


def check_pages(scratch: Path) -> str:
    """The documentation site is built, without a warning."""
    site = scratch / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(site)]
    run(command, ROOT, os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    return f"{len(list(site.rglob('index.html')))} pages"


def main() -> None:
    """Run all steps; exit 1 if one of them does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--final", action="store_true", help="Refuse entries under Unreleased in the changelog.")
    parser.add_argument("--python", nargs="*", default=PYTHONS, help="Versions in which the wheel is tried.")
    options = parser.parse_args()
    out = options.out.resolve()
    with tempfile.TemporaryDirectory(prefix="edgeecho-release-") as folder:
        scratch = Path(folder)
        steps: dict[str, Callable[[], str]] = {
            "committed": check_tree,
            "version and changelog": partial(check_versions, final=options.final),
            "built twice": partial(check_builds, out, scratch),
        }
        for name in options.python:
            steps[f"Python {name}"] = partial(check_python, name, out, scratch)
        steps["C tarball"] = partial(check_tarball, out, scratch)
        steps["pages"] = partial(check_pages, scratch)
        failed = 0
        for name, step in steps.items():
            start = time.monotonic()
            try:
                text = f"holds: {step()}"
            except (StepError, SystemExit, OSError) as error:
                failed += 1
                text = f"FAILS: {error}"
            sys.stdout.write(f"{name:22} {time.monotonic() - start:6.1f} s  {text}\n")
            sys.stdout.flush()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
