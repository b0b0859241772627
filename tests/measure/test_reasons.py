"""The list of reasons: numbers that C shares, codes, sentences, and the verdict of some findings."""

import re

import pytest

from edgeecho.measure.no_beat import SENTENCES as NO_BEAT
from edgeecho.measure.no_beat import no_beat
from edgeecho.reasons import SENTENCES, VERDICTS, Finding, Level, Reason, find, verdict_of, worst_level


def test_every_reason_has_a_sentence_without_a_figure() -> None:
    assert set(SENTENCES) == set(Reason)
    for sentence in SENTENCES.values():
        assert re.fullmatch(r"[a-z][^{}\d]+[^.]", sentence), sentence


def test_numbers_and_codes_are_in_order_and_stay() -> None:
    assert [reason.value for reason in Reason] == sorted({reason.value for reason in Reason})
    assert {reason.code: reason.value for reason in (Reason.TOO_SHORT, Reason.SHORT_AXIS, Reason.FROZEN)} == {
        "too_short": 1,
        "short_axis": 21,
        "frozen": 30,
    }
    assert all(re.fullmatch(r"[a-z_]+", reason.code) for reason in Reason)


def test_a_finding_has_the_general_sentence_or_its_own() -> None:
    assert find(Reason.ROUGH, Level.REVIEW) == Finding(Reason.ROUGH, Level.REVIEW, SENTENCES[Reason.ROUGH])
    assert find(Reason.ROUGH, Level.NOTE, "rough: 3").text == "rough: 3"


@pytest.mark.parametrize(
    ("levels", "worst", "verdict"),
    [
        ([], Level.NOTE, "report"),
        ([Level.NOTE, Level.NOTE], Level.NOTE, "report"),
        ([Level.REVIEW, Level.NOTE], Level.REVIEW, "review"),
        ([Level.NOTE, Level.WITHHOLD, Level.REVIEW], Level.WITHHOLD, "withhold"),
    ],
)
def test_the_verdict_is_that_of_the_worst_finding(levels: list[Level], worst: Level, verdict: str) -> None:
    findings = [find(Reason.ROUGH, level) for level in levels]
    assert (worst_level(findings), verdict_of(findings)) == (worst, verdict)
    assert len(VERDICTS) == len(Level)


def test_no_beat_always_withholds_and_has_its_figures() -> None:
    assert set(NO_BEAT) == {reason for reason in Reason if reason < Reason.VIEW_UNLIKELY}
    for reason in NO_BEAT:
        finding = no_beat(reason, frames=30, seen=7, percent=3.21)
        assert (finding.reason, finding.level) == (reason, Level.WITHHOLD)
        assert "{" not in finding.text
    assert no_beat(Reason.TOO_SHORT, frames=1).text == "1 frame: no beat to measure"
    assert no_beat(Reason.SELDOM_SEEN, frames=30, seen=7).text == (
        "left ventricle found in only 7 of 30 frames: no beat to measure"
    )
    assert no_beat(Reason.NOTHING_BEATS, percent=3.21).text == "the area changes by only 3.2%: no beat to measure"
    assert no_beat(Reason.NOTHING_BEATS).text == "the area changes by only 0.0%: no beat to measure"
    assert no_beat(Reason.SELDOM_SEEN).text == "left ventricle found in only 0 of 0 frames: no beat to measure"
