"""Random fields of drawn pictures: scatterers, whose echoes interfere to speckle, and smooth clouds.

One field of each is made once; every cine takes patches of them, chosen by its seed.
"""

from functools import lru_cache

import cv2
import numpy as np

from edgeecho.synthetic.screen import BEAMS, RANGES

NOISE = 1024
"""Side in pixels of the field of scatterers, from which every cine takes patches."""


@lru_cache(1)
def scatterers() -> np.ndarray:
    """Draw real and imaginary part of slightly correlated scatterers, float32 (NOISE, NOISE, 2), variance 1."""
    field = np.random.default_rng(0).standard_normal((NOISE, NOISE, 2), np.float32)
    field = cv2.GaussianBlur(field, (0, 0), 0.5, borderType=cv2.BORDER_REFLECT)
    return np.asarray(field / field.std())


@lru_cache(1)
def clouds() -> np.ndarray:
    """Draw a smooth field, float32 (NOISE, NOISE), mean 0 and variance 1, with structures of about 8 pixels."""
    noise = np.random.default_rng(1).standard_normal((NOISE, NOISE)).astype(np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), 3.5, borderType=cv2.BORDER_REFLECT)
    return np.asarray((field - field.mean()) / field.std())


def patch_of(field: np.ndarray, key: int, shape: tuple[int, int]) -> np.ndarray:
    """Cut a patch of a field, (rows, columns) and its channels, chosen by `key`."""
    mixed = (key * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    y, x = (mixed >> 34) % (NOISE - shape[0]), (mixed >> 8) % (NOISE - shape[1])
    return field[y : y + shape[0], x : x + shape[1]]


def cloud(rng: np.random.Generator, rows: float, columns: float) -> np.ndarray:
    """Draw a smooth beam image with structures of this size in pixels, mean 0 and variance about 1."""
    size = (max(4, int(BEAMS * 8 / columns)), max(4, int(RANGES * 8 / rows)))
    patch = patch_of(clouds(), int(rng.integers(1 << 40)), (min(size[1], 900), min(size[0], 900)))
    return np.asarray(cv2.resize(patch, (BEAMS, RANGES), interpolation=cv2.INTER_LINEAR))
