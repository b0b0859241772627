"""Placement of a clip on the picture: rotation, scale, shift and shear, and the slow drift of a hand-held probe."""

import numpy as np

from edgeecho.cine import Cine
from edgeecho.preprocess import Roi, crop, find_roi, resample

CANVAS = 320
"""Side of a canvas in pixels; its middle CANVAS / MARGIN pixels are the region of interest."""
MARGIN = 1.25
"""Side of the canvas as a multiple of the region of interest."""


def canvas_region(cine: Cine) -> Roi:
    """Return the region that a cine's canvases show: its region of interest with a margin.

    Raises:
        VideoError: If the cine is black.
    """
    roi = find_roi(cine.frames, cine.pixel_shape)
    width, height = round(roi.width * MARGIN), round(roi.height * MARGIN)
    return Roi(roi.x - (width - roi.width) // 2, roi.y - (height - roi.height) // 2, width, height)


def region_to_canvas(frames: np.ndarray, region: Roi) -> np.ndarray:
    """Resample a region of frames or masks, uint8 (N, H, W), onto canvases, uint8 (N, CANVAS, CANVAS)."""
    return resample(crop(frames, region), CANVAS, CANVAS)


def draw_placement(rng: np.random.Generator, frames: int, size_px: int, strength: float) -> np.ndarray:
    """Draw the placement of a clip.

    Args:
        rng: Random number generator.
        frames: Number of frames T.
        size_px: Side of the clip in pixels.
        strength: 0 shows the region of interest as it is, without motion; 1 is the full variation.

    Returns:
        Matrices from clip pixels to canvas pixels, float32 (T, 2, 3).
    """
    base = CANVAS / MARGIN / size_px  # canvas pixels per clip pixel at scale 1
    scale = base / np.exp(strength * rng.normal(0.08, 0.2))
    aspect = np.exp(strength * rng.normal(0, 0.09))
    angle = strength * np.deg2rad(rng.normal(0, 13))
    shift = strength * rng.normal(0, 0.065, 2) * CANVAS / MARGIN
    shear = strength * rng.normal(0, 0.05)
    drift = strength * np.cumsum(rng.normal(0, 0.35, (frames, 2)), axis=0)
    sway = strength * np.cumsum(rng.normal(0, 0.004, frames))
    matrices = []
    for t in range(frames):
        a = angle + sway[t]
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        linear = turn @ np.array([[scale * aspect, shear * scale], [0, scale / aspect]])
        offset = CANVAS / 2 + shift + drift[t] - linear @ np.array([size_px / 2, size_px / 2])
        matrices.append(np.column_stack([linear, offset]))
    return np.array(matrices, np.float32)


def sample_grid(matrix: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the canvas columns and rows that a clip's pixels show, float32 (size_px, size_px) each."""
    xs = np.arange(size_px, dtype=np.float32)
    ys = xs[:, None]
    m = matrix
    return m[0, 0] * xs + m[0, 1] * ys + m[0, 2], m[1, 0] * xs + m[1, 1] * ys + m[1, 2]
