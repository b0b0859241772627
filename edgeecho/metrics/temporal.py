"""Metrics of masks over time: temporal consistency, frame-to-frame Dice, smoothness, ED and ES frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeecho.errors import ConfigError, ShapeError
from edgeecho.metrics.regions import dice

ATTRIBUTES = ("lv_area", "lv_length", "lv_width", "lv_orientation")
"""Names of the attributes whose temporal consistency is measured."""
SMOOTHNESS_HZ = 20.0
"""Common rate of area curves, in frames per second: the slowest of clinical cines."""


def mask_attributes(mask: np.ndarray, spacing_mm: tuple[float, float] | None) -> dict[str, np.ndarray]:
    """Measure the shape of the ventricle in every frame, after Painchaud et al.

    Area and orientation are as in `vital/utils/image/measure.py`. The length and base width there need the myocardium
    to find the mitral base; here they are the axes of the ellipse with the same second moments, which need the cavity
    alone and no landmark that could jump by itself.

    Args:
        mask: Masks, bool or uint8 {0, 1}, (T, H, W).
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
    """Return the distance of each frame's value from the mean of its neighbours, in units of the population's range.

    e_t = a_t - (a_{t-1} + a_{t+1}) / 2 with a = (value - low) / (high - low); the first and last frame have e = 0.
    Painchaud et al., IEEE TMI 2022, 41:2867-2878, doi 10.1109/TMI.2022.3173669 (`vital/metrics/evaluate/attribute.py`).

    Args:
        curve: Attribute of each frame, (T,).
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
    """Largest |e| by attribute."""
    inconsistent_frames: dict[str, float]
    """Share of frames, 0-1, in which |e| exceeds the threshold, by attribute with a threshold."""
    any_inconsistent: float | None
    """Share of frames, 0-1, in which any attribute is inconsistent; None without thresholds."""
    error_to_threshold: float | None
    """Mean of |e| / threshold over frames and attributes; None without thresholds."""


def temporal_consistency(
    attributes: Mapping[str, np.ndarray],
    bounds: Mapping[str, tuple[float, float]],
    thresholds: Mapping[str, float] | None = None,
) -> Consistency:
    """Measure the temporal consistency of one cine; `temporal_error` has the definition.

    Args:
        attributes: Curves (T,) by name, as `mask_attributes` returns them.
        bounds: Bounds of the population by name.
        thresholds: Largest |e| that counts as consistent, by name; None without thresholds.
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
    """Return the mean Dice of each frame with the one before it; NaN with fewer than two frames.

    True motion lowers it, and a higher frame rate raises it, so only figures of the same cine can be compared.

    Args:
        mask: Masks, bool or {0, 1}, (T, H, W). Two empty frames in a row are left out.
    """
    scores = np.array([dice(before, after) for before, after in pairwise(mask)])
    scores = scores[np.isfinite(scores)]
    return float(scores.mean()) if len(scores) else float("nan")


def roughness(area: np.ndarray, fps: float) -> float:
    """Return the root mean square of the area's second derivative over the area's range, in 1/s2; lower is smoother.

    This is the area-curve smoothness of Tafuro et al. (ASMUS 2023), the integral of the squared second derivative,
    without its dependence on units: division by the range (p95 - p5) removes the scale, the mean in place of the
    integral removes the length of the cine, and a common rate of 20 Hz removes the frame rate, since noise in a second
    derivative grows with the fourth power of the rate. A sine of f Hz gives (2 pi f)^2 / (2 sqrt 2) / 0.988, less 8% at
    most for f up to 3 Hz.

    Args:
        area: Area per frame, any unit, (T,).
        fps: Frames per second. A cine slower than 20 Hz is measured at its own rate.

    Returns:
        The roughness; NaN with fewer than three frames at the common rate, or for a flat curve.

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
    """Return the frames from a marked ED or ES to the nearest detected one; positive if it was detected too late.

    Args:
        predicted: Detected frames, 0-based.
        reference: The marked frame.

    Returns:
        The difference, to the earlier of two equally near frames; None if nothing was detected.
    """
    return min((frame - reference for frame in sorted(predicted)), key=abs, default=None)
