"""Bar charts of rows: latency with its percentiles, live streams, stages of a whole cine, layers of a network."""

from collections.abc import Callable, Sequence
from typing import Any

from edgeecho.benchmarks.render.formatting import in_order, is_number, number, number_at, percent, row_name, significant
from edgeecho.benchmarks.render.pareto import OTHER_COLOUR, PRECISION_COLOURS
from edgeecho.benchmarks.run.result import STAGES, Row
from edgeecho.report.page.svg import Axis, Drawing, linear_axis, log_axis, text_width

MAX_LAYERS = 60
MIN_WIDE_PX = 600
"""Width in pixels below which a name stands above its bar instead of beside it."""


def draw_latency(rows: Sequence[Row], width: float = 880) -> Drawing | None:
    """Draw ms a frame, logarithmic: p50 as a mark, p90 and p99 as whiskers. None if nothing was timed."""
    marks = []
    for row in in_order(rows):
        frames = row.frames_per_run or 1
        if row.ms_per_frame and row.p50_ms:
            p90, p99 = (q and q / frames for q in (row.p90_ms, row.p99_ms))
            marks.append((row, row.ms_per_frame, p90, p99))
    title = f"milliseconds a frame of {len(marks)} rows: median, p90 and p99"
    return _whiskers(
        marks, title, "ms a frame; mark p50, thick line to p90, thin line to p99; logarithmic", width, significant
    )


def draw_live(rows: Sequence[Row], width: float = 880) -> Drawing | None:
    """Draw the part of a frame's time that live streams used, with the whole of it marked. None if there are none."""
    marks = [
        (row, used, number_at(row.live, "used_p90"), number_at(row.live, "used_p99"))
        for row in in_order(rows)
        if (used := number_at(row.live, "used_p50")) and used > 0
    ]
    title = f"part of a frame's time used at a fixed rate, {len(marks)} rows"
    words = "part of a frame's time; mark p50, thick line to p90, thin line to p99; logarithmic"
    return _whiskers(marks, title, words, width, percent, limit=1.0)


def _whiskers(
    marks: Sequence[tuple[Row, float, float | None, float | None]],
    title: str,
    words: str,
    width: float,
    write: Callable[[Any], str],
    limit: float | None = None,
) -> Drawing | None:
    if not marks:
        return None
    narrow, names = width < MIN_WIDE_PX, [row_name(row) for row, *_ in marks]
    left, right, step = _margins(names, narrow)
    top = 8 if limit is None else 36
    drawing = Drawing(width, top + step * len(marks) + 46, title)
    values = [v for _, *measured in marks for v in measured if v]
    axis = log_axis(values + ([limit] if limit else []), left, width - right)
    bottom = top + step * len(marks)
    _scale(drawing, axis, top - 6, bottom, write, words)
    for i, (row, p50, p90, p99) in enumerate(marks):
        y = top + step * (i + 1) - (9 if narrow else step / 2)
        colour = PRECISION_COLOURS.get(row.precision_asked or "", OTHER_COLOUR)
        _name(drawing, names[i], y, left, narrow)
        hint = f"{names[i]}: p50 {write(p50)}, p90 {write(p90)}, p99 {write(p99)}"
        drawing.bar(left, y - 2, axis.at(p50) - left, 4, f"f{colour} track")
        if p99:
            drawing.line([(axis.at(p50), y), (axis.at(p99), y)], f"l{colour}")
            drawing.line([(axis.at(p99), y - 4), (axis.at(p99), y + 4)], f"l{colour}")
        if p90:
            drawing.bar(axis.at(p50), y - 2, axis.at(p90) - axis.at(p50), 4, f"f{colour}")
        mark = f"hollow l{colour}" if row.form == "stream" else f"f{colour} ring"
        drawing.dot(axis.at(p50), y, mark, r=5, hint=hint)
        over = limit is not None and (row.live or {}).get("keeps_up") is False
        drawing.text(width - 2, y + 4, write(p50), "bad num" if over else "num", anchor="end")
    if limit is not None:
        drawing.line([(axis.at(limit), top - 12), (axis.at(limit), bottom)], "mark")
        drawing.text(axis.at(limit), top - 18, "the next frame comes", "soft", anchor=_anchor(axis, limit))
    return drawing


def draw_stages(rows: Sequence[Row], width: float = 880) -> Drawing | None:
    """Draw the stages of a whole cine as parts of 100 %, with the total beside. None if no row has them."""
    measured = [row for row in in_order(rows) if any(number_at(row.end_to_end, f"{stage}_ms") for stage in STAGES)]
    if not measured:
        return None
    narrow, names = width < MIN_WIDE_PX, [row_name(row) for row in measured]
    left, right, step = _margins(names, narrow, room=74)
    top = 30.0 if not narrow else 50.0
    drawing = Drawing(width, top + step * len(measured) + 8, f"parts of the time of a whole cine, {len(measured)} rows")
    x, y = 2.0, 14.0
    for i, stage in enumerate(STAGES, 1):
        if x + 24 + text_width(stage) > width:
            x, y = 2.0, y + 18
        drawing.bar(x, y - 9, 10, 10, f"f{i}")
        drawing.text(x + 15, y, stage, "soft")
        x += 34 + text_width(stage)
    for j, row in enumerate(measured):
        y = top + step * (j + 1) - (9 if narrow else step / 2)
        _name(drawing, names[j], y, left, narrow)
        parts = [number_at(row.end_to_end, f"{stage}_ms") or 0.0 for stage in STAGES]
        whole = max(sum(parts), number_at(row.end_to_end, "total_ms") or 0.0)
        x = float(left)
        for i, (stage, ms) in enumerate(zip(STAGES, parts, strict=True), 1):
            length = ms / whole * (width - right - left)
            if length > 0.5:
                hint = f"{names[j]}: {stage} {significant(ms)} ms, {percent(ms / whole)}"
                drawing.bar(x, y - 6, max(length - 2, 0.5), 12, f"f{i}", hint)
            x += length
        total = significant(number_at(row.end_to_end, "total_ms") or sum(parts))
        drawing.text(width - 2, y + 4, f"{total} ms", "num", anchor="end")
    return drawing


def draw_profile(row: Row, width: float = 880) -> Drawing | None:
    """Draw the layers of one row in their order: time, and speed against the peak throughput. None if it has none."""
    layers = [v for v in (row.profile or {}).get("layers") or [] if isinstance(v, dict) and is_number(v.get("ms"))]
    if not layers:
        return None
    least = sorted((v["ms"] for v in layers), reverse=True)[:MAX_LAYERS][-1]
    layers = [v for v in layers if v["ms"] >= least][:MAX_LAYERS]
    peak = number_at(row.profile, "ceiling_gmac_per_s")
    narrow, names = width < MIN_WIDE_PX, [_layer_name(v) for v in layers]
    left, _, step = _margins(names, narrow)
    top, gap = 40, 56
    half = (width - left - gap - 30) / 2
    bottom = top + step * len(layers)
    title = f"layers of {row_name(row)}: milliseconds, and speed against the ceiling"
    drawing = Drawing(width, bottom + 30, title)
    ms_axis = linear_axis([v["ms"] for v in layers], left, left + half - 24, from_zero=True)
    speeds = [v["gmac_per_s"] for v in layers if is_number(v.get("gmac_per_s"))] + ([peak] if peak else [])
    right = left + half + gap - 24
    speed_axis = linear_axis(speeds, right, width - 6, from_zero=True) if speeds else None
    drawing.text(left, 14, "ms", "soft")
    drawing.text(right, 14, "GMAC/s", "soft")
    for axis in (ms_axis, speed_axis):
        if axis:
            _scale(drawing, axis, top - 4, bottom, lambda v: significant(v, 2).removesuffix(".0"), "", few=narrow)
    for i, layer in enumerate(layers):
        y = top + step * (i + 1) - (9 if narrow else step / 2)
        _name(drawing, names[i], y, left, narrow)
        colour = PRECISION_COLOURS.get(str(layer.get("precision")), OTHER_COLOUR)
        hint = f"{names[i]}: {significant(layer['ms'])} ms"
        end = ms_axis.at(layer["ms"])
        drawing.bar(left, y - 5, end - left, 10, f"f{colour}", hint)
        drawing.text(end + 4, y + 4, significant(layer["ms"], 2), "soft num halo", size=11)
        if speed_axis and is_number(layer.get("gmac_per_s")):
            drawing.bar(right, y - 5, speed_axis.at(layer["gmac_per_s"]) - right, 10, f"f{colour}", hint)
    if peak and speed_axis:
        drawing.line([(speed_axis.at(peak), top - 8), (speed_axis.at(peak), bottom)], "mark")
        drawing.text(width - 2, 14, f"ceiling {number(peak)}", "soft", anchor="end")
    return drawing


def _layer_name(layer: dict[str, Any]) -> str:
    name, op = str(layer.get("name") or ""), str(layer.get("op") or "")
    words = name if op and op.lower() in name.lower() else f"{name} {op}".strip()
    return words if len(words) <= 36 else f"…{words[-35:]}"


def _margins(names: Sequence[str], narrow: bool, room: float = 62) -> tuple[float, float, float]:
    """Return the left margin, the right margin and the height of a row, in pixels."""
    return (2 if narrow else max(map(text_width, names)) + 10), room, (38 if narrow else 22)


def _name(drawing: Drawing, name: str, y: float, left: float, narrow: bool) -> None:
    if narrow:
        drawing.text(2, y - 12, name, "halo")
    else:
        drawing.text(left - 8, y + 4, name, anchor="end")


def _scale(
    drawing: Drawing, axis: Axis, top: float, bottom: float, write: Callable[[Any], str], words: str, few: bool = False
) -> None:
    """Draw grid lines with their values below, and the name of the axis."""
    last = -1e9
    for tick in axis.ticks():
        x, label = axis.at(tick), write(tick).replace(".00", "").replace(".0 ", " ").removesuffix(".0")
        drawing.line([(x, top), (x, bottom)], "grid")
        if x - last > text_width(label) + (14 if few else 8):
            drawing.text(x, bottom + 16, label, "soft num", anchor="middle")
            last = x
    drawing.line([(axis.start, bottom), (axis.end, bottom)], "axis")
    if words and drawing.width < MIN_WIDE_PX:
        first, _, rest = words.partition("; ")
        drawing.text(2, bottom + 31, first + "; logarithmic", "soft", size=11)
        drawing.text(2, bottom + 44, rest.removesuffix("; logarithmic"), "soft", size=11)
    elif words:
        drawing.text(axis.start, bottom + 36, words, "soft")


def _anchor(axis: Axis, value: float) -> str:
    """Return the text anchor with which a label above a line stays within the drawing."""
    part = (axis.at(value) - axis.start) / (axis.end - axis.start)
    return "start" if part < 0.2 else "end" if part > 0.8 else "middle"
