"""Result as Markdown, for issues and wikis."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from edgeecho.benchmarks.render.columns import filled_columns
from edgeecho.benchmarks.render.extra_tables import extra_tables
from edgeecho.benchmarks.render.formatting import (
    accuracy_text,
    clip_text,
    failures,
    in_order,
    json_text,
    load_warning,
    machine_text,
)
from edgeecho.benchmarks.render.summary import summary
from edgeecho.benchmarks.run.result import BenchResult, Row

SPECIAL_CHARACTERS = re.compile(r"([\\`*\[\]<>|])")


def render_markdown(result: BenchResult) -> str:
    """Return all rows, the extra tables, the machine and the rules."""
    rows = in_order(result.rows)
    columns = filled_columns(rows)
    heads = [column.title for column in columns]
    accuracy, busy = accuracy_text(result), load_warning(result)
    parts = [
        "# EdgeEcho benchmark",
        clean(f"{clip_text(result).capitalize()}; {machine_text(result)}."),
        "" if result.complete else "**Interrupted: these figures are partial.**",
        busy or "",
        clean(" ".join(summary(result))),
        "## All rows",
        table(heads, ([c.cell(row) for c in columns] for row in rows), sum(c.is_text for c in columns)),
        clean(accuracy) if accuracy else "",
        *(f"## {small.title}\n\n{table(small.headings, small.rows)}" for small in extra_tables(rows, False)),
        *_failed(rows),
        "## Machine",
        _pairs(result.machine),
        "## Rules",
        _pairs(result.protocol),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def clean(text: str) -> str:
    """Escape text so that Markdown shows it unchanged, on one line."""
    return SPECIAL_CHARACTERS.sub(r"\\\1", " ".join(text.split()))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int = 1) -> str:
    """Return a table whose first columns are text and whose others are figures."""
    lines = [[clean(cell) for cell in row] for row in rows]
    marks = ["---" if i < text_columns else "---:" for i in range(len(heads))]
    return "\n".join("| " + " | ".join(line) + " |" for line in ([clean(h) for h in heads], marks, *lines))


def _failed(rows: Sequence[Row]) -> list[str]:
    lines = [failure for row in rows for failure in failures(row)]
    return ["## What failed", table(("row", "why"), lines, 2)] if lines else []


def _pairs(values: dict[str, Any]) -> str:
    return "\n".join(f"- {clean(str(key))}: {clean(json_text(value))}" for key, value in values.items())
