"""Files with masks that another program wrote: their names, and their pixels as 0 and 1."""

import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeecho.cine import read_cine
from edgeecho.cine.kinds import SUFFIXES as CINE_SUFFIXES
from edgeecho.cine.kinds import VIDEO_SUFFIXES
from edgeecho.errors import DataError
from edgeecho.files import read_regular

SUFFIXES = (".png", ".npy", ".npz", ".nii.gz", ".nii", ".avi")
RULES = (
    "name them NAME.SUFFIX for the masks of a whole cine or still, or NAME_FRAME.SUFFIX or NAME/FRAME.SUFFIX for one "
    f"frame, counted from 0; SUFFIX is one of {', '.join(SUFFIXES)}"
)
"""Names that mask files must have, for error messages."""
ARRAYS = ("mask", "masks", "frames")
"""Names of the array in an NPZ with several; the first of these that is there is read."""
HALF = 128
"""Least grey level of the cavity in a video, whose levels are not kept exactly."""
MAX_LISTED_VALUES = 6


@dataclass
class MaskFiles:
    """Mask files of one item."""

    whole: list[Path] = field(default_factory=list)
    """Files with the masks of every frame; more than one is an error."""
    frames: dict[int, list[Path]] = field(default_factory=dict)
    """Files with the mask of one frame, by frame; more than one of a frame is an error."""

    def __bool__(self) -> bool:
        """Whether there is any file."""
        return bool(self.whole or self.frames)

    @property
    def paths(self) -> list[Path]:
        """All files, in order of their names."""
        return sorted([*self.whole, *(path for paths in self.frames.values() for path in paths)])


def find_mask_files(folder: Path, names: Iterable[str]) -> tuple[dict[str, MaskFiles], list[str]]:
    """Find the mask files of items by their names.

    Args:
        folder: Folder of the masks; it may have folders inside.
        names: Names of the items. The suffix of a cine, as in `a.avi`, may be left out in the name of its masks.

    Returns:
        Files of each item by its name, and the files that belong to none, relative to the folder.

    Raises:
        DataError: If there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder of the masks as masks:FOLDER")
    found = {name: MaskFiles() for name in names}
    stems = Counter(without_suffix(name, CINE_SUFFIXES) for name in found)
    by_stem = dict(found)
    for name, files in found.items():
        stem = without_suffix(name, CINE_SUFFIXES)
        if stems[stem] == 1:  # of a.avi and a.mp4, masks must be named with the suffix
            by_stem.setdefault(stem, files)
    others = []
    for path in _files(folder):
        place = path.relative_to(folder).as_posix()
        stem = without_suffix(place, SUFFIXES)
        frame = re.fullmatch(r"(.+)[_/](\d+)", stem)
        if stem in by_stem:
            by_stem[stem].whole.append(path)
        elif frame and frame[1] in by_stem:
            by_stem[frame[1]].frames.setdefault(int(frame[2]), []).append(path)
        else:
            others.append(place)
    return found, others


def read_masks(path: Path, shape: tuple[int, int], level: int | None) -> np.ndarray:
    """Read the masks of a file.

    Args:
        path: PNG, NPY, NPZ, NIfTI or AVI.
        shape: Rows and columns that the masks must have.
        level: Value of the cavity; None if the file has one value beside 0, which is the cavity.

    Returns:
        uint8 {0, 1} (T, H, W).

    Raises:
        DataError: If the file has another size, or values that are no mask.
        VideoError: If the file cannot be read.
    """
    values = _read_array(path) if path.suffix.lower() in (".npy", ".npz") else read_cine(path).frames
    if values.shape[1:] != shape:
        has, needed = ("x".join(map(str, size[::-1])) for size in (values.shape[1:], shape))
        raise DataError(f"{path}: masks of {has} pixels, the cine has {needed}; save masks at the frames' own size")
    if path.suffix.lower() in VIDEO_SUFFIXES:
        if level is not None:
            raise DataError(f"{path}: a video does not keep label values; save masks as PNG, NPY or NIfTI")
        return np.asarray(values >= HALF, np.uint8)
    if level is not None:
        return np.asarray(values == level, np.uint8)
    found = np.unique(values)
    if len(found) > 2 or (len(found) == 2 and found[0] != 0):
        listed = ", ".join(f"{value:g}" for value in found[:MAX_LISTED_VALUES])
        more = ", ..." if len(found) > MAX_LISTED_VALUES else ""
        raise DataError(
            f"{path}: a mask has 0 and one other value, got {listed}{more}; save a mask of the cavity, or give the "
            "cavity's value among several labels as --mask-label"
        )
    return np.asarray(values != 0, np.uint8)


def without_suffix(name: str, suffixes: Iterable[str]) -> str:
    """Return a name without the suffix of it that is in a list, in capitals or not."""
    return next((name[: -len(suffix)] for suffix in suffixes if name.lower().endswith(suffix)), name)


def _files(folder: Path) -> list[Path]:
    """List the files with one of `SUFFIXES` below a folder, in order of their names; hidden ones are left out."""
    return sorted(
        Path(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(SUFFIXES) and not name.startswith(".")
    )


def _read_array(path: Path) -> np.ndarray:
    """Read masks (T, H, W) of an NPY or NPZ; (H, W) is taken as one frame. Pickled arrays are never loaded.

    Raises:
        DataError: If the file cannot be read, or has no array of masks.
    """
    try:
        if path.suffix.lower() == ".npz" and not zipfile.is_zipfile(path):
            raise ValueError("no NPZ")
        loaded = np.load(io.BytesIO(read_regular(path)), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            values = loaded
        else:
            with loaded:
                names = [name for name in ARRAYS if name in loaded.files] or loaded.files
                values = loaded[names[0]] if len(names) == 1 or names[0] in ARRAYS else np.zeros(0)
                if not values.size:
                    raise DataError(f"{path}: has arrays {', '.join(loaded.files)}; name that of the masks 'mask'")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a readable array: {' '.join(str(error).split())[:120]}; save it again") from error
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or values.dtype.kind not in "buif":
        raise DataError(f"{path}: expected masks (T, H, W) or (H, W) of numbers, got {values.dtype} {values.shape}")
    return values
