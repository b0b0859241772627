"""Drawn cines that are no upright apical view: none gets an EF with the verdict `report`, unless it was put right."""

from functools import cache

import cv2
import numpy as np
import pytest

import edgeecho
from edgeecho.cine import Cine
from edgeecho.runtime import Predictor, Segmentation
from edgeecho.synthetic.turned import turn
from tests.runtime.turned_hearts import upright

SIDE = 256
HEARTS = (4, 5, 10, 11)
MAX_EF_DIFFERENCE = 2.0
"""Largest difference of EF, in points, between a picture that was put right and the upright one."""


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return edgeecho.load(threads=1)


def ring(seed: int) -> Cine:
    """Draw a short axis: a dark disc in a bright ring that beats in a speckled fan, 75 frames of 256 x 256."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    reach, ray = np.hypot(x - SIDE / 2, y - 6), np.abs(np.arctan2(x - SIDE / 2, y - 6))
    fan = (ray < 0.75) & (reach < SIDE - 12) & (reach > 8)
    base = cv2.GaussianBlur(rng.rayleigh(1, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.6)
    speckle = (base / base.max()) ** 1.2
    distance = np.hypot(x - SIDE * (0.47 + 0.02 * seed), y - SIDE * 0.55)
    frames = []
    for index in range(75):
        radius = SIDE * (0.17 + 0.015 * seed) * (1 - 0.16 * (1 - np.cos(2 * np.pi * index / 30)))
        level = np.where(distance < radius, 0.06, np.where(distance < radius + SIDE * 0.075, 1.0, 0.35))
        level = cv2.GaussianBlur(level.astype(np.float32), (0, 0), 2)
        frames.append(np.clip(420 * level * np.roll(speckle, (index % 5, index % 3), (0, 1)), 0, 255) * fan)
    return Cine(np.array(frames, np.uint8), 30.0)


def grid(seed: int) -> Cine:
    """Draw four apical hearts in one picture: as drawn, mirrored, and twice rolled in time."""
    cine = upright(seed)
    small = np.array([cv2.resize(frame, (160, 160)) for frame in cine.frames[:48]])
    rows = [np.concatenate([small, small[:, :, ::-1]], 2), np.concatenate([np.roll(small, k, 0) for k in (9, 17)], 2)]
    return Cine(np.concatenate(rows, 1), cine.fps)


@cache
def own_ef(seed: int) -> float | None:
    """EF of the upright cine with its orientation given."""
    cine = upright(seed)
    return edgeecho.load(threads=1).segment(cine.frames, cine.fps, flip="none").measurement.ef_percent


def check_withheld(result: Segmentation) -> None:
    """Check that no EF is given where it is withheld, nor a verdict `report` with one."""
    assert result.verdict in ("review", "withhold")
    assert result.doubts
    if result.verdict == "withhold":
        values = result.to_dict()
        assert [values[name] for name in ("ef_percent", "edv_ml", "esv_ml", "sv_ml")] == [None] * 4
        assert values["withheld"].keys() == {"ef_percent", "edv_ml", "esv_ml", "sv_ml"}
        assert any(reason["level"] == "withhold" for reason in values["reasons"])


@pytest.mark.parametrize("seed", range(6))
def test_a_short_axis_is_not_reported(predictor: Predictor, seed: int) -> None:
    check_withheld(predictor.segment(ring(seed)))


@pytest.mark.parametrize("seed", HEARTS)
def test_four_hearts_in_a_picture_are_not_reported(predictor: Predictor, seed: int) -> None:
    check_withheld(predictor.segment(grid(seed)))


@pytest.mark.parametrize("kind", ["mirrored", "apex down", "inverted"])
@pytest.mark.parametrize("seed", HEARTS)
def test_a_turned_heart_is_put_right_or_not_reported(predictor: Predictor, seed: int, kind: str) -> None:
    cine = turn(upright(seed), kind)
    result = predictor.segment(cine.frames, cine.fps)
    if result.verdict != "report":
        check_withheld(result)
        return
    expected = {"mirrored": ("lr", False), "apex down": ("ud", False), "inverted": ("none", True)}[kind]
    assert (result.flip, result.orientation.inverted) == expected
    assert result.ef_percent == pytest.approx(own_ef(seed), abs=MAX_EF_DIFFERENCE)


def test_at_least_one_turned_heart_of_each_kind_is_put_right(predictor: Predictor) -> None:
    """A heart whose orientation is clear: withholding everything would pass the tests above."""
    for kind in ("mirrored", "apex down", "inverted"):
        cine = turn(upright(0), kind)
        assert predictor.segment(cine.frames, cine.fps).verdict == "report"
