"""The largest region of a mask."""

import numpy as np
import pytest

from edgeecho.measure import keep_largest, largest_component, outline


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[int(pixel) for pixel in row] for row in rows], np.uint8)


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        (mask_of("1001", "1101", "0001"), mask_of("1000", "1100", "0000")),  # of one size: the first row by row
        (mask_of("0110", "1001", "1011"), mask_of("0000", "0001", "0011")),  # diagonal neighbours do not join
        (mask_of("0000", "0100", "0000"), mask_of("0000", "0100", "0000")),
        (mask_of("000", "000"), mask_of("000", "000")),
        (mask_of("11", "11"), mask_of("11", "11")),
    ],
)
def test_the_largest_region_is_kept(mask: np.ndarray, kept: np.ndarray) -> None:
    keep_largest(mask)
    np.testing.assert_array_equal(mask, kept)


def test_it_is_the_region_that_is_measured(rng: np.random.Generator) -> None:
    for _ in range(20):
        mask = (rng.random((40, 50)) < 0.55).astype(np.uint8)
        region, (top, left) = largest_component(mask)
        expected = np.zeros_like(mask)
        expected[top : top + region.shape[0], left : left + region.shape[1]] = region
        keep_largest(mask)
        np.testing.assert_array_equal(mask, expected)


def test_a_frame_of_a_cine_is_changed_in_place() -> None:
    masks = np.zeros((2, 6, 6), np.uint8)
    masks[:, 1:4, 1:4] = masks[1, 5, 5] = 1
    for frame in masks:
        keep_largest(frame)
    assert masks.sum(axis=(1, 2)).tolist() == [9, 9]


def test_an_outline_goes_counterclockwise_from_the_uppermost_row() -> None:
    square = mask_of("00000", "00110", "00110", "00000")
    assert outline(square).tolist() == [[2, 1], [2, 2], [3, 2], [3, 1]]
    thin = mask_of("0000", "0111", "0000")
    assert outline(thin).tolist() == [[1, 1], [2, 1], [3, 1], [2, 1]]  # there and back
    assert outline(mask_of("110", "000", "011", "011")).tolist() == [[1, 2], [1, 3], [2, 3], [2, 2]]  # the largest
    assert outline(mask_of("00", "01")).tolist() == [[1, 1]]
    assert outline(mask_of("00", "00")).shape == (0, 2)
