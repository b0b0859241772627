"""Table of the study `studies/trust.py`: rows by name of the column, printed in markdown below the columns' meaning."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

Value = str | int | float | None
Row = dict[str, Value]


@dataclass
class Table:
    """Rows with the same columns. None and NaN are printed as a dash."""

    title: str
    columns: dict[str, str]
    """What each column holds, a sentence each, by its heading."""
    rows: list[Row] = field(default_factory=list)

    def markdown(self) -> str:
        """Return title, meaning of the columns and rows as text in markdown."""
        meaning = [f"- {heading}: {sentence}" for heading, sentence in self.columns.items()]
        lines = ["| " + " | ".join(self.columns) + " |", "|" + "---|" * len(self.columns)]
        lines += ["| " + " | ".join(_text(row[heading]) for heading in self.columns) + " |" for row in self.rows]
        return "\n".join([self.title, "", *meaning, "", *lines])


def _text(value: Value) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "-"
    return f"{round(value, 3) + 0.0:.3f}" if isinstance(value, float) else str(value)  # no -0.000


def mean(values: list[float]) -> float | None:
    """Mean, None of no values."""
    return float(np.mean(values)) if values else None


def worst(values: list[float]) -> float | None:
    """Smallest value, None of no values."""
    return float(np.min(values)) if values else None


def share(count: int, total: int) -> str | None:
    """Count, total and percentage, such as `9 of 10 (90%)`; None of none."""
    return f"{count} of {total} ({100 * count / total:.0f}%)" if total else None


def frequencies(counts: Counter[str]) -> str:
    """Names with their counts, the most frequent first, such as `rough 3, gaps 1`."""
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "-"
