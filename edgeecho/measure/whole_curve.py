"""Beats, end-diastole and end-systole of a whole area curve, by the detector that also serves streams."""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.constants import MIN_CURVE_FRAMES, MIN_FALL_FRACTION, MIN_SEEN_FRACTION
from edgeecho.measure.no_beat import no_beat
from edgeecho.reasons import Finding, Reason


@dataclass(frozen=True)
class Cycle:
    """ED, ES and beats of an area curve."""

    ed_frames: tuple[int, ...] = ()
    """Every ED, also those at the ends that belong to no beat."""
    es_frames: tuple[int, ...] = ()
    beats: tuple[Beat, ...] = ()
    """Beats in time order; each has an ED and the ES after it, or, if there is none, the ES before it."""
    reason: str | None = None
    """Reason why there is no beat; None if there is one."""


def find_beats(area_px: np.ndarray, fps: float | None) -> list[Beat]:
    """Find beats in a left-ventricular area curve.

    Args:
        area_px: Mask area per frame in pixels, (T,). Frames of area 0 or NaN count as not seen.
        fps: Frames per second; None if unknown.

    Returns:
        Beats in time order. Empty if no ED with an ES behind it is visible; `find_cycle` gives the reason.

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
    tracker = BeatTracker(fps)
    beats = [beat for value in area for beat in tracker.push(value)] + tracker.finish()
    return cycle_of(tracker, beats)


def cycle_of(tracker: BeatTracker, beats: list[Beat]) -> Cycle:
    """Return the cycle of a finished tracker and the beats that it reported."""
    reason = None if beats else why_no_beat(tracker).text
    if not beats and tracker.rejected:
        return Cycle(reason=reason)
    return Cycle(tuple(sorted(tracker.ed_frames)), tuple(sorted(tracker.es_frames)), tuple(beats), reason)


def why_no_beat(tracker: BeatTracker) -> Finding:
    """Find the reason why a tracker reported no beat."""
    frames, seen = tracker.frames, tracker.seen
    if frames < MIN_CURVE_FRAMES:
        return no_beat(Reason.TOO_SHORT, frames=frames)
    if seen == 0:
        return no_beat(Reason.NO_VENTRICLE)
    if seen < MIN_SEEN_FRACTION * frames:
        return no_beat(Reason.SELDOM_SEEN, seen=seen, frames=frames)
    if tracker.rejected:
        return tracker.rejected
    if tracker.change < MIN_FALL_FRACTION / 2:
        return no_beat(Reason.NOTHING_BEATS, percent=100 * tracker.change)
    return no_beat(Reason.NO_ED if tracker.es_frames else Reason.NO_ES)
