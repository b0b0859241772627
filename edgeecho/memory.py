"""Budget of memory: how many bytes the reading of one file may take, checked before they are taken.

Files are untrusted: one of 13 kB may state pictures of many GB. Every reader computes what it will take from the file's
headers, and refuses the file if that is more than the budget. The default is a quarter of the machine's memory;
`EDGEECHO_MAX_MEMORY`, which `--max-memory` sets, changes it for a process and its workers, `memory_budget` for a block.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from edgeecho.errors import ConfigError, EdgeEchoError, VideoError

ENVIRONMENT = "EDGEECHO_MAX_MEMORY"
"""Variable of the environment with the budget, such as `2G`, `500M` or a number of bytes."""
PART = 4
"""The default is the machine's memory over this."""
MIN_BYTES = 1 << 24
"""Smallest budget that can be set."""
_SLACK_BYTES = 256 << 20
"""Memory beside the budget that a decoder's threads and libraries may take."""
_UNKNOWN_MACHINE_BYTES = 8 << 30
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_for_block: ContextVar[int | None] = ContextVar("max_memory", default=None)


def max_memory() -> int:
    """Return the budget in bytes.

    Raises:
        ConfigError: If the variable of the environment is no size.
    """
    block = _for_block.get()
    if block is not None:
        return block
    asked = os.environ.get(ENVIRONMENT)
    return parse_bytes(asked, ENVIRONMENT) if asked else machine_bytes() // PART


@contextmanager
def memory_budget(size: int | None) -> Iterator[None]:
    """Set the budget of the block in bytes; None leaves it.

    Raises:
        ConfigError: If it is no whole number, or too small.
    """
    if size is None:
        yield
        return
    if isinstance(size, bool) or not isinstance(size, int) or size < MIN_BYTES:
        raise ConfigError(f"max_memory must be a number of bytes from {MIN_BYTES} on, got {size!r:.80}")
    token = _for_block.set(size)
    try:
        yield
    finally:
        _for_block.reset(token)


@contextmanager
def held_to_budget() -> Iterator[None]:
    """Let the system refuse what the block takes beyond the budget, where it can: a second line behind the readers.

    Some decoders believe a stream inside a file, whose size no header states. Their memory then ends with an error that
    they report, instead of the machine's. The limit is one of the whole process, so that this is for programs alone.
    """
    try:
        import resource

        before = resource.getrlimit(resource.RLIMIT_DATA)
        taken = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData:"))
        limit = (int(taken.split()[1]) << 10) + max_memory() + _SLACK_BYTES
        if before[0] == resource.RLIM_INFINITY or limit < before[0]:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    except (ImportError, OSError, ValueError, StopIteration):  # not on this system
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def require_memory(path: Path, need: int, what: str, error: type[EdgeEchoError] = VideoError) -> None:
    """Refuse a file whose reading would take more than the budget.

    Args:
        path: The file.
        need: Bytes that it will take.
        what: What takes them, such as "20 frames of 64x48".
        error: Class of the error.
    """
    if need > max_memory():
        raise error(too_much(path, what, need))


def too_much(path: Path, what: str, need: int | None = None) -> str:
    """Return the message that a file takes more than the budget, or than there is."""
    takes = f"{what} would take {in_words(need)} of memory" if need else f"{what} took all memory there is"
    return (
        f"{path}: {takes}, and {in_words(max_memory())} are allowed; cut it shorter or smaller, or allow more by "
        f"--max-memory (max_memory in Python)"
    )


def parse_bytes(text: str, name: str) -> int:
    """Return a size in bytes from a text such as `2G`, `1.5G`, `500M` or `2000000000`; units are powers of 1024.

    Raises:
        ConfigError: If it is no size, or too small.
    """
    found = re.fullmatch(r"\s*(\d{1,18}(?:\.\d{1,6})?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size < MIN_BYTES:
        raise ConfigError(
            f"{name} must be a size of at least {in_words(MIN_BYTES)}, such as 500M or 2G, got {text!r:.80}"
        )
    return size


def in_words(size: int) -> str:
    """Return a number of bytes with a unit: `1.5 GB`, `500 MB`."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}" if size < 1000 * unit else f"{size / unit:.0f} {name}"
    return f"{size} bytes"


@cache
def machine_bytes() -> int:
    """Return the memory that this machine has, or that its container allows, in bytes."""
    found = []
    with suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in _CGROUP_LIMITS:
        with suppress(ValueError, OSError):  # "max" is no number
            found.append(int(Path(limit).read_text()))
    return min((size for size in found if size > 0), default=_UNKNOWN_MACHINE_BYTES)
