#!/usr/bin/env python3
"""Assemble an ONNX Runtime root (include/, lib/) from the package registries, for tests and experiments.

    python3 device/fetch_onnxruntime.py FOLDER [--arch aarch64] [--version 1.32.0]

The library is the one of the `onnxruntime` wheel, so C runs what Python runs; the wheel has no C headers. These come
from Debian's libonnxruntime-dev, fetched through a private apt root that leaves the system alone, or else from the
amd-quark wheel. Both are older than the library, which is sound: the C interface only grows. On a product take the SDK
that its maker ships, and give its folder as -DONNXRUNTIME_ROOT. Nothing that this fetches belongs in version control.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

HEADER = "onnxruntime_c_api.h"
SUITE, DEB = "trixie", "libonnxruntime-dev"
WHEEL_WITH_HEADERS = "amd-quark==0.13"


def main() -> int:
    """Assemble the root; 0 if it is complete, 1 with a line on stderr if something is not to be had."""
    parser = argparse.ArgumentParser(description="Assemble an ONNX Runtime root from the package registries.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--arch", default=platform.machine(), choices=("x86_64", "aarch64"))
    parser.add_argument("--version", default=None, help="of ONNX Runtime; else the installed one, else the newest")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            fetch_library(options.root / "lib", options.arch, options.version or installed_version(), Path(scratch))
            fetch_header(options.root / "include", Path(scratch))
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"error: no ONNX Runtime root: {error}\n")
        return 1
    return 0


def installed_version() -> str | None:
    """Version of the onnxruntime package beside this interpreter, if there is one."""
    try:
        return distribution("onnxruntime").version
    except PackageNotFoundError:
        return None


def fetch_library(folder: Path, arch: str, version: str | None, scratch: Path) -> None:
    """Put libonnxruntime.so.1 and its names into a folder, from the installed package where it fits."""
    folder.mkdir(parents=True, exist_ok=True)
    if arch == platform.machine() and version and version == installed_version():
        package = Path(str(distribution("onnxruntime").locate_file("onnxruntime/capi")))
        found = next(package.glob("libonnxruntime.so.*"), None)
    else:
        found = None
    if found is None:
        wheel = download(f"onnxruntime=={version}" if version else "onnxruntime", scratch, arch)
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.startswith("onnxruntime/capi/libonnxruntime.so.")]
            found = Path(archive.extract(names[0], scratch))
    library = folder / found.name
    shutil.copyfile(found, library)
    for name in ("libonnxruntime.so.1", "libonnxruntime.so"):  # the soname, and what a linker looks for
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(library.name)


def fetch_header(folder: Path, scratch: Path) -> None:
    """Put the C header into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = header_from_debian(scratch)
    except (OSError, LookupError, subprocess.CalledProcessError):
        with zipfile.ZipFile(download(WHEEL_WITH_HEADERS, scratch, "x86_64")) as archive:
            found = Path(archive.extract(next(n for n in archive.namelist() if n.endswith("/" + HEADER)), scratch))
    shutil.copyfile(found, folder / HEADER)


def header_from_debian(scratch: Path) -> Path:
    """Fetch Debian's package of headers from the mirror that this system uses, and unpack it."""
    asking = ["apt-get", "indextargets", "--no-release-info", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"]
    listed = subprocess.run(asking, check=True, capture_output=True, text=True).stdout.splitlines()
    sites = dict(line.split() for line in listed)
    site = next(iter(sites[name] for name in sites if f"{name}-updates" in sites or name == SUITE), None)
    if site is None:
        raise LookupError("this system names no Debian mirror")
    root = scratch / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (root / name).mkdir(parents=True)
    (root / "status").touch()
    (root / "sources.list").write_text(f"deb {site} {SUITE} main\n")
    settings = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": root / "lists",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in settings.items())]
    subprocess.run([*apt, "update"], check=True, capture_output=True)
    subprocess.run([*apt, "download", DEB], check=True, capture_output=True, cwd=scratch)
    deb = next(scratch.glob(f"{DEB}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(deb), str(scratch / "deb")], check=True)
    return next((scratch / "deb").rglob(HEADER))


def download(requirement: str, folder: Path, arch: str) -> Path:
    """Fetch one wheel with pip."""
    run = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run += ["--only-binary=:all:", f"--platform=manylinux_2_28_{arch}", f"--platform=manylinux_2_27_{arch}"]
    run += [f"--platform=manylinux2014_{arch}", "--platform=any", "--dest", str(folder), requirement]
    subprocess.run(run, check=True)
    name = requirement.partition("=")[0].replace("-", "_")
    return next(folder.glob(f"{name}*.whl"))


if __name__ == "__main__":
    raise SystemExit(main())
