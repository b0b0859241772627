"""An emulated aarch64 board: a root in a folder, in which qemu's user mode runs programs.

Debian's arm64 packages (Python and the C library) are unpacked, never installed, and the engines' wheels are those that
pip installs on a board. No root rights are needed.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from debian import find_qemu, run, unpack

PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
SAME_VERSION = ("opencv-python-headless", "onnxruntime", "openvino")
"""Packages of which the board gets the versions of this machine."""
NEWEST = ("numpy", "scipy", "platformdirs")
"""Packages of which the board gets the newest version for its own Python, which may be older than this machine's."""
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
    """An aarch64 root with Python, the engines and EdgeEcho, in a folder that is kept for later runs."""

    def __init__(self, cache: Path) -> None:
        """
        Args:
            cache: Folder for the root and the downloads, about 0.8 GB.

        Raises:
            SystemExit: If a tool is missing or a download fails, with one line.
        """
        self.cache = cache.resolve()
        self.root = self.cache / "root"
        requirements = [*NEWEST, *(f"{name}=={version(name)}" for name in SAME_VERSION)]
        wanted = " ".join([*PACKAGES, *requirements])
        ready = self.cache / "ready"
        if not ready.is_file() or ready.read_text() != wanted:
            shutil.rmtree(self.root, ignore_errors=True)
            unpack(self.cache, PACKAGES, "arm64", self.root)
            self._install(requirements, self.root / "site")
            ready.write_text(wanted)
        self.qemu = find_qemu(self.cache, "aarch64")
        self._install_edgeecho()

    def command(self, cpu: str) -> list[str]:
        """The command line that starts the board's Python on a processor of `CPUS`."""
        self._describe(cpu)
        python = next((self.root / "usr/bin").glob("python3.[0-9]*"))
        path = f"PYTHONPATH={self.root / 'edgeecho'}:{self.root / 'site'}"
        return [str(self.qemu), "-L", str(self.root), "-cpu", cpu, "-E", path, str(python)]

    def _describe(self, cpu: str) -> None:
        """Write the files in which the engines look up the processor: without them they read this machine's, and crash.

        A description with more features than qemu's processor has ends in an illegal instruction.
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

    def _install(self, requirements: Sequence[str], site: Path) -> None:
        """Install what pip installs on the board."""
        names = [path.name for path in (self.root / "usr/bin").glob("python3.[0-9]*")]
        platforms = ["manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in GLIBC)]
        chosen = [f"--platform={platform}" for platform in platforms]
        chosen += [f"--python-version={names[0].removeprefix('python')}", "--only-binary=:all:", f"--target={site}"]
        run([sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", *chosen, *requirements])

    def _install_edgeecho(self) -> None:
        """Install the wheel of this checkout, built anew each time."""
        site, wheels = self.root / "edgeecho", self.cache / "wheels"
        for folder in (site, wheels):
            shutil.rmtree(folder, ignore_errors=True)
        build = ["wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}"]
        run([sys.executable, "-m", "pip", *build, str(REPOSITORY)])
        (wheel,) = wheels.iterdir()
        shutil.unpack_archive(wheel, site, "zip")
