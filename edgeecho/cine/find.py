"""Cines in folders: which files are cines, in natural order."""

import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgeecho.cine.dicom_directory import cines_of_directory, is_directory_file
from edgeecho.cine.kinds import STILL_SUFFIXES, suffix_of
from edgeecho.cine.result_files import own_outputs
from edgeecho.files import open_regular


def find_cines(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Expand folders into the cines inside, at any depth, in natural order.

    A folder that directly holds PNG frames and no cines is itself one cine. Inside folders these are skipped: hidden
    files, stills beside cines, `*_gt.nii.gz` (masks by the CAMUS naming), NPZ without `frames`, and files that EdgeEcho
    wrote.

    Args:
        paths: Files, folders, and DICOMDIR files, which stand for the images that they list. A path that is no folder
            is kept as it is, so that `read_cine` can report what is wrong with it; so is a folder without any cine.

    Returns:
        Each cine once, in the order of `paths`.

    Raises:
        VideoError: If a DICOMDIR is damaged.
        MissingExtraError: If there is one and pydicom is not installed.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        inside = list(_cines_inside(path)) if path.is_dir() else []
        if is_directory_file(path):
            inside = cines_of_directory(path)
        found.update(dict.fromkeys(inside or [path]))
    return list(found)


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key of a path in which digits count as numbers: `2.png` before `10.png`."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", str(path))
    return [(0, int(digits), digits) if digits else (1, 0, text) for digits, text in parts]


def _cines_inside(folder: Path) -> Iterator[Path]:
    found: list[Path] = []

    def unreadable(error: OSError) -> None:
        found.append(Path(error.filename))  # stays in the list, so that `read_cine` reports it

    for where, _, names in os.walk(folder, onerror=unreadable):
        own = own_outputs(Path(where), names)
        files = [Path(where, name) for name in names if not name.startswith(".") and name not in own]
        cines = [file for file in files if _is_cine(file)]
        found += cines
        if not cines and any(file.suffix.lower() == ".png" for file in files):
            found.append(Path(where))
    yield from sorted(found, key=natural_key)


def _is_cine(file: Path) -> bool:
    """Whether a file inside a folder is meant to be a cine; true for a damaged one, so that it is reported."""
    suffix = suffix_of(file)
    if suffix in STILL_SUFFIXES or file.name.lower().endswith(("_gt.nii.gz", "_gt.nii")):
        return False
    if suffix == ".npz":
        try:
            with open_regular(file) as opened, zipfile.ZipFile(opened) as archive:
                return "frames.npy" in archive.namelist()
        except (OSError, zipfile.BadZipFile):
            return True
    if suffix:
        return True
    try:
        with open_regular(file) as opened:
            return opened.read(132)[128:] == b"DICM" and file.name.upper() != "DICOMDIR"
    except OSError:
        return False
