"""A result as one HTML page that needs nothing else: no server, no network, no script to be read."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from edgeecho.benchmarks.render.charts import draw_latency, draw_live, draw_profile, draw_stages
from edgeecho.benchmarks.render.columns import COLUMNS, Column, known_columns
from edgeecho.benchmarks.render.page_style import SCRIPT, STYLE
from edgeecho.benchmarks.render.pareto import caption, draw_pareto
from edgeecho.benchmarks.render.summary import summary
from edgeecho.benchmarks.render.svg import Drawing
from edgeecho.benchmarks.render.words import (
    MISSING,
    accuracy_words,
    at,
    busy_words,
    clip_words,
    failures,
    figure,
    in_order,
    is_number,
    machine_words,
    plain,
    row_name,
)
from edgeecho.benchmarks.run.result import BenchResult, Row
from edgeecho.model.spec import NOTICE

WIDE, NARROW = 880, 350
"""Pixels of each plot's two drawings; the page shows the one that fits."""
INTERRUPTED = "Interrupted: these figures are partial."


def render_page(result: BenchResult) -> str:
    """The whole page. What a result does not hold has no section."""
    rows = in_order(result.rows)
    live = [row for row in rows if row.live]
    rate = ", ".join(sorted({f"{at(row.live, 'fps') or 0:g}" for row in live}))
    accuracy = accuracy_words(result)
    sections = [
        _figure(
            "Accuracy against time" if any(row.accuracy for row in rows) else "Size against time",
            caption(result),
            lambda width: draw_pareto(result, width),
        ),
        _figure(
            "Latency",
            "The network alone, one frame's share of a run. Every timed run counts; a percentile is missing where "
            "there were too few runs for it. Hollow: streams.",
            lambda width: draw_latency(rows, width),
        ),
        _figure(
            f"Live, {rate} frames a second",
            "How much of the time between two frames an answer took. Beyond 100 % a device falls behind.",
            lambda width: draw_live(live, width),
        ),
        _figure(
            "A whole cine, from file to figures",
            f"Where the time goes; medians, the total in ms on the right. {_cines(rows)}",
            lambda width: draw_stages(rows, width),
        ),
        *(
            _figure(
                f"Layers of {row_name(row)}",
                "Milliseconds, and multiply-accumulates a second against the ceiling that was measured on this "
                "machine." + _share(row),
                lambda width, row=row: draw_profile(row, width),  # type: ignore[misc]
            )
            for row in rows
            if row.profile
        ),
        _estimates(rows),
        _section("All rows", _table(rows) + (f"<p>{escape(accuracy)}</p>" if accuracy else "")),
        _failed(rows),
        _section("Machine", _pairs(result.machine)),
        _section("Rules", _pairs(result.protocol)),
    ]
    about = " · ".join(filter(None, [clip_words(result).capitalize(), machine_words(result), _started(result)]))
    warnings = [busy_words(result), None if result.complete else INTERRUPTED]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>EdgeEcho benchmark: {escape(machine_words(result))}</title>",
            f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>EdgeEcho benchmark</h1>",
            f'<p class="about">{escape(about)}</p>\n</header>',
            *(f'<p class="warning" role="note">{escape(warning)}</p>' for warning in warnings if warning),
            f'<p class="summary">{escape(" ".join(summary(result)))}</p>',
            *filter(None, sections),
            f"<footer><p>{escape(NOTICE)} Left ventricle in echo cines, CPU only. FLOPs = 2 x MACs. Speed-ups are over "
            "the standard 3D U-Net's fp32 clip in ONNX Runtime, of the same run.</p></footer>",
            f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _section(heading: str, body: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{body}\n</section>"


def _figure(heading: str, words: str, draw: Callable[[float], Drawing | None]) -> str:
    """A plot in two widths; empty where there is nothing to draw."""
    wide, narrow = draw(WIDE), draw(NARROW)
    if wide is None or narrow is None:
        return ""
    plots = f'<div class="wide">{wide.to_svg()}</div><div class="narrow">{narrow.to_svg()}</div>'
    return _section(heading, f"<figure>\n<figcaption>{escape(words)}</figcaption>\n{plots}\n</figure>")


def _share(row: Row) -> str:
    part = at(row.profile, "of_ceiling")
    return f" The whole run reaches {100 * part:.0f} % of it." if part is not None else ""


def _table(rows: list[Row]) -> str:
    known = known_columns(rows) or list(COLUMNS[:1])
    head = "".join(
        f'<th scope="col" title="{escape(c.about)}"{"" if c.is_text else " class=n"}>'
        f"{escape(f'{c.heading}{c.unit}' if c.heading.endswith(('-', '/')) else f'{c.heading} {c.unit}'.strip())}</th>"
        for c in known
    )
    body = "\n".join(f"<tr{' class=failed' if row.error else ''}>{_cells(known, row)}</tr>" for row in rows)
    return (
        '<div class="scroll rows" tabindex="0" role="region" aria-label="All rows">'
        f'<table class="sortable">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
    )


def _cells(known: Iterable[Column], row: Row) -> str:
    cells = []
    for i, column in enumerate(known):
        value = column.value(row)
        key = f' data-v="{value}"' if is_number(value) else ""
        tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
        text = "failed" if row.error and column.heading == "p50" and value is None else column.cell(row)
        cells.append(f"<{tag}{scope}{key}{'' if column.is_text else ' class=n'}>{escape(text)}</{tag}>")
    return "".join(cells)


def _estimates(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        for value in row.estimates or []:
            known = value if isinstance(value, dict) else {}
            span = f"{figure(known.get('low_ms'))} to {figure(known.get('high_ms'))}"
            texts = [row_name(row), str(known.get("board") or MISSING)]
            figures = [figure(known.get("ms_per_frame")), span]
            bound = known.get("bound_by")
            parts = {k: v for k, v in bound.items() if is_number(v)} if isinstance(bound, dict) else {}
            about = [max(parts, key=lambda k: parts[k]) if parts else MISSING, plain(known.get("calibration"))]
            cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
            cells += "".join(f"<td class=n>{escape(text)}</td>" for text in figures)
            lines.append(f"<tr>{cells}{''.join(f'<td>{escape(text)}</td>' for text in about)}</tr>")
    if not lines:
        return ""
    heads = ("row", "board", "estimate, ms a frame", "between", "mostly bound by", "calibrated on")
    head = "".join(f'<th scope="col"{" class=n" if 2 <= i <= 3 else ""}>{text}</th>' for i, text in enumerate(heads))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    words = "Worked out from counts and data sheets, not measured on these boards."
    scroll = f'<div class="scroll" tabindex="0" role="region" aria-label="Estimates">{table}</div>'
    return _section("Estimates, not measurements", f"<p>{words}</p>{scroll}")


def _failed(rows: list[Row]) -> str:
    lines = [f"<dt>{escape(name)}</dt><dd>{escape(why)}</dd>" for row in rows for name, why in failures(row)]
    return _section("What failed", f"<dl class=pairs>{''.join(lines)}</dl>") if lines else ""


def _pairs(values: dict[str, Any]) -> str:
    lines = (f"<dt>{escape(str(k))}</dt><dd>{escape(plain(v))}</dd>" for k, v in values.items())
    return f"<dl class=pairs>{''.join(lines)}</dl>"


def _cines(rows: list[Row]) -> str:
    """What went in."""
    given = [row.end_to_end for row in rows if row.end_to_end]
    inputs = dict.fromkeys(f"{plain(v.get('input'))}, {plain(v.get('frames'))} frames" for v in given)
    return f"Input: {'; '.join(inputs)}." if inputs else ""


def _started(result: BenchResult) -> str:
    return str(result.protocol.get("started") or "").replace("T", " ")[:16]
