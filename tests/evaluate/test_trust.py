"""The study `studies/trust.py`: its inputs, what it reads from results, and its figures."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.metrics import dice
from edgeecho.preprocess import Orientation
from edgeecho.reasons import Finding, Level, Reason, find
from edgeecho.runtime import Segmentation
from edgeecho.synthetic.phantom import PhantomHeart
from studies.trust import PARTS, read_options
from studies.trust_inputs import PHANTOM_SEED, Options, data_cines, phantoms, pooled_dice, reasons, true_ef
from studies.trust_interval import figures
from studies.trust_ladder import RUNGS, Dices, lost, spoilt_cine
from studies.trust_orientation import is_put_right, is_recognised
from studies.trust_table import Table, share
from studies.trust_verdicts import kinds

UPRIGHT = Orientation()


@dataclass
class Result:
    """Fields of a result that the study reads."""

    flip: str = "none"
    orientation: Orientation = UPRIGHT
    findings: tuple[Finding, ...] = ()


def result(**fields: Any) -> Segmentation:
    """Return a result with the fields that the study reads."""
    return cast(Segmentation, Result(**fields))


@pytest.fixture(scope="module")
def cine() -> Cine:
    heart = PhantomHeart(1, 128)
    frames, masks = heart.frames(np.array([0.0, 0.1, 0.2]))
    return Cine(frames, heart.fps, heart.spacing_mm, dict(enumerate(masks)))


def test_ef_of_masks_is_that_of_the_drawn_heart() -> None:
    heart = PhantomHeart((PHANTOM_SEED, 0))
    cine = heart.cine()
    assert true_ef(cine) == pytest.approx(heart.ef_percent, abs=1)
    unmarked = Cine(cine.frames, labels=cine.labels, spacing_mm=cine.spacing_mm)
    assert true_ef(unmarked) == pytest.approx(heart.ef_percent, abs=1.5)
    assert true_ef(Cine(cine.frames, labels={0: cine.labels[0]})) is None


def test_reasons_are_codes() -> None:
    finding = find(Reason.SHORT_AXIS, Level.WITHHOLD, "as wide as long (ratio 1.1)")
    assert reasons(result(findings=(finding, finding))) == ["short_axis"]


@pytest.mark.parametrize(
    ("kind", "flip", "put_right"),
    [
        ("mirrored", "lr", True),
        ("mirrored", "ud", False),
        ("apex down", "ud", True),
        ("turned by 180", "lrud", True),
        ("turned by 180", "ud", False),
        ("turned by 90", "lr", False),
        ("turned by 90", "cw", True),
        ("turned by 270", "ccw", True),
        ("mirrored", "none", False),
        ("inverted", "none", False),
    ],
)
def test_the_right_flip(kind: str, flip: str, put_right: bool) -> None:
    assert is_put_right(result(flip=flip), kind) is put_right
    assert is_recognised(result(flip=flip), kind) is put_right


def test_recognised_by_a_reason() -> None:
    turned = find(Reason.TURNED, Level.WITHHOLD)
    assert is_recognised(result(findings=(turned,)), "turned by 90")
    assert not is_recognised(result(findings=(turned,)), "inverted")
    assert is_recognised(result(findings=(turned,)), "upright")
    assert is_recognised(result(flip="lr"), "upright")
    assert not is_recognised(result(findings=(find(Reason.ROUGH, Level.REVIEW),)), "upright")


def test_the_given_region_moves_with_the_picture(cine: Cine) -> None:
    clean, roi = spoilt_cine(cine, RUNGS[0], 0)
    assert clean is cine
    small, moved = spoilt_cine(cine, RUNGS[-1], 0)
    assert (moved.width, moved.height) == (roi.width, roi.height)
    shown = small.frames[0][moved.y : moved.y + moved.height, moved.x : moved.x + moved.width]
    y, x = max(0, roi.y), max(0, roi.x)
    inner = shown[y - roi.y : y - roi.y + 128 - y, x - roi.x : x - roi.x + 128 - x]
    assert np.array_equal(inner, cine.frames[0][y : y + inner.shape[0], x : x + inner.shape[1]])
    assert small.labels[0].sum() == cine.labels[0].sum()
    assert small.spacing_mm == cine.spacing_mm


def test_lost_cines_are_bad_where_the_region_is_good() -> None:
    dices = Dices(given=[0.9, 0.9, 0.7, 0.8], cine=[0.49, 0.5, 0.1, 0.0])
    assert lost(dices.cine, dices.given) == 2


def test_pooled_dice_counts_pixels_of_labelled_frames(cine: Cine) -> None:
    masks = np.stack([cine.labels[0], np.zeros_like(cine.labels[1]), cine.labels[2]])
    assert pooled_dice(masks, {0: cine.labels[0]}) == 1
    both = pooled_dice(masks, {0: cine.labels[0], 1: cine.labels[1]})
    assert both == pytest.approx(dice(masks[:2], np.stack([cine.labels[0], cine.labels[1]])))


def test_coverage_of_intervals() -> None:
    row = figures([(50.0, 55.0, (45.0, 56.0)), (50.0, 60.0, (48.0, 52.0)), (40.0, 42.0, None), None])
    assert row["cines"] == 4
    assert row["EF given"] == 3
    assert row["EF error"] == pytest.approx(17 / 3)
    assert row["interval given"] == "2 of 3 (67%)"
    assert row["covered"] == "1 of 2 (50%)"
    assert row["half-width"] == pytest.approx((5.5 + 2) / 2)
    assert figures([])["covered"] is None


def test_a_table_in_markdown() -> None:
    table = Table("Title.", {"a": "first.", "b": "second."}, [{"a": 1, "b": -0.0001}, {"b": None, "a": "x"}])
    expected = "Title.\n\n- a: first.\n- b: second.\n\n| a | b |\n|---|---|\n| 1 | 0.000 |\n| x | - |"
    assert table.markdown() == expected
    assert share(0, 0) is None


def test_seeds_and_limits() -> None:
    assert len(phantoms(Options())) == 60
    drawn = phantoms(Options(limit=2, first_seed=7))
    assert [read().name for read in drawn] == ["phantom 7", "phantom 8"]
    assert len(kinds(Options(limit=3))["wrong: liver"]) == 3
    found = data_cines(Options(data=("phantom:3,40",), splits=("val", "test"), limit=2))
    assert {name: len(reads) for name, reads in found.items()} == {"phantom val": 2, "phantom test": 2}


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    part, options, path = read_options(["ladder", "--data", "camus:X", "--splits", "val,test", "--limit", "2"])
    assert (part, path) == ("ladder", None)
    assert options == Options(data=("camus:X",), splits=("val", "test"), limit=2)
    assert set(PARTS) == {"verdicts", "ladder", "orientation", "interval"}
    for wrong, message in (
        (["interval"], "interval needs --data, such as --data camus:DIR"),
        (["ladder", "--limit", "0"], "--limit must be at least 1, got 0"),
        (["ladder", "--first-seed", "-1"], "--first-seed must not be negative, got -1"),
    ):
        with pytest.raises(SystemExit):
            read_options(wrong)
        assert message in capsys.readouterr().err
