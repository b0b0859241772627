"""Beats, end-diastole and end-systole from the area curve of the left ventricle.

End-systole (ES) is a prominent minimum of the smoothed curve, end-diastole (ED) the largest area between two of them.
At the ends of a cine the decisions are these:

- The first frame counts as ED if the curve starts level or as high as at the next ED (a loop cut at the R wave), and
  the last as ES if the curve ends level (a half sequence from ED to ES). A cut on a slope is neither.
- An ED and the ES after it make a beat, good for EF. A heart rate needs one more ED, or the distance to another ES.
- A last ED without a fall behind it counts if the area is back where it was at the ED before.

All windows scale with the curve's own period, kept between 0.3 and 0.8 s where the frame rate is known, and reach at
most 0.1 s past a frame. Only the period and the threshold of prominence look at the whole curve.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from edgeecho.errors import ShapeError

MIN_BPM, MAX_BPM = 30.0, 200.0
"""Heart rates outside are not reported."""
MIN_SEEN = 0.8
"""Least fraction of frames that must show a left ventricle; the others are filled in linearly."""
LONGEST_S = 0.8
"""Windows grow with the period up to this many seconds; a slow heart contracts no slower than one at 75 a minute."""
SMOOTHING = 0.25
"""Smoothing window as a fraction of the period; a parabola is fitted in it, so a peak keeps its place and height."""
DISTANCE = 0.4
"""Least time between two ES as a fraction of the period, at most 0.32 s."""
PROMINENCE = 0.5
"""Least depth of an ES as a fraction of the curve's range (p95 - p5), as in EchoNet-Dynamic's code."""
MIN_RANGE = 0.04
"""Least range as a fraction of the median area. An EF of 10% moves the area by about 7%."""
MAX_NEUMANN = 0.65
"""Most that the mean squared step may be, in units of twice the variance: about 1 for white noise, 0.5 for a sine of
6 frames, the fastest heart at 20 fps (von Neumann 1941, Ann Math Stat 12:367)."""
MIN_SIGNAL_TO_NOISE = 5.0
"""Least range as a multiple of what smoothing takes away (white noise reaches 3.2 at 20 fps)."""


@dataclass(frozen=True)
class Beat:
    """One beat. Frames are 0-based indices into the cine."""

    ed_frame: int
    es_frame: int
    next_ed_frame: int | None = None
    """ED that ends the beat, None if the cine ends before it."""
    interval_frames: float | None = None
    """Length of the beat, ED to ED, else from its ES to the next (or the one before); None if there is neither."""


@dataclass(frozen=True)
class Cycle:
    """What an area curve says about the heart's cycle."""

    ed_frames: tuple[int, ...] = ()
    """Every ED, also those at the ends that belong to no beat."""
    es_frames: tuple[int, ...] = ()
    beats: tuple[Beat, ...] = ()
    """In time order; each has an ED and the ES that follows it."""
    reason: str | None = None
    """Why there is no beat, None if there is one."""


def find_beats(area_px: np.ndarray, fps: float | None) -> list[Beat]:
    """Find beats in a left-ventricular area curve.

    Args:
        area_px: Mask area per frame in pixels, (T,). Frames of area 0 or NaN count as not seen.
        fps: Frames per second; None takes the time scale from the curve's own period.

    Returns:
        Beats in time order. Empty if no ED with an ES behind it is visible; `find_cycle` says why.

    Raises:
        ShapeError: If `area_px` is not one-dimensional.
    """
    return list(find_cycle(area_px, fps).beats)


def find_cycle(area_px: np.ndarray, fps: float | None) -> Cycle:
    """Find ED, ES and beats in an area curve, or the reason why there are none.

    Arguments and errors are those of `find_beats`.
    """
    area = np.asarray(area_px, float)
    if area.ndim != 1:
        raise ShapeError(f"expected area_px (T,), got {area.shape}; pass the curve of one cine")
    frames = len(area)
    seen = np.isfinite(area) & (area > 0)
    if frames < 5:
        return Cycle(reason=f"{frames} frame{'s' * (frames != 1)}: no beat to measure")
    if not seen.any():
        return Cycle(reason="no left ventricle found in any frame")
    if (count := np.count_nonzero(seen)) < MIN_SEEN * frames:
        return Cycle(reason=f"left ventricle found in only {count} of {frames} frames: no beat to measure")
    area = np.interp(np.arange(frames), np.flatnonzero(seen), area[seen])
    period, likeness = _own_period(area)
    level = _detrended(area)
    jumps = np.square(np.diff(level)).mean() > MAX_NEUMANN * 2 * level.var()
    if jumps and likeness < 0.7 and level.var() > 0.01 * area.var() > 0:
        return Cycle(reason="the area jumps from frame to frame as noise does: no beat to measure")
    if fps:
        period = float(np.clip(period, fps * 60 / MAX_BPM, fps * LONGEST_S))
    smooth = _smoothed(area, period * SMOOTHING)
    spread = _range(smooth)
    if (change := spread / float(np.median(area))) < MIN_RANGE:
        return Cycle(reason=f"the area changes by only {100 * change:.1f}%: no beat to measure")
    if spread < MIN_SIGNAL_TO_NOISE * float(np.std(area - smooth)):
        return Cycle(reason="the area curve is too noisy to tell beats apart")
    return _pair(smooth, max(1.0, period * DISTANCE), spread)


def _pair(smooth: np.ndarray, distance: float, spread: float) -> Cycle:
    """ED, ES and beats of a smoothed curve, given the least distance between ES (frames) and the curve's range."""
    from scipy.signal import find_peaks

    last = len(smooth) - 1
    wall = float(smooth.max()) + spread
    # walls at both ends make a minimum there a candidate; whether it is one is decided below
    walled = np.concatenate([[wall], smooth, [wall]])
    minima = find_peaks(-walled, distance=distance, prominence=PROMINENCE * spread)[0] - 1
    systoles = [int(i) for i in minima if 0 < i < last or (i == last and _is_level(smooth, last, distance))]
    if not systoles:
        return Cycle(reason="no end-systole found: the cine shows less than half a beat")
    bounds = [-1, *systoles, last + 1]
    diastoles: list[int | None] = []
    for number, (left, right) in enumerate(pairwise(bounds)):
        if right - left < 2:
            diastoles.append(None)
            continue
        peak = left + 1 + int(np.argmax(smooth[left + 1 : right]))
        if number == 0:
            found = peak > 0 or _starts_full(smooth, systoles, distance)
            found = found and bool(smooth[peak] - smooth[right] >= PROMINENCE * spread)
        else:
            found = number < len(systoles) or _ends_full(smooth, systoles[-1], diastoles[-1], peak, spread)
        diastoles.append(peak if found else None)
    phases = zip(diastoles[:-1], systoles, diastoles[1:], strict=True)
    beats = [Beat(ed, es, next_ed) for ed, es, next_ed in phases if ed is not None]
    ed_frames = tuple(ed for ed in diastoles if ed is not None)
    if not beats:
        return Cycle(ed_frames, tuple(systoles), reason="no end-diastole before an end-systole: no beat to measure")
    return Cycle(ed_frames, tuple(systoles), tuple(_with_interval(beat, systoles) for beat in beats))


def _with_interval(beat: Beat, systoles: list[int]) -> Beat:
    """The beat with its length, from ED to ED where seen, else from ES to ES."""
    at = systoles.index(beat.es_frame)
    if beat.next_ed_frame is not None:
        return replace(beat, interval_frames=float(beat.next_ed_frame - beat.ed_frame))
    if at + 1 < len(systoles):
        return replace(beat, interval_frames=float(systoles[at + 1] - beat.es_frame))
    return replace(beat, interval_frames=float(beat.es_frame - systoles[at - 1]) if at else None)


def _is_level(smooth: np.ndarray, end: int, distance: float) -> bool:
    """Whether the curve starts (end 0) or ends level: its slope there is at most half of the steepest on that side."""
    steps = np.abs(np.diff(smooth))
    few = max(1, round(distance / 4))
    reach = max(few + 1, round(1.5 * distance))
    near, side = (steps[:few], steps[:reach]) if end == 0 else (steps[-few:], steps[-reach:])
    return float(near.mean()) <= 0.5 * float(side.max())


def _starts_full(smooth: np.ndarray, systoles: list[int], distance: float) -> bool:
    """Whether the first frame is an ED: the curve starts level, and as high as at the next ED where one is seen."""
    level = _is_level(smooth, 0, distance)
    if len(systoles) == 1:
        return level
    lowest = smooth[systoles[0]]
    height = smooth[systoles[0] : systoles[1]].max() - lowest
    return bool(smooth[0] - lowest >= (0.75 if level else 0.9) * height)


def _ends_full(smooth: np.ndarray, es: int, ed_before: int | None, peak: int, spread: float) -> bool:
    """Whether the maximum behind the last ES is an ED: the area falls again, or is back where it was."""
    if smooth[peak] - smooth[peak:].min() >= 0.2 * spread:
        return True
    return ed_before is not None and bool(smooth[peak] - smooth[es] >= 0.95 * (smooth[ed_before] - smooth[es]))


def _range(curve: np.ndarray) -> float:
    """p95 - p5, with a straight drift taken out as far as it hides the beats."""
    raw, flat = (float(np.subtract(*np.percentile(c, [95, 5]))) for c in (curve, _detrended(curve)))
    return min(raw, max(flat, raw / 2))


def _detrended(curve: np.ndarray) -> np.ndarray:
    """The curve less its mean and its straight drift."""
    time = np.arange(len(curve)) - (len(curve) - 1) / 2
    return np.asarray(curve - curve.mean() - time * (time @ curve) / (time @ time))


def _smoothed(curve: np.ndarray, window: float) -> np.ndarray:
    """Least-squares parabola in a sliding window of about so many frames (Savitzky and Golay 1964)."""
    from scipy.signal import savgol_filter

    length = min(2 * round((window - 1) / 2) + 1, len(curve) - 1 + len(curve) % 2)
    return curve if length < 5 else np.asarray(savgol_filter(curve, length, 2))


def _own_period(curve: np.ndarray) -> tuple[float, float]:
    """Period of a curve in frames, and how alike two periods are (up to about 1).

    From the autocorrelation; of a curve that does not repeat, from the number of its dips, with likeness 0.
    """
    from scipy.signal import find_peaks

    frames = len(curve)
    smooth = _smoothed(curve, max(3.0, frames / 20))
    level = _detrended(smooth)
    energy = float(level @ level)
    if energy <= 0:
        return float(frames), 0.0
    full = np.correlate(level, level, "full")[frames - 1 :] / energy
    # fewer products at a long lag: undo the taper, and look no farther than two thirds of the cine
    full = full[: 1 + 2 * frames // 3] * (frames / (frames - np.arange(1 + 2 * frames // 3)))
    inner = np.flatnonzero((full[1:-1] > full[:-2]) & (full[1:-1] >= full[2:]) & (full[1:-1] > 0.3)) + 1
    if len(inner) == 0:
        dips = find_peaks(-np.concatenate([smooth[:1], smooth, smooth[-1:]]), prominence=PROMINENCE * _range(smooth))[0]
        return frames / max(1, len(dips)), 0.0
    period = inner[np.argmax(full[inner] >= 0.8 * full[inner].max())]
    return float(period), float(full[period])
