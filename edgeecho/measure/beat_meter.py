"""Volumes, ejection fraction and heart rate from masks and areas, of a whole cine or frame by frame."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from edgeecho.errors import ConfigError, MeasurementError, ShapeError
from edgeecho.frame_times import without_pauses
from edgeecho.measure.beat_detector import Beat, BeatTracker
from edgeecho.measure.constants import MAX_BPM, MIN_BPM
from edgeecho.measure.curve_buffer import windows_for
from edgeecho.measure.disc_volume import Discs, discs_of
from edgeecho.measure.measurement import BeatMeasurement, Measurement, measured_beat, summarize
from edgeecho.measure.no_beat import no_beat
from edgeecho.measure.whole_curve import cycle_of, why_no_beat
from edgeecho.reasons import Finding, Level, Reason, find

METHODS = ("discs", "area-length")
HEIGHTS = ("own", "ed")

SPACING_UNKNOWN = "pixel spacing unknown: no volumes in mL, and EF is right only if pixels are square"
SPACING_UNKNOWN_SHAPE_KNOWN = "pixel spacing unknown: no volumes in mL"
FRAME_RATE_UNKNOWN = "frame rate unknown: no heart rate"
COMMON_WARNINGS = frozenset({SPACING_UNKNOWN, SPACING_UNKNOWN_SHAPE_KNOWN, FRAME_RATE_UNKNOWN})
"""Warnings that hold for many cines of a folder alike."""

Judge = Callable[[Beat, BeatMeasurement, Discs, Discs], tuple[Finding, ...]]
"""Function that returns the findings of a beat, its figures and the masks of its ED and ES."""
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
        times_s: np.ndarray | None = None,
        aspect: float = 1.0,
        judge: Judge | None = None,
    ) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
            spacing_mm: (row, column) millimetres per pixel. None gives EF alone.
            method: `discs` or `area-length`.
            disc_height: Length of the discs of ES, `own` or `ed`; area-length takes each frame's own.
            times_s: Time of each frame in seconds, rising, float64 (T,), of a cine whose frames are not evenly spaced;
                None if they are, or if times are unknown.
            aspect: Height of a row over width of a column, for EF where the spacing is unknown.
            judge: Judges each beat; None takes every beat as valid.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        if method not in METHODS or disc_height not in HEIGHTS:
            choices = f"{', '.join(METHODS)} and {', '.join(HEIGHTS)}"
            raise ConfigError(f"method and disc_height must be of {choices}, got {method!r} and {disc_height!r}")
        if spacing_mm is not None and not min(spacing_mm) > 0:
            raise ConfigError(f"spacing_mm must be positive, got {spacing_mm}")
        if not aspect > 0:
            raise ConfigError(f"aspect must be positive, got {aspect}")
        self.fps, self.spacing_mm, self.method, self.disc_height = fps, spacing_mm, method, disc_height
        self._judge = judge
        self.beats: list[BeatMeasurement] = []
        """Beats measured so far, also those that the judge leaves out of the medians."""
        self.found: list[Beat] = []
        """Beats in the area curve, also those whose masks could not be measured."""
        self.warnings: list[str] = []
        """Warnings of what limits the figures."""
        self._rate_doubts: list[Finding] = []
        self._pixel_shape = spacing_mm or (aspect, 1.0)
        self._times_s: np.ndarray | dict[int, float] | None = None if times_s is None else without_pauses(times_s)
        windows = windows_for(fps)
        self._kept_times = 2 * windows.longest + windows.gap + 1  # as many frames as the curve holds
        self._tracker = BeatTracker(fps)
        self._masks: dict[int, np.ndarray] = {}

    def push(
        self, mask: np.ndarray, area_px: float | None = None, time_s: float | None = None
    ) -> list[BeatMeasurement]:
        """Take the mask of the next frame.

        Args:
            mask: uint8 {0, 1}, (H, W). Its largest region is measured. Kept as it is, not copied.
            area_px: Number of pixels of the mask, if they are already counted.
            time_s: Time of the frame without pauses, as `FrameClock` returns it; None if unknown, or if all times were
                given.

        Returns:
            The beats that this frame completes, measured.
        """
        self._masks[self._tracker.frames] = mask
        if time_s is not None:
            self._times_s = self._times_s if isinstance(self._times_s, dict) else {}
            self._times_s[self._tracker.frames] = time_s
            self._times_s.pop(self._tracker.frames - self._kept_times, None)
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
        medians, spread = summarize(self.beats)
        findings = self._findings(has_rate=medians["heart_rate_bpm"] is not None)
        self.warnings += [finding.text for finding in findings]
        if self.beats:
            if self.fps is None and self._times_s is None:
                self.warnings.append(FRAME_RATE_UNKNOWN)
            elif all(beat.interval_frames is None for beat in self.found):
                self.warnings.append("less than one complete beat: EF from one ED and one ES, no heart rate")
        return Measurement(
            ed_frames=cycle.ed_frames,
            es_frames=cycle.es_frames,
            beats=tuple(self.beats),
            no_beat=self.no_beat,
            findings=tuple(findings),
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

    def _findings(self, *, has_rate: bool) -> list[Finding]:
        """Return the reasons that limit the figures; a heart rate that cannot be is a note if other beats have one."""
        level = Level.NOTE if has_rate else Level.REVIEW
        found = [replace(doubt, level=level) for doubt in self._rate_doubts]
        if self.beats and self.spacing_mm is None:
            text = SPACING_UNKNOWN if self._pixel_shape == (1.0, 1.0) else SPACING_UNKNOWN_SHAPE_KNOWN
            found.append(find(Reason.SPACING_UNKNOWN, Level.NOTE, text))
        return found

    def _measure(self, beats: list[Beat]) -> list[BeatMeasurement]:
        self.found += beats
        measured = [m for m in map(self._measure_beat, beats) if m is not None]
        self.beats += measured
        return measured

    def _measure_beat(self, beat: Beat) -> BeatMeasurement | None:
        """Volumes, EF and heart rate of one beat; None, and a warning, if its masks do not give them."""
        frames = beat.ed_frame, beat.es_frame
        rate, doubt = heart_rate(beat, self.fps, self._times_s)
        try:
            ed, es = (discs_of(self._masks[frame], self._pixel_shape) for frame in frames)
            measured = measured_beat(frames, self._volumes(ed, es), rate, has_spacing=self.spacing_mm is not None)
        except MeasurementError as error:
            self.warnings.append(f"beat at frame {beat.ed_frame} left out: {error}")
            return None
        self._rate_doubts += [doubt] if doubt else []
        return replace(measured, findings=self._judge(beat, measured, ed, es)) if self._judge else measured

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
    times_s: np.ndarray | None = None,
    aspect: float = 1.0,
    judge: Judge | None = None,
) -> Measurement:
    """Measure every beat of a cine in one view, exactly as `BeatMeter` does frame by frame.

    Never fails for what the heart or the model shows: where there is nothing to measure, a warning gives the reason.

    Args:
        mask: uint8 {0, 1}, (T, H, W). Its largest region is measured.
        area_px: Pixels of the mask per frame, (T,).
        fps: Frames per second, None if unknown.
        spacing_mm: (row, column) millimetres per pixel. None gives EF alone.
        method: `discs` or `area-length`.
        disc_height: Length of the discs of ES: `own`, or `ed` as in CAMUS's code.
        times_s: Time of each frame in seconds, float64 (T,); None if frames are evenly spaced. The heart rate is that
            of the times, in which a pause counts as one median step.
        aspect: Height of a row over width of a column, for EF where the spacing is unknown.
        judge: Judges each beat; None takes every beat as valid.

    Raises:
        ShapeError: If `mask`, `area_px` and `times_s` do not fit each other, or times do not rise.
        ConfigError: If a setting makes no sense.
    """
    if mask.ndim != 3 or np.shape(area_px) != mask.shape[:1]:
        raise ShapeError(f"expected mask (T, H, W) and area_px (T,), got {mask.shape} and {np.shape(area_px)}")
    if times_s is not None and (np.shape(times_s) != mask.shape[:1] or not np.all(np.diff(times_s) > 0)):
        raise ShapeError(
            f"expected times_s (T,) that rise, one for each of {len(mask)} frames, got {np.shape(times_s)}"
        )
    meter = BeatMeter(
        fps,
        spacing_mm,
        method=method,
        disc_height=disc_height,
        times_s=times_s,
        aspect=aspect,
        judge=judge,
    )
    for frame, area in zip(mask, area_px, strict=True):
        meter.push(frame, float(area))
    return meter.finish()


def heart_rate(
    beat: Beat, fps: float | None, times_s: np.ndarray | dict[int, float] | None = None
) -> tuple[float | None, Finding | None]:
    """Compute the heart rate of a beat.

    Args:
        beat: The beat.
        fps: Frames per second, None if unknown.
        times_s: Time of each frame in seconds, by its index; None if frames are evenly spaced.

    Returns:
        Beats a minute; None if unknown, and None with a finding where it is implausible.
    """
    if not beat.interval_frames:
        return None, None
    if times_s is not None:
        end = beat.es_frame if beat.next_ed_frame is None else beat.next_ed_frame
        rate = 60 / float(times_s[end] - times_s[end - round(beat.interval_frames)])
    elif fps:
        rate = 60 * fps / beat.interval_frames
    else:
        return None, None
    if not MIN_BPM <= rate <= MAX_BPM:
        base = f"{fps:g} fps" if fps else "times of the frames"
        text = f"heart rate of {rate:.0f} a minute is implausible and left out: check the {base}"
        return None, find(Reason.TIME_BASE_UNSURE, Level.REVIEW, text)
    return rate, None
