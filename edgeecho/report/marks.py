"""What is written and marked on pictures of a result: verdict and first reason in words, ED and ES, beats left out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edgeecho.reasons import Level, Reason
from edgeecho.runtime import Segmentation


@dataclass(frozen=True)
class Marks:
    """Marks and words on a picture of an area curve."""

    ed_frames: Sequence[int] = ()
    """0-based frames to mark as end-diastole."""
    es_frames: Sequence[int] = ()
    """0-based frames to mark as end-systole."""
    left_out: Collection[int] = frozenset()
    """Marked frames that are those of beats that the figures leave out; their marks are hollow."""
    headline: str = ""
    """EF, or that there is none."""
    remark: str = ""
    """The first reason for a review or for withholding."""

    @classmethod
    def of(cls, result: Segmentation) -> "Marks":
        """Return the marks and words of a result."""
        used = {frame for beat in result.beats if beat.is_used for frame in (beat.ed_frame, beat.es_frame)}
        every = {frame for beat in result.beats for frame in (beat.ed_frame, beat.es_frame)}
        reasons = reasons_of(result)
        return cls(
            ed_frames=result.ed_frames,
            es_frames=result.es_frames,
            left_out=every - used,
            headline=ef_of(result),
            remark=f"{result.verdict}: {reasons[0]}" if reasons else "",
        )


def ef_of(result: Segmentation) -> str:
    """Return the EF with its interval where that is known, such as `EF 49% (42 to 57)`; `EF withheld`; or `no EF`."""
    if not result.beats:
        return "no EF"
    if result.ef_percent is None:
        return "EF withheld"
    ends = result.ef_interval
    return f"EF {result.ef_percent:.0f}%" + (f" ({ends[0]:.0f} to {ends[1]:.0f})" if ends else "")


def reasons_of(result: Segmentation) -> list[str]:
    """Return the sentences of the reasons for the verdict: those of the level that decides, each once.

    The reason why there is no beat comes first.
    """
    decisive = Level.WITHHOLD if result.is_withheld else Level.REVIEW
    found = [finding for finding in result.findings if finding.level == decisive]
    if not result.beats:
        found.sort(key=lambda finding: finding.reason >= Reason.VIEW_UNLIKELY)
    return list(dict.fromkeys(finding.text for finding in found))


def verdict_in_words(result: Segmentation) -> str:
    """Return EF and verdict in one line.

    Returns:
        `EF 49% (42 to 57)` for a result to report; with `(review: REASONS)` behind it where a person should look;
        `EF withheld: REASON` or `no EF: REASON`, with the first reason, where none is given.
    """
    ef, reasons = ef_of(result), reasons_of(result)
    if not reasons:
        return ef
    return f"{ef}: {reasons[0]}" if result.is_withheld else f"{ef} (review: {'; '.join(reasons)})"
