"""Figures of the acceptance test: statistics over its cines, with their intervals, limits and worst cines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from edgeecho.errors import ConfigError
from edgeecho.metrics import bootstrap_sums

TIMING = ("ed_shift_frames", "es_shift_frames")
"""Figures: mean shift of the frame of largest and of smallest area, over cines on which noise does not move it."""
MIN_CINES = 8
"""Number of cines below which a figure is left out."""
WORST_CINES = 3
"""Number of cines that a refusal lists."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the acceptance test; whole intervals must lie within them."""

    disagreement: float = 4.0
    """1 - mask Dice with fp32, as a multiple of the effect of noise on fp32; the 95% upper bound."""
    area_spread: float = 4.0
    """Deviation over frames of the change of area, as a multiple of the effect of noise; the 95% upper bound."""
    ef_mean_points: float = 1.0
    """Mean change of EF at known ED and ES, in both directions; the 90% interval."""
    ef_median_points: float = 0.75
    """Median size of the change of EF."""
    area_mean_percent: float = 1.0
    """Mean change of area, in both directions; the 90% interval."""
    dice_lost: float = 0.003
    """Mean Dice lost against the truth; the 95% upper bound."""
    other_answer: float = 0.2
    """Share of cines whose masks are other ones altogether; the 95% upper bound."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 < value < 1000:
                raise ConfigError(f"acceptance limit {name} must be above 0 and below 1000, got {value}")

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Limits":
        """Read `NAME=VALUE` texts; limits that are not named keep their defaults.

        Raises:
            ConfigError: If a name is unknown or a value is no number.
        """
        known = [f.name for f in fields(cls)]
        given: dict[str, float] = {}
        for text in texts:
            name, _, value = text.partition("=")
            if name not in known:
                raise ConfigError(f"unknown acceptance limit {name!r}; known: {', '.join(known)}")
            try:
                given[name] = float(value)
            except ValueError:
                raise ConfigError(f"acceptance limit {name} takes a number, got {value!r}") from None
        return cls(**given)


@dataclass(frozen=True)
class Figure:
    """A statistic over the acceptance cines, with its interval and its limit."""

    file: str
    against: str
    figure: str
    """Name of a field of `Limits`, or one of `TIMING`, which is reported without a limit."""
    value: float
    low: float
    high: float
    """Bounds of the interval of `value`; equal to it if the value itself is compared with the limit."""
    limit: float | None
    holds: bool
    cines: int
    """Number of cines of this figure."""
    worst: tuple[str, ...]
    """Cines that add most to the figure, with what they add."""

    @property
    def interval(self) -> str:
        """Text of the interval; empty if there is none."""
        return "" if self.low == self.high else f"{self.low:.3g} to {self.high:.3g}"

    def __str__(self) -> str:
        interval = f" (interval {self.interval})" if self.interval else ""
        worst = ", ".join(self.worst) or "none"
        return f"{self.figure} {self.value:.3g}{interval}, limit {self.limit:g}; worst cines: {worst}"


@dataclass(frozen=True)
class Statistics:
    """Statistics over cines, each with its interval and its worst cines."""

    file: str
    against: str
    names: list[str]
    limits: Limits

    def ratio(self, name: str, values: np.ndarray, unit: np.ndarray, least: float, chosen: np.ndarray) -> Figure:
        """Return the geometric mean over cines of value over unit, and its 95% bound; infinite for too few cines."""
        ratios = np.maximum(values, least) / unit
        if chosen.sum() < MIN_CINES:  # masks that are all empty prove nothing
            return self._figure(name, np.inf, (np.inf, np.inf), np.inf, ratios, chosen)
        logs = np.log(ratios[chosen])
        low, high = (float(np.exp(bound)) for bound in _interval(logs))
        return self._figure(name, float(np.exp(logs.mean())), (low, high), high, ratios, chosen)

    def mean(self, name: str, values: np.ndarray, chosen: np.ndarray, *, both_ways: bool = False) -> Figure | None:
        """Return the mean over cines, compared by its 90% interval in both directions or its 95% upper bound."""
        if chosen.sum() < MIN_CINES:
            return None
        low, high = _interval(values[chosen])
        decisive = max(-low, high) if both_ways else high
        size = np.abs(values) if both_ways else values
        return self._figure(name, float(values[chosen].mean()), (low, high), decisive, size, chosen)

    def median(self, name: str, values: np.ndarray, chosen: np.ndarray) -> Figure | None:
        """Return the median over cines."""
        if chosen.sum() < MIN_CINES:
            return None
        value = float(np.median(values[chosen]))
        return self._figure(name, value, (value, value), value, values, chosen)

    def share(self, name: str, hit: np.ndarray, size: np.ndarray, chosen: np.ndarray) -> Figure | None:
        """Return the share of cines, and its one-sided 95% upper bound (Wilson 1927, JASA 22:209-212)."""
        n = int(chosen.sum())
        if n < MIN_CINES:
            return None
        p, z = float(hit[chosen].mean()), 1.645
        middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = (max(0.0, float(bound / (1 + z * z / n))) for bound in (middle - half, middle + half))
        return self._figure(name, p, (low, high), high, size, chosen)

    def _figure(
        self,
        figure: str,
        value: float,
        interval: tuple[float, float],
        decisive: float,
        size: np.ndarray,
        chosen: np.ndarray,
    ) -> Figure:
        """Compare the decisive end of the interval with the limit, and list the cines of largest size."""
        limit = None if figure in TIMING else getattr(self.limits, figure)
        indexes = np.flatnonzero(chosen)
        order = indexes[np.argsort(-size[indexes], kind="stable")][:WORST_CINES]
        return Figure(
            file=self.file,
            against=self.against,
            figure=figure,
            value=value,
            low=interval[0],
            high=interval[1],
            limit=limit,
            holds=limit is None or decisive <= limit,
            cines=len(indexes),
            worst=tuple(f"{self.names[k]} ({size[k]:.3g})" for k in order),
        )


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the mean over cines drawn with replacement (Efron 1979)."""
    sums = bootstrap_sums(np.stack([values, np.ones(len(values))], axis=1))
    low, high = np.percentile(sums[:, 0] / sums[:, 1], [5, 95])
    return float(low), float(high)
