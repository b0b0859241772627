"""Beats, end-diastole and end-systole of a whole area curve, by the tracker that also serves streams."""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.measure.beat_detector import MIN_FALL, MIN_SEEN, Beat, BeatTracker


@dataclass(frozen=True)
class Cycle:
    """What an area curve says about the heart's cycle."""

    ed_frames: tuple[int, ...] = ()
    """Every ED, also those at the ends that belong to no beat."""
    es_frames: tuple[int, ...] = ()
    beats: tuple[Beat, ...] = ()
    """In time order; each has an ED and the ES that follows it, or, if there is no such one, that came before it."""
    reason: str | None = None
    """Why there is no beat, None if there is one."""


def find_beats(area_px: np.ndarray, fps: float | None) -> list[Beat]:
    """Find beats in a left-ventricular area curve.

    Args:
        area_px: Mask area per frame in pixels, (T,). Frames of area 0 or NaN count as not seen.
        fps: Frames per second; None if unknown.

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
    tracker = BeatTracker(fps)
    beats = [beat for value in area for beat in tracker.push(value)] + tracker.finish()
    return cycle_of(tracker, beats)


def cycle_of(tracker: BeatTracker, beats: list[Beat]) -> Cycle:
    """Sum up a finished tracker and the beats that it said."""
    if not beats and tracker.rejected:
        return Cycle(reason=_reason(tracker))
    ed_frames, es_frames = tuple(sorted(tracker.ed_frames)), tuple(sorted(tracker.es_frames))
    return Cycle(ed_frames, es_frames, tuple(beats), None if beats else _reason(tracker))


def _reason(tracker: BeatTracker) -> str:
    """Why a tracker found no beat."""
    frames, seen = tracker.frames, tracker.seen
    if frames < 5:
        return f"{frames} frame{'s' * (frames != 1)}: no beat to measure"
    if seen == 0:
        return "no left ventricle found in any frame"
    if seen < MIN_SEEN * frames:
        return f"left ventricle found in only {seen} of {frames} frames: no beat to measure"
    if tracker.rejected:
        return tracker.rejected
    if tracker.change < MIN_FALL / 2:
        return f"the area changes by only {100 * tracker.change:.1f}%: no beat to measure"
    if not tracker.es_frames:
        return "no end-systole found: the cine shows less than half a beat"
    return "no end-diastole beside the end-systole: no beat to measure"
