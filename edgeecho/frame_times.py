"""Times of frames that are not evenly spaced: which steps between them are pauses, and the times without these."""

import math
from numbers import Real

import numpy as np

from edgeecho.errors import ConfigError

MIN_PAUSE_STEPS = 5.0
"""A step that is longer than this many median steps is a pause: the recorder or the player stood still."""


def find_pauses(times_s: np.ndarray) -> np.ndarray:
    """Find the frames that a pause follows.

    Args:
        times_s: Time of each frame in seconds, rising, float64 (T,).

    Returns:
        Their indices, int64 (N,), in order of time.
    """
    steps = np.diff(times_s)
    return np.flatnonzero(steps > MIN_PAUSE_STEPS * np.median(steps)) if len(steps) else np.empty(0, np.int64)


def without_pauses(times_s: np.ndarray) -> np.ndarray:
    """Return the times of frames as if each pause were as long as the median step, float64 (T,), from 0.

    How much of a beat passes in a pause is unknown: a heart rate must not contain its length.

    Args:
        times_s: Time of each frame in seconds, rising, float64 (T,).
    """
    steps = np.diff(times_s)
    if len(steps):
        steps[find_pauses(times_s)] = np.median(steps)
    return np.concatenate([[0.0], np.cumsum(steps)])


class FrameClock:
    """Times of the frames of a stream, as they come. A median step is not known there: 1 / fps takes its place."""

    def __init__(self, fps: float | None) -> None:
        """
        Args:
            fps: Frames per second, None if unknown: no step is a pause then, and no frame is missing.
        """
        self.fps = fps
        self.frames = self.dropped = 0
        """Numbers of frames so far, and of those that are missing between their times."""
        self._newest: tuple[float, float] | None = None  # as given, and without pauses

    def add(self, time_s: float | None) -> float | None:
        """Take the next frame and return its time as if each pause were one step long, in seconds.

        Args:
            time_s: When the frame was taken, by any clock, in seconds; None if unknown, then of all frames.

        Raises:
            ConfigError: If it is not after the frame before, or if only some frames have a time.
        """
        if self.frames and (time_s is None) != (self._newest is None):
            raise ConfigError(f"time_s is {time_s}, and the frames before had {'a' if self._newest else 'no'} time")
        if time_s is not None and not (isinstance(time_s, Real) and math.isfinite(time_s)):
            raise ConfigError(f"time_s must be a finite number, got {time_s!r:.80}")
        running = None
        if time_s is not None:
            running = self._step_to(time_s)
            self._newest = time_s, running
        self.frames += 1
        return running

    def _step_to(self, time_s: float) -> float:
        if self._newest is None:
            return 0.0
        given, running = self._newest
        step = time_s - given
        if not step > 0:
            raise ConfigError(f"time_s is {time_s}, not after the {given} of the frame before; call reset()")
        if not self.fps:
            return running + step
        self.dropped += max(round(step * self.fps) - 1, 0)
        return running + (1 / self.fps if step * self.fps > MIN_PAUSE_STEPS else step)
