"""Times of frames that are not evenly spaced: which steps between them are pauses, and the times without these."""

import numpy as np

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
