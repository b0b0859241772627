"""Bootstrap intervals over patients."""

from collections.abc import Callable

import numpy as np

SAMPLES = 2000
SEED = 20261122
_CHUNK = 1 << 20
"""Number of patients drawn at a time, which bounds memory."""


def bootstrap_sums(totals: np.ndarray, *, samples: int = SAMPLES, seed: int = SEED) -> np.ndarray:
    """Return sums over patients drawn with replacement (Efron 1979, Ann Stat 7:1-26).

    Patients are drawn, not frames: the frames of one heart are alike, and drawing them one by one would give intervals
    that are too narrow. (EchoNet-Dynamic draws frames, and prints the 5th and 95th percentile.) Sums suffice for every
    statistic that is a function of sums, and cost one matrix product for all statistics together.

    Args:
        totals: Contribution of each patient to K sums, float (patients, K), with patients in a fixed order.
        samples: Number of draws.
        seed: Seed; equal seeds and totals give equal sums.

    Returns:
        Sums, float (samples, K).
    """
    totals = np.asarray(totals, float)
    random = np.random.default_rng(seed)
    at_once = max(1, _CHUNK // len(totals))
    even = np.full(len(totals), 1 / len(totals))
    starts = range(0, samples, at_once)
    return np.concatenate(
        [random.multinomial(len(totals), even, size=min(at_once, samples - start)) @ totals for start in starts]
    )


def percentile_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of a statistic's draws, without NaN; NaN if no draw has a value.

    Args:
        values: Values of the draws, float (samples,).
    """
    found = values[np.isfinite(values)]
    if not len(found):
        return float("nan"), float("nan")
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_interval(
    totals: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic over patients.

    Args:
        totals: Terms of each patient, as in `bootstrap_sums`.
        statistic: Function from sums (..., K) to values (...), NaN where a draw has none. A mean is
            `s[..., 0] / s[..., 1]` of totals that contain the sum and the count of each patient.
        samples: Number of draws.
        seed: Seed of the draws.

    Returns:
        The 2.5th and 97.5th percentile; NaN with fewer than two patients.
    """
    if len(totals) < 2:
        return float("nan"), float("nan")
    sums = bootstrap_sums(totals, samples=samples, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentile_interval(np.asarray(statistic(sums), float))
