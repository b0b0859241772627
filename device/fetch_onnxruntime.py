#!/usr/bin/env python3
"""Assemble an ONNX Runtime root (include/, lib/) from the package registries, for tests and experiments.

    python3 device/fetch_onnxruntime.py FOLDER [--version 1.32.0] [--arch aarch64] [--system windows]

The library is the one of the `onnxruntime` wheel, so C runs what Python runs. Wheels before 1.19 have none, and the
`onnxruntime-node` package of the same version does, which npm fetches. The C header comes from Debian's
libonnxruntime-dev, fetched through a private apt root that leaves the system alone, or else from the amd-quark wheel;
neither wheel nor npm package has it. It may be older or newer than the library: the runtime asks for the functions of
1.17 alone. On a product take the SDK that its maker ships, and give its folder as -DONNXRUNTIME_ROOT. Nothing that this
fetches belongs in version control.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

HEADER = "onnxruntime_c_api.h"
SUITE, DEB = "trixie", "libonnxruntime-dev"
WHEEL_WITH_HEADERS = "amd-quark==0.13"
LIBRARIES = {"linux": "libonnxruntime.so.", "windows": "onnxruntime.dll"}
"""Beginning of the file name of ONNX Runtime's library, by system."""
NODE_FOLDERS = {
    ("linux", "x86_64"): "linux/x64",
    ("linux", "aarch64"): "linux/arm64",
    ("windows", "x86_64"): "win32/x64",
}
"""Folders of the npm package by system and architecture: all that this script fetches for."""
TERMS = ("LICENSE", "ThirdPartyNotices.txt")
OLDEST = (1, 17)
VERSION_PARTS = 3
NPM_S = 120


def main() -> int:
    """Assemble the root; 0 if it is complete, 1 with a line on stderr if something is not to be had."""
    parser = argparse.ArgumentParser(description="Assemble an ONNX Runtime root from the package registries.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--arch", default=platform.machine(), choices=("x86_64", "aarch64"))
    parser.add_argument("--system", default="linux", choices=tuple(LIBRARIES))
    parser.add_argument("--version", default=None, help="of ONNX Runtime; else the installed one, else the newest")
    options = parser.parse_args()
    try:
        if (options.system, options.arch) not in NODE_FOLDERS:
            raise LookupError(f"this script fetches none for {options.system} on {options.arch}")
        if options.version:
            check_version(options.version)
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            found = find_library(options.system, options.arch, options.version or installed_version(), scratch)
            header = fetch_header(scratch)
            put_together(options.root, found, header)
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"error: no ONNX Runtime root: {error}\n")
        return 1
    return 0


def check_version(version: str) -> None:
    """Refuse a version that is no version, or that the runtime cannot use.

    Raises:
        LookupError: It is not three numbers, or older than 1.17.
    """
    parts = version.split(".")
    if len(parts) != VERSION_PARTS or not all(part.isdecimal() for part in parts):
        raise LookupError(f"{version} is no version of ONNX Runtime; give one such as 1.17.3")
    if tuple(map(int, parts[:2])) < OLDEST:
        raise LookupError(f"{version} is too old: the device runtime needs 1.17 or later")


def installed_version() -> str | None:
    """Version of the onnxruntime package beside this interpreter, if there is one."""
    try:
        return distribution("onnxruntime").version
    except PackageNotFoundError:
        return None


def put_together(root: Path, library: Path, header: Path) -> None:
    """Fill include/ and lib/ of a root, with the names of the library and the terms that lie beside it."""
    for name in ("include", "lib"):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(header, root / "include" / HEADER)
    shutil.copyfile(library, root / "lib" / library.name)
    for terms in TERMS:
        if (library.parent / terms).is_file():
            shutil.copyfile(library.parent / terms, root / terms)
    if library.name.startswith(LIBRARIES["linux"]):
        for name in ("libonnxruntime.so.1", "libonnxruntime.so"):  # the soname, and what a linker looks for
            link = root / "lib" / name
            link.unlink(missing_ok=True)
            link.symlink_to(library.name)


def find_library(system: str, arch: str, version: str | None, scratch: Path) -> Path:
    """Return the library's file in a folder with its terms, from what is installed or from a registry.

    Raises:
        LookupError: No registry has one of this version for this system.
    """
    here = platform.system().lower(), platform.machine()
    if (system, arch) == here and version and version == installed_version():
        package = Path(str(distribution("onnxruntime").locate_file("onnxruntime")))
        found = next((package / "capi").glob(f"{LIBRARIES[system]}*"), None)
        if found is not None:
            return gather(found, [package / terms for terms in TERMS], scratch)
    try:
        wheel = download(f"onnxruntime=={version}" if version else "onnxruntime", scratch, arch, system)
        return library_in_wheel(wheel, system, scratch)
    except LookupError as missing:
        if not version:
            raise
        try:
            return library_in_node_package(version, system, arch, scratch)
        except LookupError as also_missing:
            raise LookupError(f"{missing}; {also_missing}") from None


def gather(library: Path, terms: list[Path], scratch: Path) -> Path:
    """Copy a library and its terms into one folder."""
    folder = scratch / "library"
    folder.mkdir(exist_ok=True)
    for path in (library, *(path for path in terms if path.is_file())):
        shutil.copyfile(path, folder / path.name)
    return folder / library.name


def library_in_wheel(wheel: Path, system: str, scratch: Path) -> Path:
    """Unpack the library and its terms from a wheel.

    Raises:
        LookupError: The wheel has only Python's module, as those before 1.19 for Linux.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        found = next((n for n in names if n.startswith(f"onnxruntime/capi/{LIBRARIES[system]}")), None)
        if found is None:
            raise LookupError(f"the wheel {wheel.name} has no {LIBRARIES[system].rstrip('.')} of its own")
        terms = [Path(archive.extract(n, scratch)) for n in names if n in {f"onnxruntime/{t}" for t in TERMS}]
        return gather(Path(archive.extract(found, scratch)), terms, scratch)


def library_in_node_package(version: str, system: str, arch: str, scratch: Path) -> Path:
    """Fetch the npm package `onnxruntime-node` and unpack the library; the package has no file of terms.

    Raises:
        LookupError: There is no npm, no such version, or no such library in it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise LookupError("npm, whose package onnxruntime-node has it, is not installed")
    wanted = f"onnxruntime-node@{version}"
    command = [npm, "pack", "--silent", wanted]
    try:
        packed = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=NPM_S)
    except subprocess.TimeoutExpired:
        raise LookupError(f"npm did not deliver {wanted} within {NPM_S} s") from None
    if packed.returncode:
        raise LookupError(f"npm has no {wanted}")
    with tarfile.open(scratch / packed.stdout.split()[-1], mode="r|gz") as archive:
        folder = f"/{NODE_FOLDERS[system, arch]}/{LIBRARIES[system]}"
        found = next((member for member in archive if folder in member.name), None)
        if found is None:
            raise LookupError(f"{wanted} has no library for {system} on {arch}")
        library = scratch / Path(found.name).name
        content = archive.extractfile(found)
        library.write_bytes(content.read() if content else b"")
    return gather(library, [], scratch)


def fetch_header(scratch: Path) -> Path:
    """Return the C header, from Debian or from a wheel that has it."""
    try:
        return header_from_debian(scratch)
    except (OSError, LookupError, subprocess.CalledProcessError):
        with zipfile.ZipFile(download(WHEEL_WITH_HEADERS, scratch, "x86_64")) as archive:
            return Path(archive.extract(next(n for n in archive.namelist() if n.endswith("/" + HEADER)), scratch))


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


def download(requirement: str, folder: Path, arch: str, system: str = "linux") -> Path:
    """Fetch one wheel with pip.

    Raises:
        LookupError: There is none for this system and this Python.
    """
    platforms = ["win_amd64"] if system == "windows" else [f"manylinux{v}_{arch}" for v in ("_2_28", "_2_27", "2014")]
    run = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run += ["--only-binary=:all:", *(f"--platform={name}" for name in (*platforms, "any"))]
    done = subprocess.run([*run, "--dest", str(folder), requirement], capture_output=True, text=True)
    if done.returncode:
        version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        raise LookupError(f"pip finds no wheel of {requirement} for {system} on {arch} and {version}")
    name = requirement.partition("=")[0].replace("-", "_")
    return next(folder.glob(f"{name}*.whl"))


if __name__ == "__main__":
    raise SystemExit(main())
