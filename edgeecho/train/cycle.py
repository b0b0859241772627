"""Cardiac cycle, estimated from the video alone: its signal over time, and how much a clip of it can be trusted."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

SIDE_PX = 28
"""Side of the down-sampled frames in pixels."""
SMOOTH_S = 0.03
"""Length in seconds of the running mean that removes noise."""
DRIFT_S = 1.2
"""Length in seconds of half the period of the fastest drift that is removed: 25 beats a minute."""
CENTRE, REACH = (0.5, 0.45), (0.3, 0.35)
"""Middle and reach (x, y) of the weight of pixels, as parts of the side: apical views have the ventricle there."""
MIN_CHANGE = 1e-4
"""Change of a pixel, as a part of the frame's brightness, below which a clip counts as still."""
FULL_SHARE = 0.3
"""Part of all change of the picture from which the signal explains enough; in noise it explains 0.1."""
FULL_MOTION = 0.7
"""Standard deviation of the signal within a clip, as a part of that of the whole cine, from which it moves enough."""
FROZEN = 0.2
"""Change from one frame to the next, as a part of its 90th percentile, below which a frame is frozen."""
PHASE_SIGN = {"ED": 1, "ES": -1}
"""Sign of the cycle at a labelled frame."""


@dataclass(frozen=True, eq=False)
class Cycle:
    """Estimate of the cardiac cycle."""

    signal: np.ndarray
    """float32 (T,), zero mean and unit deviation, meant to be high at ED; zeros where nothing moves."""
    confidence: float
    """How much the signal can be trusted, 0 to 1."""
    parts: np.ndarray
    """Signals of the four quarters of the picture, each with the sign of `signal`, float32 (4, T)."""
    share: float
    """Part of all change of the picture that the signal explains, 0 to 1."""
    sure: float = 1.0
    """Confidence in the sign, 0 to 1; 1 before `oriented`."""

    @classmethod
    def unknown(cls, frames: int) -> "Cycle":
        """Return the estimate for frames in which nothing moves."""
        return cls(np.zeros(frames, np.float32), 0.0, np.zeros((4, frames), np.float32), 0.0)

    def oriented(self, phases: dict[int, str]) -> "Cycle":
        """Return the cycle with the sign that labelled frames need, ED high and ES low; zeros if none tells it.

        Args:
            phases: Phase of each labelled frame, by its index: `ED`, `ES` or an empty text, which is not used.
        """
        signs = [PHASE_SIGN[phase] * float(self.signal[k]) for k, phase in phases.items() if phase]
        up = float(np.clip(np.mean(signs), -1, 1)) if signs else 0.0
        sign, sure = np.float32(np.sign(up)), abs(up)
        return Cycle(sign * self.signal, sure * self.confidence, sign * self.parts, self.share, sure)

    def clip(self, shown: np.ndarray, frames: np.ndarray) -> "Cycle":
        """Return the cycle of a clip of this cine, with the confidence in it.

        In a clip that hardly moves, as in diastasis, noise has the largest part of what is left of the signal. And
        where parts of the picture, or the clip by itself and the whole cine, disagree on the cycle, it is not the
        heart's alone. So the confidence is the deviation of the signal within the clip, up to `FULL_MOTION` of the
        cine's, times the mean of two correlations: that of the quarters of the picture with each other, and that of
        the signal with the one estimated from the clip alone. A signal that explains little of the cine counts less.

        Args:
            shown: Index of each of the clip's frames, int (T,).
            frames: Frames of the clip, uint8 (T, H, W), of the same region.
        """
        signal = self.signal[shown]
        spread = float(signal.std())
        if spread < 1e-6:
            return Cycle.unknown(len(shown))
        own = cycle_signal(frames).signal
        alike = (abs(_correlation(own, signal)) + _agreement(self.parts[:, shown])) / 2
        return Cycle(
            np.asarray((signal - signal.mean()) / spread, np.float32),
            min(1.0, spread / FULL_MOTION) * min(1.0, self.share / FULL_SHARE) * alike * self.sure,
            self.parts[:, shown],
            self.share,
            self.sure,
        )


def cycle_signal(frames: np.ndarray, fps: float | None = None) -> Cycle:
    """Return the first principal component of the down-sampled video, made robust.

    The common form is the first component of the frames less their running mean. Five things differ here: each frame
    is divided by its own brightness, which removes the gain; drift is removed by regression on slow cosines, which
    leaves the ends of a short cine as they are; every pixel counts by the root of its deviation, so that a burnt-in
    trace does not dominate, and more in the middle of the region, where the ventricle is; and the sign is that of a
    heart, which stays longer near its largest volume than near its smallest: the signal is turned so that its skewness
    is negative.

    Args:
        frames: uint8 (T, H, W), the region of interest: a whole cine or a few seconds of it.
        fps: Frames per second; None treats the frames as one short clip, without drift to remove.

    Returns:
        The estimate; its confidence is the agreement of the quarters of the picture, less where the signal explains
        little. In a clip of less than a beat the sign of its signal is arbitrary.
    """
    t = len(frames)
    small = np.stack([cv2.resize(f, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA) for f in frames]).astype(
        np.float32
    )
    x: np.ndarray = small.reshape(t, -1)
    x = x / (x.mean(axis=1, keepdims=True) + 1)
    if fps is not None:
        x = without_drift(running_mean(x, max(1, round(SMOOTH_S * fps)) | 1), t / fps)
    else:
        x = x - x.mean(axis=0)
    if t < 3 or float(x.std()) < MIN_CHANGE:
        return Cycle.unknown(t)
    x = x * (_middle() / np.sqrt(x.std(axis=0) + MIN_CHANGE))
    signal, share = _first_component(x)
    if float((signal**3).mean()) > 0:
        signal = -signal
    square = x.reshape(t, SIDE_PX, SIDE_PX)
    half = SIDE_PX // 2
    quarters = (square[:, a : a + half, b : b + half] for a in (0, half) for b in (0, half))
    found = [_first_component(quarter.reshape(t, -1))[0] for quarter in quarters]
    parts = np.stack([part if float(part @ signal) >= 0 else -part for part in found])
    return Cycle(signal, min(1.0, share / FULL_SHARE) * _agreement(parts), parts, share)


def moving_frames(frames: np.ndarray) -> tuple[int, int]:
    """Return the first frame and one after the last that move, without frozen ones at both ends of a cine.

    A frame is frozen if it changes from the one before by less than `FROZEN` of what frames usually change by.

    Args:
        frames: uint8 (T, H, W).
    """
    change = np.array([cv2.absdiff(a, b).mean() for a, b in itertools.pairwise(frames)])
    moving = np.flatnonzero(change > FROZEN * np.quantile(change, 0.9)) if len(change) else change
    return (int(moving[0]), int(moving[-1]) + 2) if len(moving) else (0, len(frames))


def running_mean(x: np.ndarray, length: int) -> np.ndarray:
    """Return the running mean over time, of odd length and over fewer frames at both ends: (T, N) to (T, N)."""
    half = length // 2
    sums = np.concatenate([np.zeros((1, x.shape[1]), x.dtype), np.cumsum(x, axis=0, dtype=np.float64)])
    low = np.clip(np.arange(len(x)) - half, 0, len(x))
    high = np.clip(np.arange(len(x)) + half + 1, 0, len(x))
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], np.float32)


def without_drift(x: np.ndarray, seconds: float) -> np.ndarray:
    """Remove the mean and all cosines with half periods of `DRIFT_S` or longer: (T, N) over `seconds` to (T, N)."""
    t, count = len(x), round(seconds / DRIFT_S)
    waves = np.cos(np.pi * np.outer((np.arange(t) + 0.5) / t, np.arange(min(count, t - 1) + 1)))
    waves = (waves / np.linalg.norm(waves, axis=0)).astype(np.float32)
    return np.asarray(x - waves @ (waves.T @ x), np.float32)


def _first_component(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the first principal component of (T, N) over time and the part of the change that it explains.

    The component is float32 (T,), with zero mean and unit deviation.
    """
    sizes, components = np.linalg.eigh((x @ x.T).astype(np.float64))
    signal = components[:, -1] - components[:, -1].mean()
    return np.asarray(signal / (signal.std() + 1e-9), np.float32), float(sizes[-1] / max(sizes.sum(), 1e-12))


def _agreement(parts: np.ndarray) -> float:
    """Return the mean correlation between signals (N, T), 0 if it is negative."""
    pairs = [(i, j) for i in range(len(parts)) for j in range(i)]
    return max(0.0, float(np.mean([_correlation(parts[i], parts[j]) for i, j in pairs])))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two signals, 0 if one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 1e-9 else 0.0


def _middle() -> np.ndarray:
    """Return the weight of each pixel, 1 where the ventricle is usually, float32 (SIDE_PX * SIDE_PX,)."""
    at = (np.arange(SIDE_PX) + 0.5) / SIDE_PX
    x, y = (np.exp(-(((at - middle) / reach) ** 2)) for middle, reach in zip(CENTRE, REACH, strict=True))
    return np.outer(y, x).ravel().astype(np.float32)
