"""Bootstrap interval over patients."""

from collections.abc import Callable

import numpy as np

SAMPLES = 2000
SEED = 20261122
_CHUNK = 1 << 20
"""Patients drawn at a time; bounds memory."""


def bootstrap_interval(
    totals: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> tuple[float, float]:
    """95% percentile interval of a statistic, patients drawn with replacement (Efron 1979, Ann Stat 7:1-26).

    Patients are drawn, not frames: the frames of one heart resemble each other, and drawing them one by one would
    promise more certainty than there is. (EchoNet-Dynamic draws frames, and prints the 5th and 95th percentile.)

    A statistic is given as a function of sums over patients, so that a draw costs one matrix product. A mean is
    `s[..., 0] / s[..., 1]` of totals that hold each patient's sum and count.

    Args:
        totals: What each patient adds, float (patients, K). Put patients in one fixed order.
        statistic: Takes sums (..., K) and gives values (...); NaN where a draw has none.
        samples: Draws.
        seed: Equal seeds and totals give equal intervals.

    Returns:
        The 2.5th and 97.5th percentile; NaN with fewer than two patients.
    """
    totals = np.asarray(totals, float)
    if len(totals) < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    at_once = max(1, _CHUNK // len(totals))
    even = np.full(len(totals), 1 / len(totals))
    values = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, samples, at_once):
            drawn = random.multinomial(len(totals), even, size=min(at_once, samples - start))
            values.append(np.asarray(statistic(drawn @ totals), float))
    found = np.concatenate(values)
    found = found[np.isfinite(found)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
