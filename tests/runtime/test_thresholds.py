"""Thresholds of the verdict by their numbers: a beat on one side of each is judged otherwise than on the other.

`test_verdict.py` takes the thresholds from the code, so that it holds when one is changed on purpose; here they are
written once more, as docs/trust.md states them, so that none is changed by accident.
"""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from edgeecho.preprocess import Orientation
from edgeecho.reasons import Level, Reason
from edgeecho.runtime import trust_constants
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.verdict import judge_beats, judge_colour, judge_orientations, judge_view, judge_volume
from edgeecho.runtime.view import View
from tests.runtime.test_verdict import (
    BEAT,
    FRAMES,
    PIXELS,
    ROI,
    Sums,
    discs,
    judge,
    levels_of,
    measured,
    measurement,
)

REVIEW, WITHHOLD = Level.REVIEW, Level.WITHHOLD


@pytest.mark.parametrize(
    ("reason", "name", "levels"),
    [
        (Reason.VIEW_UNLIKELY, "confidence", {0.951: None, 0.949: REVIEW, 0.942: REVIEW, 0.940: WITHHOLD}),
        (Reason.MASK_IN_PIECES, "broken", {0.099: None, 0.101: REVIEW, 0.299: REVIEW, 0.301: WITHHOLD}),
        (Reason.MASK_OUTSIDE_FAN, "outside", {0.0199: None, 0.0201: REVIEW, 0.0349: REVIEW, 0.0351: WITHHOLD}),
        (Reason.CUT_BY_EDGE, "edge", {0.349: None, 0.351: REVIEW}),
        (Reason.PROBE_MOVED, "explained", {0.679: None, 0.681: REVIEW, 0.769: REVIEW}),
        (Reason.NOTHING_BEATS, "explained", {0.769: None, 0.771: WITHHOLD}),
        (Reason.SHORT_AXIS, "elongation", {1.281: None, 1.279: REVIEW, 1.221: REVIEW, 1.219: WITHHOLD}),
        (Reason.TOO_FEW_FRAMES, "interval", {8.0: None, 7.9: REVIEW, 6.0: REVIEW, 5.9: WITHHOLD}),
        (Reason.IMPLAUSIBLE, "ef", {5.0: None, 4.9: WITHHOLD, 90.0: None, 90.1: WITHHOLD}),
        (Reason.FROZEN, "still", {18.1 / 30: None, 19.1 / 30: WITHHOLD}),
        (Reason.PROBE_MOVED, "way", {0.25: None, 0.26: REVIEW, 0.5: REVIEW, 0.51: WITHHOLD}),
    ],
)
def test_thresholds_of_a_beat(reason: Reason, name: str, levels: dict[float, Level | None]) -> None:
    for value, level in levels.items():
        if name == "confidence":
            found = judge(total=255 * PIXELS * value)
        elif name == "elongation":
            found = judge(elongation=value)
        elif name == "interval":
            found = judge(replace(BEAT, interval_frames=value))
        elif name == "ef":
            found = judge(ef=value)
        else:
            units = {"broken": FRAMES, "outside": PIXELS, "edge": (PIXELS * FRAMES) ** 0.5, "explained": 1000}
            found = judge(**{name: value * {**units, "still": 30, "way": 100}[name]})
        assert found.get(reason) == level, (value, found)


def test_the_way_of_a_ventricle_is_compared_with_its_longer_side() -> None:
    """A mask 30 rows high and 100 columns wide moves by 24 and by 26 pixels."""

    class Wide(Sums):
        def box(self, frame: int) -> tuple[int, int, int, int]:
            way = round(self.changes["way"]) if frame == BEAT.next_ed_frame else 0
            return 30, 60, 200 + way, 300 + way

    for way, level in ((24, None), (26, REVIEW), (51, WITHHOLD)):
        judged = BeatJudge(cast(FrameHistory, Wide(way=way)))
        found = levels_of(list(judged(BEAT, measured(), discs(), discs())))
        assert found.get(Reason.PROBE_MOVED) == level


def test_thresholds_of_all_beats_together() -> None:
    for wide, level in ((14.9, None), (15.1, REVIEW), (29.9, REVIEW), (30.1, WITHHOLD)):
        found = levels_of(judge_beats([measured(40.0), measured(40.0 + wide)], None))
        assert found.get(Reason.BEATS_DISAGREE) == level
    for longer, irregular in ((0.349, False), (0.351, True)):
        beats = [measured(rate=60.0), measured(rate=60.0), measured(rate=60 / (1 + longer))]
        assert (Reason.IRREGULAR in levels_of(judge_beats(beats, None))) is irregular


def test_thresholds_of_figures_and_colour() -> None:
    for edv, is_odd in ((5.0, False), (4.9, True), (500.0, False), (500.1, True)):
        assert bool(judge_volume(edv)) is is_odd
    mask = np.ones((1, 100, 100), np.uint8)
    for count, level in ((199, None), (200, REVIEW), (999, REVIEW), (1000, WITHHOLD)):
        coloured = np.arange(10_000).reshape(100, 100) < count
        assert levels_of(judge_colour(mask, coloured)).get(Reason.COLOUR_OVERLAY) == level
    view = View(ROI, Orientation(), rival="lr", is_clear=False)
    for apart, level in ((3.99, REVIEW), (4.01, WITHHOLD)):
        other = measurement(ef_percent=55 + apart)
        assert levels_of(judge_orientations(view, measurement(), other, judge_view(view))) == {Reason.MIRRORED: level}


@pytest.mark.parametrize(("largest", "broken"), [(98, False), (97, True)])
def test_a_mask_is_in_pieces_below_98_percent(largest: int, broken: bool) -> None:
    score = MaskScore(pixels=100, total=25_500, largest=largest)
    history = FrameHistory(50.0)
    history.score(score)
    assert history.whole()["broken"] == broken
    assert (Reason.MASK_IN_PIECES in score.frame_reasons(is_frozen=False)) is broken


@pytest.mark.parametrize(
    ("changes", "reason", "found"),
    [
        ({"total": 24_225}, Reason.VIEW_UNLIKELY, False),  # 0.95 x 255 x 100
        ({"total": 24_224}, Reason.VIEW_UNLIKELY, True),
        ({"outside": 2}, Reason.MASK_OUTSIDE_FAN, False),
        ({"outside": 3}, Reason.MASK_OUTSIDE_FAN, True),
        ({"edge": 3}, Reason.CUT_BY_EDGE, False),  # 0.35 x 10
        ({"edge": 4}, Reason.CUT_BY_EDGE, True),
        ({"pixels": 0}, Reason.NO_VENTRICLE, True),
    ],
)
def test_thresholds_of_one_frame(changes: dict[str, int], reason: Reason, found: bool) -> None:
    score = MaskScore(**{"pixels": 100, "total": 25_500, "largest": 100, **changes})
    assert (reason in score.frame_reasons(is_frozen=False)) is found
    assert Reason.FROZEN in score.frame_reasons(is_frozen=True)


@pytest.mark.parametrize(("edge", "cut"), [(4, False), (5, True)])
def test_a_mask_is_cut_from_five_pixels_on_the_edge(edge: int, cut: bool) -> None:
    assert MaskScore(pixels=100, edge=edge).is_cut is cut


def test_thresholds_of_the_view() -> None:
    """Those of region and orientation, which tests of drawn hearts use from far away."""
    stated = {
        "CLEAR_CONFIDENCE": 0.96,
        "MIN_CONFIDENCE_GAIN": 0.01,
        "MIN_SAME_REGION": 0.8,
        "AROUND_FACTOR": (22, 10),
        "MAX_PANEL_OVERLAP": 0.3,
        "MAX_PANELS": 4,
        "CLEAR_MARGINS": ((1, 0.02), (2, 0.008), (4, 0.004), (8, 0.003)),
        "MAX_SAMPLES": 8,
        "MIN_WHOLE_MARGIN": 0.005,
        "MIN_TURNED_CONFIDENCE": 0.95,
        "MIN_INVERTED_GAIN": 0.02,
        "MIN_LIKELY_CONFIDENCE": 0.93,
        "MIN_VIEW_CONFIDENCE": 0.91,
        "MIN_LIVE_SAMPLES": 2,
        "SAMPLE_INTERVAL_S": 0.2,
        "RETRY_S": 4.0,
    }
    assert {name: getattr(trust_constants, name) for name in stated} == stated
