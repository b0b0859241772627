"""The time base of a DICOM cine, from the attributes that state it."""

from typing import Any

import numpy as np

from edgeecho.cine.dicom_numbers import numbers
from edgeecho.cine.times import MAX_UNEVEN_FRACTION, TimeBase, contradictions, from_rates, from_times, is_plausible
from edgeecho.reasons import Level, Reason, find

_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065


def time_base(header: Any, count: int, video: TimeBase | None = None) -> TimeBase:
    """Find the time base of a DICOM data set.

    FrameIncrementPointer decides between FrameTime and FrameTimeVector; without it FrameTime is first. CineRate,
    RecommendedDisplayFrameRate and EffectiveDuration over the frames follow, then the times of a compressed video. A
    rate that cannot be is passed over, and others that differ from the one that is used are named.

    Args:
        header: Data set without pixels.
        count: Number of frames.
        video: Time base of the video inside, None if there is none that has times.

    Returns:
        The time base; one without a rate if nothing states it.
    """
    by_time = [("FrameTime", 1000 / ms) for ms in numbers(header, "FrameTime")[:1] if ms > 0]
    vector = _from_vector(header, count)
    by_vector = [("FrameTimeVector", vector.fps)] if vector and vector.fps else []
    others = [
        (k, fps) for k in ("CineRate", "RecommendedDisplayFrameRate") for fps in numbers(header, k)[:1] if fps > 0
    ]
    others += [
        ("EffectiveDuration", count / s) for s in numbers(header, "EffectiveDuration")[:1] if s > 0 and count > 1
    ]
    if video and video.fps:
        others.append(("the video inside", video.fps))
    pointed = _pointed(header)
    if vector and (pointed == _FRAME_TIME_VECTOR or not any(is_plausible(fps) for _, fps in by_time)):
        first, second = by_vector, by_time
    else:
        first, second = by_time, by_vector
    stated = first + ([] if pointed and first else second) + others
    plausible = [(name, fps) for name, fps in stated if is_plausible(fps)]
    if vector and plausible and plausible[0][0] == "FrameTimeVector":
        return TimeBase(vector.fps, vector.times_s, (*vector.doubts, *contradictions(plausible)))
    if video and plausible == others[-1:]:
        return video
    return from_rates(stated)


def _pointed(header: Any) -> int | None:
    """Return the tag that FrameIncrementPointer names, if it is one of the two that state times."""
    value = header.get("FrameIncrementPointer")
    tags = [int(tag) for tag in (value if hasattr(value, "__iter__") else [value]) if tag is not None]
    return next((tag for tag in tags if tag in (_FRAME_TIME, _FRAME_TIME_VECTOR)), None)


def _from_vector(header: Any, count: int) -> TimeBase | None:
    """Return the time base of FrameTimeVector, whose first value is that of no step; None if it states none."""
    steps_ms = np.array(numbers(header, "FrameTimeVector")[1:])
    if not len(steps_ms) or steps_ms.min() < 0 or np.median(steps_ms) <= 0:
        return None
    if len(steps_ms) == count - 1 and steps_ms.min() > 0:
        return from_times(np.concatenate([[0.0], np.cumsum(steps_ms)]) / 1000)
    median = float(np.median(steps_ms))
    if np.abs(steps_ms - median).max() <= MAX_UNEVEN_FRACTION * median:
        return TimeBase(1000 / median)
    text = (
        f"FrameTimeVector of the file has {len(steps_ms) + 1} times, not all of them rising, for {count} frames: its "
        f"median step of {median:.3g} ms is used, check it and set the frame rate (fps)."
    )
    return TimeBase(1000 / median, None, (find(Reason.TIME_BASE_UNSURE, Level.REVIEW, text),))
