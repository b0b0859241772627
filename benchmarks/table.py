"""The terminal table, and small ones beneath it for what not every run has."""

from collections.abc import Callable, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edgeecho.benchmarks.columns import ACCURACY, Column, known_columns
from edgeecho.benchmarks.result import BenchResult, Row
from edgeecho.benchmarks.words import (
    MISSING,
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
    row_name,
)

PIPE_WIDTH = 120
"""Columns of a file or a pipe, which have room."""
GAP = 2
"""Characters between two columns."""

Small = tuple[tuple[str, Callable[[Row], str]], ...]
"""Heading and cell of each column of a small table."""


def print_table(result: BenchResult, console: Console) -> None:
    """Print rows, fastest first and failed ones last, with the rules and the machine's state underneath.

    As many columns as the console is wide, the most telling first; what else was measured follows in small tables.
    """
    if not console.is_terminal and console.width < PIPE_WIDTH:
        console.width = PIPE_WIDTH
    rows = in_order(result.rows)
    known = known_columns(rows)
    shown = fitting(known, rows, console.width)
    table = _table(clip_words(result).capitalize())
    for column in shown:
        heading = f"{column.heading}\n{column.unit}" if column.unit else column.heading
        table.add_column(heading, justify="left" if column.is_text else "right", overflow="fold", no_wrap=False)
    for row in rows:
        table.add_row(*(escape(column.cell(row)) for column in shown))
    console.print(table)
    if len(shown) < len(known):
        console.print(
            f"{len(known) - len(shown)} more columns in a wider terminal, with --json, or in --out's bench.html.",
            style="dim",
            highlight=False,
        )
    _print_small_tables(rows, {c.heading for c in shown}, console)
    for row in rows:
        for name, why in failures(row):
            console.print(f"[red]{escape(name)}[/]: {escape(why)}", highlight=False)
    for line in _notes(result):
        console.print(line, style="dim", highlight=False, markup=False)
    for warning in (busy_words(result), None if result.complete else "Interrupted: the figures are partial."):
        if warning:
            console.print(warning, style="yellow", highlight=False, markup=False)


def fitting(known: Sequence[Column], rows: Sequence[Row], width: int) -> list[Column]:
    """The columns of lowest rank that fit together into so many characters, in their own order."""
    left = width - 2 + GAP
    chosen: list[Column] = []
    for column in sorted(known, key=lambda c: c.rank):
        texts = (column.heading, column.unit, *(column.cell(row) for row in rows))
        left -= max(map(cell_len, texts)) + GAP
        if left < 0 and chosen:
            break
        chosen.append(column)
    return [column for column in known if column in chosen]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _print_small_tables(rows: Sequence[Row], shown: set[str], console: Console) -> None:
    name: Small = (("row", row_name),)
    accuracy: Small = (
        ("Dice ED", lambda row: number(at(row.accuracy, "dice_ed"), 3)),
        ("Dice ES", lambda row: number(at(row.accuracy, "dice_es"), 3)),
        ("EF error", lambda row: number(at(row.accuracy, "ef_mae"), 2)),
        ("EF n", lambda row: number(at(row.accuracy, "ef_n"))),
    )
    if not shown.issuperset(ACCURACY):
        _print_small("Accuracy", name + accuracy, [row for row in rows if row.accuracy], console)
    live: Small = (
        ("keeps up", lambda row: {True: "yes", False: "no"}.get((row.live or {}).get("keeps_up"), MISSING)),
        ("fps", lambda row: figure(at(row.live, "fps"))),
        *((f"p{q}", _used(q)) for q in (50, 90, 99)),
        ("latest\nms", lambda row: figure(at(row.live, "late_max_ms"))),
        ("missed", lambda row: f"{number(at(row.live, 'missed'))}/{number(at(row.live, 'frames'))}"),
    )
    _print_small("At a fixed rate: part of a frame's time used", name + live, [r for r in rows if r.live], console)
    stages: Small = tuple((stage, _stage(stage)) for stage in (*STAGES, "total"))
    _print_small(
        "A whole cine from file to figures, ms", name + stages, [row for row in rows if row.end_to_end], console
    )
    layers: Small = (
        ("layers\nms", lambda row: figure(at(row.profile, "total_ms"))),
        ("convolutions\nms", lambda row: figure(at(row.profile, "conv_ms"))),
        ("ceiling\nGMAC/s", lambda row: number(at(row.profile, "ceiling_gmac_per_s"))),
        ("reached", lambda row: percent(at(row.profile, "of_ceiling"))),
        ("longest layer", _longest),
    )
    profiled = [row for row in rows if row.profile]
    _print_small("Where a run's time goes; each layer in --out's bench.html", name + layers, profiled, console)
    boards = dict.fromkeys(found["board"] for row in rows for found in row.estimates or ())
    estimates: Small = tuple((board, _estimate(board)) for board in boards)
    title = "ESTIMATES by the roofline model, ms a frame (low to high); nothing was measured on these boards"
    _print_small(title, name + estimates, [row for row in rows if row.estimates], console)


def _print_small(title: str, columns: Small, rows: Sequence[Row], console: Console) -> None:
    if not rows:
        return
    table = _table(title)
    for i, (heading, _) in enumerate(columns):
        table.add_column(heading, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell(row)) for _, cell in columns))
    console.print(table)


def _used(q: int) -> Callable[[Row], str]:
    return lambda row: percent(at(row.live, f"used_p{q}"))


def _stage(stage: str) -> Callable[[Row], str]:
    return lambda row: figure(at(row.end_to_end, f"{stage}_ms"))


def _longest(row: Row) -> str:
    layer = max((row.profile or {})["layers"], key=lambda found: found["ms"], default=None)
    return f"{layer['name']} {figure(layer['ms'])}" if layer else MISSING


def _estimate(board: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        found = next((found for found in row.estimates or () if found["board"] == board), None)
        if not found:
            return MISSING
        return f"{figure(found['ms_per_frame'])} ({figure(found['low_ms'])} to {figure(found['high_ms'])})"

    return cell


def _notes(result: BenchResult) -> list[str]:
    has_streams = any(row.form == "stream" for row in result.rows)
    yardstick = "over unet3d, the standard 3D U-Net (random weights, same exporter), fp32 in ONNX Runtime, this run."
    accuracy = accuracy_words(result)
    energy = result.protocol.get("energy", "not measured")
    return [
        "Network alone, uint8 in, uint8 out. One process a row, in turns, every run counts; FLOPs = 2 x MACs.",
        *(["live: one more live frame; a stream's run, or a whole window again."] if has_streams else []),
        *([f"Speed-up: {yardstick}"] if any(row.speedup_vs_unet3d for row in result.rows) else []),
        *([accuracy] if accuracy else []),
        f"{machine_words(result)}; energy {energy}.",
    ]
