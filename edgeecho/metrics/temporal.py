"""Figures of masks over time: temporal consistency, frame-to-frame Dice, smoothness, ED and ES frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeecho.errors import ConfigError, ShapeError
from edgeecho.metrics.regions import dice

ATTRIBUTES = ("lv_area", "lv_length", "lv_width", "lv_orientation")
"""What temporal consistency is measured of."""
SMOOTHNESS_HZ = 20.0
"""Curves are compared at this rate: the slowest of clinical cines, so that all can be brought to it."""


def mask_attributes(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> dict[str, np.ndarray]:
    """Shape of the ventricle in every frame, as Painchaud et al. follow it over time.

    Area and orientation are theirs (`vital/utils/image/measure.py`). Their length and base width need the myocardium to
    find the mitral base; here stand the axes of the ellipse with the same second moments, which need the cavity alone
    and no landmark that could jump by itself.

    Args:
        mask: bool or uint8 {0, 1}, (T, H, W).
        spacing_mm: (row, column) millimetres per pixel; None measures in pixels.

    Returns:
        `lv_area` in mm2 or px2, `lv_length` and `lv_width` (whole axes) in mm or px, `lv_orientation` in degrees from
        the image's vertical, positive where the lower end lies to the right; float (T,). All 0 for an empty mask.

    Raises:
        ShapeError: If `mask` is not (T, H, W).
    """
    if mask.ndim != 3:
        raise ShapeError(f"expected mask (T, H, W), got {mask.shape}")
    spacing = np.asarray(spacing_mm or (1.0, 1.0), float)
    values = np.zeros((len(ATTRIBUTES), len(mask)))
    for t, frame in enumerate(mask):
        points = np.argwhere(frame) * spacing
        if not len(points):
            continue
        centred = points - points.mean(axis=0)
        # a pixel is not a point: its own second moment is its side squared over 12
        moments, axes = np.linalg.eigh(centred.T @ centred / len(points) + np.diag(spacing**2) / 12)
        row, column = axes[:, 1] * (1 if axes[0, 1] >= 0 else -1)
        width, length = 4 * np.sqrt(moments)
        values[:, t] = len(points) * spacing.prod(), length, width, np.degrees(np.arctan2(column, row))
    return dict(zip(ATTRIBUTES, values, strict=True))


def temporal_error(curve: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Distance of each frame's value from the middle of its neighbours', in units of the population's range.

    e_t = a_t - (a_{t-1} + a_{t+1}) / 2 with a = (value - low) / (high - low); the first and last frame have e = 0.
    Painchaud et al., IEEE TMI 2022, 41:2867-2878, doi 10.1109/TMI.2022.3173669 (`vital/metrics/evaluate/attribute.py`).

    Args:
        curve: An attribute per frame, (T,).
        bounds: Lowest and highest value in the population, not in this cine.

    Raises:
        ShapeError: If `curve` is not one-dimensional.
        ConfigError: If the bounds are not in order.
    """
    low, high = bounds
    if not high > low:
        raise ConfigError(f"bounds must be low < high, got {bounds}")
    value = np.asarray(curve, float)
    if value.ndim != 1:
        raise ShapeError(f"expected a curve (T,), got {value.shape}")
    error = np.zeros(len(value))
    if len(value) > 2:
        error[1:-1] = (value[1:-1] - (value[:-2] + value[2:]) / 2) / (high - low)
    return error


@dataclass(frozen=True)
class Consistency:
    """Temporal consistency of one cine."""

    max_error: dict[str, float]
    """Attribute to its largest |e|."""
    inconsistent_frames: dict[str, float]
    """Attribute with a threshold to the share of frames, 0-1, in which |e| exceeds it."""
    any_inconsistent: float | None
    """Share of frames, 0-1, in which any attribute is inconsistent; None without thresholds."""
    error_to_threshold: float | None
    """Mean of |e| / threshold over frames and attributes; None without thresholds."""


def temporal_consistency(
    attributes: Mapping[str, np.ndarray],
    bounds: Mapping[str, tuple[float, float]],
    thresholds: Mapping[str, float] | None = None,
) -> Consistency:
    """Temporal consistency of one cine; see `temporal_error` for the definition.

    Args:
        attributes: Name to curve (T,), of `mask_attributes`.
        bounds: Name to the population's bounds.
        thresholds: Name to the largest |e| that counts as consistent; None where none are known.
    """
    errors = {name: np.abs(temporal_error(curve, bounds[name])) for name, curve in attributes.items()}
    # a threshold of 0 comes from references that do not move; nothing can be measured against it
    known = {name: tau for name, tau in (thresholds or {}).items() if tau > 0 and name in errors}
    over = {name: errors[name] > tau for name, tau in known.items()}
    return Consistency(
        max_error={name: float(error.max(initial=0)) for name, error in errors.items()},
        inconsistent_frames={name: float(flags.mean()) for name, flags in over.items()},
        any_inconsistent=float(np.any(list(over.values()), axis=0).mean()) if over else None,
        error_to_threshold=float(np.mean([errors[name] / tau for name, tau in known.items()])) if known else None,
    )


def frame_to_frame_dice(mask: np.ndarray) -> float:
    """Mean Dice of each frame with the one before it; NaN with fewer than two frames.

    True motion lowers it, and a higher frame rate raises it: compare only with another figure of the same cine.

    Args:
        mask: bool or {0, 1}, (T, H, W). Two empty frames in a row are left out.
    """
    scores = np.array([dice(before, after) for before, after in pairwise(mask)])
    scores = scores[np.isfinite(scores)]
    return float(scores.mean()) if len(scores) else float("nan")


def roughness(area: np.ndarray, fps: float) -> float:
    """Root mean square of the area's second derivative in time, over the area's range; in 1/s2, lower is smoother.

    The idea of the area-curve smoothness of Tafuro et al. (ASMUS 2023), the integral of the squared second derivative,
    freed of its units: dividing by the range (p95 - p5) frees it of scale, the mean in place of the integral of the
    cine's length, and a common rate of 20 Hz of the frame rate, since noise in a second derivative grows with the
    fourth power of the rate. A sine of f Hz gives (2 pi f)^2 / (2 sqrt 2) / 0.988, less 8% at most for f up to 3 Hz.

    Args:
        area: Area per frame, any unit, (T,).
        fps: Frames per second. A slower cine than 20 Hz is taken at its own rate.

    Returns:
        NaN with fewer than three frames at the common rate, or a flat curve.

    Raises:
        ShapeError: If `area` is not one-dimensional.
        ConfigError: If `fps` is not positive.
    """
    value = np.asarray(area, float)
    if value.ndim != 1:
        raise ShapeError(f"expected area (T,), got {value.shape}")
    if not fps > 0:
        raise ConfigError(f"fps must be positive, got {fps}")
    rate = min(float(fps), SMOOTHNESS_HZ)
    frames = int((len(value) - 1) / fps * rate + 1e-9) + 1
    if len(value) < 3 or frames < 3:
        return float("nan")
    spread = float(np.subtract(*np.percentile(value, [95, 5])))
    if spread <= 0:
        return float("nan")
    from scipy.interpolate import CubicSpline

    # linear interpolation would err at every second point of 30 fps, and a second derivative sees that
    even = CubicSpline(np.arange(len(value)), value)(np.arange(frames) * fps / rate)
    second = np.diff(even, 2) * rate**2
    return float(np.sqrt(np.mean(second**2)) / spread)


def frame_error(predicted: Sequence[int], reference: int) -> int | None:
    """Frames from a marked ED or ES to the nearest one found; positive where it was found too late.

    Args:
        predicted: Found frames, 0-based.
        reference: The marked frame.

    Returns:
        None if nothing was found. Of two equally near, the earlier.
    """
    return min((frame - reference for frame in sorted(predicted)), key=abs, default=None)
