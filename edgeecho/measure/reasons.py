"""Reasons why a cine or stream has no beat: the same numbers in Python and in C, with Python's sentences."""

from dataclasses import dataclass
from enum import IntEnum


class Reason(IntEnum):
    """Reason why there is no beat; `device/write_headers.py` writes the numbers into C's `measure/constants.h`."""

    TOO_SHORT = 1
    NEVER_SEEN = 2
    SELDOM_SEEN = 3
    NO_CHANGE = 4
    ROUGH = 5
    NOISY = 6
    JUMPS = 7
    GAPS = 8
    NO_ES = 9
    NO_ED = 10
    NOT_MEASURABLE = 11


SENTENCES = {
    Reason.TOO_SHORT: "{frames}: no beat to measure",
    Reason.NEVER_SEEN: "no left ventricle found in any frame",
    Reason.SELDOM_SEEN: "left ventricle found in only {seen} of {frames}: no beat to measure",
    Reason.NO_CHANGE: "the area changes by only {percent:.1f}%: no beat to measure",
    Reason.ROUGH: "the area jumps from frame to frame as noise does: no beat to measure",
    Reason.NOISY: "the area curve is too noisy to tell beats apart",
    Reason.JUMPS: "the area jumps from one frame to the next: no beat to measure",
    Reason.GAPS: "left ventricle found in too few frames of the beat",
    Reason.NO_ES: "no end-systole found: the cine shows less than half a beat",
    Reason.NO_ED: "no end-diastole beside the end-systole: no beat to measure",
    Reason.NOT_MEASURABLE: "the masks of no beat have a volume that falls from ED to ES",
}
"""Sentence of each reason; `NoBeat` fills in the numbers."""


@dataclass(frozen=True)
class NoBeat:
    """Reason why there is no beat, with the sentence that users read."""

    reason: Reason
    text: str


def no_beat(reason: Reason, *, frames: int = 0, seen: int = 0, percent: float = 0.0) -> NoBeat:
    """Fill the numbers into the sentence of a reason.

    Args:
        reason: Why there is no beat.
        frames: Frames of the cine.
        seen: Frames that show a ventricle.
        percent: Largest change of the area.
    """
    counted = f"{frames} frame{'s' * (frames != 1)}"
    return NoBeat(reason, SENTENCES[reason].format(frames=counted, seen=seen, percent=percent))
