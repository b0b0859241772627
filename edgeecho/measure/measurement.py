"""From masks and an area curve to volumes, ejection fraction and heart rate."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeecho.errors import MeasurementError, ShapeError
from edgeecho.measure.beats import MAX_BPM, MIN_BPM, Beat, find_cycle
from edgeecho.measure.discs import axis_direction, disc_volume


@dataclass(frozen=True)
class BeatMeasurement:
    """One beat in clinical units."""

    ed_frame: int
    es_frame: int
    edv_ml: float | None
    """None without spacing, as `esv_ml`."""
    esv_ml: float | None
    ef_percent: float
    """100 (EDV - ESV) / EDV, 0-100."""
    heart_rate_bpm: float | None
    """None without a frame rate, or where the cine shows only one ED and one ES."""


@dataclass(frozen=True)
class Measurement:
    """What one cine says about the left ventricle; a figure is the median over beats, None where no beat has it."""

    ed_frames: tuple[int, ...]
    """Every end-diastole found, 0-based, also those that belong to no beat."""
    es_frames: tuple[int, ...]
    beats: tuple[BeatMeasurement, ...]
    ef_percent: float | None
    edv_ml: float | None
    esv_ml: float | None
    heart_rate_bpm: float | None
    warnings: tuple[str, ...]
    """What limits the figures; says why, if there is no EF."""

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists, dictionaries and numbers, ready for JSON."""
        values = asdict(self)
        return {
            key: [dict(v) if isinstance(v, dict) else v for v in value] if isinstance(value, tuple) else value
            for key, value in values.items()
        }


def measure(
    mask: np.ndarray, area_px: np.ndarray, fps: float | None, spacing_mm: tuple[float, float] | None
) -> Measurement:
    """Measure every beat of a cine by the single-plane method of discs.

    Never fails for what the heart or the model shows: where there is nothing to measure, a warning says why.

    Args:
        mask: uint8 {0, 1}, (T, H, W). Its largest region is measured.
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second, None if unknown.
        spacing_mm: (row, column) millimetres per pixel. None gives EF alone, right only if pixels are square.

    Raises:
        ShapeError: If `mask` and `area_px` do not fit each other.
    """
    if mask.ndim != 3 or np.shape(area_px) != mask.shape[:1]:
        raise ShapeError(f"expected mask (T, H, W) and area_px (T,), got {mask.shape} and {np.shape(area_px)}")
    cycle = find_cycle(area_px, fps)
    warnings: list[str] = []
    beats: list[BeatMeasurement] = []
    towards_base = _common_direction(mask, cycle.beats, spacing_mm)
    for beat in cycle.beats:
        measured = _measure_beat(mask, beat, fps, spacing_mm, towards_base, warnings)
        if measured is not None:
            beats.append(measured)
    if cycle.reason:
        warnings.append(cycle.reason)
    if beats:
        if spacing_mm is None:
            warnings.append("pixel spacing unknown: no volumes in mL, and EF is right only if pixels are square")
        if fps is None:
            warnings.append("frame rate unknown: no heart rate")
        elif all(beat.heart_rate_bpm is None for beat in beats) and cycle.beats[0].interval_frames is None:
            warnings.append("less than one complete beat: EF from one ED and one ES, no heart rate")
    return Measurement(
        ed_frames=cycle.ed_frames,
        es_frames=cycle.es_frames,
        beats=tuple(beats),
        ef_percent=_median([beat.ef_percent for beat in beats]),
        edv_ml=_median([beat.edv_ml for beat in beats]),
        esv_ml=_median([beat.esv_ml for beat in beats]),
        heart_rate_bpm=_median([beat.heart_rate_bpm for beat in beats]),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _measure_beat(
    mask: np.ndarray,
    beat: Beat,
    fps: float | None,
    spacing_mm: tuple[float, float] | None,
    towards_base: tuple[float, float] | None,
    warnings: list[str],
) -> BeatMeasurement | None:
    """Volumes, EF and heart rate of one beat; None, and a warning, if its masks do not give them."""
    try:
        edv, esv = (
            disc_volume(mask[frame], spacing_mm, towards_base=towards_base) for frame in (beat.ed_frame, beat.es_frame)
        )
    except MeasurementError as error:
        warnings.append(f"beat at frame {beat.ed_frame} left out: {error}")
        return None
    if esv >= edv:
        warnings.append(f"beat at frame {beat.ed_frame} left out: its volume does not fall from ED to ES")
        return None
    rate = 60 * fps / beat.interval_frames if fps and beat.interval_frames else None
    if rate is not None and not MIN_BPM <= rate <= MAX_BPM:
        warnings.append(f"heart rate of {rate:.0f} a minute is implausible and left out: check the {fps:g} fps")
        rate = None
    return BeatMeasurement(
        ed_frame=beat.ed_frame,
        es_frame=beat.es_frame,
        edv_ml=None if spacing_mm is None else edv / 1000,
        esv_ml=None if spacing_mm is None else esv / 1000,
        ef_percent=100 * (edv - esv) / edv,
        heart_rate_bpm=rate,
    )


def _common_direction(
    mask: np.ndarray, beats: tuple[Beat, ...], spacing_mm: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Where the base lies, from the pixels that are cavity in most ED and ES frames, so that all frames agree on it."""
    if not beats:
        return None
    frames = sorted({frame for beat in beats for frame in (beat.ed_frame, beat.es_frame)})
    try:
        return axis_direction(mask[frames].mean(axis=0) > 0.5, spacing_mm)
    except MeasurementError:
        return None


def _median(values: list[float] | list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
