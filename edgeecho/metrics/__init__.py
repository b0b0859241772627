"""Metrics that compare masks and measurements with their references; they need NumPy and SciPy alone."""

from edgeecho.metrics.interval import SAMPLES, SEED, bootstrap_interval, bootstrap_sums, percentile_interval
from edgeecho.metrics.paired import STATISTICS, Agreement, agreement, agreement_moments, agreement_statistics
from edgeecho.metrics.population import CAMUS_TRAINING, Population, derive_bounds
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
from edgeecho.metrics.thresholds import MIN_CINES, Band, Thresholds, derive_thresholds

__all__ = [
    "ATTRIBUTES",
    "CAMUS_TRAINING",
    "MIN_CINES",
    "SAMPLES",
    "SEED",
    "STATISTICS",
    "Agreement",
    "Band",
    "Consistency",
    "Overlap",
    "Population",
    "SurfaceDistance",
    "Thresholds",
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
