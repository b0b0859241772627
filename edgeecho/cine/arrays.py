"""Read cines that are stored as arrays: NPZ and NIfTI."""

import logging
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.grey import check_size, coloured_pixels, to_grey
from edgeecho.cine.model import Cine
from edgeecho.errors import VideoError, require

KEYS = ("frames", "fps", "spacing_mm")
"""Names of the arrays that an NPZ may contain."""
_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
_SCALED_BYTES = 32
"""Bytes of memory for each value of a NIfTI that is scaled, as float64, and brought to grey levels."""
_MAX_RATIO = 1040
"""Number of bytes that one byte of DEFLATE can stand for, at most (RFC 1951: 258 bytes in two bits)."""
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def read_npz(path: Path) -> Cine:
    """Read an NPZ with `frames`, uint8 (T, H, W) or (T, H, W, 3) RGB, and perhaps `fps` and `spacing_mm` (row, column).

    Shape and type are read from the header before any memory is taken; pickled arrays are never loaded.

    Raises:
        VideoError: If the file is no NPZ, or `frames` is missing or of another type or shape.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            keys = sorted(name.removesuffix(".npy") for name in archive.namelist())
            if "frames" not in keys:
                raise VideoError(
                    f"{path}: no array named 'frames', found {', '.join(keys[:6]) or 'nothing'}; "
                    "save frames uint8 (T, H, W) under that name"
                )
            shape, dtype = _npy_header(archive, "frames")
            if dtype != np.uint8 or len(shape) not in (3, 4) or shape[3:] not in ((), (3,)):
                raise VideoError(
                    f"{path}: expected frames uint8 (T, H, W) or (T, H, W, 3), got {dtype} {shape}; save them so"
                )
            check_size(path, *shape[:3], stored_bytes=math.prod(shape))
            _require_whole(path, math.prod(shape), archive.getinfo("frames.npy").compress_size)
            headers = {key: _npy_header(archive, key) for key in KEYS[1:] if key in keys}
            small = [k for k, (size, kind) in headers.items() if math.prod(size) <= 2 and kind.itemsize <= 16]
        with np.load(path, allow_pickle=False) as arrays:
            stored = arrays["frames"]
            frames, coloured = to_grey(stored), coloured_pixels(stored)
            values = {key: np.atleast_1d(arrays[key]).ravel() for key in small}
    except (VideoError, OSError):
        raise
    except Exception as error:  # a damaged archive raises many kinds of error
        raise VideoError(f"{path}: not a readable NPZ: {one_line(error)}; save it again with numpy.savez") from error
    unknown = ", ".join(f"`{key}`" for key in keys if key not in KEYS)
    warnings = [f"{unknown} in the file: unknown, not used; known are {', '.join(KEYS)}."] if unknown else []
    fps = values.get("fps")
    if "fps" in keys and (fps is None or fps.size != 1 or fps.dtype.kind not in "fiu"):
        fps = None
        warnings.append("`fps` in the file is not one number; it was not used.")
    spacing = values.get("spacing_mm")
    if "spacing_mm" in keys and (spacing is None or spacing.size != 2 or spacing.dtype.kind not in "fiu"):
        spacing = None
        warnings.append("`spacing_mm` in the file is not two numbers (row, column); it was not used.")
    return Cine(
        np.ascontiguousarray(frames),
        fps=None if fps is None else float(fps[0]),
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        warnings=tuple(warnings),
        coloured=coloured,
    )


def read_nifti(path: Path) -> Cine:
    """Read a NIfTI picture or cine, stored (x, y), (x, y, t) or (x, y, 1, t).

    Whole numbers from 0 to 255 are taken as grey levels, whatever their type, and so are fractions with a maximum
    above 1, rounded. Any other range is stretched linearly to 0..255, with a warning.

    Returns:
        Frames uint8 (T, H, W), rows along y; spacing from the header; the frame rate only where the header has a time
        axis with a unit.

    Raises:
        VideoError: If the file is no NIfTI, is cut short, or contains a volume or values that are not numbers.
        MissingExtraError: If nibabel is not installed.
    """
    nibabel = require("nibabel", "nifti")
    logger = logging.getLogger("nibabel.global")  # nibabel writes to stderr
    before, logger.disabled = logger.disabled, True
    try:
        image = nibabel.load(path)
        shape, zooms, dtype = image.shape, image.header.get_zooms(), image.get_data_dtype()
        space, time = image.header.get_xyzt_units()
        width, height, count = _nifti_sides(path, shape)
        if dtype.kind not in "fiub":
            raise VideoError(f"{path}: values of type {dtype} are not grey levels; save it as uint8")
        is_plain = dtype == np.uint8 and image.dataobj.slope == 1 and image.dataobj.inter == 0
        stored = count * height * width * (1 if is_plain else dtype.itemsize + _SCALED_BYTES)
        check_size(path, count, height, width, stored_bytes=stored)
        _require_whole(path, count * height * width * dtype.itemsize, path.stat().st_size)
        values = np.asanyarray(image.dataobj).reshape(width, height, count)
    except (VideoError, PermissionError):
        raise
    except Exception as error:  # a damaged file raises many kinds of error
        raise VideoError(f"{path}: not a readable NIfTI or cut short: {one_line(error)}; copy it again") from error
    finally:
        logger.disabled = before
    frames, warnings = _grey_levels(path, values)
    seconds = float(zooms[3]) * _SECONDS[time] if len(zooms) > 3 and time in _SECONDS else 0.0
    mm = _MM.get(space, 1.0)
    return Cine(
        np.ascontiguousarray(frames.transpose(2, 1, 0)),
        fps=1 / seconds if seconds > 0 else None,
        spacing_mm=(float(zooms[1]) * mm, float(zooms[0]) * mm),
        warnings=warnings,
    )


def one_line(error: Exception) -> str:
    """Return the text of a library's error in one short line."""
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__


def _require_whole(path: Path, size: int, stored: int) -> None:
    """Refuse values that so few bytes of the file cannot hold, even compressed, before memory is taken for them."""
    if size > stored * _MAX_RATIO:
        raise VideoError(f"{path}: cut short: it has {stored} bytes and states {size} bytes of values; copy it again")


def _npy_header(archive: zipfile.ZipFile, key: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(f"{key}.npy") as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
    return shape, dtype


def _nifti_sides(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return width, height and number of frames."""
    sides = [*shape, 1, 1, 1][:3] if len(shape) < 4 else [shape[0], shape[1], shape[3]]
    if len(shape) < 2 or (len(shape) > 3 and (shape[2] != 1 or math.prod(shape[4:]) != 1)):
        raise VideoError(f"{path}: expected a cine (x, y), (x, y, t) or (x, y, 1, t), got {shape}; cut out one plane")
    return sides[0], sides[1], sides[2]


def _grey_levels(path: Path, values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    if values.dtype == np.uint8:
        return values, ()
    low, high = float(values.min()), float(values.max())
    span = high - low
    if not math.isfinite(span) or (span and not math.isfinite(255 / span)):
        raise VideoError(f"{path}: values from {low:g} to {high:g} are not grey levels; save it as uint8")
    in_range = low >= 0 and high <= 255
    whole = values.dtype.kind in "iub" or bool(np.all(values == np.rint(values)))
    if in_range and (whole or high > 1):
        note = () if whole else ("The grey levels are fractions; they were rounded.",)
        return np.rint(values).astype(np.uint8), note
    scaled = (values.astype(np.float64) - low) * (255 / (span or 1.0))
    return np.rint(scaled).astype(np.uint8), (
        f"Values from {low:g} to {high:g} were stretched to grey levels 0 to 255.",
    )
