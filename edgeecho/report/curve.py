"""Picture of the area curve, with ED and ES marked."""

import os
from collections.abc import Sequence

import cv2
import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.model.spec import NOTICE
from edgeecho.report.draw import BACKGROUND, ED, ES, GRID, MUTED, OUTLINE, TEXT, disc, polyline, put_text, text_width
from edgeecho.report.files import write_png

WIDTH, HEIGHT = 1200, 520
"""Size of the picture in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 96, 36, 92, 74
"""Margins around the plot in pixels."""


def write_curve(
    path: str | os.PathLike[str],
    area_px: np.ndarray,
    fps: float | None,
    ed_frames: Sequence[int],
    es_frames: Sequence[int],
    ef_percent: float | None,
    title: str,
    *,
    is_doubtful: bool = False,
) -> None:
    """Write the picture of `draw_curve` as PNG; a file of that name is replaced.

    Raises:
        OutputError: If it cannot be written.
        ShapeError: If `area_px` is empty or not one-dimensional.
    """
    write_png(path, draw_curve(area_px, fps, ed_frames, es_frames, ef_percent, title, is_doubtful=is_doubtful))


def draw_curve(
    area_px: np.ndarray,
    fps: float | None,
    ed_frames: Sequence[int],
    es_frames: Sequence[int],
    ef_percent: float | None,
    title: str,
    *,
    is_doubtful: bool = False,
) -> np.ndarray:
    """Draw an area curve over time.

    Args:
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second; None puts frames on the axis in place of seconds.
        ed_frames: 0-based frames to mark as end-diastole.
        es_frames: 0-based frames to mark as end-systole.
        ef_percent: EF in the corner; None leaves it out.
        title: Title of the picture, such as the name of the cine.
        is_doubtful: Whether the EF, or the corner without an EF, has the word "doubtful".

    Returns:
        uint8 BGR, (520, 1200, 3).

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
    for frames, colour in ((ed_frames, ED), (es_frames, ES)):
        for index in frames:
            x, y = (round(float(v)) for v in curve[index])
            for start in range(y + 8, HEIGHT - BOTTOM, 8):
                cv2.line(image, (x, start), (x, min(start + 3, HEIGHT - BOTTOM)), colour, 1)
    polyline(image, curve, OUTLINE, 2)
    for frames, colour in ((ed_frames, ED), (es_frames, ES)):
        for index in frames:
            disc(image, curve[index], 5.5, colour, ring=BACKGROUND)
    headline = "" if ef_percent is None else f"EF {ef_percent:.0f}%"
    if is_doubtful:
        headline = f"{headline} (doubtful)" if headline else "doubtful"
    has_marks = bool(len(ed_frames) or len(es_frames))
    _write_labels(image, fps, headline, title, has_marks=has_marks)
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


def _write_labels(image: np.ndarray, fps: float | None, headline: str, title: str, *, has_marks: bool) -> None:
    """Write title, headline, axis names, legend and notice."""
    while text_width(title, 22, bold=True) > WIDTH - 420 and len(title) > 4:
        title = title.removesuffix("...")[:-2] + "..."
    put_text(image, title, (LEFT - 60, 44), 22, TEXT, bold=True)
    put_text(image, "Left-ventricular area in pixels", (LEFT - 60, 72), 15, MUTED)
    put_text(image, headline, (WIDTH - RIGHT, 46), 26, TEXT, align=1, bold=True)
    if has_marks:
        x = WIDTH - RIGHT - text_width("end-systole (ES)", 15)
        put_text(image, "end-systole (ES)", (x, 72), 15, MUTED)
        disc(image, (x - 12, 67), 5, ES)
        x -= 40 + text_width("end-diastole (ED)", 15)
        put_text(image, "end-diastole (ED)", (x, 72), 15, MUTED)
        disc(image, (x - 12, 67), 5, ED)
    name = "Time in seconds" if fps else "Frame"
    put_text(image, name, ((WIDTH + LEFT - RIGHT) / 2, HEIGHT - 20), 15, MUTED, align=0.5)
    put_text(image, NOTICE, (WIDTH - RIGHT, HEIGHT - 20), 13, MUTED, align=1)
