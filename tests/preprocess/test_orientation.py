"""Flips: each is undone by its inverse, and each does to a picture what its name means."""

import numpy as np
import pytest

from edgeecho.errors import ConfigError
from edgeecho.preprocess import FLIPS, check_flip, flip_images, unflip_images


@pytest.mark.parametrize("flip", FLIPS)
def test_every_flip_is_undone(rng: np.random.Generator, flip: str) -> None:
    images = rng.integers(0, 256, (3, 7, 7), dtype=np.uint8)
    turned = flip_images(images, flip)
    np.testing.assert_array_equal(unflip_images(turned, flip), images)
    np.testing.assert_array_equal(flip_images(unflip_images(images, flip), flip), images)
    assert (flip == "none") == bool((turned == images).all())


def test_the_eight_flips_are_all_ways_to_turn_a_square() -> None:
    picture = np.arange(9).reshape(3, 3)
    ways = {tuple(np.rot90(side, k).ravel()) for side in (picture, picture[:, ::-1]) for k in range(4)}
    assert {tuple(flip_images(picture, flip).ravel()) for flip in FLIPS} == ways


def test_flips_by_hand() -> None:
    picture = np.array([[1, 2, 3], [4, 5, 6]])
    turned = {
        "none": [[1, 2, 3], [4, 5, 6]],
        "lr": [[3, 2, 1], [6, 5, 4]],
        "ud": [[4, 5, 6], [1, 2, 3]],
        "lrud": [[6, 5, 4], [3, 2, 1]],
        "cw": [[4, 1], [5, 2], [6, 3]],
        "ccw": [[3, 6], [2, 5], [1, 4]],
        "cwlr": [[1, 4], [2, 5], [3, 6]],
        "ccwlr": [[6, 3], [5, 2], [4, 1]],
    }
    assert list(turned) == list(FLIPS)
    for flip, expected in turned.items():
        assert flip_images(picture, flip).tolist() == expected


def test_names() -> None:
    assert check_flip(None) == "none"
    assert [check_flip(flip) for flip in ("auto", *FLIPS)] == ["auto", *FLIPS]
    with pytest.raises(ConfigError, match="unknown flip 'up'; known: auto, none, lr, ud, lrud, cw, ccw, cwlr, ccwlr"):
        check_flip("up")
