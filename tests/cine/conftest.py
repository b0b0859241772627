"""Fixtures of the tests of cines."""

import numpy as np
import pytest

from tests.cine.files import FRAMES, HEIGHT, WIDTH


@pytest.fixture
def frames() -> np.ndarray:
    """A bright square on a ramp that moves one column a frame, uint8 (20, 48, 64); all frames differ."""
    made = np.empty((FRAMES, HEIGHT, WIDTH), np.uint8)
    made[:] = np.linspace(0, 120, WIDTH, dtype=np.uint8)
    for t in range(FRAMES):
        made[t, 16:32, t : t + 24] = 200
    return made


@pytest.fixture
def grey() -> np.ndarray:
    """Grey levels that differ from pixel to pixel, uint8 (3, 32, 40)."""
    return (np.arange(3 * 32 * 40).reshape(3, 32, 40) % 251).astype(np.uint8)
