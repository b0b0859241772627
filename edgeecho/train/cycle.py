"""The cardiac cycle, estimated from the video alone."""

from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 28
"""Side of the down-sampled frames that the estimate looks at."""
DRIFT_S, SMOOTH_S = 1.2, 0.03
"""What is slower than the first is drift, what is faster than the second is noise; seconds."""

WAY_UP = {"ED": 1, "ES": -1}
"""Where the cycle of a labelled frame should stand."""
STILL = 1e-4
"""Change of a pixel, relative to the frame's brightness, that is none."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """An estimated cardiac cycle."""

    signal: np.ndarray
    """float32 (T,), zero mean and unit deviation, meant to be high at ED; zeros where nothing moves."""
    confidence: float
    """0 to 1: the part of what changes in the picture that one signal explains, and how well that keeps its pace."""


def cycle_signal(frames: np.ndarray, fps: float | None = None) -> Cycle:
    """First principal component of the down-sampled video, made robust.

    The published form (the component alone, of the frames less their running mean) is kept; ours are: each frame is
    divided by its own brightness, which takes gain out; every pixel counts by the root of its deviation, so that a
    burnt-in trace does not lead; time is smoothed less; and the sign is that of a heart, which stays longer near its
    largest volume than near its smallest: the signal is turned so that its skewness is negative.

    Args:
        frames: uint8 (T, H, W).
        fps: Frames a second; None takes the frames as one short clip, without drift to remove.

    Returns:
        The signal. In a clip of less than a beat its sign means nothing.
    """
    t = len(frames)
    small = np.stack([cv2.resize(f, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for f in frames]).astype(np.float32)
    x: np.ndarray = small.reshape(t, -1)
    x = x / (x.mean(axis=1, keepdims=True) + 1)
    if fps is not None:
        x = running_mean(x, max(1, round(SMOOTH_S * fps)) | 1)
        long = max(3, round(DRIFT_S * fps)) | 1
        if 2 * t > long:
            x = x - running_mean(x, long)
    x = x - x.mean(axis=0)
    if t < 3 or float(x.std()) < STILL:
        return Cycle(np.zeros(t, np.float32), 0.0)
    x /= np.sqrt(x.std(axis=0) + STILL)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    signal = u[:, 0] - u[:, 0].mean()
    signal /= signal.std() + 1e-9
    if float((signal**3).mean()) > 0:
        signal = -signal
    share = float(s[0] ** 2 / (s**2).sum())
    rough = float((np.diff(u[:, 0]) ** 2).sum())
    return Cycle(signal.astype(np.float32), float(np.clip(2 * share * (1 - rough / 2), 0, 1)))


def turn_by_labels(signal: np.ndarray, phases: dict[int, str]) -> tuple[np.ndarray, float]:
    """Turn a cycle so that labelled frames stand where they should: ED high, ES low.

    Args:
        signal: float32 (T,), zero mean and unit deviation.
        phases: `ED` or `ES` of labelled frames; others have no say.

    Returns:
        The cycle, all zeros where no label says which way is up, and how surely they say it, 0 to 1.
    """
    signs = [WAY_UP[phase] * float(signal[k]) for k, phase in phases.items() if phase]
    up = float(np.clip(np.mean(signs), -1, 1)) if signs else 0.0
    return np.float32(np.sign(up)) * signal, abs(up)


def running_mean(x: np.ndarray, length: int) -> np.ndarray:
    """Running mean over time of odd length, its ends taken over fewer frames: (T, N) to the same."""
    half = length // 2
    sums = np.concatenate([np.zeros((1, x.shape[1]), x.dtype), np.cumsum(x, axis=0, dtype=np.float64)])
    low = np.clip(np.arange(len(x)) - half, 0, len(x))
    high = np.clip(np.arange(len(x)) + half + 1, 0, len(x))
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], np.float32)
