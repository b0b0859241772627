"""The benchmark's clip: synthetic frames that every row is timed on."""

import numpy as np


def speckle_clip(frames: int = 32, size_px: int = 112, seed: int = 0) -> np.ndarray:
    """Return a dark cavity that pulsates in a sector of speckle, uint8 (frames, 1, size_px, size_px)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size_px, 0:size_px] / size_px
    sector = np.abs(columns - 0.5) < 0.1 + 0.6 * rows
    beat = 0.2 + 0.04 * np.cos(2 * np.pi * np.arange(frames) / 20)[:, None, None]  # half the cavity's width
    cavity = ((columns - 0.5) / beat) ** 2 + ((rows - 0.5) / (1.6 * beat)) ** 2 < 1
    brightness = np.where(cavity, 12, 70) * sector
    speckle = rng.rayleigh(1.0, (frames, size_px, size_px))
    clip: np.ndarray = np.clip(brightness * speckle, 0, 255).astype(np.uint8)[:, None]
    return clip
