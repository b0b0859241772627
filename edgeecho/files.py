"""Writing of files, whole or not at all."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from edgeecho.errors import OutputError
from edgeecho.leftovers import REPLACED, WRITING, sweep, temporary_prefix


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Read a file whole, unless it is no regular one; errors are those of `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading in bytes, and refuse what is no regular one.

    To open a pipe waits for somebody who writes, and a device such as /dev/zero has no end.

    Raises:
        OSError: If it cannot be opened, or is a folder, a pipe, a socket or a device; `strerror` tells which.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, not a file", os.fspath(path))
    return file


def require_writable(folder: str | os.PathLike[str]) -> None:
    """Make a folder if it is missing, check before long work that it can be written, and clear it of leftovers.

    Raises:
        OutputError: If the folder cannot be made or written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}; choose a folder that can be written") from error
    sweep(Path(folder))


@contextmanager
def scratch_folder(kind: str = "edgeecho-", folder: Path | None = None, *, sweeps: bool = True) -> Iterator[Path]:
    """Yield a temporary folder, which is removed at the end of the block, or by a later call if the process is killed.

    Args:
        kind: Beginning of its name, of `edgeecho.leftovers.PREFIXES`.
        folder: Where it is made; None means the system's folder for temporary files.
        sweeps: Whether leftovers are looked for, which takes time where there are very many files.

    Raises:
        OSError: If it cannot be made.
    """
    if sweeps:
        sweep(folder or Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(dir=folder, prefix=temporary_prefix(kind), ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextmanager
def atomic(path: str | os.PathLike[str], *, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its suffix; on success it becomes `path`, on failure it is removed.

    The file is on the disk before it gets its name, so that a loss of power leaves the old one or the new one.

    Args:
        path: Path of the file.
        mode: Rights of the file; while it is written, only its owner may read it.

    Raises:
        OutputError: If the folder cannot be made or written, or `path` is a folder, a pipe or a device.
    """
    path = Path(path)
    require_file_place(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=temporary_prefix(WRITING), suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(mode)
            sync(temporary)
            os.replace(temporary, path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise OutputError(f"cannot write {path}: {reason}; choose a folder that is writable and not full") from error


def require_file_place(path: Path) -> None:
    """Refuse a path at which no file can be written whole: a folder, a pipe or a device, or a place below a file.

    A file that is put into the place of a device, such as /dev/null, would remove the device from the machine.

    Raises:
        OutputError: If it is such a path.
    """
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"cannot write {path}: it is a folder, a pipe or a device; choose the name of a file")
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if not above.is_dir():
            raise OutputError(f"cannot write {path}: {above} is a file; choose a folder that is writable and not full")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from error


def replace_folder(finished: Path, target: Path) -> None:
    """Put a finished folder in the place of another one on the same disk; if that fails, the other one is put back.

    If the process is killed between the two, `edgeecho.leftovers.sweep` puts it back.

    Raises:
        OSError: If it cannot be done.
    """
    for path in (*finished.rglob("*"), finished):
        sync(path)
    parent = target.absolute().parent
    if not target.exists():
        finished.rename(target)
        sync(parent)
        return
    old = Path(tempfile.mkdtemp(dir=parent, prefix=temporary_prefix(REPLACED)))
    try:
        target.rename(old / target.name)
        try:
            finished.rename(target)
        except OSError:
            (old / target.name).rename(target)
            raise
        sync(parent)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; a full disk is found here."""
    if path.is_dir() and os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(handle)
