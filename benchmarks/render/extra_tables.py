"""Tables of what only some rows have, such as live streams and layers, as text for the terminal and Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeecho.benchmarks.render.formatting import MISSING, number, number_at, percent, row_name, significant
from edgeecho.benchmarks.run.result import STAGES, Row

Cell = Callable[[Row], str]
YES_NO: dict[bool | None, str] = {True: "yes", False: "no"}


@dataclass(frozen=True)
class ExtraTable:
    """Table of the rows that have one kind of measurement."""

    title: str
    headings: tuple[str, ...]
    """Headings of the row's name and of the figures."""
    rows: list[list[str]]


def extra_tables(rows: Sequence[Row], with_accuracy: bool) -> list[ExtraTable]:
    """Return the tables that have at least one row.

    Args:
        rows: Rows in the order in which they are shown.
        with_accuracy: Whether to return the table of accuracy; a wide table of all rows contains it already.
    """
    boards = dict.fromkeys(found["board"] for row in rows for found in row.estimates or ())
    kinds: tuple[tuple[str, str, dict[str, Cell]], ...] = (
        ("accuracy", "Accuracy", ACCURACY if with_accuracy else {}),
        ("live", "At a fixed rate: part of a frame's time used", LIVE),
        ("end_to_end", "A whole cine from file to figures, ms", {n: _stage(n) for n in (*STAGES, "total")}),
        ("profile", "Where a run's time goes; each layer of each row in --out's bench.html", LAYERS),
        (
            "estimates",
            "ESTIMATES by the roofline model, ms a frame (low to high); nothing was measured on these boards",
            {board: _estimate(board) for board in boards},
        ),
    )
    return [
        ExtraTable(title, ("row", *cells), [[row_name(row), *(cell(row) for cell in cells.values())] for row in shown])
        for kind, title, cells in kinds
        if cells and (shown := [row for row in rows if getattr(row, kind)])
    ]


def _stage(name: str) -> Cell:
    return lambda row: significant(number_at(row.end_to_end, f"{name}_ms"))


def _used(q: int) -> Cell:
    return lambda row: percent(number_at(row.live, f"used_p{q}"))


def _longest(row: Row) -> str:
    layer = max((row.profile or {}).get("layers", ()), key=lambda found: found["ms"], default=None)
    return f"{layer['name']} {significant(layer['ms'])}" if layer else MISSING


def _estimate(board: str) -> Cell:
    def cell(row: Row) -> str:
        found = next((found for found in row.estimates or () if found["board"] == board), None)
        if not found:
            return MISSING
        return (
            f"{significant(found['ms_per_frame'])} ({significant(found['low_ms'])} to {significant(found['high_ms'])})"
        )

    return cell


ACCURACY: dict[str, Cell] = {
    "Dice ED": lambda row: number(number_at(row.accuracy, "dice_ed"), 3),
    "Dice ES": lambda row: number(number_at(row.accuracy, "dice_es"), 3),
    "EF error": lambda row: number(number_at(row.accuracy, "ef_mae"), 2),
    "EF n": lambda row: number(number_at(row.accuracy, "ef_n")),
}
LIVE: dict[str, Cell] = {
    "keeps up": lambda row: YES_NO.get((row.live or {}).get("keeps_up"), MISSING),
    "fps": lambda row: significant(number_at(row.live, "fps")),
    **{f"p{q}": _used(q) for q in (50, 90, 99)},
    "latest, ms": lambda row: significant(number_at(row.live, "late_max_ms")),
    "missed": lambda row: f"{number(number_at(row.live, 'missed'))} of {number(number_at(row.live, 'frames'))}",
}
LAYERS: dict[str, Cell] = {
    "layers, ms": lambda row: significant(number_at(row.profile, "total_ms")),
    "convolutions, ms": lambda row: significant(number_at(row.profile, "conv_ms")),
    "ceiling, GMAC/s": lambda row: number(number_at(row.profile, "ceiling_gmac_per_s")),
    "reached": lambda row: percent(number_at(row.profile, "of_ceiling")),
    "longest layer": _longest,
}
