"""Volumes, ejection fraction and heart rate from masks and areas, of a whole cine or frame by frame."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from edgeecho.errors import ConfigError, MeasurementError, ShapeError
from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.constants import MAX_BPM, MIN_BPM
from edgeecho.measure.disc_volume import Discs, discs_of
from edgeecho.measure.measurement import BeatMeasurement, Measurement, measured_beat, summarize
from edgeecho.measure.no_beat import no_beat
from edgeecho.measure.whole_curve import cycle_of, why_no_beat
from edgeecho.reasons import Finding, Reason

METHODS = ("discs", "area-length")
HEIGHTS = ("own", "ed")

Judge = Callable[[Beat, BeatMeasurement, Discs], tuple[Finding, ...]]
"""Function that returns the findings of a beat, its figures and the mask of its ED."""
Method = Literal["discs", "area-length"]
"""Method that computes a volume from one view."""
Height = Literal["own", "ed"]
"""Length with which the discs of ES are computed: its own, or that of ED as in CAMUS's code (the longer of the two)."""


class BeatMeter:
    """Measures beats from masks that come frame by frame: the beats of `BeatTracker`, with volumes and EF.

    Holds the masks that a beat to come may need, never more than 12 s of them.
    """

    def __init__(
        self,
        fps: float | None,
        spacing_mm: tuple[float, float] | None,
        *,
        method: Method = "discs",
        disc_height: Height = "own",
        judge: Judge | None = None,
    ) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
            spacing_mm: (row, column) millimetres per pixel. None gives EF alone, right only if pixels are square.
            method: `discs` or `area-length`.
            disc_height: Length of the discs of ES, `own` or `ed`; area-length takes each frame's own.
            judge: Judges each beat; None takes every beat as valid.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        if method not in METHODS or disc_height not in HEIGHTS:
            choices = f"{', '.join(METHODS)} and {', '.join(HEIGHTS)}"
            raise ConfigError(f"method and disc_height must be of {choices}, got {method!r} and {disc_height!r}")
        if spacing_mm is not None and not min(spacing_mm) > 0:
            raise ConfigError(f"spacing_mm must be positive, got {spacing_mm}")
        self.fps, self.spacing_mm, self.method, self.disc_height = fps, spacing_mm, method, disc_height
        self._judge = judge
        self.beats: list[BeatMeasurement] = []
        """Beats measured so far, also those that the judge leaves out of the medians."""
        self.found: list[Beat] = []
        """Beats in the area curve, also those whose masks could not be measured."""
        self.warnings: list[str] = []
        """Warnings of what limits the figures."""
        self._tracker = BeatTracker(fps)
        self._masks: dict[int, np.ndarray] = {}

    def push(self, mask: np.ndarray, area_px: float | None = None) -> list[BeatMeasurement]:
        """Take the mask of the next frame.

        Args:
            mask: uint8 {0, 1}, (H, W). Its largest region is measured. Kept as it is, not copied.
            area_px: Number of pixels of the mask, if they are already counted.

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
        medians, spread = summarize(self.beats)
        return Measurement(
            ed_frames=cycle.ed_frames,
            es_frames=cycle.es_frames,
            beats=tuple(self.beats),
            no_beat=self.no_beat,
            warnings=tuple(dict.fromkeys(self.warnings)),
            spread=spread,
            **medians,
        )

    @property
    def no_beat(self) -> Finding | None:
        """Reason why no beat is measured; None if there is one."""
        if self.beats:
            return None
        return no_beat(Reason.NOT_MEASURABLE) if self.found else why_no_beat(self._tracker)

    def _measure(self, beats: list[Beat]) -> list[BeatMeasurement]:
        self.found += beats
        measured = [m for m in map(self._measure_beat, beats) if m is not None]
        self.beats += measured
        return measured

    def _measure_beat(self, beat: Beat) -> BeatMeasurement | None:
        """Volumes, EF and heart rate of one beat; None, and a warning, if its masks do not give them."""
        frames = beat.ed_frame, beat.es_frame
        rate, rate_warnings = heart_rate(beat, self.fps)
        try:
            ed, es = (discs_of(self._masks[frame], self.spacing_mm) for frame in frames)
            measured = measured_beat(frames, self._volumes(ed, es), rate, has_spacing=self.spacing_mm is not None)
        except MeasurementError as error:
            self.warnings.append(f"beat at frame {beat.ed_frame} left out: {error}")
            return None
        self.warnings += rate_warnings
        return replace(measured, findings=self._judge(beat, measured, ed)) if self._judge else measured

    def _volumes(self, ed: Discs, es: Discs) -> tuple[float, float]:
        if self.method == "area-length":
            return ed.area_length_volume(), es.area_length_volume()
        length = max(ed.length, es.length) if self.disc_height == "ed" else None
        return ed.volume(length), es.volume(length)


def measure(
    mask: np.ndarray,
    area_px: np.ndarray,
    fps: float | None,
    spacing_mm: tuple[float, float] | None,
    *,
    method: Method = "discs",
    disc_height: Height = "own",
    judge: Judge | None = None,
) -> Measurement:
    """Measure every beat of a cine in one view, exactly as `BeatMeter` does frame by frame.

    Never fails for what the heart or the model shows: where there is nothing to measure, a warning gives the reason.

    Args:
        mask: uint8 {0, 1}, (T, H, W). Its largest region is measured.
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second, None if unknown.
        spacing_mm: (row, column) millimetres per pixel. None gives EF alone, right only if pixels are square.
        method: `discs` or `area-length`.
        disc_height: Length of the discs of ES: `own`, or `ed` as in CAMUS's code.
        judge: Judges each beat; None takes every beat as valid.

    Raises:
        ShapeError: If `mask` and `area_px` do not fit each other.
        ConfigError: If a setting makes no sense.
    """
    if mask.ndim != 3 or np.shape(area_px) != mask.shape[:1]:
        raise ShapeError(f"expected mask (T, H, W) and area_px (T,), got {mask.shape} and {np.shape(area_px)}")
    meter = BeatMeter(fps, spacing_mm, method=method, disc_height=disc_height, judge=judge)
    for frame, area in zip(mask, area_px, strict=True):
        meter.push(frame, float(area))
    return meter.finish()


def heart_rate(beat: Beat, fps: float | None) -> tuple[float | None, list[str]]:
    """Compute the heart rate in beats a minute; None, and a warning, where it is implausible, None if unknown."""
    if not fps or not beat.interval_frames:
        return None, []
    rate = 60 * fps / beat.interval_frames
    if not MIN_BPM <= rate <= MAX_BPM:
        return None, [f"heart rate of {rate:.0f} a minute is implausible and left out: check the {fps:g} fps"]
    return rate, []
