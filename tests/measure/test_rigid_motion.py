"""Motion of the picture as a whole: explained for a still picture that is moved, not for a heart that beats."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edgeecho.measure.rigid_motion import LEVEL_PARTS, MAX_DARK_LEVEL, MOTION_CELLS, explained_change, small_pictures
from edgeecho.preprocess import find_roi, to_network
from edgeecho.synthetic.phantom import draw_cine

SIDE = 112
MOVED, BEATING = 0.85, 0.5
"""Least part explained of a still picture that is moved, and largest of a beating heart: a gap on either side of
`RIGID_FRACTIONS`."""


def share(frames: np.ndarray) -> float:
    """Return the part of all change that is explained, of frames uint8 (T, S, S)."""
    explained, whole = explained_change(small_pictures(frames))
    return float(explained.sum() / whole.sum())


def beating(seed: int = 5) -> np.ndarray:
    cine = draw_cine(seed)
    return to_network(cine.frames[:40], find_roi(cine.frames, cine.spacing_mm), SIDE)


def shift(wave: float) -> np.ndarray:
    return np.array([[1, 0, 6 * wave], [0, 1, 3 * wave]])


def zoom(wave: float) -> np.ndarray:
    return cv2.getRotationMatrix2D((SIDE / 2, 0), 0, 1.1 + 0.1 * wave)


def rock(wave: float) -> np.ndarray:
    return cv2.getRotationMatrix2D((SIDE / 2, 0), 8 * wave, 1)


@pytest.mark.parametrize("motion", [shift, zoom, rock])
def test_a_still_picture_that_is_moved_is_explained(motion: Callable[[float], np.ndarray]) -> None:
    still = beating()[0]
    waves = np.sin(2 * np.pi * np.arange(40) / 30)
    moved = np.stack([cv2.warpAffine(still, motion(wave), (SIDE, SIDE)) for wave in waves])
    assert share(moved) > MOVED


@pytest.mark.parametrize("seed", [5, 8, 12])
def test_a_beating_heart_is_not(seed: int) -> None:
    assert share(beating(seed)) < BEATING


def test_a_ramp_that_shifts_is_explained_whole() -> None:
    """On a ramp the equation holds exactly: a shift by one cell is the gradient."""
    ramp = 50 + np.arange(28, dtype=np.int64)[None, :].repeat(28, axis=0) * 20
    explained, whole = explained_change(np.stack([ramp, ramp + 20]))
    assert whole.tolist() == [24 * 24 * (16 * 20) ** 2]  # smoothing has the weight 16; two rows at each edge are unused
    assert explained == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("turned", [True, False])
def test_a_saddle_that_turns_or_grows_is_explained_whole(turned: bool) -> None:
    """Turned by a small angle a saddle xy changes by x^2 - y^2, and enlarged by xy, in the equation nearly exactly."""
    half = 2 * np.arange(28, dtype=np.int64) - 27
    y, x = half[:, None], half[None, :]
    saddle = 1_000_000 + 1000 * x * y
    explained, whole = explained_change(np.stack([saddle, saddle + (x * x - y * y if turned else x * y)]))
    assert whole > 0
    assert explained == pytest.approx(whole, rel=1e-4)


def test_no_change_is_none() -> None:
    still = small_pictures(np.repeat(beating()[:1], 3, axis=0))
    explained, whole = explained_change(still)
    assert explained.tolist() == whole.tolist() == [0, 0]
    flat = np.full((2, 28, 28), 70, np.int64)
    flat[1] = 72  # brighter as a whole: a change that no motion makes
    explained, whole = explained_change(flat)
    assert (explained.tolist(), whole.tolist()) == ([0], [24 * 24 * 32**2])


def test_cells_near_dark_ones_do_not_count() -> None:
    pictures = np.full((2, 28, 28), 70, np.int64)
    pictures[1] = 72
    pictures[:, :, 10] = LEVEL_PARTS * MAX_DARK_LEVEL  # columns 8 to 12 are not used
    assert explained_change(pictures)[1].tolist() == [24 * (24 - 5) * 32**2]
    pictures[1, :, 10] = 100  # dark in one of the two alone: used, and changed
    assert explained_change(pictures)[1] > 24 * 24 * 32**2


def test_one_pair_at_a_time_is_the_same_to_the_bit() -> None:
    pictures = small_pictures(beating())
    explained, whole = explained_change(pictures)
    for step in range(len(pictures) - 1):
        alone = explained_change(pictures[step : step + 2])
        assert (alone[0][0], alone[1][0]) == (explained[step], whole[step])
    assert (explained <= whole * (1 + 1e-12)).all()


@pytest.mark.parametrize(("side", "cells"), [(112, 28), (113, 22), (48, 24), (28, 28), (20, 20)])
def test_blocks_are_averaged(rng: np.random.Generator, side: int, cells: int) -> None:
    frames = rng.integers(0, 256, (2, side, side), dtype=np.uint8)
    block = -(-side // MOTION_CELLS)
    pictures = small_pictures(frames)
    assert pictures.shape == (2, cells, cells)
    for row, column in ((0, 0), (cells - 1, cells - 1), (3, 7)):
        part = frames[1, row * block : (row + 1) * block, column * block : (column + 1) * block]
        assert pictures[1, row, column] == LEVEL_PARTS * part.sum(dtype=np.int64) // block**2


def test_small_pictures_count_quarters_of_grey_levels() -> None:
    frames = np.full((1, 56, 56), 10, np.uint8)
    frames[0, 0, 0] = 11  # a quarter of a level more in the mean of its block of 2 x 2
    expected = np.full((1, 28, 28), 40)
    expected[0, 0, 0] = 41
    np.testing.assert_array_equal(small_pictures(frames), expected)
