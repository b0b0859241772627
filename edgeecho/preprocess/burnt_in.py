"""Burnt-in text, such as a patient's name: what stands still outside the ultrasound fan is covered."""

import numpy as np

from edgeecho.preprocess.grid import Grid
from edgeecho.preprocess.region import whole_frame

MIN_CHANGE = 40
"""Least change of a pixel's grey level over the cine for it to count as moving; the noise of compression around letters
changes less."""
MARGIN_CELLS = 1
"""Cells of the grid by which the fan is widened."""
OPENED_PX = 3
"""Moving pixels count in blocks of so many a side, which single flickering pixels do not fill."""
MOVING_MARGIN_PX = 5
"""Side of the square that is kept around each moving pixel, so that a trace stays whole."""


def cover_text(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> np.ndarray:
    """Cover what stands still outside the fan in black.

    Kept are the convex hull of the fan and what moves outside of it, such as an ECG trace. Without a fan, only what
    moves is kept. Text inside the hull, and text that changes, such as a clock, stays.

    Args:
        frames: uint8 (T, H, W).
        spacing_mm: (row, column) millimetres per pixel, or None for square pixels.

    Returns:
        New frames, uint8 (T, H, W).
    """
    return np.where(kept_pixels(frames, spacing_mm), frames, np.uint8(0))


def kept_pixels(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> np.ndarray:
    """Return the pixels that `cover_text` keeps, bool (H, W); arguments are its own."""
    import cv2

    height, width = frames.shape[1:]
    change = frames.max(axis=0) - frames.min(axis=0)
    square = np.ones((OPENED_PX, OPENED_PX), np.uint8)
    moving = cv2.morphologyEx((change >= MIN_CHANGE).astype(np.uint8), cv2.MORPH_OPEN, square)
    moving = cv2.dilate(moving, np.ones((MOVING_MARGIN_PX, MOVING_MARGIN_PX), np.uint8))
    return np.asarray((moving > 0) | _fan_pixels(frames, height, width, spacing_mm))


def _fan_pixels(frames: np.ndarray, height: int, width: int, spacing_mm: tuple[float, float] | None) -> np.ndarray:
    """Return the pixels of the fans that are found at the highest threshold, whose hulls are the tightest."""
    import cv2

    grid = Grid(height, width, spacing_mm)
    grid.add_cine(frames)
    found = grid.fans() if grid.is_lit else []
    if not found:
        return np.zeros((height, width), bool)
    cells = np.any([fan.hull for fan in found[-1]], axis=0).astype(np.uint8)
    side = 2 * MARGIN_CELLS + 1
    cells = cv2.dilate(cells, np.ones((side, side), np.uint8))
    whole = whole_frame(height, width, spacing_mm)
    rows = (np.arange(height) - whole.y) * len(cells) // whole.height
    columns = (np.arange(width) - whole.x) * len(cells) // whole.width
    return cells[np.ix_(rows, columns)].astype(bool)
