"""A result as Markdown: for an issue, a wiki, a paper's notes."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from edgeecho.benchmarks.columns import known_columns
from edgeecho.benchmarks.result import BenchResult, Row
from edgeecho.benchmarks.summary import summary
from edgeecho.benchmarks.words import (
    MISSING,
    NOTICE,
    STAGES,
    accuracy_words,
    at,
    busy_words,
    clip_words,
    failures,
    figure,
    in_order,
    machine_words,
    number,
    percent,
    plain,
    row_name,
)

SPECIAL = re.compile(r"([\\`*\[\]<>|])")


def render_markdown(result: BenchResult) -> str:
    """Every row, small tables for what not every run has, the machine and the rules."""
    rows = in_order(result.rows)
    columns = known_columns(rows)
    heads = [f"{c.heading}{'' if c.heading.endswith(('-', '/')) else ' '}{c.unit}".strip() for c in columns]
    accuracy, busy = accuracy_words(result), busy_words(result)
    parts = [
        "# EdgeEcho benchmark",
        clean(f"{clip_words(result).capitalize()}; {machine_words(result)}."),
        "" if result.complete else "**Interrupted: these figures are partial.**",
        busy or "",
        clean(" ".join(summary(result))),
        "## All rows",
        table(heads, ([c.cell(row) for c in columns] for row in rows), sum(c.is_text for c in columns)),
        clean(accuracy) if accuracy else "",
        *_small("At a fixed rate: part of a frame's time used", [r for r in rows if r.live], _LIVE),
        *_small("A whole cine from file to figures, ms", [r for r in rows if r.end_to_end], _STAGES),
        *_estimates(rows),
        *_failed(rows),
        "## Machine",
        _pairs(result.machine),
        "## Rules",
        _pairs(result.protocol),
        NOTICE,
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def clean(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1) -> str:
    """A table whose first columns are text and whose others are figures."""
    lines = [[clean(cell) for cell in row] for row in rows]
    marks = ["---" if i < text_columns else "---:" for i in range(len(heads))]
    return "\n".join("| " + " | ".join(line) + " |" for line in ([clean(h) for h in heads], marks, *lines))


_Cells = dict[str, Callable[[Row], str]]
_LIVE: _Cells = {
    "fps": lambda row: f"{at(row.live, 'fps') or 0:g}",
    "keeps up": lambda row: {True: "yes", False: "no"}.get((row.live or {}).get("keeps_up"), MISSING),
    "p50": lambda row: percent(at(row.live, "used_p50")),
    "p90": lambda row: percent(at(row.live, "used_p90")),
    "p99": lambda row: percent(at(row.live, "used_p99")),
    "latest, ms": lambda row: figure(at(row.live, "late_max_ms")),
    "missed": lambda row: f"{number(at(row.live, 'missed'))} of {number(at(row.live, 'frames'))}",
}


def _stage(name: str) -> Callable[[Row], str]:
    return lambda row: figure(at(row.end_to_end, f"{name}_ms"))


_STAGES: _Cells = {name: _stage(name) for name in (*STAGES, "total")}


def _small(heading: str, rows: Sequence[Row], cells: _Cells) -> list[str]:
    if not rows:
        return []
    return [
        f"## {heading}",
        table(["row", *cells], ([row_name(r), *(cell(r) for cell in cells.values())] for r in rows)),
    ]


def _estimates(rows: Sequence[Row]) -> list[str]:
    lines = [
        [
            *(row_name(row), str(known.get("board") or MISSING), figure(known.get("ms_per_frame"))),
            *(figure(known.get("low_ms")), figure(known.get("high_ms"))),
        ]
        for row in rows
        for known in row.estimates or []
        if isinstance(known, dict)
    ]
    heads = ("row", "board", "estimate, ms a frame", "low", "high")
    return ["## Estimates, not measurements", table(heads, lines, 2)] if lines else []


def _failed(rows: Sequence[Row]) -> list[str]:
    lines = [failure for row in rows for failure in failures(row)]
    return ["## What failed", table(("row", "why"), lines, 2)] if lines else []


def _pairs(values: dict[str, Any]) -> str:
    return "\n".join(f"- {clean(str(key))}: {clean(plain(value))}" for key, value in values.items())
