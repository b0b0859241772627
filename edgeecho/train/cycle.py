"""Cardiac cycle, estimated from the video alone."""

from dataclasses import dataclass

import cv2
import numpy as np

SIDE_PX = 28
"""Side of the down-sampled frames in pixels."""
DRIFT_S, SMOOTH_S = 1.2, 0.03
"""Lengths in seconds of the running means that remove drift (slower) and noise (faster)."""

PHASE_SIGN = {"ED": 1, "ES": -1}
"""Sign of the cycle at a labelled frame."""
MIN_CHANGE = 1e-4
"""Change of a pixel, as a part of the frame's brightness, below which a clip counts as still."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """Estimate of the cardiac cycle."""

    signal: np.ndarray
    """float32 (T,), zero mean and unit deviation, meant to be high at ED; zeros where nothing moves."""
    confidence: float
    """Part of all change of the picture that the signal explains, less its roughness; 0 to 1."""


def cycle_signal(frames: np.ndarray, fps: float | None = None) -> Cycle:
    """Return the first principal component of the down-sampled video, made robust.

    The common form is the first component of the frames less their running mean. Four things differ here: each frame
    is divided by its own brightness, which removes the gain; every pixel counts by the root of its deviation, so that
    a burnt-in trace does not dominate; time is smoothed less; and the sign is that of a heart, which stays longer near
    its largest volume than near its smallest: the signal is turned so that its skewness is negative.

    Args:
        frames: uint8 (T, H, W).
        fps: Frames per second; None treats the frames as one short clip, without drift to remove.

    Returns:
        The estimate. In a clip of less than a beat the sign of its signal is arbitrary.
    """
    t = len(frames)
    small = np.stack([cv2.resize(f, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for f in frames]).astype(
        np.float32
    )
    x: np.ndarray = small.reshape(t, -1)
    x = x / (x.mean(axis=1, keepdims=True) + 1)
    if fps is not None:
        x = running_mean(x, max(1, round(SMOOTH_S * fps)) | 1)
        long = max(3, round(DRIFT_S * fps)) | 1
        if 2 * t > long:
            x = x - running_mean(x, long)
    x = x - x.mean(axis=0)
    if t < 3 or float(x.std()) < MIN_CHANGE:
        return Cycle(np.zeros(t, np.float32), 0.0)
    x /= np.sqrt(x.std(axis=0) + MIN_CHANGE)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    signal = u[:, 0] - u[:, 0].mean()
    signal /= signal.std() + 1e-9
    if float((signal**3).mean()) > 0:
        signal = -signal
    share = float(s[0] ** 2 / (s**2).sum())
    rough = float((np.diff(u[:, 0]) ** 2).sum())
    return Cycle(signal.astype(np.float32), float(np.clip(2 * share * (1 - rough / 2), 0, 1)))


def orient_by_labels(signal: np.ndarray, phases: dict[int, str]) -> tuple[np.ndarray, float]:
    """Give a cycle the sign that the labelled frames need: ED high, ES low.

    Args:
        signal: float32 (T,), zero mean and unit deviation.
        phases: Phase of each labelled frame, by its index: `ED`, `ES` or an empty text, which is not used.

    Returns:
        The cycle, all zeros where no label determines the sign, and the confidence in the sign, 0 to 1.
    """
    signs = [PHASE_SIGN[phase] * float(signal[k]) for k, phase in phases.items() if phase]
    up = float(np.clip(np.mean(signs), -1, 1)) if signs else 0.0
    return np.float32(np.sign(up)) * signal, abs(up)


def running_mean(x: np.ndarray, length: int) -> np.ndarray:
    """Return the running mean over time, of odd length and over fewer frames at both ends: (T, N) to (T, N)."""
    half = length // 2
    sums = np.concatenate([np.zeros((1, x.shape[1]), x.dtype), np.cumsum(x, axis=0, dtype=np.float64)])
    low = np.clip(np.arange(len(x)) - half, 0, len(x))
    high = np.clip(np.arange(len(x)) + half + 1, 0, len(x))
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], np.float32)
