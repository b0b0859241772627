"""Segmentation: the masks and the measurement of one cine, and the model that they are from."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeecho.measure import BeatMeasurement, Measurement
from edgeecho.preprocess import Orientation, Roi
from edgeecho.reasons import Finding, Level, verdict_of, worst_level
from edgeecho.runtime.ef_interval import ef_interval


@dataclass(frozen=True)
class ModelInfo:
    """Identity of a model: its file, its form and precision, its engine, its licence."""

    name: str
    sha256: str
    """SHA-256 of the model file."""
    form: str
    """`clip` or `stream`."""
    precision: str
    runtime: str
    runtime_version: str
    licence: str
    """Licence of the weights, an SPDX expression."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Masks and measurement of one cine. A figure is the median over beats; None if no beat has it."""

    mask: np.ndarray
    """uint8 {0, 1} (T, H, W), left-ventricular cavity at the input's own pixels."""
    area_px: np.ndarray
    """float32 (T,), pixels of the mask."""
    fps: float | None
    spacing_mm: tuple[float, float] | None
    roi: Roi
    measurement: Measurement
    """Beats and figures, which the properties below give one by one."""
    orientation: Orientation
    """How the picture was turned for the network; the masks are at the input's own pixels."""
    quality: dict[str, float]
    """Figures of `quality_of`: `confidence`, `empty_frames`, `broken_frames`, `outside_fraction`."""
    findings: list[Finding]
    """Reasons that limit the result, and the weight of each."""
    warnings: list[str]
    """Sentences for the user: those of the cine, of the findings and of the measurement."""
    model: ModelInfo

    @property
    def verdict(self) -> str:
        """`report`; `review`, where a person should look at the masks first; or `withhold`: no EF and no volumes."""
        return verdict_of(self.findings)

    @property
    def is_withheld(self) -> bool:
        """Whether EF and volumes are withheld."""
        return worst_level(self.findings) == Level.WITHHOLD

    @property
    def doubts(self) -> list[str]:
        """Sentences of the reasons for a review or for withholding; empty if there are none."""
        return [finding.text for finding in self.findings if finding.level >= Level.REVIEW]

    @property
    def flip(self) -> str:
        """How the picture was turned for the network, one of `FLIPS`."""
        return self.orientation.flip

    @property
    def ed_frames(self) -> list[int]:
        """Every end-diastole found, 0-based, also those that belong to no beat."""
        return list(self.measurement.ed_frames)

    @property
    def es_frames(self) -> list[int]:
        """Every end-systole found, 0-based, also those that belong to no beat."""
        return list(self.measurement.es_frames)

    @property
    def beats(self) -> list[BeatMeasurement]:
        """Every measured beat, in time order."""
        return list(self.measurement.beats)

    @property
    def ef_percent(self) -> float | None:
        """Ejection fraction, 0-100; None if it is withheld or no beat was measured."""
        return None if self.is_withheld else self.measurement.ef_percent

    @property
    def ef_interval(self) -> tuple[float, float] | None:
        """Interval of EF for 90% of patients, 0-100; None without an EF, or if the model's error is not known."""
        used = [beat.ef_percent for beat in self.beats if beat.is_used]
        return ef_interval(self.model.name, self.ef_percent, used)

    @property
    def edv_ml(self) -> float | None:
        """End-diastolic volume; None if it is withheld, or without spacing."""
        return None if self.is_withheld else self.measurement.edv_ml

    @property
    def esv_ml(self) -> float | None:
        """End-systolic volume; None if it is withheld, or without spacing."""
        return None if self.is_withheld else self.measurement.esv_ml

    @property
    def sv_ml(self) -> float | None:
        """Stroke volume; None if it is withheld, or without spacing."""
        return None if self.is_withheld else self.measurement.sv_ml

    @property
    def heart_rate_bpm(self) -> float | None:
        """Heart rate; None without a frame rate or a complete beat."""
        return self.measurement.heart_rate_bpm

    @property
    def spread(self) -> dict[str, float | None]:
        """Interquartile range of each figure over beats; None below two beats."""
        return self.measurement.spread

    def _withheld(self) -> dict[str, float | None] | None:
        """Return the figures that are withheld, for research alone; None if none are."""
        names = ("ef_percent", "edv_ml", "esv_ml", "sv_ml")
        return {name: getattr(self.measurement, name) for name in names} if self.is_withheld else None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values: all but the masks, of which it has the area."""
        t, h, w = self.mask.shape
        roi = self.roi
        return {
            "frames": t,
            "height": h,
            "width": w,
            "fps": self.fps,
            "spacing_mm": self.spacing_mm and list(self.spacing_mm),
            "roi": [roi.x, roi.y, roi.width, roi.height],
            "area_px": [float(a) for a in self.area_px],
            "ed_frames": self.ed_frames,
            "es_frames": self.es_frames,
            "beats": [beat.to_dict() for beat in self.beats],
            "ef_percent": self.ef_percent,
            "ef_interval": self.ef_interval and list(self.ef_interval),
            "edv_ml": self.edv_ml,
            "esv_ml": self.esv_ml,
            "sv_ml": self.sv_ml,
            "heart_rate_bpm": self.heart_rate_bpm,
            "spread": self.spread,
            "withheld": self._withheld(),
            "verdict": self.verdict,
            "reasons": [finding.to_dict() for finding in self.findings],
            "flip": self.flip,
            "inverted": self.orientation.inverted,
            "quality": self.quality,
            "doubtful": bool(self.doubts),
            "warnings": self.warnings,
            "model": asdict(self.model),
        }
