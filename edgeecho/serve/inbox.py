"""Received files that wait for segmentation: bounded in number, whole or not there, and still there after a kill."""

import os
import queue
from pathlib import Path

from edgeecho.errors import OutputError
from edgeecho.files import atomic, require_writable

RECEIVED, STARTED, AGAIN = "received", "started", "again"
"""Folders of files that wait, that are segmented for the first time, and for the second time after a stop."""
_NEXT = {RECEIVED: STARTED, STARTED: AGAIN}


class Inbox:
    """Files of a folder, first in, first out.

    A file is moved on before it is segmented, so that one that ends the process is tried once more and then given up.
    """

    def __init__(self, folder: Path, size: int) -> None:
        """
        Args:
            folder: Folder for the files; those of an earlier process come first.
            size: Most files that wait; more are refused.

        Raises:
            OutputError: If the folder cannot be written.
        """
        self._folder = folder
        for name in (RECEIVED, STARTED, AGAIN):
            require_writable(folder / name)
        left = [path for name in (STARTED, RECEIVED) for path in sorted((folder / name).glob("*.dcm"))]
        self.given_up = sorted((folder / AGAIN).glob("*.dcm"))
        """Files that ended the process twice; they are removed."""
        for path in self.given_up:
            path.unlink(missing_ok=True)
        self._size = size
        self._waiting: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        for path in left:
            self._waiting.put(path)

    @property
    def is_full(self) -> bool:
        """Whether as many files wait as may."""
        return self._waiting.qsize() >= self._size

    def add(self, name: str, data: bytes) -> bool:
        """Store a file, whole or not at all; one of the same name that waits is replaced.

        Args:
            name: Name without suffix.
            data: The file.

        Returns:
            Whether it was taken; not if as many wait as may.

        Raises:
            OutputError: If it cannot be written.
        """
        if self.is_full:
            return False
        path = self._folder / RECEIVED / f"{name}.dcm"
        with atomic(path, mode=0o600) as temporary:
            temporary.write_bytes(data)
        self._waiting.put(path)
        return True

    def take(self) -> Path | None:
        """Wait for the next file, move it on and return its new path; None when the inbox is closed."""
        while (path := self._waiting.get()) is not None:
            moved = self._folder / _NEXT[path.parent.name] / path.name
            try:
                os.replace(path, moved)
            except FileNotFoundError:  # the same name twice: the first one took it
                continue
            except OSError as error:
                raise OutputError(f"cannot write {moved}: {error.strerror}; choose another folder") from error
            return moved
        return None

    def put_back(self, path: Path) -> None:
        """Leave a file that could not be segmented for want of room to a later process."""
        os.replace(path, self._folder / RECEIVED / path.name)

    def close(self) -> None:
        """Have `take` return None; files that wait are left to a later process."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._waiting.put(None)
