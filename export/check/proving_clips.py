"""Clips that the files of a bundle are proven on, besides held-out clips of the calibration data."""

import numpy as np

from edgeecho.errors import MissingExtraError
from edgeecho.export.check.proof import WINDOWS
from edgeecho.export.int8.calibrate import packaged_cine

REAL_CLIPS = 4
"""Number of held-out clips that a stream is proven on, besides a moving cine."""


def noise_clips(size_px: int) -> list[np.ndarray]:
    """Draw clips of noise, uint8 (T, S, S) each."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (t, size_px, size_px), dtype=np.uint8) for t in (1, 7)]


def moving_cine(size_px: int) -> np.ndarray:
    """Return one frame more than the longest window, uint8 (T, S, S).

    The frames are those of the cine in the `pydicom` package, forwards and backwards; noise if it is not installed.
    """
    try:
        cine = packaged_cine(size_px)
    except MissingExtraError:
        cine = np.random.default_rng(1).integers(0, 256, (max(WINDOWS), size_px, size_px), dtype=np.uint8)
    return np.concatenate([cine, cine[::-1]])[: max(WINDOWS) + 1]


def noise_like(cine: np.ndarray) -> np.ndarray:
    """Draw a cine of noise of the same shape."""
    return np.random.default_rng(2).integers(0, 256, cine.shape, dtype=np.uint8)
