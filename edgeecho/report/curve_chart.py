"""The area curve of a result as an SVG chart for pages, with its beats."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgeecho.report.page.svg import Drawing, linear_axis

HEIGHT = 230
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 26, 40


def draw_curve_chart(figures: Mapping[str, Any], width: float) -> Drawing:
    """Draw the area curve of a result; marks of beats that are left out are hollow."""
    area = np.nan_to_num(np.asarray(figures["area_px"], float))
    fps = figures["fps"]
    drawing = Drawing(width, HEIGHT, "Area of the left ventricle over time")
    x = linear_axis([0.0, max(len(area) - 1, 1) / (fps or 1)], LEFT, width - RIGHT, from_zero=True)
    y = linear_axis([float(area.min()), float(area.max())], HEIGHT - BOTTOM, TOP)
    for tick in y.ticks():
        drawing.line([(LEFT, y.at(tick)), (width - RIGHT, y.at(tick))], "grid")
        drawing.text(LEFT - 6, y.at(tick) + 4, f"{tick:,.0f}", "soft num", anchor="end")
    for tick in x.ticks():
        if x.at(tick) <= width - RIGHT:
            drawing.text(x.at(tick), HEIGHT - BOTTOM + 18, f"{tick:g}", "soft num", anchor="middle")
    drawing.text(LEFT, 14, "pixels of the mask", "soft")
    drawing.text(width - RIGHT, HEIGHT - 6, "seconds" if fps else "frame", "soft", anchor="end")

    def at(frame: int) -> tuple[float, float]:
        return x.at(frame / (fps or 1)), y.at(float(area[frame]))

    drawing.line([at(frame) for frame in range(len(area))], "l3")
    for number, beat in enumerate(figures["beats"], 1):
        for phase, style in (("ed", "2"), ("es", "1")):
            frame = beat[f"{phase}_frame"]
            look = f"f{style} ring" if beat["is_used"] else f"l{style} hollow"
            hint = f"beat {number}, {phase.upper()}: frame {frame}" + ("" if beat["is_used"] else ", left out")
            drawing.dot(*at(frame), look, hint=hint)
    return drawing
