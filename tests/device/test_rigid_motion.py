"""Motion of the picture as a whole, in C against Python: equal to the bit."""

import ctypes
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edgeecho.measure.rigid_motion import explained_change, small_pictures
from studies.device_measure import has_compiler, load

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C compiler: cc not found")
MOST_CELLS = 28


class Small(ctypes.Structure):
    _fields_ = (("levels", ctypes.POINTER(ctypes.c_int32)), ("smooth", ctypes.POINTER(ctypes.c_int32)))


class Change(ctypes.Structure):
    _fields_ = (("explained", ctypes.c_double), ("whole", ctypes.c_double))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return load(Path(tmp_path_factory.mktemp("measure")))


def in_c(library: ctypes.CDLL, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Small pictures int32 (T, n, n), and (explained, whole) of each step, float64 (T - 1, 2)."""
    side = frames.shape[-1]
    cells = library.ee_motion_cells(ctypes.c_uint32(side))
    library.ee_explained_change.restype = Change
    pictures = np.zeros((len(frames), cells, cells), np.int32)
    smooth = np.zeros((len(frames), cells, cells), np.int32)
    columns = np.zeros(side, np.uint16)
    whole = ctypes.POINTER(ctypes.c_int32)
    smalls = [Small(p.ctypes.data_as(whole), s.ctypes.data_as(whole)) for p, s in zip(pictures, smooth, strict=True)]
    for frame, small in zip(np.ascontiguousarray(frames), smalls, strict=True):
        library.ee_make_small(
            ctypes.c_void_p(frame.ctypes.data), ctypes.c_uint32(side), ctypes.c_uint32(cells),
            ctypes.c_void_p(columns.ctypes.data), ctypes.byref(small),
        )  # fmt: skip
    changes = [
        library.ee_explained_change(ctypes.byref(a), ctypes.byref(b), ctypes.c_uint32(cells))
        for a, b in pairwise(smalls)
    ]
    return pictures, np.array([(change.explained, change.whole) for change in changes])


def moved(rng: np.random.Generator, side: int, frames: int) -> np.ndarray:
    """Smooth noise that is shifted from frame to frame, with a dark corner and dark patches that come and go."""
    coarse = rng.integers(0, 256, (side // 4 + 8, side // 4 + 8)).astype(np.uint8)
    large = np.kron(coarse, np.ones((4, 4), np.uint8))
    cine = np.stack([np.roll(large, (2 * t, -t), (0, 1))[:side, :side] for t in range(frames)])
    cine[:, : side // 5, : side // 5] = 0
    for t in range(frames):
        y, x = rng.integers(0, side, 2)
        cine[t, y : y + side // 6, x : x + side // 6] = rng.integers(0, 4)
    return cine


@pytest.mark.parametrize("side", [24, 28, 29, 57, 64, 112, 113, 128])
def test_c_computes_the_same_to_the_bit(library: ctypes.CDLL, rng: np.random.Generator, side: int) -> None:
    frames = moved(rng, side, 12)
    frames[6] = frames[5]  # a step without a change
    frames[9:] = rng.integers(0, 256, frames[9:].shape)
    pictures, changes = in_c(library, frames)
    expected = small_pictures(frames)
    assert expected.shape[-1] == pictures.shape[-1] <= MOST_CELLS
    np.testing.assert_array_equal(pictures, expected)
    explained, whole = explained_change(expected)
    np.testing.assert_array_equal(changes, np.stack([explained, whole], axis=1))
    assert changes[5].tolist() == [0, 0]
    assert 0 < (changes[:, 0] / np.maximum(changes[:, 1], 1)).max() <= 1


def test_a_spacing_of_one_side_is_refused(library: ctypes.CDLL) -> None:
    size = library.ee_beat_meter_size(64, 64, 50.0)
    memory = np.zeros(size // 8 + 1, np.uint64)
    for spacing, is_meter in (((0.3, 0.4), True), ((0.0, 0.0), True), ((0.3, 0.0), False), ((0.0, 0.3), False)):
        made = library.ee_beat_meter_init(memory.ctypes.data, size, 64, 64, 50.0, *spacing)
        assert bool(made) is is_meter, spacing
