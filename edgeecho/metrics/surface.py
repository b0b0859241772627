"""Distances between the outlines of two masks: HD95 and ASSD."""

import math
from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ConfigError, ShapeError


@dataclass(frozen=True)
class SurfaceDistance:
    """Distances between two outlines, in mm, or in pixels if no spacing was given."""

    hd95: float
    """Larger one of the two directional 95th percentiles (linear interpolation)."""
    assd: float
    """Average symmetric surface distance: mean over the pixels of both surfaces together."""


def surface_distance(a: np.ndarray, b: np.ndarray, spacing_mm: tuple[float, float] | None) -> SurfaceDistance:
    """Compute the distances between the surfaces of two masks.

    A surface is mask XOR eroded mask (four neighbours, the frame's border counts as outside), and a distance the
    Euclidean one from a surface pixel's centre to the nearest of the other surface. These are the definitions of the
    awesome-echocardiography reference metrics v1.1; equal to MONAI's `compute_hausdorff_distance(percentile=95)` and
    `compute_average_surface_distance(symmetric=True)` wherever neither mask is empty.

    Args:
        a: Mask, bool or {0, 1}, (H, W).
        b: Mask of the same shape.
        spacing_mm: (row, column) millimetres per pixel; None measures in pixels.

    Returns:
        Both distances. One empty mask is a complete miss and gives the diagonal of the frame, from the first pixel's
        centre to the last's; two empty masks give NaN.

    Raises:
        ShapeError: If the masks are no (H, W) or differ in shape.
        ConfigError: If the spacing is not positive.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ShapeError(f"expected two masks (H, W) of one shape, got {a.shape} and {b.shape}")
    spacing = spacing_mm or (1.0, 1.0)
    if len(spacing) != 2 or not all(math.isfinite(s) and s > 0 for s in spacing):
        raise ConfigError(f"spacing_mm must be two positive numbers (row, column), got {spacing_mm}")
    points_a, points_b = (surface_pixels(mask) * np.asarray(spacing) for mask in (a, b))
    if not len(points_a) and not len(points_b):
        return SurfaceDistance(float("nan"), float("nan"))
    if not len(points_a) or not len(points_b):
        diagonal = math.hypot((a.shape[0] - 1) * spacing[0], (a.shape[1] - 1) * spacing[1])
        return SurfaceDistance(diagonal, diagonal)
    from scipy.spatial import KDTree

    there, back = KDTree(points_b).query(points_a)[0], KDTree(points_a).query(points_b)[0]
    hd95 = max(float(np.percentile(there, 95)), float(np.percentile(back, 95)))
    return SurfaceDistance(hd95, float(np.concatenate([there, back]).mean()))


def surface_pixels(mask: np.ndarray) -> np.ndarray:
    """Return (row, column) of a mask's pixels with one of their four neighbours outside, int (N, 2).

    Args:
        mask: Mask, bool or {0, 1}, (H, W).
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, 2), int)
    box = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(bool), 1)
    inside = box[:-2, 1:-1] & box[2:, 1:-1] & box[1:-1, :-2] & box[1:-1, 2:]
    return np.asarray(np.argwhere(box[1:-1, 1:-1] & ~inside) + np.array([rows[0], columns[0]]))
