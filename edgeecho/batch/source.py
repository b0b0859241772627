"""The bytes of a cine: a local path for it, and their digest."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeecho.errors import VideoError, require
from edgeecho.files import open_regular, scratch_folder


@contextmanager
def local_copy(source: str) -> Iterator[Path]:
    """Yield a path of a cine: its own, or that of a copy of an address, which is removed afterwards.

    Raises:
        VideoError: If an address cannot be read.
    """
    if "://" not in source:
        yield Path(source)
        return
    fsspec = require("fsspec", "batch")
    with scratch_folder() as folder:
        try:
            files, path = fsspec.core.url_to_fs(source)
            copy = Path(folder, Path(path).name or "cine")
            if os.path.exists(path) and "file" in files.protocol:
                open_regular(path).close()  # a device has no end
            files.get_file(path, str(copy))
            changed = _changed_s(files, path)
            os.utime(copy, (changed, changed))
        except Exception as error:  # each kind of address raises its own
            text = f"{source}: cannot be read: {' '.join(str(error).split())}; check the address"
            raise VideoError(text) from error
        yield copy


def _changed_s(files: Any, path: str) -> float:
    """Return when a file was changed last, in seconds of the epoch; 0 if its file system does not tell."""
    try:
        return float(files.modified(path).timestamp())
    except (NotImplementedError, AttributeError, KeyError, TypeError, OSError, ValueError):
        return 0.0


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and bytes of a folder's files, as 64 hexadecimal digits.

    Raises:
        VideoError: If it cannot be read.
    """
    try:
        if not path.is_dir():
            with open_regular(path) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        whole = hashlib.sha256()
        for inside in sorted(file for file in path.iterdir() if file.is_file()):
            whole.update(f"{inside.name}\0{sha256_of(inside)}\n".encode("utf-8", "surrogateescape"))
        return whole.hexdigest()
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}", file=path) from error
