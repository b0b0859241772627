"""Findings that explain why a cine or stream has no beat, with their figures."""

from edgeecho.reasons import Finding, Level, Reason

SENTENCES = {
    Reason.TOO_SHORT: "{frames}: no beat to measure",
    Reason.NO_VENTRICLE: "no left ventricle found in any frame",
    Reason.SELDOM_SEEN: "left ventricle found in only {seen} of {frames}: no beat to measure",
    Reason.NOTHING_BEATS: "the area changes by only {percent:.1f}%: no beat to measure",
    Reason.ROUGH: "the area jumps from frame to frame as noise does: no beat to measure",
    Reason.NOISY: "the area curve is too noisy to tell beats apart",
    Reason.JUMPS: "the area jumps from one frame to the next: no beat to measure",
    Reason.GAPS: "left ventricle found in too few frames of the beat",
    Reason.NO_ES: "no end-systole found: the cine shows less than half a beat",
    Reason.NO_ED: "no end-diastole beside the end-systole: no beat to measure",
    Reason.NOT_MEASURABLE: "the masks of no beat have a volume that falls from ED to ES",
}
"""Sentence of each reason why there is no beat."""


def no_beat(reason: Reason, *, frames: int = 0, seen: int = 0, percent: float = 0.0) -> Finding:
    """Return the finding of a reason, with the numbers in its sentence.

    Args:
        reason: Why there is no beat.
        frames: Frames of the cine.
        seen: Frames that show a ventricle.
        percent: Largest change of the area.
    """
    counted = f"{frames} frame{'s' * (frames != 1)}"
    return Finding(reason, Level.WITHHOLD, SENTENCES[reason].format(frames=counted, seen=seen, percent=percent))
