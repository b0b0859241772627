"""Judgement of each beat by its own frames: whether it is one of a left ventricle in an apical view."""

import math

from edgeecho.measure import Beat, BeatMeasurement, Discs
from edgeecho.reasons import Finding, Level, Reason, find
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.trust_constants import (
    BROKEN_FRACTIONS,
    MAX_EDGE_FRACTION,
    MAX_STILL_FRACTION,
    MIN_BEAT_FRAMES,
    MIN_CONFIDENCE,
    MIN_ELONGATIONS,
    MOVED_FRACTIONS,
    OUTSIDE_FRACTIONS,
    PLAUSIBLE_EF_PERCENT,
    RIGID_FRACTIONS,
    SURE_CONFIDENCE,
)


class BeatJudge:
    """Judges beats by the history of their frames."""

    def __init__(self, history: FrameHistory) -> None:
        self._history = history

    def __call__(self, beat: Beat, measured: BeatMeasurement, ed: Discs, es: Discs) -> tuple[Finding, ...]:
        """Return the findings of a beat; those of level `WITHHOLD` leave it out.

        Args:
            beat: The beat in the area curve.
            measured: Its figures.
            ed: The mask of ED, cut into discs.
            es: The mask of ES.
        """
        first = min(beat.ed_frame, beat.es_frame)
        last = max(beat.ed_frame, beat.es_frame) if beat.next_ed_frame is None else beat.next_ed_frame
        found = [
            *self._judge_masks(first, last),
            *self._judge_motion(first, last, is_whole=beat.next_ed_frame is not None),
            *_judge_shape(max(_elongation(ed), _elongation(es))),
            *_judge_length(beat.interval_frames),
            *_judge_ef(measured.ef_percent),
        ]
        return tuple(found)

    def _judge_masks(self, first: int, last: int) -> list[Finding]:
        sums = self._history.over(first, last)
        found, frames, pixels = [], sums["frames"], sums["pixels"]
        if not pixels:
            return [find(Reason.NO_VENTRICLE, Level.WITHHOLD)]
        confidence = sums["total"] / (255 * pixels)
        if confidence < SURE_CONFIDENCE:
            text = f"the network is unsure (confidence {confidence:.3f}): is this an apical view?"
            found.append(find(Reason.VIEW_UNLIKELY, _level(confidence < MIN_CONFIDENCE), text))
        broken, outside = sums["broken"] / frames, sums["outside"] / pixels
        if broken > BROKEN_FRACTIONS[0]:
            text = f"the mask is in pieces in {sums['broken']} of {frames} frames: is this an apical view?"
            found.append(find(Reason.MASK_IN_PIECES, _level(broken > BROKEN_FRACTIONS[1]), text))
        if outside > OUTSIDE_FRACTIONS[0]:
            text = f"{100 * outside:.0f}% of the mask lies outside the ultrasound fan"
            found.append(find(Reason.MASK_OUTSIDE_FAN, _level(outside > OUTSIDE_FRACTIONS[1]), text))
        if sums["edge"] > MAX_EDGE_FRACTION * math.sqrt(pixels * frames):
            found.append(find(Reason.CUT_BY_EDGE, Level.REVIEW))
        return found

    def _judge_motion(self, first: int, last: int, *, is_whole: bool) -> list[Finding]:
        explained, whole, still = self._history.motion(first, last)
        found = []
        if still > MAX_STILL_FRACTION * (last - first):
            found.append(find(Reason.FROZEN, Level.WITHHOLD, f"{still} of {last - first} frames equal the one before"))
        elif whole > 0 and explained > RIGID_FRACTIONS[0] * whole:
            share = explained / whole
            text = f"the picture moves as a whole ({100 * share:.0f}% of its change)"
            if share > RIGID_FRACTIONS[1]:
                found.append(find(Reason.NOTHING_BEATS, Level.WITHHOLD, f"{text}: nothing beats"))
            else:
                found.append(find(Reason.PROBE_MOVED, Level.REVIEW, f"{text}: did the probe move?"))
        (top, bottom, left, right), after = self._history.box(first), self._history.box(last)
        size = max(bottom - top, right - left)
        down, across = after[0] + after[1] - top - bottom, after[2] + after[3] - left - right
        way = math.sqrt(down * down + across * across) / 2  # as in C; `hypot` rounds otherwise
        if is_whole and way > MOVED_FRACTIONS[0] * size:
            text = f"the ventricle moved by {100 * way / max(1, size):.0f}% of its length during the beat"
            found.append(find(Reason.PROBE_MOVED, _level(way > MOVED_FRACTIONS[1] * size), text))
        return found


def judge_measured(ef_percent: float, ed: Discs, es: Discs) -> list[Finding]:
    """Return the findings of a beat that follow from its masks of ED and ES alone: their shape, and the EF."""
    return [*_judge_shape(max(_elongation(ed), _elongation(es))), *_judge_ef(ef_percent)]


def _judge_ef(ef_percent: float) -> list[Finding]:
    low, high = PLAUSIBLE_EF_PERCENT
    if low <= ef_percent <= high:
        return []
    text = f"an EF of {ef_percent:.0f}% is implausible: look at the masks of ED and ES"
    return [find(Reason.IMPLAUSIBLE, Level.WITHHOLD, text)]


def _elongation(mask: Discs) -> float:
    """Length over width of the ellipse of a mask's length and area."""
    return math.pi * mask.length * mask.length / (4 * mask.area)


def _judge_shape(elongation: float) -> list[Finding]:
    if elongation >= MIN_ELONGATIONS[0]:
        return []
    text = f"the mask is {elongation:.2f} times as long as wide: is this a short axis?"
    return [find(Reason.SHORT_AXIS, _level(elongation < MIN_ELONGATIONS[1]), text)]


def _judge_length(interval: float | None) -> list[Finding]:
    if interval is None or interval >= MIN_BEAT_FRAMES[0]:
        return []
    text = f"{interval:.0f} frames a beat are too few for ED and ES"
    return [find(Reason.TOO_FEW_FRAMES, _level(interval < MIN_BEAT_FRAMES[1]), text)]


def _level(is_severe: bool) -> Level:
    return Level.WITHHOLD if is_severe else Level.REVIEW
