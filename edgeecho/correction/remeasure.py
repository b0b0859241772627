"""The figures of corrected masks: beats, volumes and EF computed again, and judged again."""

from collections.abc import Iterable, Mapping
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
LEFT_OUT, CHOSEN = "left out", "chosen"
"""Values of a beat's `by_hand`."""


def remeasure(figures: Mapping[str, Any], mask: np.ndarray, *, accepted: bool) -> dict[str, Any]:
    """Return the figures with everything that depends on masks and beats computed again.

    The beats are those of `figures`, at their ED and ES frames; one with `by_hand` `left out` does not count. A reason
    for a review or for withholding stays unless it is found no longer, or the person accepts the outlines: then those
    that were there before are notes. There is no interval of EF, since the error of the model says nothing about a
    person's outlines.

    Args:
        figures: Figures of a result.
        mask: uint8 {0, 1} (T, H, W), the corrected masks.
        accepted: Whether a person accepts the outlines.

    Raises:
        DataError: If the volume of a beat that counts does not fall from ED to ES, or its mask cannot be measured.
    """
    spacing = tuple(figures["spacing_mm"]) if figures["spacing_mm"] else None
    pixel = spacing or (figures.get("aspect", 1.0), 1.0)
    before = _findings(figures)
    measured = [_measured(beat, mask, pixel, before, has_spacing=spacing is not None) for beat in figures["beats"]]
    counted = [beat for beat, raw in zip(measured, figures["beats"], strict=True) if raw.get("by_hand") != LEFT_OUT]
    medians, spread = summarize(counted)
    found = _judged(figures, before, counted, medians["edv_ml"])
    if accepted:
        found = [Finding(f.reason, Level.NOTE, f"{f.text} (accepted by a person)") for f in found]
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
    }


def _findings(figures: Mapping[str, Any]) -> dict[Reason, Finding]:
    """Return the findings of a result by their reason."""
    found = [Finding(Reason[r["code"].upper()], Level[r["level"].upper()], r["text"]) for r in figures["reasons"]]
    return {finding.reason: finding for finding in reversed(found)}


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
    return _with_findings(made, [*_kept(beat, before), *found])


def _discs(mask: np.ndarray, ed: int, es: int, pixel: tuple[float, float]) -> tuple[Discs, Discs]:
    return discs_of(mask[ed], pixel), discs_of(mask[es], pixel)


def _as_it_was(beat: Mapping[str, Any], before: Mapping[Reason, Finding]) -> BeatMeasurement:
    names = ("ed_frame", "es_frame", "edv_ml", "esv_ml", "ef_percent", "heart_rate_bpm", "sv_ml")
    made = BeatMeasurement(**{name: beat[name] for name in names})
    return _with_findings(made, [*_kept(beat, before), find(Reason.NOT_MEASURABLE, Level.WITHHOLD)])


def _with_findings(beat: BeatMeasurement, found: list[Finding]) -> BeatMeasurement:
    return BeatMeasurement(
        beat.ed_frame,
        beat.es_frame,
        beat.edv_ml,
        beat.esv_ml,
        beat.ef_percent,
        beat.heart_rate_bpm,
        beat.sv_ml,
        tuple(found),
    )


def _kept(beat: Mapping[str, Any], before: Mapping[Reason, Finding]) -> Iterable[Finding]:
    """Yield the findings of a beat that the masks alone cannot show again; those that left it out still do."""
    reasons = [Reason[code.upper()] for code in beat["reasons"]]
    level = Level.REVIEW if beat["is_used"] or beat.get("by_hand") == LEFT_OUT else Level.WITHHOLD
    for reason in reasons:
        if reason not in JUDGED_AGAIN:
            known = before.get(reason)
            yield find(reason, level, known.text.rpartition("): ")[2] if known else SENTENCES[reason])


def _judged(
    figures: Mapping[str, Any],
    before: Mapping[Reason, Finding],
    counted: list[BeatMeasurement],
    edv_ml: float | None,
) -> list[Finding]:
    """Return all findings: those of the picture as they were, those of the beats anew."""
    of_beats = {Reason[code.upper()] for beat in figures["beats"] for code in beat["reasons"]}
    gone = JUDGED_AGAIN | of_beats | (NO_BEAT if counted else set())
    kept = [finding for reason, finding in before.items() if reason not in gone]
    if not counted:
        kept = kept if worst_level(kept) == Level.WITHHOLD else [*kept, find(Reason.NOT_MEASURABLE, Level.WITHHOLD)]
    return weigh([*kept, *judge_beats(counted, None), *judge_volume(edv_ml)])


def _beat_values(beat: BeatMeasurement, raw: Mapping[str, Any]) -> dict[str, Any]:
    by_hand = raw.get("by_hand")
    values = beat.to_dict() | ({"by_hand": by_hand} if by_hand else {})
    return values | {"is_used": False} if by_hand == LEFT_OUT else values
