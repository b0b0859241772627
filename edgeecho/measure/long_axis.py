"""Long axis and mitral base of a left ventricle from its mask, each frame by itself.

Which pixel is a corner or the apex is often decided among equals. So every comparison rests on sums of whole numbers
and on products written out one by one (no BLAS, no LAPACK): the C runtime computes the same to the bit.
"""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure.component import edge_pixels, largest_component
from edgeecho.measure.constants import (
    BASE_WIDTH_DIVISOR,
    DEPTH_PRIOR,
    MAX_SKEWNESS,
    MIN_APEX_DEPTH,
    MIN_BASAL_DEPTH,
    MIN_BASE_HALF_WIDTH_PX,
    MIN_COMPONENT_PX,
    MIN_DIVISOR,
)


@dataclass(frozen=True)
class LongAxis:
    """The long axis of one ventricle. Points are (row, column) in pixels, pixel centres at whole numbers."""

    apex: tuple[float, float]
    base: tuple[float, float]
    """Point at which the axis leaves the cavity at the mitral end."""
    corners: tuple[tuple[float, float], tuple[float, float]]
    """The two ends of the mitral base."""
    length: float
    """Distance from base to apex, in mm, or in pixels where no spacing was given."""


def long_axis(mask: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> LongAxis:
    """Find apex, mitral base and long axis of the largest region of a mask.

    The first guess is the principal axis of the pixels, leaning to the vertical. The base is the deeper end (the probe
    is at the top), unless the skewness of the pixels along the axis shows the opposite. Its corners are the points
    farthest out in the two diagonal directions of the basal end; the apex is the point farthest from their middle.
    Found twice, the second time along the axis of the first. On the expert masks of 150 CAMUS patients the axis is 1.3
    degrees (median; 95% within 5.2) from that of the line where ventricle and atrium meet, and its length 0.9% longer.

    Args:
        mask: bool or uint8 {0, 1}, (H, W).
        spacing_mm: (row, column) millimetres per pixel; None takes pixels as square.

    Raises:
        MeasurementError: If the region has fewer than 30 pixels.
        ShapeError: If `mask` is not two-dimensional.
    """
    region, corner = largest_component(mask)
    return axis_of(region, corner, spacing_mm or (1.0, 1.0))[0]


def axis_of(
    region: np.ndarray, corner: tuple[int, int], spacing: tuple[float, float]
) -> tuple[LongAxis, np.ndarray, float]:
    """Find the long axis of a region cut out by `largest_component`, and where its pixels lie along it.

    Returns:
        The axis; how far each pixel lies along it from the apex, in mm, (N,); and a pixel's length along it.

    Raises:
        MeasurementError: If the region has fewer than 30 pixels.
    """
    if (count := np.count_nonzero(region)) < MIN_COMPONENT_PX:
        raise MeasurementError(f"the mask has {count} connected pixels; its axis needs at least {MIN_COMPONENT_PX}")
    scale = np.asarray(spacing, float)
    edge_px = edge_pixels(region)
    edge = edge_px * scale
    down = _first_direction(region, scale)
    for _ in range(2):
        along = _dot(edge, down)
        corners = _base_corners(edge, along, down)
        middle = (corners[0] + corners[1]) / 2
        # the apex must lie opposite to the base, else a wide ventricle would take a corner for it
        away = edge - middle
        reach = np.sqrt(_dot(away, away.T)) * (_dot(middle, down) - along > MIN_APEX_DEPTH * np.ptp(along))
        # a blunt apex is one row of pixels, all equally far: take its middle
        apex = edge_px[reach > reach.max() - scale.min() / 2].mean(axis=0) * scale
        down = _unit(middle - apex)
    across = np.array([-down[1], down[0]])
    extent = float(np.sqrt(_dot(down * scale, down * scale)))
    start = float(_dot(middle, down) - reach.max()) - extent / 4
    # the middle third of the base decides where the axis ends, so that one stray pixel does not
    along, offset = _dot(edge - apex, down), _dot(edge - apex, across)
    width = abs(float(_dot(corners[1] - corners[0], across)))
    central = np.abs(offset) < max(width / BASE_WIDTH_DIVISOR, MIN_BASE_HALF_WIDTH_PX * extent)
    basal = central & (along > MIN_BASAL_DEPTH * _dot(middle - apex, down))
    end = float(np.median(_dot(edge, down)[basal])) + extent / 2 if basal.any() else float(_dot(middle, down))
    base = apex + (end - _dot(apex, down)) * down

    def pixel(point: np.ndarray) -> tuple[float, float]:
        row, column = point / scale + np.asarray(corner)
        return float(row), float(column)

    axis = LongAxis(pixel(apex), pixel(base), (pixel(corners[0]), pixel(corners[1])), end - start)
    return axis, _dot(np.argwhere(region) * scale, down) - start, extent


def _first_direction(region: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Estimate the direction from apex to base from the moments of the pixels.

    Args:
        region: Cavity, bool (h, w).
        scale: (row, column) mm per pixel.

    Returns:
        Unit vector (2,), as (row, column).
    """
    r, c = np.nonzero(region)
    n = len(r)
    # about a whole pixel near the centre, so that the sums are exact
    r, c = r - r.sum() // n, c - c.sum() // n

    def mean(values: np.ndarray) -> float:
        return float(values.sum()) / n

    mr, mc, rr, rc, cc = mean(r), mean(c), mean(r * r), mean(r * c), mean(c * c)
    rrr, rrc, rcc, ccc = mean(r * r * r), mean(r * r * c), mean(r * c * c), mean(c * c * c)
    rrr += 2 * mr * mr * mr - 3 * mr * rr
    rrc += 2 * mr * mr * mc - 2 * mr * rc - mc * rr
    rcc += 2 * mr * mc * mc - 2 * mc * rc - mr * cc
    ccc += 2 * mc * mc * mc - 3 * mc * cc
    rr, rc, cc = rr - mr * mr, rc - mr * mc, cc - mc * mc
    high, wide = float(scale[0]), float(scale[1])
    a, b, d = rr * high * high, rc * high * wide, cc * wide * wide
    # the principal axis of [[a, b], [b, d]], leaning to the vertical
    half = (a + DEPTH_PRIOR * (a + d) / 2 - d) / 2
    root = float(np.sqrt(half * half + b * b))
    down = _unit(np.array([half + root, b] if half >= 0 else [b, root - half]))
    down = down if down[0] >= 0 else -down
    # The blunt base lies close to the centroid and the pointed apex far, so the lengthwise positions are skewed towards
    # the apex: by -0.14 in the median (-0.41 to 0.03) on the expert masks of 150 CAMUS patients.
    x, y = float(down[0]) * high, float(down[1]) * wide
    square = x * x * rr + 2 * x * y * rc + y * y * cc
    cube = x * x * x * rrr + 3 * x * x * y * rrc + 3 * x * y * y * rcc + y * y * y * ccc
    skew = cube / (square * float(np.sqrt(square)))
    return -down if skew > MAX_SKEWNESS * float(down[0]) else down


def _dot(points: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Project points (..., 2) on a direction, whose two parts are numbers or arrays (...)."""
    return np.asarray(points[..., 0] * direction[0] + points[..., 1] * direction[1])


def _unit(vector: np.ndarray) -> np.ndarray:
    """Scale a vector (2,) to length 1; straight down if it has none."""
    length = np.sqrt(_dot(vector, vector))
    return vector / length if length > 0 else np.array([1.0, 0.0])


def _base_corners(edge: np.ndarray, along: np.ndarray, down: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the edge points farthest out along the two basal diagonals, in a frame scaled to length and width."""
    across = _dot(edge, np.array([-down[1], down[0]]))
    u, v = along / np.ptp(along), across / max(float(np.ptp(across)), MIN_DIVISOR)
    return edge[np.argmax(u - v)], edge[np.argmax(u + v)]
