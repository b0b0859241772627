"""EF, verdict and reasons in words, as the command line and the pictures have them."""

from typing import Any

import pytest

from edgeecho.measure import BeatMeasurement
from edgeecho.reasons import Finding, Level, Reason, find, verdict_of, worst_level
from edgeecho.report.marks import Marks, verdict_in_words

OUT = find(Reason.SHORT_AXIS, Level.WITHHOLD, "round")
NOTE = find(Reason.SPACING_UNKNOWN, Level.NOTE, "unknown")
DOUBT = find(Reason.CUT_BY_EDGE, Level.REVIEW, "cut")
OTHER = find(Reason.IRREGULAR, Level.REVIEW, "irregular")


def beat(ed: int, es: int, *findings: Finding) -> BeatMeasurement:
    return BeatMeasurement(ed, es, None, None, 49.2, 62.0, None, findings)


def result(*findings: Finding, ef: float | None = 49.2, interval: Any = (41.6, 57.2), beats: Any = None) -> Any:
    withheld = worst_level(findings) == Level.WITHHOLD
    return {
        "reasons": [finding.to_dict() for finding in findings],
        "verdict": verdict_of(findings),
        "ef_percent": None if withheld else ef,
        "ef_interval": None if withheld else interval,
        "beats": [b.to_dict() for b in ([beat(0, 10), beat(20, 30)] if beats is None else beats)],
        "ed_frames": [0, 20, 40],
        "es_frames": [10, 30],
    }


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (result(), "EF 49% (42 to 57)"),
        (result(NOTE), "EF 49% (42 to 57)"),
        (result(interval=None), "EF 49%"),
        (result(NOTE, DOUBT, OTHER, DOUBT, interval=None), "EF 49% (review: cut; irregular)"),
        (result(DOUBT), "EF 49% (42 to 57) (review: cut)"),
        (result(NOTE, DOUBT, OUT), "EF withheld: round"),
        (result(OUT, beats=[]), "no EF: round"),
        (result(OUT, find(Reason.TOO_SHORT, Level.WITHHOLD, "short"), beats=[]), "no EF: short"),
    ],
)
def test_a_verdict_in_words(made: Any, words: str) -> None:
    assert verdict_in_words(made) == words


def test_marks_of_a_result() -> None:
    marks = Marks.of(result(NOTE, DOUBT, beats=[beat(0, 10, OUT), beat(20, 30), beat(20, 10, OUT)]))
    assert (marks.ed_frames, marks.es_frames) == ([0, 20, 40], [10, 30])
    assert marks.left_out == {0, 10}  # frame 20 is that of a used beat too
    assert (marks.headline, marks.remark) == ("EF 49% (42 to 57)", "review: cut")
    assert Marks.of(result()).remark == ""
    assert Marks.of(result(OUT)).headline == "EF withheld"
