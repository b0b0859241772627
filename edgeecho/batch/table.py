"""The table of a run: `results.csv` and, where pyarrow is installed, `results.parquet`, a row a cine."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeecho.batch.task import Outcome
from edgeecho.files import atomic
from edgeecho.names import printable

CSV_NAME, PARQUET_NAME = "results.csv", "results.parquet"


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    name: str
    kind: str
    """`text`, `number`, `count` or `truth`."""
    meaning: str


COLUMNS = (
    Column("name", "text", "name of the results without suffix"),
    Column("input", "text", "the cine as it was given"),
    Column("status", "text", "`done`, or `failed`: the cine could not be read or segmented"),
    Column("verdict", "text", "`report`, `review` or `withhold`; empty if failed"),
    Column("reasons", "text", "codes of the reasons of the level that decides, with spaces between"),
    Column("ef_percent", "number", "EF, median over the beats used; empty if withheld or without a beat"),
    Column("ef_low", "number", "lower end of the interval of EF for 90% of patients; empty if not known"),
    Column("ef_high", "number", "its upper end"),
    Column("edv_ml", "number", "end-diastolic volume; empty if withheld or without spacing"),
    Column("esv_ml", "number", "end-systolic volume; likewise"),
    Column("sv_ml", "number", "stroke volume; likewise"),
    Column("heart_rate_bpm", "number", "beats a minute; empty without a frame rate"),
    Column("beats", "count", "beats measured"),
    Column("beats_used", "count", "beats that count in the medians"),
    Column("ed_frame", "count", "end-diastole of the first beat used, 0-based"),
    Column("es_frame", "count", "its end-systole"),
    Column("frames", "count", "frames of the cine"),
    Column("height", "count", "pixels"),
    Column("width", "count", "pixels"),
    Column("fps", "number", "frames a second; empty if unknown"),
    Column("row_mm", "number", "height of a pixel; empty if unknown"),
    Column("column_mm", "number", "width of a pixel; empty if unknown"),
    Column("flip", "text", "how the picture was turned for the network"),
    Column("confidence", "number", "mean probability inside the masks, 0 to 1"),
    Column("corrected", "truth", "whether a person corrected the result"),
    Column("model", "text", "name of the model"),
    Column("model_sha256", "text", "SHA-256 of the model file"),
    Column("precision", "text", "`int8` or `fp32`"),
    Column("runtime", "text", "engine and its version"),
    Column("licence", "text", "licence of the weights"),
    Column("input_sha256", "text", "SHA-256 of the cine"),
    Column("error", "text", "what was wrong, if failed"),
)
"""Columns in their order; docs/clinic.md has the same list."""


def row_of(outcome: Outcome) -> dict[str, Any]:
    """Return the row of a cine, with None for what is empty."""
    row: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS)
    row |= {"name": printable(outcome.task.name), "input": printable(outcome.task.label), "status": "failed"}
    if outcome.figures is None:
        return row | {"error": printable(outcome.error)}
    return row | _figures_row(outcome.figures) | {"status": "done"}


def _figures_row(figures: Mapping[str, Any]) -> dict[str, Any]:
    used = [beat for beat in figures["beats"] if beat["is_used"]]
    decisive = [reason["code"] for reason in figures["reasons"] if reason["level"] == figures["verdict"]]
    interval, spacing = figures["ef_interval"] or (None, None), figures["spacing_mm"] or (None, None)
    model, run = figures["model"], figures.get("run") or {}
    same = ("verdict", "ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm", "frames", "height", "width", "fps")
    return {
        **{name: figures[name] for name in (*same, "flip")},
        "reasons": " ".join(dict.fromkeys(decisive)),
        "ef_low": interval[0],
        "ef_high": interval[1],
        "beats": len(figures["beats"]),
        "beats_used": len(used),
        "ed_frame": used[0]["ed_frame"] if used else None,
        "es_frame": used[0]["es_frame"] if used else None,
        "row_mm": spacing[0],
        "column_mm": spacing[1],
        "confidence": figures["quality"]["confidence"],
        "corrected": bool(figures.get("corrections")),
        "model": model["name"],
        "model_sha256": model["sha256"],
        "precision": model["precision"],
        "runtime": f"{model['runtime']} {model['runtime_version']}",
        "licence": model["licence"],
        "input_sha256": run.get("input_sha256"),
    }


class TableWriter:
    """Collects the rows of a run and writes them."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.rows: list[dict[str, Any]] = []

    def add(self, outcome: Outcome) -> None:
        """Add the row of a cine."""
        self.rows.append(row_of(outcome))

    def write(self) -> list[Path]:
        """Write both files, each whole or not at all, and return their paths.

        Raises:
            OutputError: If a file cannot be written.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, [column.name for column in COLUMNS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with atomic(self._out / CSV_NAME) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
        written = [self._out / CSV_NAME]
        try:
            import pyarrow
        except ImportError:
            return written
        from pyarrow import parquet

        kinds = {
            "text": pyarrow.string(),
            "number": pyarrow.float64(),
            "count": pyarrow.int64(),
            "truth": pyarrow.bool_(),
        }
        schema = pyarrow.schema(
            [pyarrow.field(c.name, kinds[c.kind], metadata={"meaning": c.meaning}) for c in COLUMNS]
        )
        with atomic(self._out / PARQUET_NAME) as temporary, temporary.open("wb") as file:
            parquet.write_table(pyarrow.Table.from_pylist(self.rows, schema=schema), file)
        return [*written, self._out / PARQUET_NAME]
