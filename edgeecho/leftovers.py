"""Temporary files and folders that a killed process left behind: named so that a later one can tell and remove them.

The name of a temporary has the number of its process, and a tag of the machine, its start and its process namespace.
Where the tag is that of this process, the process can be looked up. Others, of another machine that shares the folder
or of an earlier start, are removed when they are a day old.
"""

import os
import re
import shutil
import time
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

WRITING, REPLACED, UNDO = ".writing-", ".replaced-", ".undo-"
PREFIXES = (WRITING, ".export-", REPLACED, UNDO, ".adding-", "edgeecho-")
"""Beginnings of the names of all temporaries."""
NAMES, KEPT = "names", "kept"
"""Folders in a folder called `UNDO`, by which `edgeecho.file_group` undoes a change of the files beside it:
an empty file for the name of each file that changes, and the files as they were."""
_OWNER = re.compile(r"-([0-9a-f]{8})-(\d{1,9})-")
"""Tag and number of the process in the name of a temporary."""
_OTHERS_SECONDS = 24 * 3600.0


def temporary_prefix(kind: str) -> str:
    """Return the beginning of the name of a temporary of this process.

    Args:
        kind: One of `PREFIXES`, or a longer one.
    """
    return f"{kind}{_tag()}-{os.getpid()}-"


def sweep(folder: Path) -> None:
    """Remove what killed processes left in a folder; what cannot be removed stays.

    A folder that was moved away to be replaced, and whose replacement did not come, gets its name back. Files that
    were changed together are put back as they were before the change.
    """
    with suppress(OSError):
        for entry in [Path(found.path) for found in os.scandir(folder) if found.name.startswith(PREFIXES)]:
            if _is_left(entry):
                _remove(entry)


def put_back(undo: Path) -> None:
    """Put the files back that a folder called `UNDO` keeps, and remove those that did not exist before.

    Raises:
        OSError: If one of them cannot be put back. A later call goes on, as it does after a kill.
    """
    for name in (undo / NAMES).iterdir():
        if not (undo / KEPT / name.name).exists():
            (undo.parent / name.name).unlink(missing_ok=True)
        name.unlink()
    for path in (undo / KEPT).iterdir():
        os.replace(path, undo.parent / path.name)


def _is_left(path: Path) -> bool:
    """Whether a temporary belongs to no process any more."""
    found = _OWNER.search(path.name)
    if found is None:
        return False
    if found[1] == _tag():
        return not _is_alive(int(found[2]))
    with suppress(OSError):
        return time.time() - path.lstat().st_mtime > _OTHERS_SECONDS
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of another user
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and its parent has not asked how, which in a container may be never."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.name.startswith(REPLACED):
            for inner in path.iterdir():
                if not (path.parent / inner.name).exists():
                    inner.rename(path.parent / inner.name)
        if path.name.startswith(UNDO):
            put_back(path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@cache
def _tag() -> str:
    """Return 8 hexadecimal digits that stand for this machine, its start, and the namespace of process numbers."""
    parts = [os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return f"{zlib.crc32(' '.join(parts).encode(errors='replace')):08x}"
