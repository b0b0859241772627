"""Figures that compare masks and measurements with their references. NumPy and SciPy alone."""

from edgeecho.metrics.interval import SAMPLES, SEED, bootstrap_interval, bootstrap_sums, percentile_interval
from edgeecho.metrics.paired import STATISTICS, Agreement, agreement, agreement_moments, agreement_statistics
from edgeecho.metrics.population import (
    CAMUS_TRAINING,
    Population,
    derive_bounds,
    derive_thresholds,
)
from edgeecho.metrics.regions import Overlap, dice, iou, overlap
from edgeecho.metrics.surface import SurfaceDistance, surface_distance
from edgeecho.metrics.temporal import (
    ATTRIBUTES,
    Consistency,
    frame_error,
    frame_to_frame_dice,
    mask_attributes,
    roughness,
    temporal_consistency,
    temporal_error,
)

__all__ = [
    "ATTRIBUTES",
    "CAMUS_TRAINING",
    "SAMPLES",
    "SEED",
    "STATISTICS",
    "Agreement",
    "Consistency",
    "Overlap",
    "Population",
    "SurfaceDistance",
    "agreement",
    "agreement_moments",
    "agreement_statistics",
    "bootstrap_interval",
    "bootstrap_sums",
    "derive_bounds",
    "derive_thresholds",
    "dice",
    "frame_error",
    "frame_to_frame_dice",
    "iou",
    "mask_attributes",
    "overlap",
    "percentile_interval",
    "roughness",
    "surface_distance",
    "temporal_consistency",
    "temporal_error",
]
