"""The long axis and the discs of a mask as lines to draw."""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure import largest_component, long_axis
from edgeecho.measure.constants import DISCS

Line = tuple[float, float, float, float]
"""x and y of both ends, in pixels of the frame."""


@dataclass(frozen=True)
class DiscLines:
    """Lines that show how a volume was measured."""

    axis: Line
    """From the apex to the mitral base."""
    base: Line
    """Between the two ends of the mitral base."""
    discs: tuple[Line, ...]
    """The middle of each disc, from edge to edge of the mask."""


def disc_lines(mask: np.ndarray, spacing_mm: tuple[float, float] | None, *, n: int = DISCS) -> DiscLines | None:
    """Return the lines of a mask, uint8 {0, 1} (H, W); None if it has no long axis."""
    spacing = np.asarray(spacing_mm or (1.0, 1.0))
    try:
        axis = long_axis(mask, spacing_mm)
    except MeasurementError:
        return None
    region, corner = largest_component(mask)
    pixels = (np.argwhere(region) + corner) * spacing
    apex, base = np.asarray(axis.apex) * spacing, np.asarray(axis.base) * spacing
    down = (base - apex) / max(float(np.linalg.norm(base - apex)), 1e-9)
    across = np.array([-down[1], down[0]])
    along, aside = (pixels - apex) @ down, (pixels - apex) @ across
    height = axis.length / n
    lines = []
    for number in range(n):
        inside = aside[(along >= number * height) & (along < (number + 1) * height)]
        if len(inside):
            middle = apex + down * height * (number + 0.5)
            lines.append(_line(middle + across * inside.min(), middle + across * inside.max(), spacing))
    left, right = (np.asarray(point) * spacing for point in axis.corners)
    return DiscLines(_line(apex, base, spacing), _line(left, right, spacing), tuple(lines))


def _line(start: np.ndarray, end: np.ndarray, spacing: np.ndarray) -> Line:
    (y0, x0), (y1, x1) = start / spacing, end / spacing
    return float(x0), float(y0), float(x1), float(y1)
