"""Picture of the distributions of a data set: ejection fractions by split, frames, frame rates."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from edgeecho.report.curve import ticks
from edgeecho.report.draw import BACKGROUND, ED, ES, GRID, MUTED, OUTLINE, TEXT, Colour, put_text, text_width
from edgeecho.report.files import write_png

WIDTH, HEIGHT = 1440, 480
LEFT, TOP, BOTTOM, PANEL = 64, 96, 62, 480
COLOURS: dict[str, Colour] = {"train": ES, "val": OUTLINE, "test": ED}


def write_summary_picture(
    path: Path, title: str, efs: Mapping[str, Sequence[float]], frames: Sequence[float], fps: Sequence[float]
) -> None:
    """Write three histograms side by side as PNG; a file of that name is replaced.

    Args:
        path: Path of the file.
        title: Title, such as `camus: 450 items`.
        efs: Ejection fractions in percent by split, stacked in the first histogram.
        frames: Number of frames of each item.
        fps: Frame rate of each item.

    Raises:
        OutputError: If it cannot be written.
    """
    image = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
    put_text(image, title, (LEFT, 40), 22, TEXT, bold=True)
    at = WIDTH - 24
    for split in reversed([s for s in efs if len(efs[s])]):
        at -= text_width(split, 16)
        put_text(image, split, (at, 40), 16, COLOURS[split])
        at -= 24
    _histogram(image, 0, "ejection fraction, %", efs, (0, 100), 2.5)
    _histogram(image, 1, "frames an item", {"": frames}, *_bins(frames))
    _histogram(image, 2, "frames a second", {"": fps}, *_bins(fps))
    write_png(path, image)


def _bins(values: Sequence[float]) -> tuple[tuple[float, float], float]:
    """Limits and width of about 40 bins, whole numbers wide; the few largest values share the last."""
    if not len(values):
        return (0.0, 1.0), 1.0
    low, high = float(np.floor(min(values))), float(np.ceil(np.percentile(values, 99.5))) + 1
    high = max(high, low + 12)
    width = max(1.0, float(np.ceil((high - low) / 40)))
    return (low, low + width * float(np.ceil((high - low) / width))), width


def _histogram(
    image: np.ndarray,
    panel: int,
    name: str,
    groups: Mapping[str, Sequence[float]],
    limits: tuple[float, float],
    width: float,
) -> None:
    x0, x1, y0, y1 = panel * PANEL + LEFT, (panel + 1) * PANEL - 24, TOP, HEIGHT - BOTTOM
    put_text(image, name, (x0, TOP - 22), 16, MUTED)
    bins = round((limits[1] - limits[0]) / width)
    edges = limits[0] + width * np.arange(bins + 1)
    stacks = {
        key: np.histogram(np.clip(v, limits[0], np.nextafter(limits[1], 0)), edges)[0] for key, v in groups.items()
    }
    tallest = max(1, int(sum(stacks.values(), start=np.zeros(bins, int)).max()))

    def column(value: float) -> int:
        return round(x0 + (x1 - x0) * (value - limits[0]) / (limits[1] - limits[0]))

    def row(count: float) -> int:
        return round(y1 - (y1 - y0) * count / tallest)

    for tick in ticks(0.0, float(tallest), 4, whole=True):
        cv2.line(image, (x0, row(tick)), (x1, row(tick)), GRID, 1)
        put_text(image, f"{tick:g}", (x0 - 10, row(tick) + 5), 14, MUTED, align=1)
    for tick in ticks(limits[0], limits[1], 6, whole=True):
        put_text(image, f"{tick:g}", (column(tick), y1 + 24), 14, MUTED, align=0.5)
    below = np.zeros(bins, int)
    for key, counts in stacks.items():
        for i in np.flatnonzero(counts):
            box = (column(edges[i]), row(below[i] + counts[i])), (column(edges[i + 1]) - 2, row(below[i]) - 1)
            cv2.rectangle(image, *box, COLOURS.get(key, ES), cv2.FILLED)
        below += counts
    if not below.any():
        put_text(image, "not known", ((x0 + x1) / 2, (y0 + y1) / 2), 18, MUTED, align=0.5)
