"""Files that belong together, such as those of a result: one process changes them at a time, all of them or none."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from edgeecho.errors import OutputError
from edgeecho.files import sync
from edgeecho.leftovers import KEPT, NAMES, UNDO, put_back, temporary_prefix

WRITING = ".writing-"


@contextmanager
def change_together(paths: Iterable[Path]) -> Iterator[None]:
    """Put files of one folder back as they were if the block fails or is interrupted; new ones are removed.

    If the process is killed in the block, `edgeecho.leftovers.sweep` does it. The old files are kept as links, which
    need no room on a full disk, or as copies where there are no links. So the block must replace files, as `atomic`
    does, and not write into them.

    Args:
        paths: All files that the block may write or remove.

    Raises:
        OutputError: If another process is changing one of them, or they cannot be kept or put back.
    """
    paths = list(paths)
    folder, prefix = paths[0].parent, temporary_prefix(WRITING)
    with _as_output_error(folder):
        scratch = tempfile.TemporaryDirectory(dir=folder, prefix=prefix, ignore_cleanup_errors=True)
    with scratch as name:
        made = Path(name)
        with _as_output_error(folder):
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
    (made / NAMES).mkdir()
    for path in paths:
        (made / NAMES / path.name).touch()
    _refuse_if_claimed(paths, made)
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


def _refuse_if_claimed(paths: list[Path], own: Path) -> None:
    """Raise an `OutputError` if another process, or thread, is changing one of some files; it claimed them first."""
    with os.scandir(own.parent) as entries:
        others = [Path(entry.path) for entry in entries if entry.name.startswith((WRITING, UNDO))]
    for other, path in product(others, paths):
        if other != own and (other / NAMES / path.name).exists():
            raise OutputError(
                f"cannot write {path}: another process is writing it; wait until that has ended, or remove {other} if "
                "none is running on any machine"
            )
