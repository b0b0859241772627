"""A small SVG: lines, bars, marks and text as strings, on linear and logarithmic axes. Standard library only.

Colours are classes; `STYLE` gives them, light and dark, to a page or to a file that stands alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

LIGHT = {
    **{"surface": "#fcfcfb", "ink": "#0b0b0b", "soft": "#52514e", "grid": "#e1e0d9", "axis": "#b5b4aa"},
    **{"s1": "#2a78d6", "s2": "#eb6834", "s3": "#1baf7a", "s4": "#eda100", "s5": "#4a3aa7", "s6": "#e87ba4"},
    "bad": "#b3261e",
}
DARK = {
    **{"surface": "#1a1a19", "ink": "#ffffff", "soft": "#c3c2b7", "grid": "#2c2c2a", "axis": "#56554f"},
    **{"s1": "#3987e5", "s2": "#d95926", "s3": "#199e70", "s4": "#c98500", "s5": "#9085e9", "s6": "#d55181"},
    "bad": "#f2a29b",
}
"""Series colours that the colour-blind tell apart; six at most in one plot."""


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


COLOURS = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
)
STYLE = "".join(
    [
        "svg{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}",
        "svg text{fill:var(--ink);font-size:12px}svg .soft{fill:var(--soft)}.strong{font-weight:600}",
        ".halo{paint-order:stroke;stroke:var(--surface);stroke-width:4px}",
        ".num{font-variant-numeric:tabular-nums}svg .bad{fill:var(--bad)}",
        ".grid{stroke:var(--grid);fill:none}.axis{stroke:var(--axis);fill:none}",
        ".mark{stroke:var(--soft);stroke-dasharray:4 3;fill:none}.back{fill:var(--surface)}",
        *(f".f{i}{{fill:var(--s{i})}}.l{i}{{stroke:var(--s{i});fill:none}}" for i in range(1, 7)),
        ".ring{stroke:var(--surface);stroke-width:2}.key{stroke:var(--soft)}.hollow{fill:var(--surface);stroke-width:2}",
        ".thin{stroke-width:1.5;opacity:.45}.front{stroke:var(--soft);fill:none;stroke-width:1.5}.track{opacity:.22}",
    ]
)


def text_width(text: str, size: float = 12) -> float:
    """About how wide a line of sans-serif text is, in pixels; rather too wide than too narrow."""
    return sum(0.35 if c in "il.,:;|!' tfrj" else 0.62 if c.islower() or c.isdigit() else 0.72 for c in text) * size


@dataclass(frozen=True)
class Axis:
    """A scale from figures to pixels."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""
    is_log: bool = True

    def at(self, value: float) -> float:
        """The pixel of a figure."""
        low, high, value = (math.log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round figures within; on a logarithmic scale 1, 10, 100, with 2 and 5 between where it is short."""
        if not self.is_log:
            step = _round_step((self.high - self.low) / 5)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [round(i * step, 10) for i in range(first, last + 1)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1,) if math.log10(self.high / self.low) > 3 else (1, 2, 5)
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        return [tick for tick in ticks if self.low * 0.999 <= tick <= self.high * 1.001]


def _round_step(rough: float) -> float:
    """The next larger of 1, 2, 5, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def log_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis with room around positive figures."""
    low, high = min(values), max(values)
    room = max(high / low, 3) ** 0.08
    return Axis(low / room, high * room, start, end)


def linear_axis(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Axis:
    """A linear axis with room around figures."""
    low, high = min(values), max(values)
    room = 0.1 * (high - low) or abs(high) * 0.01 or 1.0
    return Axis(0.0 if from_zero else low - room, high + room, start, end, is_log=False)


@dataclass
class Drawing:
    """An SVG in the making, in pixels."""

    width: float
    height: float
    title: str
    """What a screen reader says."""
    parts: list[str] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" class="{style}"/>')

    def bar(self, x: float, y: float, width: float, height: float, style: str, hint: str = "") -> None:
        """A rectangle; `hint` shows where a mouse rests on it."""
        box = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" rx="2"'
        self.parts.append(f'<rect {box} class="{style}"{_closed("rect", hint)}')

    def dot(self, x: float, y: float, style: str, shape: str = "circle", r: float = 5, hint: str = "") -> None:
        """A mark: `circle`, `square` or `diamond`."""
        if shape == "circle":
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" class="{style}"{_closed("circle", hint)}')
            return
        reach = r * 0.9 if shape == "square" else r * 1.25
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)] if shape == "square" else [(0, -1), (1, 0), (0, 1), (-1, 0)]
        path = " ".join(f"{x + a * reach:.1f},{y + b * reach:.1f}" for a, b in corners)
        self.parts.append(f'<polygon points="{path}" class="{style}"{_closed("polygon", hint)}')

    def text(self, x: float, y: float, text: str, style: str = "", *, anchor: str = "start", size: int = 12) -> None:
        """A line of text on its baseline; anchor `start`, `middle` or `end`."""
        about = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}"'
        sized = f' style="font-size:{size}px"' if size != 12 else ""
        self.parts.append(f"<text {about}{sized}>{escape(text)}</text>")

    def to_svg(self, *, standalone: bool = False) -> str:
        """The drawing; standalone with its own colours and ground, for a file."""
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        name = escape(self.title)
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{name}"><title>{name}</title>'
        if standalone:
            head += f'<style>{COLOURS}{STYLE}</style><rect class="back" width="100%" height="100%" rx="8"/>'
        return head + "\n".join(["", *self.parts]) + "\n</svg>"


def _closed(tag: str, hint: str) -> str:
    return f"><title>{escape(hint)}</title></{tag}>" if hint else "/>"
