"""Ultrasound sector on a screen, separated from text, bars and an ECG trace."""

import numpy as np

from edgeecho.errors import VideoError

MAX_NOISE_LEVEL = 12
"""Grey level, and change of it, up to which a pixel may be compression noise on a black screen."""


def find_sector(frames: np.ndarray) -> np.ndarray:
    """Find the pixels of the ultrasound sector among text, bars and an ECG trace.

    Moving pixels are speckle; text and bars on a screen stand still. Where too little moves, brightness decides. Thin
    and small parts are removed and the largest connected component is kept.

    Args:
        frames: Grey frames, uint8 (T, H, W).

    Returns:
        Pixels of the sector, bool (H, W).

    Raises:
        VideoError: If nothing but black is found.
    """
    step = max(1, len(frames) // 32)
    sample = frames[::step]
    brightest = sample.max(axis=0)
    if int(brightest.max()) <= MAX_NOISE_LEVEL:
        raise VideoError(f"no ultrasound sector: every pixel is black (brightest {brightest.max()}); check the input")
    lit = brightest > MAX_NOISE_LEVEL
    moving = (brightest - sample.min(axis=0)) > MAX_NOISE_LEVEL
    for candidate in (moving, lit) if moving.sum() > 0.25 * lit.sum() else (lit,):
        component = _largest_component(candidate)
        if component.sum() > 0.02 * component.size:
            return component
    return np.ones_like(lit)


def _largest_component(pixels: np.ndarray) -> np.ndarray:
    """Close gaps of speckle, remove thin lines and letters, and keep the largest component, bool (H, W)."""
    import cv2

    size = max(3, round(min(pixels.shape) * 0.025) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    edge = 2 * size
    padded = np.pad(pixels.astype(np.uint8), edge)
    joined = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    count, names, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    if count < 2:
        return np.zeros_like(pixels)
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(names == best)[edge:-edge, edge:-edge]
