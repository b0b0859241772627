"""Files of `edgeecho bench --out`: a result as JSON, CSV, Markdown and one HTML page."""

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from edgeecho.benchmarks.render.markdown import render_markdown
from edgeecho.benchmarks.render.page import render_page
from edgeecho.benchmarks.run.result import STAGES, BenchResult, Row
from edgeecho.files import atomic

GROUPS = {
    "accuracy": ("data", "split", "n", "dice_ed", "dice_es", "ef_mae", "ef_n"),
    "live": (
        *("fps", "frames", "keeps_up", "used_p50", "used_p90", "used_p99", "late_max_ms", "missed", "waiting_at_end"),
        "first_ms",
    ),
    "end_to_end": (
        *("input", "frames", "n"),
        *(f"{stage}_ms" for stage in (*STAGES, "total")),
    ),
    "profile": ("ceiling_gmac_per_s", "total_ms", "conv_ms", "of_ceiling"),
}
"""Groups of figures in a row, which become columns such as `accuracy_dice_ed`."""
JSON_ONLY = ("times_ms", "estimates")


def csv_header() -> list[str]:
    """Return the columns of the CSV, the same for every result of this schema, in the order of `Row`."""
    names: list[str] = []
    for field in fields(Row):
        if field.name in GROUPS:
            names += [f"{field.name}_{key}" for key in GROUPS[field.name]]
        elif field.name not in JSON_ONLY:
            names.append(field.name)
    return names


def render_csv(result: BenchResult) -> str:
    """Return the CSV, a line a row, without rounding; a cell is empty if it is unknown or was not measured."""
    out = io.StringIO()
    writer = csv.DictWriter(out, csv_header(), lineterminator="\n")
    writer.writeheader()
    for row in result.rows:
        writer.writerow(_flat(row))
    return out.getvalue()


def _flat(row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for field in fields(Row):
        value = getattr(row, field.name)
        if field.name in GROUPS:
            cells |= {f"{field.name}_{key}": (value or {}).get(key) for key in GROUPS[field.name]}
        elif field.name == "convolutions_run":
            cells[field.name] = value and " ".join(f"{precision}:{count}" for precision, count in value.items())
        elif field.name == "failed":
            cells[field.name] = value and "; ".join(f"{what}: {why}" for what, why in value.items())
        elif field.name not in JSON_ONLY:
            cells[field.name] = value
    return cells


def write_results(result: BenchResult, folder: Path | str) -> Sequence[Path]:
    """Write bench.json, bench.csv, bench.md and bench.html; each appears whole or not at all.

    Args:
        result: Result of a benchmark.
        folder: Folder, which is made if it does not exist.

    Returns:
        The files.

    Raises:
        OutputError: If one cannot be written.
    """
    texts = {
        "bench.json": result.to_json(),
        "bench.csv": render_csv(result),
        "bench.md": render_markdown(result),
        "bench.html": render_page(result),
    }
    for name, text in texts.items():
        with atomic(Path(folder) / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [Path(folder) / name for name in texts]
