"""Burnt-in text, such as a patient's name: what stands still outside the ultrasound fan is covered."""

import numpy as np

from edgeecho.preprocess.fan import Fan
from edgeecho.preprocess.grid import Grid
from edgeecho.preprocess.region import whole_frame

MIN_CHANGE = 40
"""Least change of a pixel's grey level over the cine for it to count as moving; the noise of compression around letters
changes less."""
MARGIN_CELLS = 1
"""Cells of the grid by which a fan is widened."""
MIN_TEXT_CONTRAST = 40
"""Grey levels by which a stroke of text is brighter in every frame than its surroundings."""
MAX_STROKE_PX, MAX_STROKE_PARTS = 9, 50
"""Width of a stroke in pixels: at most the first, or one in so many parts of the frame's height if that is more."""
TEXT_MARGIN_PX = 7
"""Side of the square that is covered around each pixel of text."""
MIN_NEIGHBOURS = 3
"""Least number of moving pixels in a square of 3 by 3, which a line has and a single flickering pixel has not."""
MOVING_MARGIN_PX = 5
"""Side of the square that is kept around each moving pixel, so that a trace stays whole."""


def cover_text(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> np.ndarray:
    """Cover what stands still outside the fan in black.

    Kept are the fan and what moves outside of it, such as an ECG trace. Without a fan, only what moves is kept. Text
    inside the fan, and text that changes, such as a clock, stays.

    Args:
        frames: uint8 (T, H, W).
        spacing_mm: (row, column) millimetres per pixel, or None for square pixels.

    Returns:
        New frames, uint8 (T, H, W).
    """
    return np.where(kept_pixels(frames, spacing_mm), frames, np.uint8(0))


def kept_pixels(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> np.ndarray:
    """Return the pixels that `cover_text` keeps, bool (H, W); arguments are its own.

    The fan at the lowest threshold has its dark edges, but may also have text beside it, or noise all over the screen.
    So thin bright strokes that stand still are kept only within the fan at the highest threshold.
    """
    height, width = frames.shape[1:]
    darkest = frames.min(axis=0)
    moving = _without_single(frames.max(axis=0) - darkest >= MIN_CHANGE)
    grid = Grid(height, width, spacing_mm)
    grid.add_cine(frames)
    found = grid.fans() if grid.is_lit else []
    kept = _widened(moving, MOVING_MARGIN_PX)
    if found:
        wide, narrow = (_pixels_of(fans, height, width, spacing_mm) for fans in (found[0], found[-1]))
        kept |= narrow | (wide & ~_widened(_strokes(darkest), TEXT_MARGIN_PX))
    return kept


def _pixels_of(fans: list[Fan], height: int, width: int, spacing_mm: tuple[float, float] | None) -> np.ndarray:
    """Return the pixels of the convex hulls of fans, widened by a margin, bool (H, W)."""
    cells = _widened(np.any([fan.hull for fan in fans], axis=0), 2 * MARGIN_CELLS + 1)
    whole = whole_frame(height, width, spacing_mm)
    rows = (np.arange(height) - whole.y) * len(cells) // whole.height
    columns = (np.arange(width) - whole.x) * len(cells) // whole.width
    return np.asarray(cells[np.ix_(rows, columns)])


def _strokes(darkest: np.ndarray) -> np.ndarray:
    """Return what is bright and thin in the darkest level of each pixel, uint8 (H, W): bool (H, W)."""
    import cv2

    side = max(MAX_STROKE_PX, len(darkest) // MAX_STROKE_PARTS) | 1
    thin = cv2.morphologyEx(darkest, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8))
    return np.asarray(thin >= MIN_TEXT_CONTRAST)


def _widened(cells: np.ndarray, side: int) -> np.ndarray:
    """Return the cells in a square of so many cells a side around one of those given, bool."""
    import cv2

    return np.asarray(cv2.dilate(cells.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _without_single(pixels: np.ndarray) -> np.ndarray:
    """Return pixels without those that have fewer than `MIN_NEIGHBOURS` around them, bool."""
    import cv2

    counts = cv2.boxFilter(pixels.astype(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(pixels & (counts >= MIN_NEIGHBOURS))
