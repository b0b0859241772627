"""The time base of a cine: frame rate and times of frames, from presentation times or from stated rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeecho.frame_times import find_pauses
from edgeecho.reasons import Finding, Level, Reason, find

FPS_RANGE = (0.5, 500.0)
"""Range of plausible frame rates; files with others are read without one. Containers without a rate state 1000."""
MAX_UNEVEN_FRACTION = 0.1
"""Frames are evenly spaced if no step differs from the median step by a larger part of it."""
MAX_ROUNDING_TICKS = 1.2
"""Frames are evenly spaced too if their times lie within so many units of the file's clock around a straight line."""
MAX_RATE_DIFFERENCE = 0.1
"""Stated rates that differ by a larger part contradict each other."""
MAX_ROUNDED_RATE_DIFFERENCE = 0.01
"""A stated rate is used in place of that of evenly spaced times if it differs by at most this part."""


@dataclass(frozen=True)
class TimeBase:
    """Frame rate and times of a cine."""

    fps: float | None = None
    """Frames per second, None if unknown; 1 / the median step where frames are not evenly spaced."""
    times_s: np.ndarray | None = None
    """Time of each frame in seconds from the first, rising, float64 (T,); None where evenly spaced or unknown."""
    doubts: tuple[Finding, ...] = ()
    """Why the time base is unsure; the text of each is a sentence for the user."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user."""
        return tuple(doubt.text for doubt in self.doubts)


def is_plausible(fps: float | None) -> bool:
    """Whether a stated frame rate can be one."""
    return fps is not None and FPS_RANGE[0] <= fps <= FPS_RANGE[1]


def from_times(times_s: np.ndarray, stated_fps: float | None = None, tick_s: float = 0.001) -> TimeBase:
    """Find the frame rate from the times of frames.

    Args:
        times_s: Time of each frame in seconds, float64 (T,).
        stated_fps: Rate that the file states beside; it decides where there is one frame, and where times do not rise.
        tick_s: Unit of the file's clock in seconds: times may be rounded to it.
    """
    steps = np.diff(times_s)
    if not len(steps):
        return TimeBase(stated_fps)
    if not np.all(steps > 0):
        return _stated_alone(stated_fps)
    median = float(np.median(steps))
    if _is_even(times_s, steps, median, tick_s):
        fps = float(len(steps) / (times_s[-1] - times_s[0]))
        is_rounded = stated_fps is not None and abs(stated_fps / fps - 1) <= MAX_ROUNDED_RATE_DIFFERENCE
        return TimeBase(stated_fps if is_rounded else fps)
    text = (
        f"The frames are not evenly spaced in time (steps of {1000 * steps.min():.3g} to {1000 * steps.max():.4g} ms, "
        f"median {1000 * median:.3g} ms): the time of each frame is used{_pauses(times_s, steps)}."
    )
    return TimeBase(1 / median, times_s - times_s[0], (find(Reason.TIME_BASE_UNSURE, Level.NOTE, text),))


def from_rates(stated: Sequence[tuple[str, float]]) -> TimeBase:
    """Choose from rates that a file states, and compare them.

    Args:
        stated: Name and frames per second of each, the one to use first. Those that cannot be are left out; if all of
            them are such, the first is returned, so that the caller can name it.
    """
    plausible = [(name, fps) for name, fps in stated if is_plausible(fps)]
    if not plausible:
        return TimeBase(stated[0][1] if stated else None)
    return TimeBase(plausible[0][1], None, contradictions(plausible))


def contradictions(stated: Sequence[tuple[str, float]]) -> tuple[Finding, ...]:
    """Return the finding that rates contradict the first of them; none if they agree within a tenth.

    Args:
        stated: Name and frames per second of each, plausible ones alone, the one that is used first.
    """
    used = stated[0][1] if stated else 0.0
    others = [(name, fps) for name, fps in stated[1:] if abs(fps / used - 1) > MAX_RATE_DIFFERENCE]
    if not others:
        return ()
    listed = ", ".join(f"{fps:.4g} by {name}" for name, fps in (stated[0], *others))
    text = (
        f"The file states frame rates that contradict each other ({listed}): {used:.4g} a second is used, check it and "
        "set the frame rate (fps)."
    )
    return (find(Reason.TIME_BASE_UNSURE, Level.REVIEW, text),)


def _stated_alone(fps: float | None) -> TimeBase:
    if not is_plausible(fps):
        return TimeBase(fps)
    text = (
        f"The times of the frames are not known: the stated rate of {fps:.4g} a second is used, check it and set the "
        "frame rate (fps)."
    )
    return TimeBase(fps, None, (find(Reason.TIME_BASE_UNSURE, Level.REVIEW, text),))


def _is_even(times_s: np.ndarray, steps: np.ndarray, median: float, tick_s: float) -> bool:
    if np.abs(steps - median).max() <= MAX_UNEVEN_FRACTION * median:
        return True
    index = np.arange(len(times_s))
    off_line = times_s - np.polyval(np.polyfit(index, times_s, 1), index)
    return bool(np.ptp(off_line) <= MAX_ROUNDING_TICKS * tick_s)


def _pauses(times_s: np.ndarray, steps: np.ndarray) -> str:
    """Return the part of a sentence that names pauses."""
    frames = find_pauses(times_s)
    if not len(frames):
        return ""
    longest = int(frames[np.argmax(steps[frames])])
    length = f"{steps[longest]:.2f} s after frame {longest}"
    if len(frames) == 1:
        return f"; a pause of {length} counts as one step in the heart rate"
    return f"; {len(frames)} pauses, the longest of {length}, count as one step each in the heart rate"
