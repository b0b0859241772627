"""`read_cine`: one cine from a file or a folder of frames, whatever its format."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.kinds import DICOM_SUFFIXES, KINDS, STILL_SUFFIXES, VIDEO_SUFFIXES, suffix_of
from edgeecho.cine.model import Cine, check_stated
from edgeecho.cine.times import is_plausible
from edgeecho.errors import ConfigError, VideoError
from edgeecho.files import open_regular
from edgeecho.memory import memory_budget, too_much
from edgeecho.reasons import Reason

SPACING_RANGE_MM = (0.01, 5.0)
"""Range of plausible pixel spacings; files with others are read without one."""


def read_cine(
    path: str | os.PathLike[str],
    *,
    fps: float | None = None,
    spacing_mm: Sequence[float] | None = None,
    roi: Sequence[int] | None = None,
    max_memory: int | None = None,
) -> Cine:
    """Read one cine: AVI, MP4, MOV, WEBM, MKV, GIF, PNG, JPG, NPZ, DICOM, NIfTI or a folder of PNG frames.

    Args:
        path: The file, or the folder of equally large PNG frames in natural order (`2.png` before `10.png`).
        fps: Frames per second, in place of the file's rate and times.
        spacing_mm: (row, column) millimetres per pixel, in place of the file's.
        roi: (x, y, width, height) of the part of the picture that is meant: of several calibrated regions of a DICOM
            file, the spacing is that of the region there. The frames are not cut.
        max_memory: Bytes of memory that reading may take; None means that of `edgeecho.memory`, by default a quarter of
            the machine's.

    Returns:
        Frames uint8 (T, H, W), colour made grey by `to_grey`; `fps` and `spacing_mm` are None where neither the
        file nor the caller gives them; `times_s` is set where the frames of a file are not evenly spaced. Implausible
        values in the file are not used, with a sentence in `warnings`.

    Raises:
        VideoError: If the path cannot be read, is no cine, is cut short, is smaller or larger than the bounds
            `MIN_SIDE_PX` and `MAX_SIDE_PX`, or takes more memory. Its `file` is the path.
        ConfigError: If `fps`, `spacing_mm`, `roi` or `max_memory` makes no sense.
        MissingExtraError: If DICOM or NIfTI needs a package that is not installed.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise VideoError(f"a cine is named by a path, got {type(path).__name__}; pass {KINDS}")
    path = Path(path)
    check_stated(fps, spacing_mm)
    _check_part(roi)
    try:
        with memory_budget(max_memory):
            cine = _reader(path, roi)(path)
    except MemoryError as error:
        raise VideoError(too_much(path, "reading it"), file=path) from error
    except VideoError as error:
        error.file = error.file or path
        raise
    except OSError as error:
        text = f"{path}: cannot be read: {error.strerror or error}; check the file and its rights"
        raise VideoError(text, file=path) from error
    cine = _without_the_implausible(replace(cine, name=_name(path)))
    if fps is not None:
        cine = _at_rate(cine, float(fps))
    return replace(
        cine,
        spacing_mm=cine.spacing_mm if spacing_mm is None else (float(spacing_mm[0]), float(spacing_mm[1])),
    )


def _check_part(roi: Any) -> None:
    if roi is None:
        return
    whole = isinstance(roi, Sequence) and len(roi) == 4 and all(isinstance(value, (int, np.integer)) for value in roi)
    if not whole or roi[2] <= 0 or roi[3] <= 0:
        raise ConfigError(f"roi must be (x, y, width, height) in whole pixels, got {roi!r:.80}")


def _reader(path: Path, roi: Sequence[int] | None) -> Callable[[Path], Cine]:
    """Choose the reader of a path, for a part of its picture. Each reader imports the packages that it needs."""
    if path.is_dir():
        from edgeecho.cine.stills import read_folder

        return read_folder
    if not path.exists():
        raise VideoError(f"{path}: no such file or folder; check the path")
    if not path.is_file():
        raise VideoError(f"{path}: neither a file nor a folder; pass {KINDS}")
    with open_regular(path) as file:
        head = file.read(132)
    if not head:
        raise VideoError(f"{path}: the file is empty (0 bytes); copy it again")
    suffix = suffix_of(path)
    if suffix in DICOM_SUFFIXES or head[128:] == b"DICM":
        from edgeecho.cine.dicom import read_dicom

        return partial(read_dicom, roi=roi)
    if suffix in VIDEO_SUFFIXES:
        from edgeecho.cine.video import read_video

        return read_video
    if suffix in STILL_SUFFIXES:
        from edgeecho.cine.stills import read_still

        return read_still
    from edgeecho.cine.arrays import read_nifti, read_npz

    if suffix in (".nii", ".nii.gz"):
        return read_nifti
    if suffix == ".npz":
        return read_npz
    raise VideoError(f"{path}: not a kind of cine that is read, by its name or its content; pass {KINDS}")


def _name(path: Path) -> str:
    name = Path(os.path.realpath(path)).name  # of `.` too
    return name if path.is_dir() else name[: len(name) - len(suffix_of(path))] or name


def _at_rate(cine: Cine, fps: float | None) -> Cine:
    """Return a cine with another frame rate, without the file's times and what it warns of them."""
    unsure = [doubt for doubt in cine.doubts if doubt.reason is Reason.TIME_BASE_UNSURE]
    texts = {doubt.text for doubt in unsure}
    return replace(
        cine,
        fps=fps,
        times_s=None,
        doubts=tuple(doubt for doubt in cine.doubts if doubt not in unsure),
        warnings=tuple(warning for warning in cine.warnings if warning not in texts),
    )


def _without_the_implausible(cine: Cine) -> Cine:
    if cine.fps is not None and not is_plausible(cine.fps):
        text = f"The file states {cine.fps:g} frames per second, which cannot be; it was not used."
        cine = _at_rate(replace(cine, warnings=(*cine.warnings, text)), None)
    spacing_mm = cine.spacing_mm
    if spacing_mm is not None and not all(SPACING_RANGE_MM[0] <= s <= SPACING_RANGE_MM[1] for s in spacing_mm):
        text = f"The file states {spacing_mm[0]:g} x {spacing_mm[1]:g} mm per pixel, which cannot be; it was not used."
        cine = replace(cine, spacing_mm=None, warnings=(*cine.warnings, text))
    return cine
