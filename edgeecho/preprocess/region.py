"""Region of interest: the rectangle of the source that is the input of the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from edgeecho.cine.grey import MIN_SIDE_PX
from edgeecho.errors import ConfigError
from edgeecho.preprocess.fan import Fan

MAX_REGION = 8
"""Largest ratio of the longest side of a region to that of the frame."""
MAX_REGION_PX = 1 << 20
"""Largest coordinate and side of a region."""
MIN_OVERLAP_FRACTION = 0.25
"""Least part of the smaller of region and frame that lies in the other."""


@dataclass(frozen=True)
class Roi:
    """A rectangle in source pixels; beyond the edge of the frame its pixels are black."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        sides = self.x, self.y, self.width, self.height
        if not all(isinstance(side, Integral) and abs(side) <= MAX_REGION_PX for side in sides):
            raise ConfigError(f"region must be four whole numbers (x, y, width, height), got {sides}")
        if self.width < 1 or self.height < 1:
            raise ConfigError(f"region must have a positive size, got {self.width}x{self.height}")


def as_roi(region: "Roi | Sequence[int] | None") -> Roi | None:
    """Return a region that a caller gave, as a `Roi` or as four numbers (x, y, width, height); None stays None.

    Raises:
        ConfigError: If it is none of these.
    """
    if region is None or isinstance(region, Roi):
        return region
    try:
        return Roi(*region)
    except TypeError as error:
        raise ConfigError(f"region must be four whole numbers (x, y, width, height), got {region!r:.80}") from error


def whole_frame(height: int, width: int, spacing_mm: tuple[float, float] | None = None) -> Roi:
    """Return the smallest square around a frame, square in millimetres if the spacing is known."""
    return _square(0, height, 0, width, spacing_mm)


def _square(y0: int, y1: int, x0: int, x1: int, spacing_mm: tuple[float, float] | None) -> Roi:
    """Return the smallest square around rows y0 to y1 and columns x0 to x1, with the same middle."""
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    side_mm = max((y1 - y0) * row_mm, (x1 - x0) * column_mm)
    height, width = max(1, round(side_mm / row_mm)), max(1, round(side_mm / column_mm))
    return Roi((x0 + x1 - width) // 2, (y0 + y1 - height) // 2, width, height)


def fan_region(fan: Fan, height: int, width: int, spacing_mm: tuple[float, float] | None = None) -> Roi:
    """Return the smallest square around a fan, in pixels of the frame.

    Args:
        fan: A fan in the cells of `grid_of` the frame.
        height: Rows of the frame.
        width: Columns of the frame.
        spacing_mm: (row, column) millimetres per pixel, or None for square pixels.
    """
    whole, cells = whole_frame(height, width, spacing_mm), len(fan.cells)
    y0 = max(0, whole.y + fan.top * whole.height // cells)
    y1 = min(height, whole.y - (-fan.bottom * whole.height // cells))
    x0 = max(0, whole.x + fan.left * whole.width // cells)
    x1 = min(width, whole.x - (-fan.right * whole.width // cells))
    return _square(y0, y1, x0, x1, spacing_mm)


def find_roi(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> Roi:
    """Find the smallest square around the ultrasound fan, square in millimetres if the spacing is known.

    Args:
        frames: Grey frames, uint8 (T, H, W).
        spacing_mm: (row, column) millimetres per pixel, or None for square pixels.

    Raises:
        VideoError: If the cine is black.
    """
    from edgeecho.preprocess.grid import Grid

    height, width = frames.shape[1:]
    grid = Grid(height, width, spacing_mm)
    grid.add_cine(frames)
    found = grid.fans()
    return fan_region(found[0][0], height, width, spacing_mm) if found else whole_frame(height, width, spacing_mm)


def check_roi(roi: Roi, height: int, width: int) -> None:
    """Refuse a region with too little of the frame in it.

    Raises:
        ConfigError: If fewer than 16 rows or columns of the frame lie in it, or less than a quarter of it lies in the
            frame while it holds less than a quarter of the frame.
    """
    inside = (
        max(0, min(width, roi.x + roi.width) - max(0, roi.x)),
        max(0, min(height, roi.y + roi.height) - max(0, roi.y)),
    )
    least = MIN_OVERLAP_FRACTION * min(roi.width * roi.height, width * height)
    if min(inside) < MIN_SIDE_PX or inside[0] * inside[1] < least:
        raise ConfigError(
            f"region of {roi.width}x{roi.height} at {roi.x},{roi.y} has {inside[0]}x{inside[1]} pixels of the "
            f"{width}x{height} frame in it; give X,Y,W,H of at least {MIN_SIDE_PX}x{MIN_SIDE_PX} within the frame"
        )


def crop(frames: np.ndarray, roi: Roi) -> np.ndarray:
    """Cut a region out of frames, black where it leaves them: uint8 (T, H, W) to (T, roi.height, roi.width)."""
    t, h, w = frames.shape
    out = np.zeros((t, roi.height, roi.width), np.uint8)
    y0, y1 = max(0, roi.y), min(h, roi.y + roi.height)
    x0, x1 = max(0, roi.x), min(w, roi.x + roi.width)
    if y0 < y1 and x0 < x1:
        out[:, y0 - roi.y : y1 - roi.y, x0 - roi.x : x1 - roi.x] = frames[:, y0:y1, x0:x1]
    return out
