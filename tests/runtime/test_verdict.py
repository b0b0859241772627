"""Judgement of beats by hand-made sums, of all beats together, of the view and of the figures: one case a reason."""

import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from edgeecho.measure import Beat, BeatMeasurement, Discs, Measurement
from edgeecho.preprocess import Orientation, Roi
from edgeecho.reasons import Finding, Level, Reason, find, verdict_of
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.trust_constants import (
    BROKEN_FRACTIONS,
    COLOURED_FRACTIONS,
    MAX_EDGE_FRACTION,
    MAX_EF_RANGES,
    MAX_LENGTH_RANGE,
    MAX_ORIENTATION_DIFFERENCE,
    MAX_STILL_FRACTION,
    MIN_BEAT_FRAMES,
    MIN_CONFIDENCE,
    MIN_ELONGATIONS,
    MOVED_FRACTIONS,
    OUTSIDE_FRACTIONS,
    PLAUSIBLE_EDV_ML,
    PLAUSIBLE_EF_PERCENT,
    RIGID_FRACTIONS,
    SURE_CONFIDENCE,
)
from edgeecho.runtime.verdict import judge_beats, judge_colour, judge_figures, judge_orientations, judge_view, weigh
from edgeecho.runtime.view import View

BEAT = Beat(100, 112, 130, 30.0)
FRAMES, PIXELS = 31, 31 * 400
LEVELS = {"": None, "review": Level.REVIEW, "withhold": Level.WITHHOLD}


class Sums:
    """History of one beat from frame 100 to 130, by its sums."""

    def __init__(self, **changes: float) -> None:
        self.changes = changes
        self.asked: list[tuple[int, int]] = []

    def over(self, first: int, last: int) -> dict[str, float]:
        self.asked.append((first, last))
        good = {"frames": FRAMES, "empty": 0, "pixels": PIXELS, "total": 255 * PIXELS, "broken": 0, "edge": 0}
        return good | {"outside": 0} | {name: v for name, v in self.changes.items() if name in {*good, "outside"}}

    def motion(self, first: int, last: int) -> tuple[float, float, int]:
        return self.changes.get("explained", 0), 1000.0, int(self.changes.get("still", 0))

    def box(self, frame: int) -> tuple[int, int, int, int]:
        way = round(self.changes.get("way", 0)) if frame == BEAT.next_ed_frame else 0
        return 20 + way, 120 + way, 30, 60  # 100 pixels long


def discs(elongation: float = 2.0) -> Discs:
    return Discs(area=math.pi * 100 * 100 / (4 * elongation), length=100.0, diameters=np.ones(20))


def measured(ef: float = 55.0, findings: tuple[Finding, ...] = (), rate: float | None = 60.0) -> BeatMeasurement:
    return BeatMeasurement(100, 112, 120.0, 54.0, ef, rate, 66.0, findings)


def judge(beat: Beat = BEAT, ef: float = 55.0, elongation: float = 2.0, **sums: float) -> dict[Reason, Level]:
    findings = BeatJudge(cast(FrameHistory, Sums(**sums)))(beat, measured(ef), discs(elongation), discs(1.0))
    assert len({finding.reason for finding in findings}) == len(findings)
    return {finding.reason: finding.level for finding in findings}


def test_a_good_beat_has_no_findings_and_is_judged_by_its_own_frames() -> None:
    assert judge() == {}
    for beat, frames in (
        (BEAT, (100, 130)),
        (Beat(100, 112), (100, 112)),  # without a next ED: to the later of the two
        (Beat(112, 100, None, 30.0), (100, 112)),  # ED after ES
        (Beat(112, 100, 130, 30.0), (100, 130)),
    ):
        sums = Sums()
        BeatJudge(cast(FrameHistory, sums))(beat, measured(), discs(), discs())
        assert sums.asked == [frames]


EPS = 1e-3
"""Distance from a limit to either side of it."""


LOW_CONFIDENCE = (SURE_CONFIDENCE + EPS, SURE_CONFIDENCE - EPS, MIN_CONFIDENCE - EPS)
SHORT = (MIN_ELONGATIONS[0] + EPS, MIN_ELONGATIONS[0] - EPS, MIN_ELONGATIONS[1] - EPS)
FEW = (MIN_BEAT_FRAMES[0], MIN_BEAT_FRAMES[0] - EPS, MIN_BEAT_FRAMES[1] - EPS)


def around(limits: tuple[float, float], scale: float, step: float) -> tuple[float, float, float]:
    """Return a value below the first limit, above it, and above the second."""
    return limits[0] * scale - step, limits[0] * scale + step, limits[1] * scale + step


@pytest.mark.parametrize(
    ("reason", "name", "values"),
    [
        (Reason.VIEW_UNLIKELY, "confidence", LOW_CONFIDENCE),
        (Reason.MASK_IN_PIECES, "broken", around(BROKEN_FRACTIONS, FRAMES, 0.5)),
        (Reason.MASK_OUTSIDE_FAN, "outside", around(OUTSIDE_FRACTIONS, PIXELS, 2)),
        (Reason.PROBE_MOVED, "way", around(MOVED_FRACTIONS, 100, 1)),
        (Reason.SHORT_AXIS, "elongation", SHORT),
        (Reason.TOO_FEW_FRAMES, "interval", FEW),
    ],
)
def test_a_limit_to_doubt_and_one_to_leave_out(reason: Reason, name: str, values: tuple[float, ...]) -> None:
    found = []
    for value in values:
        if name == "confidence":
            levels = judge(total=round(255 * PIXELS * value))
        elif name == "elongation":
            levels = judge(elongation=value)
        elif name == "interval":
            levels = judge(replace(BEAT, interval_frames=value))
        else:
            levels = judge(**{name: value})
        assert set(levels) <= {reason}
        found.append(levels.get(reason))
    assert found == [None, Level.REVIEW, Level.WITHHOLD]


def test_a_picture_that_moves_as_a_whole() -> None:
    low, high = (1000 * fraction for fraction in RIGID_FRACTIONS)
    assert judge(explained=low - 1) == {}
    assert judge(explained=low + 1) == {Reason.PROBE_MOVED: Level.REVIEW}
    assert judge(explained=high + 1) == {Reason.NOTHING_BEATS: Level.WITHHOLD}


def test_frames_that_are_the_same_leave_a_beat_out() -> None:
    still = MAX_STILL_FRACTION * 30
    assert judge(still=math.floor(still)) == {}
    assert judge(still=math.floor(still) + 1) == {Reason.FROZEN: Level.WITHHOLD}


def test_a_ventricle_at_the_edge_of_the_picture_is_doubtful() -> None:
    limit = MAX_EDGE_FRACTION * math.sqrt(PIXELS * FRAMES)
    assert judge(edge=math.floor(limit)) == {}
    assert judge(edge=math.floor(limit) + 1) == {Reason.CUT_BY_EDGE: Level.REVIEW}


def test_a_beat_without_a_mask_is_left_out() -> None:
    assert judge(pixels=0, total=0) == {Reason.NO_VENTRICLE: Level.WITHHOLD}


def test_an_ef_that_no_heart_has_is_left_out() -> None:
    low, high = PLAUSIBLE_EF_PERCENT
    for ef in (low, 50.0, high):
        assert judge(ef=ef) == {}
    for ef in (low - 0.1, high + 0.1):
        assert judge(ef=ef) == {Reason.IMPLAUSIBLE: Level.WITHHOLD}


def test_a_beat_without_an_interval_may_be_short() -> None:
    assert judge(replace(BEAT, interval_frames=None)) == {}


def test_the_way_of_a_beat_without_an_end_is_not_known() -> None:
    assert judge(Beat(100, 112, None, 30.0), way=90) == {}


def test_a_mask_that_is_long_at_es_alone_is_no_short_axis() -> None:
    judged = BeatJudge(cast(FrameHistory, Sums()))
    assert judged(BEAT, measured(), discs(1.0), discs(2.0)) == ()
    (finding,) = judged(BEAT, measured(), discs(1.0), discs(1.1))
    assert (finding.reason, finding.level) == (Reason.SHORT_AXIS, Level.WITHHOLD)
    assert "1.10 times as long as wide" in finding.text


# All beats together

SEVERE = find(Reason.SHORT_AXIS, Level.WITHHOLD, "round")
DOUBT = find(Reason.VIEW_UNLIKELY, Level.REVIEW, "unsure")
OTHER = find(Reason.CUT_BY_EDGE, Level.REVIEW)


def levels_of(findings: list[Finding]) -> dict[Reason, Level]:
    return {finding.reason: finding.level for finding in findings}


def test_no_beat_is_its_reason() -> None:
    reason = find(Reason.TOO_SHORT, Level.WITHHOLD)
    assert judge_beats([], reason) == [reason]
    assert judge_beats([measured()] * 3, None) == []


def test_beats_that_are_left_out() -> None:
    bad, good = measured(findings=(SEVERE,)), measured()
    assert judge_beats([bad, bad], None) == [SEVERE]
    (one,) = judge_beats([good, bad, good], None)
    assert (one.reason, one.level) == (Reason.SHORT_AXIS, Level.NOTE)
    assert one.text == "beats left out (ED at frame 100): round"
    (most,) = judge_beats([good, bad], None)  # as many as are used
    assert most.level == Level.REVIEW


def test_a_doubt_of_fewer_than_half_of_the_beats_is_a_note() -> None:
    good, unsure = measured(), measured(findings=(DOUBT,))
    assert levels_of(judge_beats([unsure, good], None)) == {Reason.VIEW_UNLIKELY: Level.REVIEW}
    assert levels_of(judge_beats([unsure, good, good], None)) == {Reason.VIEW_UNLIKELY: Level.NOTE}


def test_an_unlikely_view_with_another_doubt_is_withheld() -> None:
    both = measured(findings=(DOUBT, OTHER))
    assert levels_of(weigh(judge_beats([both], None))) == {
        Reason.VIEW_UNLIKELY: Level.WITHHOLD,
        Reason.CUT_BY_EDGE: Level.REVIEW,
    }
    for alone in (OTHER, DOUBT):
        assert verdict_of(weigh(judge_beats([measured(findings=(alone,))], None))) == "review"


def test_an_unlikely_view_that_is_not_upright_is_withheld() -> None:
    put_right = judge_view(View(ROI, Orientation("lr")))
    assert verdict_of(weigh(put_right)) == "report"
    assert verdict_of(weigh([*put_right, DOUBT])) == "withhold"


def test_a_turn_that_no_fan_shows_is_withheld() -> None:
    for flip, verdict in (("lr", "report"), ("cw", "withhold"), ("ud", "withhold")):
        assert verdict_of(judge_view(View(ROI, Orientation(flip), shows_apex=False))) == verdict
        assert verdict_of(judge_view(View(ROI, Orientation(flip)))) == "report"


def test_beats_that_differ_in_ef() -> None:
    review, withhold = MAX_EF_RANGES
    for wide, level in ((review - 0.1, None), (review + 0.1, Level.REVIEW), (withhold + 0.1, Level.WITHHOLD)):
        found = judge_beats([measured(40.0), measured(40.0 + wide), measured(45.0)], None)
        assert levels_of(found) == ({} if level is None else {Reason.BEATS_DISAGREE: level})


def test_beats_that_differ_in_length() -> None:
    for wide, is_irregular in ((MAX_LENGTH_RANGE - 0.01, False), (MAX_LENGTH_RANGE + 0.01, True)):
        beats = [measured(rate=60.0), measured(rate=60.0), measured(rate=60 / (1 + wide))]
        assert levels_of(judge_beats(beats, None)) == ({Reason.IRREGULAR: Level.REVIEW} if is_irregular else {})
    assert judge_beats([measured(rate=None), measured(rate=60.0)], None) == []


# The view

ROI = Roi(3, 4, 100, 90)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(ROI, Orientation()), {}),
        (View(ROI, Orientation("lr")), {Reason.MIRRORED: Level.NOTE}),
        (View(ROI, Orientation("cw")), {Reason.TURNED: Level.NOTE}),
        (View(ROI, Orientation(inverted=True)), {Reason.INVERTED: Level.NOTE}),
        (View(ROI, Orientation(), rival="lr", is_clear=False), {Reason.MIRRORED: Level.WITHHOLD}),
        (View(ROI, Orientation("ud"), rival="lrud", is_clear=False), {Reason.MIRRORED: Level.WITHHOLD}),
        (View(ROI, Orientation(), rival="cw", is_clear=False), {Reason.TURNED: Level.WITHHOLD}),
        (View(ROI, Orientation(), panels=(Roi(5, 6, 7, 8),)), {Reason.REGION_UNSURE: Level.WITHHOLD}),
    ],
)
def test_a_view_by_region_and_orientation(view: View, expected: dict[Reason, Level]) -> None:
    assert levels_of(judge_view(view)) == expected


def test_panels_are_named_as_flags() -> None:
    (finding,) = judge_view(View(ROI, Orientation(), panels=(Roi(5, 6, 7, 8),)))
    assert "--roi 3,4,100,90; --roi 5,6,7,8" in finding.text


def measurement(**changes: object) -> Measurement:
    figures = {"ef_percent": 55.0, "edv_ml": 120.0, "esv_ml": 54.0, "sv_ml": 66.0, "heart_rate_bpm": 60.0}
    fields = {
        "spread": {},
        "ed_frames": (),
        "es_frames": (),
        "beats": (measured(),),
        "no_beat": None,
        "findings": (),
        "warnings": (),
    }
    return Measurement(**{**figures, **fields, **changes})  # type: ignore[arg-type]


def test_two_orientations_with_about_one_ef_are_a_matter_of_review() -> None:
    view = View(ROI, Orientation(), rival="lr", is_clear=False)
    unsure = judge_view(view)
    near, far = (measurement(ef_percent=55 + MAX_ORIENTATION_DIFFERENCE + d) for d in (-0.1, 0.1))
    (finding,) = judge_orientations(view, measurement(), near, [*unsure])
    assert (finding.reason, finding.level) == (Reason.MIRRORED, Level.REVIEW)
    assert finding.text.endswith("; EF is 55 and 59%")
    assert judge_orientations(view, measurement(), far, unsure) == unsure
    assert judge_orientations(view, measurement(), measurement(ef_percent=None), unsure) == unsure
    across = replace(view, orientation=Orientation("cw"), shows_apex=False)
    assert judge_orientations(across, measurement(), near, unsure) == unsure


# Figures and colour


def test_figures_that_limit_each_other() -> None:
    assert judge_figures(measurement()) == []
    for edv in (PLAUSIBLE_EDV_ML[0] - 0.1, PLAUSIBLE_EDV_ML[1] + 1):
        assert levels_of(judge_figures(measurement(edv_ml=edv))) == {Reason.IMPLAUSIBLE: Level.REVIEW}
    note = find(Reason.SPACING_UNKNOWN, Level.NOTE)
    assert judge_figures(measurement(edv_ml=None, findings=(note,))) == [note]


def test_colour_over_the_ventricle() -> None:
    mask = np.zeros((3, 40, 50), np.uint8)
    mask[1, 10:30, 10:40] = 1  # 600 pixels
    assert judge_colour(mask, None) == []
    doubtful, withheld = (math.ceil(600 * fraction) for fraction in COLOURED_FRACTIONS)
    for count, level in ((doubtful - 1, None), (doubtful, Level.REVIEW), (withheld, Level.WITHHOLD)):
        coloured = np.zeros((40, 50), bool)
        coloured[:9] = True  # colour elsewhere, such as a scale
        coloured[10:30, 10:40] = np.arange(600).reshape(20, 30) < count
        assert levels_of(judge_colour(mask, coloured)) == ({} if level is None else {Reason.COLOUR_OVERLAY: level})
