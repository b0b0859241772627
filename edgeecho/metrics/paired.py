"""Agreement of a measured quantity with its reference: ejection fraction, volumes, frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ShapeError

STATISTICS = ("mae", "rmse", "r2", "pearson_r", "bias", "sd", "loa_low", "loa_high")
"""Names of the figures, in the order of `agreement_statistics`."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of predictions with references. Differences are prediction - reference, in the quantity's unit."""

    n: int
    """Number of pairs of finite values."""
    mae: float
    """Mean absolute difference."""
    rmse: float
    r2: float
    """1 - sum(difference^2) / sum((reference - mean)^2), which a bias lowers; not the square of `pearson_r`."""
    pearson_r: float
    bias: float
    """Mean difference: positive where the prediction is too high."""
    sd: float
    """Standard deviation of the differences, with n - 1."""
    loa_low: float
    """Lower limit of agreement, bias - 1.96 sd (Bland and Altman 1986, Lancet 327:307-310)."""
    loa_high: float


def agreement(predicted: Sequence[float] | np.ndarray, reference: Sequence[float] | np.ndarray) -> Agreement:
    """Compare predictions with references.

    Args:
        predicted: Predictions, (N,). Pairs in which either value is not finite are left out.
        reference: References, (N,), in the same unit.

    Returns:
        The statistics; NaN where one is undefined: all without pairs, `sd` and limits with one pair, `r2` and
        `pearson_r` without spread.

    Raises:
        ShapeError: If the two are not one-dimensional or differ in length.
    """
    moments = agreement_moments(predicted, reference)
    total = moments.sum(axis=0)
    values = agreement_statistics(total)
    return Agreement(int(total[0]), *(float(values[name]) for name in STATISTICS))


def agreement_moments(predicted: Sequence[float] | np.ndarray, reference: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the contribution of each pair to the sums that `agreement_statistics` takes.

    Returns:
        Contributions, float (N, 9): count, d, d^2, |d|, p, r, p^2, r^2, p r with d = p - r, p and r less a
        common centre, so that no digits are lost; no figure depends on it. Zeros for a pair that is not finite.

    Raises:
        ShapeError: If the two are not one-dimensional or differ in length.
    """
    p, r = np.asarray(predicted, float), np.asarray(reference, float)
    if p.ndim != 1 or p.shape != r.shape:
        raise ShapeError(f"expected two lists of one length, got {p.shape} and {r.shape}")
    finite = np.isfinite(p) & np.isfinite(r)
    centre = float(r[finite].mean()) if finite.any() else 0.0
    p, r = np.where(finite, p - centre, 0.0), np.where(finite, r - centre, 0.0)
    d = p - r
    return np.stack([finite.astype(float), d, d * d, np.abs(d), p, r, p * p, r * r, p * r], axis=1)


def agreement_statistics(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the statistics of `Agreement` from sums of `agreement_moments`, vectorised for the bootstrap.

    Args:
        sums: Sums, float (..., 9).

    Returns:
        Values (...) by the names in `STATISTICS`.
    """
    n, d, squares, absolute, p, r, pp, rr, pr = np.moveaxis(np.asarray(sums, float), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        bias = d / n
        spread_p, spread_r = pp - p * p / n, rr - r * r / n
        # a spread that is smaller than its rounding error is zero
        spread_p = np.where(spread_p > 1e-12 * pp, spread_p, np.nan)
        spread_r = np.where(spread_r > 1e-12 * rr, spread_r, np.nan)
        sd = np.sqrt(np.maximum(squares - n * bias * bias, 0.0) / np.where(n > 1, n - 1, np.nan))
        return {
            "mae": absolute / n,
            "rmse": np.sqrt(squares / n),
            "r2": 1 - squares / spread_r,
            "pearson_r": np.clip((pr - p * r / n) / np.sqrt(spread_p * spread_r), -1, 1),
            "bias": bias,
            "sd": sd,
            "loa_low": bias - 1.96 * sd,
            "loa_high": bias + 1.96 * sd,
        }
