"""From masks and areas to volumes, ejection fraction and heart rate: a whole cine, or frame by frame."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from edgeecho.errors import ConfigError, MeasurementError, ShapeError
from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.disc_volume import Discs, discs_of
from edgeecho.measure.whole_curve import cycle_of

MIN_BPM, MAX_BPM = 30.0, 200.0
"""Heart rates outside are not reported."""
METHODS = ("discs", "area-length")
HEIGHTS = ("own", "ed")

Method = Literal["discs", "area-length"]
"""How a volume is made from one view."""
Height = Literal["own", "ed"]
"""Whose length the discs of ES are computed with: its own, or that of ED as in CAMUS's code (the longer of the two)."""


@dataclass(frozen=True)
class BeatMeasurement:
    """One beat in clinical units."""

    ed_frame: int
    es_frame: int
    edv_ml: float | None
    """None without spacing, as `esv_ml` and `sv_ml`."""
    esv_ml: float | None
    ef_percent: float
    """100 (EDV - ESV) / EDV, 0-100."""
    heart_rate_bpm: float | None
    """None without a frame rate, or where the cine shows only one ED and one ES."""
    sv_ml: float | None = None
    """EDV - ESV."""


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
    sv_ml: float | None
    heart_rate_bpm: float | None
    spread: dict[str, float | None]
    """Of each of these figures over beats, the distance from the lower to the upper quartile; None below two beats."""
    warnings: tuple[str, ...]
    """What limits the figures; says why, if there is no EF."""

    def to_dict(self) -> dict[str, Any]:
        """The same as plain lists, dictionaries and numbers, ready for JSON."""
        values = asdict(self)
        return {
            key: [dict(v) if isinstance(v, dict) else v for v in value] if isinstance(value, tuple) else value
            for key, value in values.items()
        }


class BeatMeter:
    """Measures beats from masks that come frame by frame; says what `BeatTracker` says, with volumes and EF.

    Holds the masks that a beat to come may need, never more than 12 s of them.
    """

    def __init__(
        self,
        fps: float | None,
        spacing_mm: tuple[float, float] | None,
        *,
        method: Method = "discs",
        disc_height: Height = "own",
    ) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
            spacing_mm: (row, column) millimetres per pixel. None gives EF alone, right only if pixels are square.
            method: `discs` or `area-length`.
            disc_height: Whose length the discs of ES have, `own` or `ed`; area-length takes each frame's own.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        if method not in METHODS or disc_height not in HEIGHTS:
            known = f"{', '.join(METHODS)} and {', '.join(HEIGHTS)}"
            raise ConfigError(f"method and disc_height must be of {known}, got {method!r} and {disc_height!r}")
        if spacing_mm is not None and not min(spacing_mm) > 0:
            raise ConfigError(f"spacing_mm must be positive, got {spacing_mm}")
        self.fps, self.spacing_mm, self.method, self.disc_height = fps, spacing_mm, method, disc_height
        self.beats: list[BeatMeasurement] = []
        """All so far."""
        self.found: list[Beat] = []
        """Beats in the area curve, also those whose masks could not be measured."""
        self.warnings: list[str] = []
        self._tracker = BeatTracker(fps)
        self._masks: dict[int, np.ndarray] = {}

    def push(self, mask: np.ndarray, area_px: float | None = None) -> list[BeatMeasurement]:
        """Take the mask of the next frame.

        Args:
            mask: uint8 {0, 1}, (H, W). Its largest region is measured. Kept as it is, not copied.
            area_px: Its pixels, if they are already counted.

        Returns:
            The beats that this frame completes, measured.
        """
        self._masks[self._tracker.frames] = mask
        beats = self._tracker.push(float(np.count_nonzero(mask)) if area_px is None else float(area_px))
        measured = self._measure(beats)
        for frame in range(next(iter(self._masks)), self._tracker.oldest_frame):
            del self._masks[frame]
        return measured

    def finish(self) -> Measurement:
        """End the cine: measure the beats that are still open, and sum up."""
        self._measure(self._tracker.finish())
        self._masks.clear()
        cycle = cycle_of(self._tracker, self.found)
        if cycle.reason:
            self.warnings.append(cycle.reason)
        if self.beats:
            if self.spacing_mm is None:
                self.warnings.append(
                    "pixel spacing unknown: no volumes in mL, and EF is right only if pixels are square"
                )
            if self.fps is None:
                self.warnings.append("frame rate unknown: no heart rate")
            elif all(beat.interval_frames is None for beat in self.found):
                self.warnings.append("less than one complete beat: EF from one ED and one ES, no heart rate")
        figures = {name: [getattr(beat, name) for beat in self.beats] for name in FIGURES}
        return Measurement(
            ed_frames=cycle.ed_frames,
            es_frames=cycle.es_frames,
            beats=tuple(self.beats),
            warnings=tuple(dict.fromkeys(self.warnings)),
            spread={name: spread(values) for name, values in figures.items()},
            **{name: median(values) for name, values in figures.items()},
        )

    def _measure(self, beats: list[Beat]) -> list[BeatMeasurement]:
        self.found += beats
        measured = [m for m in map(self._measure_beat, beats) if m is not None]
        self.beats += measured
        return measured

    def _measure_beat(self, beat: Beat) -> BeatMeasurement | None:
        """Volumes, EF and heart rate of one beat; None, and a warning, if its masks do not give them."""
        try:
            ed, es = (discs_of(self._masks[frame], self.spacing_mm) for frame in (beat.ed_frame, beat.es_frame))
        except MeasurementError as error:
            self.warnings.append(f"beat at frame {beat.ed_frame} left out: {error}")
            return None
        edv, esv = self._volumes(ed, es)
        if esv >= edv:
            self.warnings.append(f"beat at frame {beat.ed_frame} left out: its volume does not fall from ED to ES")
            return None
        rate, doubt = heart_rate(beat, self.fps)
        self.warnings += doubt
        known = self.spacing_mm is not None
        return BeatMeasurement(
            ed_frame=beat.ed_frame,
            es_frame=beat.es_frame,
            edv_ml=edv / 1000 if known else None,
            esv_ml=esv / 1000 if known else None,
            sv_ml=(edv - esv) / 1000 if known else None,
            ef_percent=100 * (edv - esv) / edv,
            heart_rate_bpm=rate,
        )

    def _volumes(self, ed: Discs, es: Discs) -> tuple[float, float]:
        if self.method == "area-length":
            return ed.area_length_volume(), es.area_length_volume()
        length = max(ed.length, es.length) if self.disc_height == "ed" else None
        return ed.volume(length), es.volume(length)


FIGURES = ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm")
"""What is summed up over beats."""


def measure(
    mask: np.ndarray,
    area_px: np.ndarray,
    fps: float | None,
    spacing_mm: tuple[float, float] | None,
    *,
    method: Method = "discs",
    disc_height: Height = "own",
) -> Measurement:
    """Measure every beat of a cine in one view, exactly as `BeatMeter` does frame by frame.

    Never fails for what the heart or the model shows: where there is nothing to measure, a warning says why.

    Args:
        mask: uint8 {0, 1}, (T, H, W). Its largest region is measured.
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second, None if unknown.
        spacing_mm: (row, column) millimetres per pixel. None gives EF alone, right only if pixels are square.
        method: `discs` or `area-length`.
        disc_height: Whose length the discs of ES have: `own`, or `ed` as in CAMUS's code.

    Raises:
        ShapeError: If `mask` and `area_px` do not fit each other.
        ConfigError: If a setting makes no sense.
    """
    if mask.ndim != 3 or np.shape(area_px) != mask.shape[:1]:
        raise ShapeError(f"expected mask (T, H, W) and area_px (T,), got {mask.shape} and {np.shape(area_px)}")
    meter = BeatMeter(fps, spacing_mm, method=method, disc_height=disc_height)
    for frame, area in zip(mask, area_px, strict=True):
        meter.push(frame, float(area))
    return meter.finish()


def heart_rate(beat: Beat, fps: float | None) -> tuple[float | None, list[str]]:
    """Beats a minute if known and plausible, and what is wrong if not."""
    if not fps or not beat.interval_frames:
        return None, []
    rate = 60 * fps / beat.interval_frames
    if not MIN_BPM <= rate <= MAX_BPM:
        return None, [f"heart rate of {rate:.0f} a minute is implausible and left out: check the {fps:g} fps"]
    return rate, []


def median(values: list[float | None]) -> float | None:
    """Of the values that are known."""
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def spread(values: list[float | None]) -> float | None:
    """From the lower to the upper quartile of the values that are known; None of fewer than two."""
    known = [value for value in values if value is not None]
    return float(np.subtract(*np.percentile(known, [75, 25]))) if len(known) > 1 else None
