"""The edited mask of one frame, from a PNG or NPZ, or from polygons of LabelMe or COCO."""

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeecho.errors import DataError
from edgeecho.files import read_regular
from edgeecho.names import name_for_ffmpeg

FINE = 8
"""Outlines are filled this many times finer than the pixels; a pixel is cavity if its centre is inside."""


_UNREADABLE = (
    OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, EOFError,
    NotImplementedError, zipfile.BadZipFile, zlib.error, cv2.error,
)  # fmt: skip
"""Errors that NumPy, zipfile and OpenCV raise at a damaged file, and Python at values of another kind."""


def read_edited_mask(path: Path, height: int, width: int) -> np.ndarray:
    """Read the mask of one frame.

    Args:
        path: PNG or another picture (0 is the rest, whatever the other levels are), NPZ or NPY with one (H, W) array,
            or JSON of LabelMe (`shapes` with `points`) or COCO (`annotations` with `segmentation` polygons). If shapes
            have labels, those named lv, left ventricle or cavity are taken; if none is, all.
        height: Rows of the frame.
        width: Columns.

    Returns:
        uint8 {0, 1} (height, width).

    Raises:
        DataError: If it cannot be read, or is not of the frame's size.
    """
    try:
        if path.suffix.lower() == ".json":
            lines = _polygons(json.loads(read_regular(path)))
            mask = np.zeros((height, width), np.uint8)
            for line in lines:
                mask |= fill_outline(line, height, width)
        else:
            mask = _read_array(path)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: cannot be read as a mask: {reason}; give PNG, NPZ, LabelMe or COCO", file=path
        ) from error
    if mask.shape != (height, width):
        found = " x ".join(map(str, mask.shape[::-1]))
        raise DataError(f"{path}: a mask of {found} pixels for frames of {width} x {height}", file=path)
    return (mask > 0).astype(np.uint8)


def fill_outline(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Fill a closed outline.

    Args:
        points: float (N, 2), x and y, pixel centres at whole numbers.
        height: Rows.
        width: Columns; what lies outside is cut off.

    Returns:
        uint8 {0, 1} (height, width).
    """
    points = np.clip(points, -1, [width, height])
    left, top = np.floor(points.min(axis=0)).astype(int) - 1
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 2
    canvas = np.zeros(((bottom - top) * FINE, (right - left) * FINE), np.uint8)
    shifted = np.round(((points - (left, top)) * FINE + FINE // 2) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [shifted], 1, cv2.LINE_8, 4)
    crop = canvas[FINE // 2 :: FINE, FINE // 2 :: FINE]
    mask = np.zeros((height, width), np.uint8)
    rows, columns = slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right))
    mask[rows, columns] = crop[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return mask


def _read_array(path: Path) -> np.ndarray:
    if path.suffix.lower() in (".npz", ".npy"):
        loaded = np.load(io.BytesIO(read_regular(path)))
        array = loaded[loaded.files[0]] if hasattr(loaded, "files") else loaded
        if array.ndim != 2:
            raise ValueError(f"expected one array (H, W), got shape {array.shape}")
        if array.dtype.kind not in "buif" or not np.isfinite(array).all():
            raise ValueError(f"expected finite numbers, got {array.dtype}")
        return np.asarray(array)
    if not path.is_file():
        raise ValueError("no such file")
    with name_for_ffmpeg(path) as name:
        picture = cv2.imread(name, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("no picture")
    return np.asarray(picture if picture.ndim == 2 else picture[..., :3].max(axis=2))


def _polygons(values: Any) -> list[np.ndarray]:
    """Return the polygons of a LabelMe or COCO file."""
    if "shapes" in values:
        shapes = [(str(shape.get("label", "")), [shape["points"]]) for shape in values["shapes"]]
    elif "annotations" in values:
        names = {category["id"]: str(category["name"]) for category in values.get("categories", [])}
        shapes = [
            (names.get(item.get("category_id"), ""), [np.reshape(flat, (-1, 2)) for flat in item["segmentation"]])
            for item in values["annotations"]
        ]
    else:
        raise ValueError("neither `shapes` (LabelMe) nor `annotations` (COCO) in it")
    wanted = [lines for label, lines in shapes if label.lower().replace("_", " ") in ("lv", "left ventricle", "cavity")]
    chosen = wanted or [lines for _, lines in shapes]
    polygons = [np.asarray(line, np.float64) for lines in chosen for line in lines]
    if not polygons or any(line.ndim != 2 or len(line) < 3 or not np.isfinite(line).all() for line in polygons):
        raise ValueError("no polygon of at least 3 points")
    return polygons
