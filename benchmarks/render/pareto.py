"""Chart of Dice, or of parameters if no row has Dice, against time a frame, with the Pareto front."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edgeecho.benchmarks.render.formatting import mean_dice, number, row_name, significant
from edgeecho.benchmarks.run.machine import runtime_name
from edgeecho.benchmarks.run.result import BenchResult, Row
from edgeecho.report.page.svg import Axis, Drawing, linear_axis, log_axis, text_width

SHAPES = {"ort": "circle", "openvino": "square"}
"""Runtime to the shape of its mark; other runtimes have a diamond."""
PRECISION_COLOURS = {"int8": 1, "fp32": 2, "bf16": 3, "fp16": 5}
OTHER_COLOUR = 4
"""Colours of the precisions, by the number of the series in chart.css."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Point:
    """Position of a row in the chart."""

    row: Row
    x: float
    """Milliseconds a frame."""
    y: float
    """Mean Dice, or number of parameters."""


def accuracy_points(result: BenchResult) -> list[Point]:
    """Return the rows with a time and a Dice, of the data set on which most rows were evaluated."""
    with_accuracy = [row for row in result.rows if row.ms_per_frame and mean_dice(row) is not None]
    if not with_accuracy:
        return []
    data = Counter(map(_data, with_accuracy)).most_common(1)[0][0]
    return [Point(row, row.ms_per_frame or 0, mean_dice(row) or 0) for row in with_accuracy if _data(row) == data]


def size_points(result: BenchResult) -> list[Point]:
    """Return the rows with a time and a number of parameters."""
    return [Point(row, row.ms_per_frame, row.params) for row in result.rows if row.ms_per_frame and row.params]


def front(points: Sequence[Point]) -> list[Point]:
    """Return the Pareto front, fastest first: no other point is as fast and better, or as good and faster."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not best or point.y > best[-1].y:
            best.append(point)
    return best


def caption(result: BenchResult) -> str:
    """Return the caption: what the chart shows and which rows it leaves out."""
    points = accuracy_points(result)
    if not points:
        return (
            "No row has accuracy, so this shows size against time, and says nothing of how good a network is. "
            "Both axes are logarithmic."
        )
    left_out = sum(row.ms_per_frame is not None for row in result.rows) - len(points)
    words = f"Left ventricle on {_data(points[0].row)}; further up and left is better. The line joins the rows that no "
    words += "other beats in both."
    return words + (f" {left_out} timed rows have no Dice on this data and are not shown." if left_out else "")


def draw_pareto(result: BenchResult, width: float = 880) -> Drawing | None:
    """Draw Dice against ms a frame with the Pareto front, or parameters against ms a frame if no row has Dice.

    Args:
        result: Result of any schema.
        width: Width in pixels; a telephone has 360.

    Returns:
        None if no row has both figures.
    """
    points = accuracy_points(result)
    has_accuracy = bool(points)
    points = points or size_points(result)
    if not points:
        return None
    narrow = width < 600
    height = 420 if not narrow else 400
    left, right, top, bottom = (48, 14, 76 if narrow else 56, 46)
    what = "Dice, mean of ED and ES" if has_accuracy else "parameters"
    drawing = Drawing(width, height, f"{what} against milliseconds a frame, {len(points)} rows")
    base = result.yardstick() if has_accuracy else None
    base_ms = base.ms_per_frame if base and all(p.row is not base for p in points) else None
    x = log_axis([p.x for p in points] + ([base_ms] if base_ms else []), left + 6, width - right - 6)
    y_range = (height - bottom - 4, top + 4)
    y = linear_axis([p.y for p in points], *y_range) if has_accuracy else log_axis([p.y for p in points], *y_range)
    if y.high > 1 and has_accuracy:
        y = Axis(y.low, 1.0, *y_range, is_log=False)
    _frame(drawing, x, y, what, (left, top, width - right, height - bottom), has_accuracy)
    _legend(drawing, points, left, narrow)
    taken: list[Box] = []
    if base_ms:
        at = x.at(base_ms)
        drawing.line([(at, top), (at, height - bottom)], "mark")
        words = "standard 3D U-Net, fp32: no Dice"
        drawing.text(at - 6, height - bottom - 8, words, "soft halo", anchor="end")
        taken.append((at - 6 - text_width(words), height - bottom - 20, at + 1, height - bottom - 2))
    if has_accuracy:
        steps = [(p, q) for p, q in zip(front(points), front(points)[1:], strict=False)]
        line = [(x.at(front(points)[0].x), y.at(front(points)[0].y))]
        for p, q in steps:
            line += [(x.at(q.x), y.at(p.y)), (x.at(q.x), y.at(q.y))]
        drawing.line([*line, (width - right, line[-1][1])], "front")
    _marks(drawing, points, x, y, taken, (left, top, width - right, height - bottom))
    return drawing


def _frame(drawing: Drawing, x: Axis, y: Axis, what: str, inner: Box, has_accuracy: bool) -> None:
    left, top, right, bottom = inner
    digits = 3 if y.high - y.low < 0.05 else 2
    for tick in y.ticks():
        drawing.line([(left, y.at(tick)), (right, y.at(tick))], "grid")
        label = number(tick, digits) if has_accuracy else f"{significant(tick / 1e6, 1)} M"
        drawing.text(left - 6, y.at(tick) + 4, label, "soft num", anchor="end")
    for tick in x.ticks():
        drawing.line([(x.at(tick), top), (x.at(tick), bottom)], "grid")
        drawing.text(x.at(tick), bottom + 18, significant(tick, 1), "soft num", anchor="middle")
    drawing.line([(left, bottom), (right, bottom)], "axis")
    drawing.text((left + right) / 2, bottom + 38, "ms a frame, median; logarithmic", "soft", anchor="middle")
    drawing.text(left - 42, top - 10, what, "soft")


def _legend(drawing: Drawing, points: Sequence[Point], left: float, narrow: bool) -> None:
    keys: list[tuple[str, str, str]] = []
    for name in sorted(
        {p.row.precision_asked or "as the file" for p in points},
        key=lambda n: (PRECISION_COLOURS.get(n, OTHER_COLOUR), n),
    ):
        keys.append((name, f"f{PRECISION_COLOURS.get(name, OTHER_COLOUR)}", "circle"))
    for name in sorted({p.row.runtime for p in points}, key=lambda n: (n not in SHAPES, n != "ort", n)):
        keys.append((runtime_name(name), "soft", SHAPES.get(name, "diamond")))
    if any(p.row.form == "stream" for p in points):
        keys.append(("stream", "hollow key", "circle"))
    x, y = left - 36, 16.0
    for words, style, shape in keys:
        if x + 16 + text_width(words) > drawing.width:
            x, y = left - 36, y + 20
        drawing.dot(x, y - 4, style, shape)
        drawing.text(x + 10, y, words, "soft")
        x += 30 + text_width(words) - (8 if narrow else 0)


def _marks(drawing: Drawing, points: Sequence[Point], x: Axis, y: Axis, taken: list[Box], inner: Box) -> None:
    """Draw a line through each network's rows, its marks, and its name beside the first mark that has room."""
    taken += [(x.at(p.x) - 6, y.at(p.y) - 6, x.at(p.x) + 6, y.at(p.y) + 6) for p in points]
    networks: dict[str, list[Point]] = {}
    for point in sorted(points, key=lambda p: p.x):
        networks.setdefault(point.row.model, []).append(point)
    for members in networks.values():
        if len(members) > 1:
            drawing.line([(x.at(p.x), y.at(p.y)) for p in members], "axis")
    for point in points:
        style = PRECISION_COLOURS.get(point.row.precision_asked or "", OTHER_COLOUR)
        mark = f"hollow l{style}" if point.row.form == "stream" else f"f{style} ring"
        hint = f"{row_name(point.row)}: {significant(point.x)} ms a frame, {significant(point.y)}"
        drawing.dot(x.at(point.x), y.at(point.y), mark, SHAPES.get(point.row.runtime, "diamond"), hint=hint)
    for name, members in networks.items():
        for point in members:  # the first that has room beside it names the network
            if spot := _spot(x.at(point.x), y.at(point.y), text_width(name), taken, inner):
                taken.append(spot)
                drawing.text(spot[0], spot[3] - 3, name, "strong halo")
                break


def _spot(x: float, y: float, width: float, taken: Sequence[Box], inner: Box) -> Box | None:
    """Return a free place for a name beside a mark; None if there is none."""
    for gap in (0, 12, 26):
        for left, top in (
            (x - width / 2, y - 24 - gap),
            (x + 10, y - 7 - gap),
            (x - width - 10, y - 7 - gap),
            (x - width / 2, y + 9 + gap),
            (x + 10, y + 4 + gap),
            (x - width - 10, y + 4 + gap),
        ):
            box = (left, top, left + width, top + 15)
            inside = box[0] >= inner[0] and box[1] >= inner[1] and box[2] <= inner[2] and box[3] <= inner[3]
            if inside and not any(_overlap(box, other) for other in taken):
                return box
    return None


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _data(row: Row) -> str:
    accuracy = row.accuracy or {}
    return " ".join(str(accuracy[key]) for key in ("data", "split") if accuracy.get(key)) or "unknown data"
