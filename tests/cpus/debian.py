"""Debian's packages in a folder of their own: apt downloads, dpkg unpacks, and nothing of this machine is changed."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


def find_qemu(cache: Path, architecture: str) -> Path:
    """Path of qemu's user mode for `aarch64` or `x86_64`: the installed one, else one unpacked into the cache.

    Raises:
        SystemExit: If it cannot be downloaded, with one line.
    """
    name = f"qemu-{architecture}"
    installed = shutil.which(name) or shutil.which(f"{name}-static")
    if installed:
        return Path(installed)
    folder = cache / "qemu"
    if not folder.is_dir():
        unpack(cache, ["qemu-user-static"], run(["dpkg", "--print-architecture"]).strip(), folder)
    return min((folder / "usr/bin").glob(f"{name}*"), key=lambda path: len(path.name))


def unpack(cache: Path, packages: Sequence[str], architecture: str, into: Path) -> None:
    """Download Debian packages with all that they depend on, and unpack them.

    Args:
        cache: Folder for apt's own state and for the downloads.
        packages: Names.
        architecture: Debian's name, such as `arm64`.
        into: Folder to create.

    Raises:
        SystemExit: If a tool is missing or a download fails, with one line.
    """
    apt = cache / f"apt-{architecture}"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").write_text("")
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state"; Dir::State::status "{apt}/status"; Dir::Cache "{apt}/cache";\n'
        f'APT::Architecture "{architecture}"; APT::Architectures {{ "{architecture}"; }};\n'
        'APT::Sandbox::User ""; APT::Install-Recommends "false"; Debug::NoLocking "true";\n'
    )
    settings = {"APT_CONFIG": str(apt / "apt.conf")}
    run(["apt-get", "update"], settings)
    run(["apt-get", "install", "--yes", "--download-only", *packages], settings)
    staging = into.with_suffix(".unpacking")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        run(["dpkg", "-x", str(package), str(staging)])
    staging.rename(into)


def run(command: list[str], settings: dict[str, str] | None = None) -> str:
    """Standard output of a command.

    Raises:
        SystemExit: If it is missing or fails, with one line.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(settings or {})})
    except FileNotFoundError:
        raise SystemExit(f"error: {command[0]} is missing; this test needs Debian's apt-get and dpkg") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise SystemExit(f"error: {' '.join(command[:3])} ... failed: {lines[-1]}")
    return done.stdout
