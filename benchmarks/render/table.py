"""Terminal table of all rows, with the extra tables beneath it."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edgeecho.benchmarks.render.columns import ACCURACY, Column, filled_columns
from edgeecho.benchmarks.render.extra_tables import ExtraTable, extra_tables
from edgeecho.benchmarks.render.formatting import (
    accuracy_text,
    clip_text,
    failures,
    in_order,
    load_warning,
    machine_text,
    row_name,
)
from edgeecho.benchmarks.render.profile_table import render_profile
from edgeecho.benchmarks.run.result import BenchResult, Row

COLUMN_GAP_CHARS = 2
"""Characters between two columns."""


def render_table(result: BenchResult, width: int) -> Iterator[RenderableType]:
    """Yield a table of rows, fastest first and failed ones last, with the rules and the machine's state underneath.

    It has as many columns as fit into `width` characters, by their rank. The extra tables follow.
    """
    rows = in_order(result.rows)
    columns = filled_columns(rows)
    shown = fitting(columns, rows, width)
    table = _table(clip_text(result).capitalize())
    for column in shown:
        heading = f"{column.heading}\n{column.unit}" if column.unit else column.heading
        table.add_column(heading, justify="left" if column.is_text else "right", overflow="fold", no_wrap=False)
    for row in rows:
        table.add_row(*(escape(column.cell(row)) for column in shown))
    yield table
    if len(shown) < len(columns):
        more = len(columns) - len(shown)
        yield Text(f"{more} more columns in a wider terminal, with --json, or in --out's bench.html.", "dim")
    for small in extra_tables(rows, with_accuracy=not {c.heading for c in shown}.issuperset(ACCURACY)):
        yield _extra_table(small)
    profiled = [row for row in rows if row.profile]
    if len(profiled) == 1:
        yield from render_profile(profiled[0].profile or {}, row_name(profiled[0]), profiled[0].frames_per_run or 1)
    for row in rows:
        for name, why in failures(row):
            yield Text.assemble((name, "red"), f": {why}")
    for line in _notes(result):
        yield Text(line, "dim")
    for warning in (load_warning(result), None if result.complete else "Interrupted: the figures are partial."):
        if warning:
            yield Text(warning, "yellow")


def fitting(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[Column]:
    """Return the columns of lowest rank that fit together into `width` characters, in their own order."""
    left = width - 2 + COLUMN_GAP_CHARS
    chosen: list[Column] = []
    for column in sorted(columns, key=lambda c: c.rank):
        texts = (column.heading, column.unit, *(column.cell(row) for row in rows))
        left -= max(map(cell_len, texts)) + COLUMN_GAP_CHARS
        if left < 0 and chosen:
            break
        chosen.append(column)
    return [column for column in columns if column in chosen]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _extra_table(small: ExtraTable) -> Table:
    table = _table(small.title)
    for i, heading in enumerate(small.headings):
        table.add_column(heading, justify="right" if i else "left", overflow="fold")
    for cells in small.rows:
        table.add_row(*map(escape, cells))
    return table


def _unverified(result: BenchResult) -> list[str]:
    found = {e["board"]: e["unverified"] for row in result.rows for e in row.estimates or () if e.get("unverified")}
    return [f"Estimates: unverified of {board}: {', '.join(names)}." for board, names in found.items()]


def _notes(result: BenchResult) -> list[str]:
    has_streams = any(row.form == "stream" for row in result.rows)
    yardstick = "over unet3d, the standard 3D U-Net (random weights, same exporter), fp32 in ONNX Runtime, this run."
    accuracy = accuracy_text(result)
    energy = result.protocol.get("energy", "not measured")
    return [
        "Network alone, uint8 in, uint8 out. One process a row, in turns, every run counts; FLOPs = 2 x MACs.",
        *(["live: one more live frame; a stream's run, or a whole window again."] if has_streams else []),
        *([f"Speed-up: {yardstick}"] if any(row.speedup_vs_unet3d for row in result.rows) else []),
        *([accuracy] if accuracy else []),
        *_unverified(result),
        f"{machine_text(result)}; energy {energy}.",
    ]
