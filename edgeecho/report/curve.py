"""Picture of the area curve, with ED and ES marked."""

import os

import cv2
import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.model.spec import NOTICE
from edgeecho.report.draw import (
    BACKGROUND,
    ED,
    ES,
    GRID,
    MUTED,
    OUTLINE,
    TEXT,
    disc,
    fit_text,
    polyline,
    put_text,
    text_width,
)
from edgeecho.report.files import write_png
from edgeecho.report.marks import Marks

WIDTH, HEIGHT = 1200, 546
"""Size of the picture in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 96, 36, 118, 74
"""Margins around the plot in pixels."""


def write_curve(
    path: str | os.PathLike[str],
    area_px: np.ndarray,
    fps: float | None,
    marks: Marks,
    title: str,
) -> None:
    """Write the picture of `draw_curve` as PNG; a file of that name is replaced.

    Raises:
        OutputError: If it cannot be written.
        ShapeError: If `area_px` is empty or not one-dimensional.
    """
    write_png(path, draw_curve(area_px, fps, marks, title))


def draw_curve(
    area_px: np.ndarray,
    fps: float | None,
    marks: Marks,
    title: str,
) -> np.ndarray:
    """Draw an area curve over time.

    Args:
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second; None puts frames on the axis in place of seconds.
        marks: Frames to mark, EF in the corner, and the remark in the line below the title.
        title: Title of the picture, such as the name of the cine.

    Returns:
        uint8 BGR, (546, 1200, 3).

    Raises:
        ShapeError: If `area_px` is empty or not one-dimensional.
    """
    area = np.nan_to_num(np.asarray(area_px, float))
    if area.ndim != 1 or len(area) == 0:
        raise ShapeError(f"expected area_px (T,) with T >= 1, got {area.shape}")
    image = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
    time = np.arange(len(area)) / (fps or 1.0)
    low, high = _limits(area)
    end = float(time[-1]) or 1.0

    def place(x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        across = LEFT + (WIDTH - LEFT - RIGHT) * np.asarray(x) / end
        return np.stack(np.broadcast_arrays(across, _row(y, low, high)), axis=-1)

    for tick in ticks(low, high, 5):
        y = round(float(_row(tick, low, high)))
        cv2.line(image, (LEFT, y), (WIDTH - RIGHT, y), GRID, 1)
        put_text(image, f"{tick:,.0f}".replace(",", " "), (LEFT - 12, y + 5), 15, MUTED, align=1)
    for tick in ticks(0.0, end, 8, whole=fps is None):
        x = round(float(place(tick, low)[0]))
        cv2.line(image, (x, HEIGHT - BOTTOM), (x, HEIGHT - BOTTOM + 5), MUTED, 1)
        put_text(image, f"{tick:g}", (x, HEIGHT - BOTTOM + 23), 15, MUTED, align=0.5)
    cv2.line(image, (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM), MUTED, 1)
    curve = place(time, area)
    for frames, colour in ((marks.ed_frames, ED), (marks.es_frames, ES)):
        for index in frames:
            x, y = (round(float(v)) for v in curve[index])
            for start in range(y + 8, HEIGHT - BOTTOM, 8):
                cv2.line(image, (x, start), (x, min(start + 3, HEIGHT - BOTTOM)), colour, 1)
    polyline(image, curve, OUTLINE, 2)
    for frames, colour in ((marks.ed_frames, ED), (marks.es_frames, ES)):
        for index in frames:
            disc(image, curve[index], 5.5, colour, ring=BACKGROUND, is_hollow=index in marks.left_out)
    _write_labels(image, fps, marks, title)
    return image


def ticks(low: float, high: float, about: int, *, whole: bool = False) -> list[float]:
    """Return round numbers from `low` to `high`, about so many, in steps of 1, 2 or 5 times a power of ten.

    Args:
        low: Lower end.
        high: Upper end.
        about: Number of ticks to come near to.
        whole: Whether only whole numbers are wanted.
    """
    rough = max((high - low) / about, 1e-9)
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * min((1, 2, 5, 10), key=lambda factor: abs(np.log(factor * power / rough))))
    step = max(step, 1.0) if whole else step
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(number * step, 9) for number in range(first, last + 1)]


def _limits(area: np.ndarray) -> tuple[float, float]:
    """Ends of the axis: range of the curve and a margin, at least a tenth of its middle, so that flat looks flat."""
    middle, half = (float(area.max()) + float(area.min())) / 2, float(np.ptp(area)) / 2
    half = max(half * 1.12, 0.1 * middle, 1.0)
    return max(0.0, middle - half), middle + half


def _row(area: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """Row of the picture at which an area is drawn."""
    return np.asarray(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (np.asarray(area) - low) / (high - low))


def _has_marks(marks: Marks) -> bool:
    return bool(len(marks.ed_frames) or len(marks.es_frames))


def _write_labels(image: np.ndarray, fps: float | None, marks: Marks, title: str) -> None:
    """Write title, headline, remark, axis names, legend and notice."""
    put_text(image, fit_text(title, WIDTH - 420, 22, bold=True), (LEFT - 60, 44), 22, TEXT, bold=True)
    put_text(image, fit_text(marks.remark, WIDTH - LEFT - RIGHT + 60, 16), (LEFT - 60, 72), 16, TEXT)
    put_text(image, "Left-ventricular area in pixels", (LEFT - 60, 98), 15, MUTED)
    put_text(image, marks.headline, (WIDTH - RIGHT, 46), 26, TEXT, align=1, bold=True)
    legend = [("end-systole (ES)", ES, False), ("end-diastole (ED)", ED, False)] if _has_marks(marks) else []
    x = WIDTH - RIGHT
    for text, colour, is_hollow in [("beat left out", MUTED, True)] * bool(marks.left_out) + legend:
        x -= text_width(text, 15)
        put_text(image, text, (x, 98), 15, MUTED)
        disc(image, (x - 12, 93), 5, colour, is_hollow=is_hollow)
        x -= 40
    name = "Time in seconds" if fps else "Frame"
    put_text(image, name, ((WIDTH + LEFT - RIGHT) / 2, HEIGHT - 20), 15, MUTED, align=0.5)
    put_text(image, NOTICE, (WIDTH - RIGHT, HEIGHT - 20), 13, MUTED, align=1)
