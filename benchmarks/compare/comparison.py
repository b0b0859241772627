"""Two results against each other: which rows changed by more than runs scatter and machines drift."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from edgeecho.benchmarks.compare.differences import (
    MIN_YARDSTICK_RUNS,
    notes_of,
    other_work,
    warnings_of,
    yardstick_fault,
)
from edgeecho.benchmarks.render.formatting import row_name
from edgeecho.benchmarks.run.result import BenchResult, Row

MIN_RELATIVE_CHANGE = 0.03
"""Part of the time. Two runs of one program on one quiet machine differ by as much; less is never called a change."""
MIN_RUNS = 5
"""Of a row, in each result; with fewer nothing is told."""
BOOTSTRAP_DRAWS = 2000
CONFIDENCE = 0.95

FASTER, SLOWER, NOISE, NOT_TOLD = "faster", "slower", "noise", "not told"
MACHINE = "the machine"
"""The yardstick moved alike, or the row is the yardstick."""
INCONCLUSIVE = "inconclusive"
"""The row's time changed, and nothing tells a change of the row from drift of the machine: no yardstick is valid in
both results, or the row's time and its time over the yardstick's changed in opposite directions."""
YARDSTICK_ONLY = "yardstick only"
"""The row's own time stayed, the yardstick's did not."""
PERHAPS = "perhaps "
"""Before `faster` or `slower`: beyond the row's scatter, but the yardstick scatters too much to clear the machine."""


@dataclass(frozen=True)
class Ratio:
    """New time over old, with an interval."""

    value: float
    low: float | None
    """None where there are too few runs for an interval."""
    high: float | None

    @property
    def verdict(self) -> str:
        """`faster`, `slower`, `noise` or `not told`."""
        if self.low is None or self.high is None:
            return NOT_TOLD
        if self.low > 1 and self.value > 1 + MIN_RELATIVE_CHANGE:
            return SLOWER
        if self.high < 1 and self.value < 1 / (1 + MIN_RELATIVE_CHANGE):
            return FASTER
        return NOISE


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row that both results have."""

    name: str
    old: Row
    new: Row
    ratio: Ratio | None
    """Ratio of the medians, new over old; None where one was not timed, or where the two runs are not the same work."""
    corrected: Ratio | None
    """`ratio` divided by the yardstick's, so without what the machine did to both; None where no yardstick is
    valid in both, and of the yardstick itself."""
    is_yardstick: bool = False
    notes: tuple[str, ...] = ()
    """What else changed: file, precision that ran, parameters, accuracy, failure."""

    @property
    def verdict(self) -> str:
        """What is to be believed, one of the words at the top of this file."""
        if self.ratio is None:
            return NOT_TOLD
        raw = self.ratio.verdict
        if raw == NOT_TOLD:
            return raw
        if self.is_yardstick:
            return NOISE if raw == NOISE else MACHINE
        against = self.corrected.verdict if self.corrected else NOT_TOLD
        if self.corrected is None or against == NOT_TOLD:
            return NOISE if raw == NOISE else INCONCLUSIVE
        if raw == NOISE:
            return NOISE if against == NOISE else YARDSTICK_ONLY
        if against != NOISE:
            return raw if against == raw else INCONCLUSIVE
        part_left = math.log(self.corrected.value) / math.log(self.ratio.value)
        return f"{PERHAPS}{raw}" if part_left > 1 / 2 else MACHINE

    def to_dict(self) -> dict[str, Any]:
        """The change as JSON values; ratios are new time over old."""
        row = {k: getattr(self.old, k) for k in ("model", "form", "runtime", "precision_asked", "threads")}
        times = {"p50_ms": [self.old.p50_ms, self.new.p50_ms], "n": [self.old.n, self.new.n]}
        ratios = {"ratio": self.ratio and asdict(self.ratio), "corrected": self.corrected and asdict(self.corrected)}
        return {**row, **times, **ratios, "verdict": self.verdict, "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two results say together."""

    changes: list[Change]
    only_old: list[str]
    only_new: list[str]
    warnings: list[str]
    """Why the two may not be comparable."""
    yardstick: Ratio | None = None
    """Ratio of the standard 3D U-Net's fp32 row, which is the machine's drift; None where `no_yardstick` is given."""
    no_yardstick: str | None = None
    """Why no yardstick is valid in both results."""

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "rows": [change.to_dict() for change in self.changes],
            "only_first": self.only_old,
            "only_second": self.only_new,
            "warnings": self.warnings,
            "yardstick": self.yardstick and asdict(self.yardstick),
            "no_yardstick": self.no_yardstick,
        }


def compare(old: BenchResult, new: BenchResult, *, seed: int = 0) -> Comparison:
    """Compare rows of the same model, form, runtime, precision asked and threads.

    Intervals come from block bootstraps of each row's runs, since neighbouring runs resemble each other; they are
    widened by Student's t, since few runs understate their own scatter.

    Args:
        old: The first result.
        new: The one that may be faster or slower.
        seed: Of the bootstraps; the same one gives the same verdicts.
    """
    rng = np.random.default_rng(seed)
    olds, news = _by_key(old.rows), _by_key(new.rows)
    fault = yardstick_fault(old, new)
    old_yard, new_yard = (None, None) if fault else (old.yardstick(), new.yardstick())
    base = _ratio(old_yard, new_yard, rng) if old_yard and new_yard else None
    changes = []
    for key in olds:
        if key in news:
            a, b = olds[key], news[key]
            work = other_work(a, b, old, new)
            is_yardstick = a is old_yard
            changes.append(
                Change(
                    name=row_name(a),
                    old=a,
                    new=b,
                    ratio=None if work else _ratio(a, b, rng),
                    corrected=(
                        _ratio(a, b, rng, old_yard, new_yard) if base and not is_yardstick and not work else None
                    ),
                    is_yardstick=is_yardstick,
                    notes=(*([f"not comparable: {work}"] if work else []), *notes_of(a, b)),
                )
            )
    return Comparison(
        changes=changes,
        only_old=[row_name(olds[key]) for key in olds if key not in news],
        only_new=[row_name(news[key]) for key in news if key not in olds],
        warnings=warnings_of(old, new),
        yardstick=base,
        no_yardstick=fault,
    )


def _by_key(rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    """Rows by what makes them the same; the second of a kind is the second."""
    seen: Counter[tuple[Any, ...]] = Counter()
    found = {}
    for row in rows:
        key = (row.model, row.form or "clip", row.runtime, row.precision_asked, row.threads)
        found[(*key, seen[key])] = row
        seen[key] += 1
    return found


def _ratio(
    a: Row, b: Row, rng: np.random.Generator, base_a: Row | None = None, base_b: Row | None = None
) -> Ratio | None:
    """b's median time a frame over a's, and over the same of the yardstick where it is given in both."""
    if not a.ms_per_frame or not b.ms_per_frame:
        return None
    value, has_enough_runs = b.ms_per_frame / a.ms_per_frame, min(len(a.times_ms), len(b.times_ms)) >= MIN_RUNS
    scatter = _scatter(b, rng) - _scatter(a, rng) if has_enough_runs else np.zeros(1)
    if base_a is not None or base_b is not None:
        if not (base_a and base_b and base_a.ms_per_frame and base_b.ms_per_frame):
            return None
        value *= base_a.ms_per_frame / base_b.ms_per_frame
        has_enough_runs = has_enough_runs and min(len(base_a.times_ms), len(base_b.times_ms)) >= MIN_YARDSTICK_RUNS
        scatter = scatter + _scatter(base_a, rng) - _scatter(base_b, rng) if has_enough_runs else scatter
    if not has_enough_runs:
        return Ratio(value, None, None)
    low, high = np.quantile(scatter, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Ratio(value, value * math.exp(low), value * math.exp(high))


def _scatter(row: Row, rng: np.random.Generator) -> np.ndarray:
    """How far the logarithm of a row's median may be off: (DRAWS,), from a circular block bootstrap."""
    times = np.asarray(row.times_ms)
    n = len(times)
    block = max(1, round(math.sqrt(n))) if n >= MIN_RUNS else 1
    starts = rng.integers(0, n, (BOOTSTRAP_DRAWS, -(-n // block)))
    picked = (starts[:, :, None] + np.arange(block)).reshape(BOOTSTRAP_DRAWS, -1)[:, :n] % n
    logs = np.log(np.median(times[picked], axis=1)) - np.log(np.median(times))
    few = student.ppf((1 + CONFIDENCE) / 2, n - 1) / student.ppf((1 + CONFIDENCE) / 2, 1e6) * math.sqrt(n / (n - 1))
    scattered: np.ndarray = logs * few
    return scattered


def signed_percent(ratio: Ratio | None) -> str:
    """Such as `+20.1 %`; `-` for nothing known."""
    if ratio is None:
        return "-"
    return f"{100 * (ratio.value - 1):+.1f} %"


def interval(ratio: Ratio | None) -> str:
    """Such as `-1.2 to +3.4`, in percent."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return "-"
    return " to ".join(f"{100 * (value - 1):+.1f}" for value in (ratio.low, ratio.high))
