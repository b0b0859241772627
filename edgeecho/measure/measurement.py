"""Figures of a beat from its volumes at ED and ES, and their medians over the beats of a cine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from edgeecho.errors import MeasurementError
from edgeecho.measure.ejection_fraction import ef_percent
from edgeecho.reasons import Finding, Level, worst_level

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
    findings: tuple[Finding, ...] = ()
    """Reasons why the beat is doubtful; with one of level `WITHHOLD` it is left out of the medians."""

    @property
    def is_used(self) -> bool:
        """Whether the beat counts in the medians."""
        return worst_level(self.findings) < Level.WITHHOLD

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, with `is_used` and the codes of the findings as `reasons`."""
        figures = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "findings"}
        return figures | {"is_used": self.is_used, "reasons": [finding.reason.code for finding in self.findings]}

    @classmethod
    def of(cls, values: Mapping[str, Any], findings: tuple[Finding, ...] = ()) -> "BeatMeasurement":
        """Return the beat of the values of `to_dict`, which have no more of its findings than their codes."""
        return cls(
            **{field.name: values[field.name] for field in fields(cls) if field.name != "findings"}, findings=findings
        )


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
    """Every beat that was measured, also those that are left out of the medians."""
    no_beat: Finding | None
    """Reason why no beat was measured; None if there is one."""
    findings: tuple[Finding, ...]
    """Reasons that limit the figures, such as an unknown spacing; the text of each is in `warnings` too."""
    warnings: tuple[str, ...]
    """Warnings of what limits the figures; if there is no EF, the reason."""

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain lists, dictionaries and numbers, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["beats"] = [beat.to_dict() for beat in self.beats]
        values["findings"] = [finding.to_dict() for finding in self.findings]
        values["no_beat"] = self.no_beat and self.no_beat.reason.code
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


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
    """Compute the median and the spread of every figure over the beats that are used."""
    figures = {name: [getattr(beat, name) for beat in beats if beat.is_used] for name in FIGURES}
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
