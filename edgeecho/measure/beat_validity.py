"""Whether what looks like a beat is one, and whether a turning point at an end of the curve is one.

Indices count from the start of the buffer.
"""

import numpy as np

from edgeecho.measure.area_curve import is_periodic, noise, roughness
from edgeecho.measure.constants import (
    LEVEL_WINDOW_DIVISOR,
    LOWER_SLOPE_HEIGHT,
    MAX_FEW_GLITCHES_FRACTION,
    MAX_JUMP_FRACTION,
    MAX_LEVEL_SLOPE,
    MAX_ROUGHNESS,
    MAX_ROUGHNESS_WITHOUT_GLITCHES,
    MAX_SHORT_BEAT_FRAMES,
    MAX_STEEPNESS,
    MIN_EMPTYING_FRACTION,
    MIN_FALL_FRACTION,
    MIN_LAST_FALL_FRACTION,
    MIN_LEVEL_START_HEIGHT,
    MIN_REFILLING_FRACTION,
    MIN_SEEN_FRACTION,
    MIN_SIGNAL_TO_NOISE,
    MIN_SLOPED_START_HEIGHT,
    UPPER_SLOPE_HEIGHT,
)
from edgeecho.measure.curve_buffer import CurveBuffer
from edgeecho.measure.no_beat import no_beat
from edgeecho.measure.turning_points import Turn
from edgeecho.reasons import Finding, Reason


def validate_beat(buffer: CurveBuffer, ed: int, es: int, end: int, interval: float | None) -> Finding | None:
    """Check a beat of the curve.

    Args:
        buffer: The curve, smoothed up to ED and ES.
        ed: Index of the ED, before or after the ES.
        es: Index of the ES.
        end: Last index of the beat: the next ED, else the later of the two.
        interval: Length of the beat in frames, None if unknown.

    Returns:
        Why it is no beat; None if it is one.
    """
    start, memory = min(ed, es), buffer.windows.memory
    around = slice(max(0, start - memory // 2), end + memory // 2)
    recent = buffer.values[around]
    shown = min(buffer.shown[start : end + 1].mean(), buffer.shown[around].mean())
    fall = buffer.smooth[ed] - buffer.smooth[es]
    if fall < MIN_FALL_FRACTION * buffer.smooth[ed]:
        return no_beat(Reason.NOTHING_BEATS, percent=100 * fall / buffer.smooth[ed])
    if not (interval is not None and interval <= MAX_SHORT_BEAT_FRAMES and is_periodic(recent, round(interval))):
        few_glitches = 1 - shown <= MAX_FEW_GLITCHES_FRACTION
        is_smooth = few_glitches and roughness(recent) <= MAX_ROUGHNESS_WITHOUT_GLITCHES
        if not is_smooth and roughness(buffer.raw[around]) > MAX_ROUGHNESS:
            return no_beat(Reason.ROUGH)
        if fall < MIN_SIGNAL_TO_NOISE * noise(recent, buffer.windows.half):
            return no_beat(Reason.NOISY)
        raw = buffer.values[ed : es + 1] if ed < es else buffer.values[es : ed + 1][::-1]
        jumps = -np.diff(raw).min() > MAX_JUMP_FRACTION * (raw[0] - raw[-1])
        # a rise may be made by a few jumps, as the ventricle fills in two
        if jumps or (ed < es and _is_staircase(np.array(buffer.smooth[ed : es + 1]))):
            return no_beat(Reason.JUMPS)
    return no_beat(Reason.GAPS) if shown < MIN_SEEN_FRACTION else None


def _is_staircase(curve: np.ndarray) -> bool:
    """Whether a fall, (N,) from ED to ES, is made by a few jumps."""
    height = (curve - curve[-1]) / (curve[0] - curve[-1])
    start = int(np.flatnonzero(height >= UPPER_SLOPE_HEIGHT)[-1])
    length = int(np.argmax(height[start:] <= LOWER_SLOPE_HEIGHT))
    limit = MAX_STEEPNESS * (UPPER_SLOPE_HEIGHT - LOWER_SLOPE_HEIGHT)
    return float(-np.diff(height).min()) > limit / max(1, length)


def is_level(buffer: CurveBuffer, start: int, stop: int, *, at_start: bool) -> bool:
    """Whether the curve is level where a fall or rise from `start` to `stop` begins, else where it ends."""
    smooth = buffer.smooth
    sign = 1 if smooth[start] > smooth[stop] else -1
    curve, few = sign * np.array(smooth[start : stop + 1]), max(1, (stop - start) // LEVEL_WINDOW_DIVISOR)
    fall = curve[0] - curve[few] if at_start else curve[-1 - few] - curve[-1]
    return bool(fall / few <= MAX_LEVEL_SLOPE * -np.diff(curve).min())


def starts_full(buffer: CurveBuffer, ed: int, es: int, next_ed: Turn | None) -> bool:
    """Whether the curve starts with an ED: level, and as high as at the next ED where one is seen."""
    level = is_level(buffer, ed, es, at_start=True)
    if next_ed is None:
        return level
    smooth, low = buffer.smooth, buffer.smooth[es]
    least = MIN_LEVEL_START_HEIGHT if level else MIN_SLOPED_START_HEIGHT
    return smooth[ed] - low >= least * (smooth[next_ed.at] - low)


def ends_full(buffer: CurveBuffer, high: int, turns: list[Turn], *, has_beats: bool) -> bool:
    """Whether a last maximum that the curve did not fall from is an ED.

    Args:
        buffer: The curve, smoothed to its end.
        high: Index of the maximum.
        turns: Turning points before it, the last of them an ES.
        has_beats: Whether a beat was reported before.
    """
    smooth, es, size = buffer.smooth, turns[-1].at, buffer.range()
    ed = turns[-2].at if len(turns) > 1 else None
    top = max(smooth[: es + 1]) if ed is None else smooth[ed]
    if ed is not None:
        size = max(size, top - smooth[es])
    if smooth[high] - smooth[es] >= MIN_REFILLING_FRACTION * (top - smooth[es]) and (
        ed is not None or (not has_beats and is_level(buffer, es, high, at_start=False))
    ):
        return True
    return smooth[high] - min(smooth[high:]) >= MIN_LAST_FALL_FRACTION * size


def ends_empty(buffer: CurveBuffer, es: int, turns: list[Turn]) -> bool:
    """Whether the curve falls from the last of `turns`, an ED, as far as it had risen to it, where that is known."""
    if len(turns) < 2 or turns[-2].at_start:
        return True
    high, low = buffer.smooth[turns[-1].at], buffer.smooth[turns[-2].at]
    return high - buffer.smooth[es] >= MIN_EMPTYING_FRACTION * (high - low)
