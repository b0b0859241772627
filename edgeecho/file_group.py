"""Files that belong together, such as those of a result: one process changes them at a time, all of them or none."""

import os
import random
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path

from edgeecho.errors import OutputError
from edgeecho.files import require_file_place, scratch_folder, sync
from edgeecho.leftovers import KEPT, NAMES, UNDO, WRITING, put_back, sweep

WAIT_S = 10.0
"""Time that a process waits until another one that changes the same files is done."""


@contextmanager
def change_together(paths: Iterable[Path]) -> Iterator[None]:
    """Put files of one folder back as they were if the block fails or is interrupted; new ones are removed.

    If the process is killed in the block, `edgeecho.leftovers.sweep` does it. The old files are kept as links, which
    need no room on a full disk, or as copies where there are no links. So the block must replace files, as `atomic`
    does, and not write into them.

    Args:
        paths: All files that the block may write or remove.

    Raises:
        OutputError: If another process changes one of them for longer than `WAIT_S`, one is no file, or they cannot be
            kept or put back.
    """
    paths = list(paths)
    folder = paths[0].parent
    for path in paths:
        require_file_place(path)
    with ExitStack() as stack:
        with _as_output_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
            made = stack.enter_context(scratch_folder(WRITING, folder, sweeps=False))
            undo = _keep(paths, made)
        try:
            yield
        except BaseException:
            with _as_output_error(folder):
                put_back(undo)
                undo.rename(made)
            raise
        with _as_output_error(folder):
            undo.rename(made)  # from here on the new files count
            sync(folder)


@contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror}; make room there, or choose another") from error


def _keep(paths: list[Path], made: Path) -> Path:
    """Claim files and keep those that exist in an empty folder; return its new name, by which they are put back."""
    _claim(paths, made)
    (made / KEPT).mkdir()
    for path in paths:
        if not path.is_file():
            continue
        try:
            os.link(path, made / KEPT / path.name)
        except OSError:
            shutil.copy2(path, made / KEPT / path.name)
            sync(made / KEPT / path.name)
    undo = made.with_name(made.name.replace(WRITING, UNDO, 1))
    made.rename(undo)
    sync(made.parent)
    return undo


def _claim(paths: list[Path], made: Path) -> None:
    """Write the names of some files where others look for them, as soon as nobody else has one of them.

    Of two that write at once, both take theirs back and try again after times that differ.

    Raises:
        OutputError: If somebody else has one of them for longer than `WAIT_S`.
    """
    until = time.monotonic() + WAIT_S
    while True:
        (made / NAMES).mkdir()
        for path in paths:
            (made / NAMES / path.name).touch()
        found = _claimed(paths, made.name)
        if found is None:
            return
        path, other = found
        if time.monotonic() > until:
            raise OutputError(
                f"cannot write {path}: another process is writing it; wait until that has ended, or remove {other} if "
                "none is running on any machine"
            )
        shutil.rmtree(made / NAMES)
        time.sleep(random.uniform(0.05, 0.2))
        sweep(made.parent)  # it may have been killed meanwhile


def settle(path: Path) -> None:
    """Put back what a killed process has left beside a file; while another one writes the file, wait for it.

    The wait ends after `WAIT_S`, whether the file is there or not.
    """
    until = time.monotonic() + WAIT_S
    with suppress(OSError):  # there is no such folder, or it may not be read
        sweep(path.parent)
        while not path.exists() and time.monotonic() < until and _claimed([path]):
            time.sleep(0.05)
            sweep(path.parent)


def _claimed(paths: list[Path], own: str = "") -> tuple[Path, Path] | None:
    """Return a file that another process, or thread, has claimed, and its folder; None if there is none.

    Args:
        paths: Files of one folder.
        own: Name of the folder that does not count. It is no path, as `tempfile` makes relative ones absolute from
            Python 3.12 on.
    """
    with os.scandir(paths[0].parent) as entries:
        others = [Path(e.path) for e in entries if e.name.startswith((WRITING, UNDO)) and e.name != own]
    for other, path in product(others, paths):
        if os.path.exists(other / NAMES / path.name):  # False too if it may not be read
            return path, other
    return None
