"""The figures of corrected masks: beats, volumes and EF computed again, and judged again."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgeecho.errors import DataError, MeasurementError
from edgeecho.measure import BeatMeasurement, Discs, discs_of
from edgeecho.measure.measurement import measured_beat, summarize
from edgeecho.reasons import SENTENCES, Finding, Level, Reason, find, verdict_of, worst_level
from edgeecho.runtime.beat_judge import judge_measured
from edgeecho.runtime.verdict import judge_beats, judge_volume, weigh

JUDGED_AGAIN = frozenset(
    {Reason.SHORT_AXIS, Reason.IMPLAUSIBLE, Reason.BEATS_DISAGREE, Reason.IRREGULAR, Reason.NOT_MEASURABLE}
)
"""Reasons that follow from masks and beats alone, so that they are found again or no longer hold."""
NO_BEAT = frozenset(reason for reason in Reason if reason < Reason.VIEW_UNLIKELY)
"""Reasons why no beat was found, which a chosen beat answers."""
PICTURE = frozenset(reason for reason in Reason if Reason.VIEW_UNLIKELY <= reason < Reason.TOO_FEW_FRAMES)
"""Reasons about the picture, which hold for a chosen beat too."""
ACCEPTED = " (accepted by a person)"
"""Words behind the text of a reason that a person accepted."""
_LEFT_OUT_WORDS = re.compile(r"^beats left out \(ED at frame [0-9, ]+\): ")
"""Words that `judge_beats` puts before the reason of beats that are left out."""
LEFT_OUT, CHOSEN = "left out", "chosen"
"""Values of the key `by_hand` of a beat."""


def remeasure(figures: Mapping[str, Any], mask: np.ndarray, accepted: Collection[Reason] = ()) -> dict[str, Any]:
    """Return the figures with everything that depends on masks and beats computed again.

    The beats are those of `figures`, at their ED and ES frames; one with `by_hand` `left out` does not count. A reason
    for a review or for withholding stays unless it is found no longer, or a person accepted it: then it is a note.
    There is no interval of EF, since the error of the model says nothing about a person's outlines.

    Args:
        figures: Figures of a result.
        mask: uint8 {0, 1} (T, H, W), the corrected masks.
        accepted: Reasons that a person knew of when accepting the outlines.

    Raises:
        DataError: If the volume of a beat that counts does not fall from ED to ES, or its mask cannot be measured.
    """
    spacing = tuple(figures["spacing_mm"]) if figures["spacing_mm"] else None
    pixel = spacing or (figures.get("aspect", 1.0), 1.0)
    before = _findings(figures)
    measured = [_measured(beat, mask, pixel, before, has_spacing=spacing is not None) for beat in figures["beats"]]
    counted = _counted(measured, figures)
    if not any(beat.is_used for beat in counted):  # else those that the judge left out stay so
        measured = [_accepted(beat, accepted) for beat in measured]
        counted = _counted(measured, figures)
    medians, spread = summarize(counted)
    if medians["ef_percent"] is None:  # why there is no EF cannot be accepted
        accepted = set(accepted) - NO_BEAT
    found = weigh(_as_notes(_judged(figures, before, counted, medians["edv_ml"]), accepted))
    is_withheld = worst_level(found) == Level.WITHHOLD
    clinical = ("ef_percent", "edv_ml", "esv_ml", "sv_ml")
    beats = [_beat_values(beat, raw) for beat, raw in zip(measured, figures["beats"], strict=True)]
    area = mask.sum(axis=(1, 2), dtype=np.float32)
    return dict(figures) | {
        "area_px": area.tolist(),
        "beats": beats,
        **{name: None if is_withheld else medians[name] for name in clinical},
        "ef_interval": None,
        "heart_rate_bpm": medians["heart_rate_bpm"],
        "spread": spread,
        "withheld": {name: medians[name] for name in clinical} if is_withheld else None,
        "verdict": verdict_of(found),
        "reasons": [finding.to_dict() for finding in found],
        "doubtful": worst_level(found) >= Level.REVIEW,
        "warnings": _warnings(figures, found),
    }


def _counted(measured: list[BeatMeasurement], figures: Mapping[str, Any]) -> list[BeatMeasurement]:
    return [beat for beat, raw in zip(measured, figures["beats"], strict=True) if raw.get("by_hand") != LEFT_OUT]


def _warnings(figures: Mapping[str, Any], found: list[Finding]) -> list[str]:
    """Return the warnings with the sentences of the reasons that hold now in place of those from before."""
    gone = {reason["text"] for reason in figures["reasons"]}
    kept = [warning for warning in figures["warnings"] if warning not in gone]
    return list(dict.fromkeys([*kept, *(finding.text for finding in found)]))


def _as_notes(found: Iterable[Finding], accepted: Collection[Reason]) -> list[Finding]:
    """Return findings, of which those that a person accepted are notes."""
    return [
        Finding(f.reason, Level.NOTE, f.text + ACCEPTED) if f.level > Level.NOTE and f.reason in accepted else f
        for f in found
    ]


def _accepted(beat: BeatMeasurement, accepted: Collection[Reason]) -> BeatMeasurement:
    """Return a beat with the findings that a person accepted as notes; that it cannot be measured cannot be."""
    return replace(beat, findings=tuple(_as_notes(beat.findings, set(accepted) - {Reason.NOT_MEASURABLE})))


def _findings(figures: Mapping[str, Any]) -> dict[Reason, Finding]:
    """Return the first finding of each reason of a result, in their order."""
    found = dict[Reason, Finding]()
    for values in figures["reasons"]:
        reason = Reason[values["code"].upper()]
        found.setdefault(reason, Finding(reason, Level[values["level"].upper()], values["text"]))
    return found


def _measured(
    beat: Mapping[str, Any],
    mask: np.ndarray,
    pixel: tuple[float, float],
    before: Mapping[Reason, Finding],
    *,
    has_spacing: bool,
) -> BeatMeasurement:
    ed, es = beat["ed_frame"], beat["es_frame"]
    try:
        discs = _discs(mask, ed, es, pixel)
        made = measured_beat(
            (ed, es), (discs[0].volume(), discs[1].volume()), beat["heart_rate_bpm"], has_spacing=has_spacing
        )
    except MeasurementError as error:
        if not beat["is_used"]:
            return _as_it_was(beat, before)
        raise DataError(f"the beat with ED at frame {ed} and ES at frame {es} cannot be measured: {error}") from error
    found = judge_measured(made.ef_percent, *discs)
    return replace(made, findings=(*_kept(beat, before), *found))


def _discs(mask: np.ndarray, ed: int, es: int, pixel: tuple[float, float]) -> tuple[Discs, Discs]:
    return discs_of(mask[ed], pixel), discs_of(mask[es], pixel)


def _as_it_was(beat: Mapping[str, Any], before: Mapping[Reason, Finding]) -> BeatMeasurement:
    return BeatMeasurement.of(beat, (*_kept(beat, before), find(Reason.NOT_MEASURABLE, Level.WITHHOLD)))


def _kept(beat: Mapping[str, Any], before: Mapping[Reason, Finding]) -> Iterable[Finding]:
    """Yield the findings of a beat that the masks alone cannot show again; those that left it out still do."""
    reasons = [Reason[code.upper()] for code in beat["reasons"]]
    level = Level.REVIEW if beat["is_used"] or beat.get("by_hand") == LEFT_OUT else Level.WITHHOLD
    for reason in reasons:
        if reason not in JUDGED_AGAIN:
            known = before.get(reason)
            yield find(reason, level, _own_text(known.text) if known else SENTENCES[reason])


def _own_text(text: str) -> str:
    """Return the text of a reason without the words that were put before and behind it."""
    return _LEFT_OUT_WORDS.sub("", text).removesuffix(ACCEPTED)


def _judged(
    figures: Mapping[str, Any],
    before: Mapping[Reason, Finding],
    counted: list[BeatMeasurement],
    edv_ml: float | None,
) -> list[Finding]:
    """Return all findings: those of the picture as they were, those of the beats anew.

    A chosen beat has no findings of its own frames, so what the others showed of the picture is kept.
    """
    is_chosen = any(beat.get("by_hand") == CHOSEN for beat in figures["beats"])
    of_beats = {Reason[code.upper()] for beat in figures["beats"] for code in beat["reasons"]}
    gone = JUDGED_AGAIN | (of_beats - PICTURE if is_chosen else of_beats) | (NO_BEAT if counted else set())
    kept = [
        replace(finding, text=_LEFT_OUT_WORDS.sub("", finding.text)) if reason in of_beats else finding
        for reason, finding in before.items()
        if reason not in gone
    ]
    if not counted:
        kept = kept if worst_level(kept) == Level.WITHHOLD else [*kept, find(Reason.NOT_MEASURABLE, Level.WITHHOLD)]
    return [*kept, *judge_beats(counted, None), *judge_volume(edv_ml)]


def _beat_values(beat: BeatMeasurement, raw: Mapping[str, Any]) -> dict[str, Any]:
    by_hand = raw.get("by_hand")
    values = beat.to_dict() | ({"by_hand": by_hand} if by_hand else {})
    return values | {"is_used": False} if by_hand == LEFT_OUT else values
