"""Judgements in C are those of Python, at each limit and on either side: of frames, beats, all beats and views."""

import ctypes
import math
import random
import subprocess
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from edgeecho.measure import Beat, BeatMeasurement, Discs
from edgeecho.preprocess import FLIPS, Orientation, Roi
from edgeecho.reasons import Finding, Level, Reason, find, worst_level
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.verdict import judge_beats, judge_view, weigh
from edgeecho.runtime.view import View
from studies.device_measure import SOURCES, has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C compiler: cc not found")
DRIVER = Path(__file__).parents[2] / "device" / "tests" / "judge_driver.c"
SCORE_FIELDS = ("pixels", "total", "largest", "edge", "outside")
SUM_FIELDS = ("pixels", "total", "broken", "edge", "outside")
BOX_FIELDS = ("top", "bottom", "left", "right")
LAST_FRAME = 30
"""Frame after the first at which the beats that are judged end: a beat has 31 frames."""
PIXELS = 31 * 400
KEPT = 4096
"""Beats that the library keeps."""


def _structure(name: str, kind: type, fields: tuple[str, ...]) -> type[ctypes.Structure]:
    return type(name, (ctypes.Structure,), {"_fields_": [(field, kind) for field in fields]})


Box = _structure("Box", ctypes.c_uint32, BOX_FIELDS)
Sums = _structure("Sums", ctypes.c_uint64, SUM_FIELDS)
GivenView = _structure(
    "GivenView",
    ctypes.c_uint32,
    ("flip", "rival", "is_inverted", "is_clear", "flips_agree", "shows_apex", "panels"),
)
Found = _structure("Found", ctypes.c_uint64, ("review", "withhold"))


class Score(ctypes.Structure):
    _fields_ = (*((name, ctypes.c_uint64) for name in SCORE_FIELDS), ("box", Box))


class Motion(ctypes.Structure):
    _fields_ = (("explained", ctypes.c_double), ("whole", ctypes.c_double), ("still", ctypes.c_uint64))


class GivenBeat(ctypes.Structure):
    _fields_ = (
        ("sums", Sums),
        ("motion", Motion),
        ("first_box", Box),
        ("last_box", Box),
        *((name, ctypes.c_uint64) for name in ("ed_frame", "es_frame", "next_ed_frame")),
        *((name, ctypes.c_double) for name in ("interval_frames", "elongation", "ef_percent")),
    )


class MeasuredBeat(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("ed_frame", "es_frame")),
        *((name, ctypes.c_double) for name in ("edv_ml", "esv_ml", "sv_ml", "ef_percent", "heart_rate_bpm")),
        *((name, ctypes.c_uint64) for name in ("reasons", "severe")),
        *((name, ctypes.c_double) for name in ("ed_time_s", "es_time_s")),
    )


class Verdict(ctypes.Structure):
    _fields_ = (("reasons", ctypes.c_uint64), ("notes", ctypes.c_uint64), ("level", ctypes.c_uint32))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = Path(tmp_path_factory.mktemp("trust"), "trust.so")
    source = SOURCES.parent
    trust = [source / "trust" / f"{name}.c" for name in ("beat_judge", "frame_history", "frame_reasons", "mask_score")]
    sources = [*trust, source / "trust" / "verdict.c", *SOURCES.glob("*.c"), DRIVER]
    command = ["cc", "-std=c11", "-shared", "-fPIC", f"-I{source}", f"-I{source.parent / 'include'}"]
    subprocess.run([*command, "-o", path, *sources, "-lm"], check=True)
    library = ctypes.CDLL(str(path))
    library.ee_frame_reasons.restype = ctypes.c_uint64
    return library


def bits(findings: Iterable[Finding], least: Level, most: Level) -> int:
    """Return the reasons of the findings of some levels, as C has them."""
    return sum({1 << finding.reason for finding in findings if least <= finding.level <= most})


def test_doubts_of_a_frame(library: ctypes.CDLL) -> None:
    """The limits for 10,000 pixels: 9,800 in the largest piece, 200 outside the fan, 35 at the edge."""
    sure = 2_422_500  # a confidence of 0.95
    values = ((sure - 1, sure, sure + 1), (9799, 9800, 9801), (34, 35, 36), (199, 200, 201))
    seen = set[int]()
    for total, largest, edge, outside in product(*values):
        score = MaskScore(10_000, total, largest, edge, outside)
        for is_frozen in (False, True):
            reasons = score.frame_reasons(is_frozen=is_frozen)
            expected = sum(1 << reason.value for reason in reasons)
            given = Score(*(getattr(score, name) for name in SCORE_FIELDS))
            assert library.ee_frame_reasons(ctypes.byref(given), is_frozen) == expected, score
            seen.add(expected)
    assert len(seen) == 32  # each doubt alone and with every other


def test_no_pixel_is_no_ventricle(library: ctypes.CDLL) -> None:
    (reason,) = MaskScore().frame_reasons(is_frozen=False)
    assert library.ee_frame_reasons(ctypes.byref(Score()), 0) == 1 << reason.value


class GivenHistory:
    """History of one beat, by its sums."""

    def __init__(self, given: GivenBeat, first: int, last: int) -> None:
        self.given, self.first, self.last = given, first, last

    def over(self, first: int, last: int) -> dict[str, int]:
        assert (first, last) == (self.first, self.last)
        return {"frames": last - first + 1} | {name: getattr(self.given.sums, name) for name in SUM_FIELDS}

    def motion(self, first: int, last: int) -> tuple[float, float, int]:
        assert (first, last) == (self.first, self.last)
        motion = self.given.motion
        return motion.explained, motion.whole, motion.still

    def box(self, frame: int) -> tuple[int, ...]:
        box = {self.first: self.given.first_box, self.last: self.given.last_box}[frame]
        return tuple(getattr(box, name) for name in BOX_FIELDS)


FRAMES_OF_BEATS = ((5, 17, 5 + LAST_FRAME), (5 + LAST_FRAME, 5, None), (5, 5 + LAST_FRAME, None))
"""ED, ES and next ED: a whole beat, and two that are not."""


def around(limit: float) -> tuple[float, ...]:
    """Return a limit and the next number on either side of it."""
    return math.nextafter(limit, 0), limit, math.nextafter(limit, math.inf)


CHANGES: dict[str, tuple[float, ...]] = {
    "pixels": (0, 1),
    "total": tuple(round(limit * 255 * PIXELS) + step for limit in (0.941, 0.95) for step in (-1, 0, 1)),
    "broken": (3, 4, 9, 10),  # of 31 frames: more than a tenth, more than three tenths
    "outside": (247, 248, 249, 433, 434, 435),
    "edge": tuple(round(0.35 * math.sqrt(PIXELS * 31)) + step for step in (-1, 0, 1)),
    "still": (17, 18, 19),
    "explained": (*around(680.0), *around(770.0)),
    "whole": (0.0,),
    "way": (24, 25, 26, 49, 50, 51),
    "interval_frames": (0.0, *around(6.0), *around(8.0)),
    "elongation": (*around(1.22), *around(1.28)),
    "ef_percent": (math.nan, *around(5.0), *around(90.0)),
}
"""Values of each figure about each of its limits, where a beat of 31 frames has 400 pixels a frame."""


def given_beat(frames: tuple[int, int, int | None], **changes: float) -> GivenBeat:
    """Return a good beat with some changes."""
    good = {"pixels": PIXELS, "total": 255 * PIXELS, "broken": 0, "edge": 0, "outside": 0} | changes
    beat = GivenBeat(
        sums=Sums(*(int(good[name]) for name in SUM_FIELDS)),
        motion=Motion(changes.get("explained", 0.0), changes.get("whole", 1000.0), int(changes.get("still", 0))),
        first_box=Box(20, 120, 30, 60),
        ed_frame=frames[0],
        es_frame=frames[1],
        next_ed_frame=frames[2] or 0,
        interval_frames=changes.get("interval_frames", 30.0),
        elongation=changes.get("elongation", 2.0),
        ef_percent=changes.get("ef_percent", 55.0),
    )
    way = int(changes.get("way", 0))
    beat.last_box = Box(20 + way, 120 + way, 30, 60)
    return beat


def judge_in_python(given: GivenBeat, frames: tuple[int, int, int | None]) -> tuple[Finding, ...]:
    history = GivenHistory(given, 5, 5 + LAST_FRAME)
    beat = Beat(*frames, interval_frames=given.interval_frames or None)
    measured = BeatMeasurement(*frames[:2], None, None, given.ef_percent, None)
    # With this length and area the elongation is the number given, to the last bit.
    narrow, round_one = (Discs(area=math.pi / 4 / e, length=1.0, diameters=np.ones(20)) for e in (given.elongation, 1))
    given.elongation = math.pi * narrow.length * narrow.length / (4 * narrow.area)
    return BeatJudge(cast(FrameHistory, history))(beat, measured, narrow, round_one)


def pairs_of_changes() -> Iterator[dict[str, float]]:
    """Yield one change, and two of different figures, a part of them."""
    singles = [{name: value} for name, values in CHANGES.items() for value in values]
    yield from singles
    draw = random.Random(3)
    for _ in range(400):
        one, other = draw.sample(singles, 2)
        yield one | other


@pytest.mark.parametrize("frames", FRAMES_OF_BEATS)
def test_a_beat_at_every_limit(library: ctypes.CDLL, frames: tuple[int, int, int | None]) -> None:
    seen = set[tuple[int, int]]()
    for changes in ({}, *pairs_of_changes()):
        given = given_beat(frames, **changes)
        findings = judge_in_python(given, frames)
        judged = (ctypes.c_uint64 * 2)()
        library.judge_beat(ctypes.byref(given), judged)
        expected = bits(findings, Level.NOTE, Level.WITHHOLD), bits(findings, Level.WITHHOLD, Level.WITHHOLD)
        assert tuple(judged) == expected, changes
        seen.add(expected)
    assert (0, 0) in seen
    assert len(seen) > 40


def given_view(view: View, agrees: bool) -> GivenView:
    flips = FLIPS.index(view.orientation.flip), FLIPS.index(view.rival)
    return GivenView(*flips, view.orientation.inverted, view.is_clear, agrees, view.shows_apex, len(view.panels))


def verdict_in_c(
    library: ctypes.CDLL, beats: list[BeatMeasurement], view: GivenView, others: ctypes.Structure | None = None
) -> tuple[int, int, int]:
    rows = (MeasuredBeat * max(1, len(beats)))()
    for row, beat in zip(rows, beats, strict=False):
        severe = bits(beat.findings, Level.WITHHOLD, Level.WITHHOLD)
        row.ef_percent, row.heart_rate_bpm = beat.ef_percent, beat.heart_rate_bpm or math.nan
        row.edv_ml = row.esv_ml = row.sv_ml = math.nan
        row.reasons, row.severe = bits(beat.findings, Level.NOTE, Level.WITHHOLD), severe
    verdict = Verdict()
    found = None if others is None else ctypes.byref(others)
    arguments = rows, ctypes.c_size_t(len(beats)), Reason.NO_ES, ctypes.byref(view), found, ctypes.byref(verdict)
    assert library.judge_all(*arguments) == 0
    return verdict.reasons, verdict.notes, verdict.level


def expected_verdict(findings: list[Finding]) -> tuple[int, int, int]:
    reasons = bits(findings, Level.REVIEW, Level.WITHHOLD), bits(findings, Level.NOTE, Level.NOTE)
    return *reasons, worst_level(findings)


UPRIGHT_VIEW = View(Roi(0, 0, 100, 100), Orientation())
NO_BEAT = find(Reason.NO_ES, Level.WITHHOLD)


def test_every_view(library: ctypes.CDLL) -> None:
    """All pairs of orientations, clear or not, with and without an apex, inverted grey and a second panel."""
    beat = BeatMeasurement(0, 9, None, None, 55.0, 60.0)
    panel = (Roi(0, 0, 9, 9),)
    for flip, rival, *switches in product(FLIPS, FLIPS, *[(False, True)] * 4):
        is_clear, shows_apex, is_inverted, has_panel = switches
        view = View(
            Roi(0, 0, 100, 100),
            Orientation(flip, is_inverted),
            rival=rival,
            is_clear=is_clear,
            shows_apex=shows_apex,
            panels=panel if has_panel else (),
        )
        expected = expected_verdict(weigh(judge_view(view)))
        assert verdict_in_c(library, [beat], given_view(view, False)) == expected, view
        if not is_clear and not has_panel:  # both orientations give the same EF
            assert verdict_in_c(library, [beat], given_view(view, True))[2] == Level.REVIEW, view


DOUBTS = (Reason.VIEW_UNLIKELY, Reason.MASK_IN_PIECES, Reason.PROBE_MOVED, Reason.IMPLAUSIBLE)


def draw_beats(draw: random.Random) -> list[BeatMeasurement]:
    """Draw up to six beats whose EF and lengths often differ by just a limit, some with findings."""
    beats = []
    for _ in range(draw.randrange(7)):
        findings = tuple(
            find(reason, draw.choice((Level.REVIEW, Level.REVIEW, Level.WITHHOLD)))
            for reason in DOUBTS
            if draw.random() < 0.15
        )
        ef = draw.choice((50.0, 55.0, 65.0, math.nextafter(65.0, 99), 80.0, math.nextafter(80.0, 99)))
        rate = draw.choice((None, 60.0, 60.0, 60 / 0.9, 60 / 1.25, 60 / 1.3))
        beats.append(BeatMeasurement(0, 9, None, None, ef, rate, None, findings))
    return beats


def test_all_beats_together(library: ctypes.CDLL) -> None:
    draw, view, seen = random.Random(1), given_view(UPRIGHT_VIEW, False), set[tuple[int, int, int]]()
    for _ in range(3000):
        beats = draw_beats(draw)
        expected = expected_verdict(weigh(judge_beats(beats, NO_BEAT)))
        assert verdict_in_c(library, beats, view) == expected, beats
        seen.add(expected)
    assert len(seen) > 40
    assert {level for *_, level in seen} == {0, 1, 2}


def test_old_beats_are_forgotten(library: ctypes.CDLL) -> None:
    """As many good beats as are kept push every other one out."""
    good = BeatMeasurement(0, 9, None, None, 55.0, 60.0)
    doubtful = find(Reason.PROBE_MOVED, Level.REVIEW)
    others = [
        BeatMeasurement(0, 9, None, None, 85.0, 99.0),
        BeatMeasurement(0, 9, None, None, 56.0, 60.0, None, (doubtful,)),
    ]
    others += [BeatMeasurement(0, 9, None, None, 55.0, 60.0, None, (find(Reason.IMPLAUSIBLE, Level.WITHHOLD),))]
    view = given_view(UPRIGHT_VIEW, False)
    assert verdict_in_c(library, [*others, *[good] * (KEPT - 1)], view)[1:] == (1 << Reason.IMPLAUSIBLE, 0)
    assert verdict_in_c(library, [*others, *[good] * KEPT], view) == (0, 0, 0)


def test_reasons_from_elsewhere(library: ctypes.CDLL) -> None:
    view, beat = given_view(UPRIGHT_VIEW, False), BeatMeasurement(0, 9, None, None, 55.0, 60.0)
    unsure, colour = 1 << Reason.TIME_BASE_UNSURE, 1 << Reason.COLOUR_OVERLAY
    assert verdict_in_c(library, [beat], view, Found(unsure, 0)) == (unsure, 0, Level.REVIEW)
    assert verdict_in_c(library, [beat], view, Found(unsure, colour)) == (unsure | colour, 0, Level.WITHHOLD)
