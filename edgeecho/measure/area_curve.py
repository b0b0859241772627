"""Arithmetic on an area curve: smoothing, range, noise. Sums and comparisons only, so that C can repeat it."""

from functools import cache

import numpy as np

from edgeecho.measure.constants import (
    MAX_HALF_PERIOD_CORRELATION,
    MIN_CURVE_ENERGY,
    MIN_LAGS,
    MIN_PERIOD_CORRELATION,
)


@cache
def parabola_weights(half: int) -> tuple[np.ndarray, int]:
    """Weights of the least-squares parabola's middle over 2 half + 1 samples, by distance from it, and their sum.

    w_j = 3 (3 m^2 + 3 m - 1 - 5 j^2) / ((2 m + 3) (2 m + 1) (2 m - 1)) for j = -m..m: Savitzky and Golay, Anal Chem
    1964;36:1627, in the closed form of Madden, Anal Chem 1978;50:1383. It keeps a peak's place and height.

    Returns:
        Numerators for j = 0..m, whole numbers as float, (half + 1,), and the denominator.
    """
    j = np.arange(half + 1)
    return 3.0 * (3 * half * half + 3 * half - 1 - 5 * j * j), (2 * half + 3) * (2 * half + 1) * (2 * half - 1)


def smooth_at(curve: np.ndarray, index: int, half: int) -> float:
    """Smooth the curve at one index; the window shrinks, on both sides alike, where the curve ends.

    Pairs are added from the middle outwards, one by one: of whole numbers of pixels the sum is exact, so what is
    equally high stays so, and of any numbers it is the same to the bit in the C runtime.
    """
    half = min(half, index, len(curve) - 1 - index)
    weights, total = parabola_weights(half)
    pairs = curve[index : index + half + 1] + curve[index - half : index + 1][::-1]
    pairs[0] = curve[index]
    return float(np.cumsum(weights * pairs)[-1]) / total


def smoothed(curve: np.ndarray, half: int) -> np.ndarray:
    """Smooth the whole curve, (T,), as `smooth_at` does."""
    return np.array([smooth_at(curve, index, half) for index in range(len(curve))])


def noise(curve: np.ndarray, half: int) -> float:
    """Compute the standard deviation of what smoothing removes."""
    return float(np.std(curve - smoothed(curve, half)))


def beat_range(curve: np.ndarray) -> float:
    """Range in which the curve goes down and up again: the lesser of its largest fall and its largest rise.

    A drift or a step adds to one of them only. For a piece that only falls or only rises it is half of that.
    """
    fall = float((np.maximum.accumulate(curve) - curve).max())
    rise = float((curve - np.minimum.accumulate(curve)).max())
    return max(min(fall, rise), max(fall, rise) / 2)


def roughness(curve: np.ndarray) -> float:
    """Mean squared step in units of twice the variance about a straight drift; 0 for a straight line.

    About 1 for white noise, 0.5 for a sine of 6 samples (von Neumann, Ann Math Stat 1941;12:367).
    """
    time = np.arange(len(curve)) - (len(curve) - 1) / 2
    level = curve - curve.mean()
    level = level - time * float(time @ level) / float(time @ time)
    energy = float(level @ level)
    steps = np.diff(level)
    if energy <= MIN_CURVE_ENERGY * float(curve @ curve):
        return 0.0
    return float(steps @ steps) / (len(steps) * 2 * energy / len(curve))


def is_periodic(curve: np.ndarray, period: int) -> bool:
    """Whether the curve correlates with itself a period later and not half of one later, as a step does not."""
    return (
        _autocorrelation(curve, period) >= MIN_PERIOD_CORRELATION
        and _autocorrelation(curve, period // 2) < MAX_HALF_PERIOD_CORRELATION
    )


def _autocorrelation(curve: np.ndarray, lag: int) -> float:
    """Correlation of the curve with itself so many samples later, -1 to 1; 0 where less than two such lags are seen."""
    if lag < 1 or len(curve) < MIN_LAGS * lag:
        return 0.0
    now, later = curve[:-lag] - curve[:-lag].mean(), curve[lag:] - curve[lag:].mean()
    energy = float(now @ now) * float(later @ later)
    return float(now @ later) / energy**0.5 if energy > 0 else 0.0
