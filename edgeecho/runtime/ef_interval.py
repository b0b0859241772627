"""Interval of EF: from what is known of the model's error on patients that it was not trained on, and from the beats.

The error of a packaged model is in `ef_errors.json`: the lower and upper conformal quantiles of reference minus model
(Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; split conformal prediction), which
`python -m studies.ef_error` measures. The beats add the standard error of their median. The interval is not symmetrical
where the model is biased.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

LEVEL = 0.9
"""Part of patients whose EF lies in the interval."""
NORMAL_QUANTILE = 1.6449
"""Quantile of the normal distribution for `LEVEL`, both sides."""
MEDIAN_FACTOR = 1.2533
"""Standard error of the median over that of the mean, of normally distributed beats."""
FILE = Path(__file__).with_name("ef_errors.json")


@cache
def errors_of(model: str) -> tuple[float, float] | None:
    """Return the lower and upper error of a model in points of EF, reference minus model; None if it is not known."""
    found = json.loads(FILE.read_text(encoding="utf-8"))["models"].get(model)
    return (float(found["low"]), float(found["high"])) if found else None


def ef_interval(model: str, ef_percent: float | None, beats: Sequence[float]) -> tuple[float, float] | None:
    """Compute the interval in which the EF of `LEVEL` of patients lies, as experts' outlines would give it.

    Args:
        model: Name of the model.
        ef_percent: Median EF over beats, 0-100.
        beats: EF of each beat, 0-100.

    Returns:
        Lower and upper end, 0-100; None without an EF, or if the model's error is not known.
    """
    errors = errors_of(model)
    if errors is None or ef_percent is None:
        return None
    count = len(beats)
    deviation = float(np.std(beats, ddof=1)) if count > 1 else 0.0
    own = NORMAL_QUANTILE * MEDIAN_FACTOR * deviation / max(1, count) ** 0.5
    middle = ef_percent + (errors[0] + errors[1]) / 2
    half = float(np.hypot((errors[1] - errors[0]) / 2, own))
    return max(0.0, middle - half), min(100.0, middle + half)
