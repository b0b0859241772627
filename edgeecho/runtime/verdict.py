"""Verdict on a result: report it, have it reviewed, or withhold it, with the reasons."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgeecho.measure import BeatMeasurement, Measurement
from edgeecho.preprocess import UPRIGHT
from edgeecho.reasons import Finding, Level, Reason, find
from edgeecho.runtime.trust_constants import (
    COLOURED_FRACTIONS,
    MAX_EF_RANGES,
    MAX_LENGTH_RANGE,
    MAX_ORIENTATION_DIFFERENCE,
    PLAUSIBLE_EDV_ML,
)
from edgeecho.runtime.view import View

NOT_UPRIGHT = (Reason.MIRRORED, Reason.TURNED, Reason.INVERTED)
"""Reasons that a picture which was put right has as notes."""


def judge_beats(beats: Sequence[BeatMeasurement], no_beat: Finding | None) -> list[Finding]:
    """Return the findings of all beats together.

    Args:
        beats: The beats measured, with the findings of each.
        no_beat: Reason why there are none.
    """
    used = [beat for beat in beats if beat.is_used]
    left_out = [finding for beat in beats if not beat.is_used for finding in _severe(beat)]
    if not beats:
        return [no_beat] if no_beat else []
    if not used:
        return _once(left_out)
    found = []
    if left_out:
        level = Level.REVIEW if len(beats) - len(used) >= len(used) else Level.NOTE
        frames = ", ".join(str(beat.ed_frame) for beat in beats if not beat.is_used)
        for finding in _once(left_out):
            found.append(replace(finding, level=level, text=f"beats left out (ED at frame {frames}): {finding.text}"))
    doubts = [finding for beat in used for finding in beat.findings]
    for finding in _once(doubts):
        share = sum(any(f.reason == finding.reason for f in beat.findings) for beat in used) / len(used)
        found.append(finding if 2 * share >= 1 else replace(finding, level=Level.NOTE))
    return found + _disagreements(used)


def weigh(found: list[Finding]) -> list[Finding]:
    """Withhold where the network is unsure of the view, and anything else is doubtful or the picture is not upright.

    Args:
        found: All findings of a result.
    """
    weighty = {f.reason for f in found if f.level >= Level.REVIEW or f.reason in NOT_UPRIGHT}
    if Reason.VIEW_UNLIKELY not in weighty or len(weighty) < 2:
        return found
    return [replace(f, level=Level.WITHHOLD) if f.reason == Reason.VIEW_UNLIKELY else f for f in found]


def _severe(beat: BeatMeasurement) -> list[Finding]:
    return [finding for finding in beat.findings if finding.level == Level.WITHHOLD]


def _once(findings: list[Finding]) -> list[Finding]:
    """Return the first finding of each reason."""
    return list({finding.reason: finding for finding in reversed(findings)}.values())[::-1]


def _disagreements(used: list[BeatMeasurement]) -> list[Finding]:
    found = []
    ef = [beat.ef_percent for beat in used]
    if max(ef) - min(ef) > MAX_EF_RANGES[0]:
        level = Level.WITHHOLD if max(ef) - min(ef) > MAX_EF_RANGES[1] else Level.REVIEW
        text = f"the beats differ in EF: {min(ef):.0f} to {max(ef):.0f}%"
        found.append(find(Reason.BEATS_DISAGREE, level, text))
    rates = [beat.heart_rate_bpm for beat in used if beat.heart_rate_bpm]
    lengths = [60 / rate for rate in rates]
    if lengths and max(lengths) - min(lengths) > MAX_LENGTH_RANGE * float(np.median(lengths)):
        text = f"the beats differ in length: {min(rates):.0f} to {max(rates):.0f} a minute"
        found.append(find(Reason.IRREGULAR, Level.REVIEW, text))
    return found


def judge_view(view: View) -> list[Finding]:
    """Return the findings of the region and the orientation."""
    found = []
    flip = view.orientation.flip
    if not view.is_clear:
        text = f"it is unsure how the picture is turned: {flip} or {view.rival}; set flip"
        found.append(find(Reason.MIRRORED if _is_mirror(flip, view.rival) else Reason.TURNED, Level.WITHHOLD, text))
    elif flip not in (UPRIGHT, "lr") and not view.shows_apex:
        text = f"the network sees a ventricle in a picture turned by {flip} alone, and no fan shows that it is turned"
        found.append(find(Reason.TURNED, Level.WITHHOLD, f"{text}: is this an apical view?"))
    elif flip != UPRIGHT:
        reason = Reason.MIRRORED if flip == "lr" else Reason.TURNED
        found.append(find(reason, Level.NOTE, f"the view is not upright and was put right by flip {flip}"))
    if view.orientation.inverted:
        found.append(find(Reason.INVERTED, Level.NOTE, "the grey levels are inverted and were inverted again"))
    if view.panels:
        boxes = "; ".join(f"--roi {r.x},{r.y},{r.width},{r.height}" for r in (view.roi, *view.panels))
        text = f"{len(view.panels) + 1} parts of the picture show a ventricle: choose one by {boxes}"
        found.append(find(Reason.REGION_UNSURE, Level.WITHHOLD, text))
    return found


def _is_mirror(a: str, b: str) -> bool:
    return {a, b} in ({UPRIGHT, "lr"}, {"ud", "lrud"}, {"cw", "cwlr"}, {"ccw", "ccwlr"})


def judge_orientations(view: View, best: Measurement, other: Measurement, findings: list[Finding]) -> list[Finding]:
    """Have a result reviewed instead of withheld if both orientations that are possible give about the same EF.

    Args:
        view: The view, which is not clear.
        best: Measurement in its orientation.
        other: Measurement in the next best one.
        findings: Findings of the view.
    """
    a, b = best.ef_percent, other.ef_percent
    is_possible = view.shows_apex or {view.orientation.flip, view.rival} == {UPRIGHT, "lr"}
    if not is_possible or a is None or b is None or abs(a - b) > MAX_ORIENTATION_DIFFERENCE:
        return findings
    unsure = (Reason.MIRRORED, Reason.TURNED)
    return [
        replace(f, level=Level.REVIEW, text=f"{f.text}; EF is {a:.0f} and {b:.0f}%") if f.reason in unsure else f
        for f in findings
    ]


def judge_colour(mask: np.ndarray, coloured: np.ndarray | None) -> list[Finding]:
    """Find colour over the ventricle.

    Args:
        mask: uint8 {0, 1} (T, H, W).
        coloured: Pixels that are strongly coloured, bool (H, W), or None.
    """
    if coloured is None:
        return []
    ever = mask.any(axis=0)
    covered = float((ever & coloured).sum()) / max(1, int(ever.sum()))
    if covered < COLOURED_FRACTIONS[0]:
        return []
    level = Level.WITHHOLD if covered >= COLOURED_FRACTIONS[1] else Level.REVIEW
    return [
        find(Reason.COLOUR_OVERLAY, level, f"colour lies over {100 * covered:.0f}% of the ventricle: record without it")
    ]


def judge_figures(measured: Measurement) -> list[Finding]:
    """Return the findings of the measurement, and of volumes that hearts do not have."""
    return [*measured.findings, *judge_volume(measured.edv_ml)]


def judge_volume(edv_ml: float | None) -> list[Finding]:
    """Return the finding of an end-diastolic volume that hearts do not have."""
    if edv_ml is None or PLAUSIBLE_EDV_ML[0] <= edv_ml <= PLAUSIBLE_EDV_ML[1]:
        return []
    text = f"an EDV of {edv_ml:.1f} mL is implausible: check the pixel spacing"
    return [find(Reason.IMPLAUSIBLE, Level.REVIEW, text)]
