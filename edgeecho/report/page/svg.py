"""SVG charts: lines, bars, marks and text on linear and logarithmic axes, in the colours of the page.

Colours are classes of `chart.css`, so that a chart follows the light or dark theme of its page and its marks have
tooltips; matplotlib's SVG has fixed colours, no tooltips, and needs matplotlib where a board has none. The classes `f1`
to `f6` (fill) and `l1` to `l6` (line) are series colours that the colour-blind tell apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from edgeecho.report.page.template import FOLDER


def text_width(text: str, size: float = 12) -> float:
    """Width of a line of sans-serif text in pixels, estimated; rather too wide than too narrow."""
    return sum(0.35 if c in "il.,:;|!' tfrj" else 0.62 if c.islower() or c.isdigit() else 0.72 for c in text) * size


@dataclass(frozen=True)
class Axis:
    """A scale from values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""
    is_log: bool = True

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, value = (math.log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values within; on a logarithmic scale 1, 10, 100, and 2 and 5 too where it is short."""
        if not self.is_log:
            step = _round_step((self.high - self.low) / 5)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [round(i * step, 10) for i in range(first, last + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1,) if math.log10(self.high / self.low) > 3 else (1, 2, 5)
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        return [tick for tick in ticks if self.low * 0.999 <= tick <= self.high * 1.001]


def _round_step(rough: float) -> float:
    """Return the next larger of 1, 2, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def log_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Return a logarithmic axis with a margin around positive values."""
    low, high = min(values), max(values)
    margin = max(high / low, 3) ** 0.08
    return Axis(low / margin, high * margin, start, end)


def linear_axis(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Axis:
    """Return a linear axis with a margin around values."""
    low, high = min(values), max(values)
    margin = 0.1 * (high - low) or abs(high) * 0.01 or 1.0
    return Axis(0.0 if from_zero else low - margin, high + margin, start, end, is_log=False)


@dataclass
class Drawing:
    """An SVG chart, in pixels. Text is escaped."""

    width: float
    height: float
    title: str
    """Name for screen readers."""
    parts: list[Markup] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """Draw a line through points."""
        self.parts.append(Markup('<polyline points="{}" class="{}"/>').format(_path(points), style))

    def bar(self, x: float, y: float, width: float, height: float, style: str, hint: str = "") -> None:
        """Draw a rectangle with an optional tooltip."""
        box = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2" class="{}"').format(
            x, y, max(width, 0.5), height, style
        )
        self.parts.append(box + _closed("rect", hint))

    def dot(self, x: float, y: float, style: str, shape: str = "circle", r: float = 5, hint: str = "") -> None:
        """Draw a mark, `circle`, `square` or `diamond`, with an optional tooltip."""
        if shape == "circle":
            mark = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="{}"').format(x, y, r, style)
            self.parts.append(mark + _closed("circle", hint))
            return
        reach = r * 0.9 if shape == "square" else r * 1.25
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)] if shape == "square" else [(0, -1), (1, 0), (0, 1), (-1, 0)]
        path = _path([(x + a * reach, y + b * reach) for a, b in corners])
        self.parts.append(Markup('<polygon points="{}" class="{}"').format(path, style) + _closed("polygon", hint))

    def text(self, x: float, y: float, text: str, style: str = "", *, anchor: str = "start", size: int = 12) -> None:
        """Draw a line of text on its baseline; anchor `start`, `middle` or `end`."""
        sized = Markup(' style="font-size:{}px"').format(size) if size != 12 else ""
        self.parts.append(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}"{}>{}</text>').format(
                x, y, anchor, style, sized, text
            )
        )

    def to_svg(self, *, standalone: bool = False) -> Markup:
        """Return the chart for a page, or, with its own colours and background, for a file."""
        head = Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" '
            'role="img" aria-label="{2}"><title>{2}</title>'
        ).format(self.width, self.height, self.title)
        if standalone:
            style = Markup("".join((FOLDER / name).read_text() for name in ("colours.css", "chart.css")))
            ground = Markup('<rect class="back" width="100%" height="100%" rx="8"/>')
            head += Markup("<style>\n{}</style>").format(style) + ground
        return Markup("\n").join([head, *self.parts, Markup("</svg>")])


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _closed(tag: str, hint: str) -> Markup:
    """Return the end of an element, with a tooltip inside where there is one."""
    return Markup("><title>{1}</title></{0}>").format(tag, hint) if hint else Markup("/>")
