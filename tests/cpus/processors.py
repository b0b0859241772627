"""The processors of the comparison, and how Python is started on each: this machine's own, and emulated ones."""

import platform
import re
import sys
from functools import cached_property
from pathlib import Path

from board import CPUS as ARM
from board import Board
from debian import find_qemu

NATIVE = "native"
X86 = ("Nehalem", "Denverton", "Haswell")
"""qemu's names: two with SSE4.2 alone, a Core and an Atom, and one with AVX2 but no VNNI."""
EMULATED = (*X86, *ARM)
FLAGS = {
    "sse4_2": "SSE4.2",
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX512-VNNI",
    "amx_int8": "AMX",
    "asimd": "NEON",
    "asimddp": "dot product",
    "i8mm": "I8MM",
    "sve": "SVE",
}
"""Linux's names of the instruction sets that decide on the kernels of int8."""


class Processors:
    """Command lines that start Python with EdgeEcho on a processor. One processor of aarch64 at a time."""

    def __init__(self, cache: Path) -> None:
        """
        Args:
            cache: Folder for the emulated board's root, made on first use, and for what is downloaded.
        """
        self.cache = cache

    @cached_property
    def _board(self) -> Board:
        return Board(self.cache)

    def command(self, name: str) -> list[str]:
        """
        Args:
            name: `NATIVE` or one of `EMULATED`.

        Raises:
            SystemExit: If the processor cannot be emulated here, with one line.
        """
        if name == NATIVE:
            return [sys.executable]
        if name in ARM:
            return self._board.command(name)
        if platform.machine() != "x86_64":
            sys.exit(f"error: {name} is emulated on x86-64 only; choose others with --cpus")
        return [str(find_qemu(self.cache.resolve(), "x86_64")), "-cpu", name, sys.executable]


def describe_native(cpuinfo: str | None = None) -> str:
    """Name of this machine's processor and its instruction sets that matter for int8.

    Args:
        cpuinfo: Text of Linux's `/proc/cpuinfo`; None reads it.
    """
    if cpuinfo is None:
        path = Path("/proc/cpuinfo")
        cpuinfo = path.read_text() if path.is_file() else ""
    name = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    found = re.search(r"^(?:flags|Features)\s*: (.*)$", cpuinfo, re.MULTILINE)
    present = set(found[1].split()) if found else set()
    sets = [text for flag, text in FLAGS.items() if flag in present]
    return f"{name[1].strip() if name else platform.machine()} with {', '.join(sets) or 'unknown instruction sets'}"
