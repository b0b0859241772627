"""A board that is not there: an aarch64 root in a folder, and qemu's user mode to run programs in it.

Debian's arm64 packages (Python and the C library) are unpacked, never installed, and the engines' wheels are those that
pip gives a board. apt works in folders of its own: nothing of this machine's system is changed, and no root rights are
needed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
PINNED = ("numpy", "scipy", "opencv-python-headless", "onnxruntime", "openvino")
"""The board gets the versions that this machine compares it with."""
REPOSITORY = Path(__file__).parents[2]
GLIBC = range(17, 37)
"""Wheels for C libraries 2.17 to 2.36 run in the root."""
V8 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
V8_2 = f"{V8} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"
CPUS = {
    "cortex-a53": (0xD03, 0, 4, V8),
    "cortex-a72": (0xD08, 0, 3, V8),
    "cortex-a76": (0xD0B, 4, 1, V8_2),
}
"""qemu's name to part, variant, revision and features: small cores of many boards, Raspberry Pi 4, Raspberry Pi 5."""


class Board:
    """An aarch64 root with Python, the engines and EdgeEcho, in a folder that is kept for the next time."""

    def __init__(self, cache: Path) -> None:
        """
        Args:
            cache: Folder for the root and what was downloaded, about 0.8 GB.

        Raises:
            SystemExit: If a tool is missing or a download fails, with one line.
        """
        self.cache = cache.resolve()
        self.root = self.cache / "root"
        wanted = " ".join([*PACKAGES, *(f"{name}=={version(name)}" for name in PINNED)])
        ready = self.cache / "ready"
        if not ready.is_file() or ready.read_text() != wanted:
            shutil.rmtree(self.root, ignore_errors=True)
            self._unpack(PACKAGES, "arm64", self.root)
            self._install([f"{name}=={version(name)}" for name in PINNED], self.root / "site")
            ready.write_text(wanted)
        self.qemu = self._find_qemu()
        self._install_edgeecho()

    def command(self, cpu: str, *arguments: str | Path) -> list[str]:
        """The command line that runs the board's Python on a processor of `CPUS`."""
        self._describe(cpu)
        python = next((self.root / "usr/bin").glob("python3.[0-9]*"))
        path = f"PYTHONPATH={self.root / 'edgeecho'}:{self.root / 'site'}"
        return [str(self.qemu), "-L", str(self.root), "-cpu", cpu, "-E", path, str(python), *map(str, arguments)]

    def _describe(self, cpu: str) -> None:
        """Say what the processor is, where engines look: else they read this machine's files, and crash.

        A description that promises more than qemu's processor can do ends in an illegal instruction.
        """
        part, variant, revision, features = CPUS[cpu]
        text = "".join(
            f"processor\t: {core}\nFeatures\t: {features}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
            f"CPU variant\t: {variant:#x}\nCPU part\t: {part:#x}\nCPU revision\t: {revision}\n\n"
            for core in range(os.cpu_count() or 1)
        )
        register = self.root / "sys/devices/system/cpu/cpu0/regs/identification/midr_el1"
        for path, content in (
            (self.root / "proc/cpuinfo", text),
            (register, f"{0x41 << 24 | variant << 20 | 0xF << 16 | part << 4 | revision:#018x}\n"),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def _find_qemu(self) -> Path:
        installed = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
        if installed:
            return Path(installed)
        folder = self.cache / "qemu"
        if not folder.is_dir():
            self._unpack(["qemu-user-static"], _run(["dpkg", "--print-architecture"]).strip(), folder)
        return min((folder / "usr/bin").glob("qemu-aarch64*"), key=lambda path: len(path.name))

    def _unpack(self, packages: Sequence[str], architecture: str, into: Path) -> None:
        """Download Debian packages with all that they need, and unpack them."""
        apt = self.cache / f"apt-{architecture}"
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (apt / folder).mkdir(parents=True, exist_ok=True)
        (apt / "status").write_text("")
        (apt / "apt.conf").write_text(
            f'Dir::State "{apt}/state"; Dir::State::status "{apt}/status"; Dir::Cache "{apt}/cache";\n'
            f'APT::Architecture "{architecture}"; APT::Architectures {{ "{architecture}"; }};\n'
            'APT::Sandbox::User ""; APT::Install-Recommends "false"; Debug::NoLocking "true";\n'
        )
        settings = {"APT_CONFIG": str(apt / "apt.conf")}
        _run(["apt-get", "update"], settings)
        _run(["apt-get", "install", "--yes", "--download-only", *packages], settings)
        staging = into.with_suffix(".unpacking")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        for package in sorted((apt / "cache/archives").glob("*.deb")):
            _run(["dpkg", "-x", str(package), str(staging)])
        staging.rename(into)

    def _install(self, requirements: Sequence[str], site: Path) -> None:
        """What pip would install on the board."""
        names = [path.name for path in (self.root / "usr/bin").glob("python3.[0-9]*")]
        platforms = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in GLIBC)]
        chosen = [f"--platform={platform}" for platform in platforms]
        chosen += [f"--python-version={names[0].removeprefix('python')}", "--only-binary=:all:", f"--target={site}"]
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *chosen, *requirements])

    def _install_edgeecho(self) -> None:
        """The wheel of this checkout; made each time."""
        site, wheels = self.root / "edgeecho", self.cache / "wheels"
        for folder in (site, wheels):
            shutil.rmtree(folder, ignore_errors=True)
        build = ["wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}"]
        _run([sys.executable, "-m", "pip", *build, str(REPOSITORY)])
        (wheel,) = wheels.iterdir()
        shutil.unpack_archive(wheel, site, "zip")


def _run(command: list[str], settings: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(settings or {})})
    except FileNotFoundError:
        raise SystemExit(f"error: {command[0]} is missing; this test needs Debian's apt-get and dpkg") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise SystemExit(f"error: {' '.join(command[:3])} ... failed: {lines[-1]}")
    return done.stdout
