"""Figures with their bootstrap intervals over patients."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeecho.metrics import (
    STATISTICS,
    agreement_moments,
    agreement_statistics,
    bootstrap_sums,
    percentile_interval,
)

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Figure:
    """Figure of a model on a split, with its interval."""

    topic: str
    """Subject, such as `overlap` or `ef_masks`."""
    metric: str
    """Name of the statistic, such as `dice_mean` or `mae`."""
    phase: str
    """`ED`, `ES`, `all`, or the name of a group, such as an image quality."""
    unit: str
    """Unit of the value; empty for a ratio."""
    n: int
    """Number of values: of videos, frames or patients, by topic."""
    value: float | None
    low: float | None
    """Lower end of the 95% bootstrap interval over patients; None with fewer than two of them."""
    high: float | None


class FigureTable:
    """Collects figures; all of them are bootstrapped with the same draws of patients."""

    def __init__(self, groups: Iterable[str]) -> None:
        """
        Args:
            groups: Every patient, in any order.
        """
        self._rows = {group: row for row, group in enumerate(sorted(set(groups)))}
        self._columns: list[np.ndarray] = []
        self._figures: list[tuple[Figure, slice, Statistic]] = []

    def mean(self, topic: str, metric: str, phase: str, unit: str, values: Iterable[tuple[str, float | None]]) -> None:
        """Add the mean of values.

        Args:
            topic: Topic of the figure.
            metric: Metric of the figure.
            phase: Phase of the figure.
            unit: Unit of the values.
            values: (patient, value); None and NaN are left out. No figure appears if nothing is left.
        """
        present = [(group, (value, 1.0)) for group, value in values if value is not None and math.isfinite(value)]
        self.ratio(topic, metric, phase, unit, present, lambda s: s[..., 0] / s[..., 1])

    def ratio(
        self,
        topic: str,
        metric: str,
        phase: str,
        unit: str,
        values: Sequence[tuple[str, Sequence[float]]],
        statistic: Statistic,
    ) -> None:
        """Add a function of sums.

        Args:
            topic: Topic of the figure.
            metric: Metric of the figure.
            phase: Phase of the figure.
            unit: Unit of the statistic.
            values: (patient, K terms), one for each of K sums.
            statistic: Function of sums (..., K) that returns an array (...).
        """
        if values:
            where = self._add([group for group, _ in values], np.array([row for _, row in values], float))
            self._figures.append((Figure(topic, metric, phase, unit, len(values), None, None, None), where, statistic))

    def agreement(self, topic: str, unit: str, pairs: Iterable[tuple[str, float | None, float | None]]) -> None:
        """Add the figures of `edgeecho.metrics.Agreement`.

        Args:
            topic: Topic of the figures.
            unit: Unit of the quantity.
            pairs: (patient, prediction, reference); a pair that lacks either is left out.
        """
        present = [(group, p, r) for group, p, r in pairs if p is not None and r is not None]
        if not present:
            return
        groups, predicted, reference = zip(*present, strict=True)
        where = self._add(groups, agreement_moments(predicted, reference))
        for name in STATISTICS:
            figure = Figure(
                topic, name, "all", "" if name in ("r2", "pearson_r") else unit, len(present), None, None, None
            )
            self._figures.append((figure, where, lambda s, name=name: agreement_statistics(s)[name]))  # type: ignore[misc]

    def build(self) -> list[Figure]:
        """Return every figure with its value and interval, in the order in which they were added."""
        if not self._figures:
            return []
        totals = np.concatenate(self._columns, axis=1)
        patients = [np.count_nonzero(totals[:, where].any(axis=1)) for _, where, _ in self._figures]
        drawn = bootstrap_sums(totals) if len(totals) > 1 else np.zeros((0, totals.shape[1]))
        sums = totals.sum(axis=0)
        done = []
        with np.errstate(divide="ignore", invalid="ignore"):
            for (figure, where, statistic), count in zip(self._figures, patients, strict=True):
                value = float(statistic(sums[where]))
                low, high = percentile_interval(statistic(drawn[:, where])) if count > 1 else (math.nan, math.nan)
                ends = [finite(v) for v in (value, low, high)]
                done.append(Figure(figure.topic, figure.metric, figure.phase, figure.unit, figure.n, *ends))
        return done

    def _add(self, groups: Sequence[str], rows: np.ndarray) -> slice:
        column = np.zeros((len(self._rows), rows.shape[1]))
        np.add.at(column, [self._rows[group] for group in groups], rows)
        start = sum(c.shape[1] for c in self._columns)
        self._columns.append(column)
        return slice(start, start + rows.shape[1])


def mean(values: Iterable[float]) -> float | None:
    """Mean of the values without NaN, which stands for two empty masks; None if nothing is left."""
    found = [value for value in values if not math.isnan(value)]
    return float(np.mean(found)) if found else None


def finite(value: float | None) -> float | None:
    """Return a number that JSON can hold: None for NaN and infinity."""
    return float(value) if value is not None and math.isfinite(value) else None
