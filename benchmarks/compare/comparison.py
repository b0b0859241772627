"""Comparison of two results: which rows changed by more than the scatter of runs and the drift of the machine."""

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
"""Smallest relative difference of times that counts as a change; two runs on one idle machine differ by as much."""
MIN_RUNS = 5
"""Fewest runs of a row in each result; with fewer the verdict is `not told`."""
BOOTSTRAP_DRAWS = 2000
CONFIDENCE = 0.95

FASTER, SLOWER, NOISE, NOT_TOLD = "faster", "slower", "noise", "not told"
MACHINE = "the machine"
"""Verdict if the yardstick's time changed alike, or the row is the yardstick."""
INCONCLUSIVE = "inconclusive"
"""Verdict if the row's time changed, and drift of the machine cannot be excluded: no yardstick is valid in
both results, or the row's time and its time over the yardstick's changed in opposite directions."""
YARDSTICK_ONLY = "yardstick only"
"""Verdict if the row's own time did not change and the yardstick's did."""
PERHAPS = "perhaps "
"""Prefix of `faster` or `slower` if the change is beyond the row's scatter, but the yardstick scatters too much to
exclude drift of the machine."""


@dataclass(frozen=True)
class Ratio:
    """Ratio of the new time to the old one, with an interval."""

    value: float
    low: float | None
    """Lower end of the interval; None if there are too few runs for one."""
    high: float | None

    @property
    def verdict(self) -> str:
        """Verdict of the ratio alone: `faster`, `slower`, `noise` or `not told`."""
        if self.low is None or self.high is None:
            return NOT_TOLD
        if self.low > 1 and self.value > 1 + MIN_RELATIVE_CHANGE:
            return SLOWER
        if self.high < 1 and self.value < 1 / (1 + MIN_RELATIVE_CHANGE):
            return FASTER
        return NOISE


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change of a row that both results have."""

    name: str
    old: Row
    new: Row
    ratio: Ratio | None
    """Ratio of the medians, new over old; None where one was not timed, or where the two runs are not the same work."""
    corrected: Ratio | None
    """`ratio` divided by the yardstick's, which removes the machine's drift; None where no yardstick is
    valid in both, and of the yardstick itself."""
    is_yardstick: bool = False
    notes: tuple[str, ...] = ()
    """Other changes: file, precision that ran, parameters, accuracy, failure."""

    @property
    def verdict(self) -> str:
        """Verdict of the change, one of the words at the top of this file."""
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
        """Return the change as JSON values; ratios are new time over old."""
        row = {k: getattr(self.old, k) for k in ("model", "form", "runtime", "precision_asked", "threads")}
        times = {"p50_ms": [self.old.p50_ms, self.new.p50_ms], "n": [self.old.n, self.new.n]}
        ratios = {"ratio": self.ratio and asdict(self.ratio), "corrected": self.corrected and asdict(self.corrected)}
        return {**row, **times, **ratios, "verdict": self.verdict, "notes": list(self.notes)}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Comparison of two results."""

    changes: list[Change]
    only_old: list[str]
    only_new: list[str]
    warnings: list[str]
    """Reasons why the two may not be comparable."""
    yardstick: Ratio | None = None
    """Ratio of the standard 3D U-Net's fp32 row, the machine's drift; None if `no_yardstick` has a reason."""
    no_yardstick: str | None = None
    """Reason why no yardstick is valid in both results."""

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
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
        new: The second result, which may be faster or slower.
        seed: Seed of the bootstraps; the same seed gives the same verdicts.
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
    """Return rows by the key that identifies them in both results; equal keys are numbered in order."""
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
    """Return b's median time a frame over a's, divided by the yardstick's ratio if it is given."""
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
    """Return deviations of the logarithm of a row's median, (BOOTSTRAP_DRAWS,), from a circular block bootstrap."""
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
    """Format a ratio as a change, such as `+20.1 %`; `-` for None."""
    if ratio is None:
        return "-"
    return f"{100 * (ratio.value - 1):+.1f} %"


def interval(ratio: Ratio | None) -> str:
    """Format the interval of a ratio in percent, such as `-1.2 to +3.4`."""
    if ratio is None or ratio.low is None or ratio.high is None:
        return "-"
    return " to ".join(f"{100 * (value - 1):+.1f}" for value in (ratio.low, ratio.high))
