"""Words and marks on pictures of a result: verdict and first reason in words, ED and ES, beats left out.

Functions take the *figures* of a cine: the dictionary that `Segmentation.to_dict` returns and NAME.json contains.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgeecho.reasons import Reason


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
    def of(cls, figures: Mapping[str, Any]) -> "Marks":
        """Return the marks and words of a result."""
        beats = figures["beats"]
        used = {frame for beat in beats if beat["is_used"] for frame in (beat["ed_frame"], beat["es_frame"])}
        every = {frame for beat in beats for frame in (beat["ed_frame"], beat["es_frame"])}
        reasons = reasons_of(figures)
        return cls(
            ed_frames=figures["ed_frames"],
            es_frames=figures["es_frames"],
            left_out=every - used,
            headline=ef_of(figures),
            remark=f"{figures['verdict']}: {reasons[0]}" if reasons else "",
        )


def ef_of(figures: Mapping[str, Any]) -> str:
    """Return the EF with its interval where that is known, such as `EF 49% (42 to 57)`; `EF withheld`; or `no EF`."""
    if not figures["beats"]:
        return "no EF"
    if figures["ef_percent"] is None:
        return "EF withheld"
    ends = figures["ef_interval"]
    return f"EF {figures['ef_percent']:.0f}%" + (f" ({ends[0]:.0f} to {ends[1]:.0f})" if ends else "")


def reasons_of(figures: Mapping[str, Any]) -> list[str]:
    """Return the sentences of the reasons for the verdict: those of the level that decides, each once.

    The reason why there is no beat comes first.
    """
    found = [reason for reason in figures["reasons"] if reason["level"] == figures["verdict"]]
    if not figures["beats"]:
        found.sort(key=lambda reason: Reason[reason["code"].upper()] >= Reason.VIEW_UNLIKELY)
    return list(dict.fromkeys(reason["text"] for reason in found))


def verdict_in_words(figures: Mapping[str, Any]) -> str:
    """Return EF and verdict in one line.

    Returns:
        `EF 49% (42 to 57)` for a result to report; with `(review: REASONS)` behind it where a person should look;
        `EF withheld: REASON` or `no EF: REASON`, with the first reason, where none is given.
    """
    ef, reasons = ef_of(figures), reasons_of(figures)
    if not reasons:
        return ef
    is_withheld = figures["verdict"] == "withhold"
    return f"{ef}: {reasons[0]}" if is_withheld else f"{ef} (review: {'; '.join(reasons)})"
