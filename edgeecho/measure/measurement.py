"""Figures of a beat from its volumes at ED and ES, and their medians over the beats of a cine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure.ejection_fraction import ef_percent

FIGURES = ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm")
"""Figures that are summed up over beats."""


@dataclass(frozen=True)
class BeatMeasurement:
    """One beat in clinical units."""

    ed_frame: int
    es_frame: int
    edv_ml: float | None
    """Volume at ED; it, `esv_ml` and `sv_ml` are None without spacing."""
    esv_ml: float | None
    ef_percent: float
    """100 (EDV - ESV) / EDV, 0-100."""
    heart_rate_bpm: float | None
    """Heart rate in beats a minute; None without a frame rate, or where the cine shows only one ED and one ES."""
    sv_ml: float | None = None
    """EDV - ESV."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Medians over beats, None where no beat has the figure."""

    ef_percent: float | None
    edv_ml: float | None
    esv_ml: float | None
    sv_ml: float | None
    heart_rate_bpm: float | None
    spread: dict[str, float | None]
    """Distance from the lower to the upper quartile of each figure over beats; None below two beats."""


@dataclass(frozen=True, kw_only=True)
class Measurement(Figures):
    """Beats and figures of the left ventricle in one cine."""

    ed_frames: tuple[int, ...]
    """Every end-diastole found, 0-based, also those that belong to no beat."""
    es_frames: tuple[int, ...]
    beats: tuple[BeatMeasurement, ...]
    warnings: tuple[str, ...]
    """Warnings of what limits the figures; if there is no EF, the reason."""

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain lists, dictionaries and numbers, ready for JSON."""
        values = asdict(self)
        return {
            key: [dict(v) if isinstance(v, dict) else v for v in value] if isinstance(value, tuple) else value
            for key, value in values.items()
        }


def measured_beat(
    frames: tuple[int, int], volumes: tuple[float, float], heart_rate_bpm: float | None, *, has_spacing: bool
) -> BeatMeasurement:
    """Compute the figures of a beat.

    Args:
        frames: ED and ES.
        volumes: EDV and ESV in mm3, or in cubic pixels without spacing.
        heart_rate_bpm: Beats a minute, None if unknown.
        has_spacing: Whether the volumes are in mm3.

    Raises:
        MeasurementError: If the volume does not fall from ED to ES.
    """
    edv, esv = volumes
    if esv >= edv:
        raise MeasurementError("its volume does not fall from ED to ES")
    return BeatMeasurement(
        ed_frame=frames[0],
        es_frame=frames[1],
        edv_ml=edv / 1000 if has_spacing else None,
        esv_ml=esv / 1000 if has_spacing else None,
        sv_ml=(edv - esv) / 1000 if has_spacing else None,
        ef_percent=ef_percent(edv, esv),
        heart_rate_bpm=heart_rate_bpm,
    )


def summarize(beats: Sequence[BeatMeasurement]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Compute the median and the spread of every figure over beats."""
    figures = {name: [getattr(beat, name) for beat in beats] for name in FIGURES}
    medians = {name: median(values) for name, values in figures.items()}
    return medians, {name: spread(values) for name, values in figures.items()}


def median(values: list[float | None]) -> float | None:
    """Median of the values that are not None; None if there are none."""
    present = [value for value in values if value is not None]
    return float(np.median(present)) if present else None


def spread(values: list[float | None]) -> float | None:
    """Distance from the lower to the upper quartile of the values that are not None; None of fewer than two."""
    present = [value for value in values if value is not None]
    return float(np.subtract(*np.percentile(present, [75, 25]))) if len(present) > 1 else None
