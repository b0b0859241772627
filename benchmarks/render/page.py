"""A result as one HTML page that needs no server and no network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from edgeecho.benchmarks.render.charts import draw_latency, draw_live, draw_profile, draw_stages
from edgeecho.benchmarks.render.columns import COLUMNS, Column, filled_columns
from edgeecho.benchmarks.render.formatting import (
    MISSING,
    accuracy_text,
    clip_text,
    failures,
    in_order,
    is_number,
    json_text,
    load_warning,
    machine_text,
    number_at,
    row_name,
    significant,
)
from edgeecho.benchmarks.render.pareto import caption, draw_pareto
from edgeecho.benchmarks.render.summary import summary
from edgeecho.benchmarks.run.result import BenchResult, Row
from edgeecho.model.spec import NOTICE
from edgeecho.report.page.svg import Drawing
from edgeecho.report.page.template import render

WIDE_PX, NARROW_PX = 880, 350
"""Widths of the two drawings of each chart; the page shows the one that fits."""
INTERRUPTED = "Interrupted: these figures are partial."


def render_page(result: BenchResult) -> str:
    """Return the page. A part that no row has, such as a profile, has no section."""
    rows = in_order(result.rows)
    columns = filled_columns(rows) or list(COLUMNS[:1])
    return render(
        "bench.html",
        Path(__file__).parent / "templates",
        title=f"EdgeEcho benchmark: {machine_text(result)}",
        about=" · ".join(filter(None, [clip_text(result).capitalize(), machine_text(result), _start_time(result)])),
        warnings=list(filter(None, [load_warning(result), None if result.complete else INTERRUPTED])),
        summary=" ".join(summary(result)),
        figures=list(_figures(result, rows)),
        estimates=list(_estimates(rows)),
        columns=columns,
        rows=[(row, [(column, _cell(column, row)) for column in columns]) for row in rows],
        accuracy=accuracy_text(result),
        failures=[failure for row in rows for failure in failures(row)],
        machine=[(key, json_text(value)) for key, value in result.machine.items()],
        protocol=[(key, json_text(value)) for key, value in result.protocol.items()],
        notice=NOTICE,
    )


@dataclass(frozen=True)
class _Figure:
    """A chart in two widths, with its heading and caption."""

    heading: str
    caption: str
    wide: Markup
    narrow: Markup


def _figures(result: BenchResult, rows: list[Row]) -> Iterator[_Figure]:
    """Yield the charts that have something to draw."""
    live = [row for row in rows if row.live]
    rate = ", ".join(sorted({f"{number_at(row.live, 'fps') or 0:g}" for row in live}))
    charts: list[tuple[str, str, Callable[[float], Drawing | None]]] = [
        (
            "Accuracy against time" if any(row.accuracy for row in rows) else "Size against time",
            caption(result),
            lambda width: draw_pareto(result, width),
        ),
        (
            "Latency",
            "The network alone, one frame's share of a run. Every timed run counts; a percentile is missing where "
            "there were too few runs for it. Hollow: streams.",
            lambda width: draw_latency(rows, width),
        ),
        (
            f"Live, {rate} frames a second",
            "How much of the time between two frames an answer took. Beyond 100 % a device falls behind.",
            lambda width: draw_live(live, width),
        ),
        (
            "A whole cine, from file to figures",
            f"Where the time goes; medians, the total in ms on the right. {_cine_text(rows)}",
            lambda width: draw_stages(rows, width),
        ),
        *(
            (
                f"Layers of {row_name(row)}",
                "Milliseconds, and multiply-accumulates a second against the ceiling that was measured on this "
                f"machine.{_share_of_peak(row)}",
                lambda width, row=row: draw_profile(row, width),
            )
            for row in rows
            if row.profile
        ),
    ]
    for heading, text, draw in charts:
        wide, narrow = draw(WIDE_PX), draw(NARROW_PX)
        if wide and narrow:
            yield _Figure(heading, text, wide.to_svg(), narrow.to_svg())


@dataclass(frozen=True)
class _Cell:
    """A cell of the table of all rows."""

    text: str
    sort_key: float | None


def _cell(column: Column, row: Row) -> _Cell:
    value = column.value(row)
    is_missing_time = row.error and column.heading == "p50" and value is None
    return _Cell("failed" if is_missing_time else column.cell(row), value if is_number(value) else None)


def _estimates(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each estimate: row, board, time, range, what bounds it, calibration."""
    for row in rows:
        for estimate in row.estimates or []:
            values: dict[str, Any] = estimate if isinstance(estimate, dict) else {}
            bounds = values.get("bound_by")
            parts = {k: v for k, v in bounds.items() if is_number(v)} if isinstance(bounds, dict) else {}
            yield (
                row_name(row),
                str(values.get("board") or MISSING),
                significant(values.get("ms_per_frame")),
                f"{significant(values.get('low_ms'))} to {significant(values.get('high_ms'))}",
                max(parts, key=lambda name: parts[name]) if parts else MISSING,
                json_text(values.get("calibration")),
            )


def _share_of_peak(row: Row) -> str:
    part = number_at(row.profile, "of_ceiling")
    return f" The whole run reaches {100 * part:.0f} % of it." if part is not None else ""


def _cine_text(rows: list[Row]) -> str:
    """Describe the cines of the end-to-end measurements."""
    measured = [row.end_to_end for row in rows if row.end_to_end]
    inputs = dict.fromkeys(f"{json_text(v.get('input'))}, {json_text(v.get('frames'))} frames" for v in measured)
    return f"Input: {'; '.join(inputs)}." if inputs else ""


def _start_time(result: BenchResult) -> str:
    return str(result.protocol.get("started") or "").replace("T", " ")[:16]
