"""The last seconds of an area curve: values without glitches, smoothed as they come."""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure.area_curve import beat_range, smooth_at
from edgeecho.measure.constants import (
    ASSUMED_FPS,
    LONGEST_BEAT_S,
    MAX_GAP_S,
    MEMORY_S,
    MIN_GLITCH_FRACTION,
    MIN_LONGEST_BEAT_FRAMES,
    MIN_MAX_GAP_FRAMES,
    MIN_MEMORY_FRAMES,
    MIN_SMOOTHING_HALF_FRAMES,
    MIN_WARM_UP_FRAMES,
    SMOOTHING_S,
    WARM_UP_S,
)


@dataclass(frozen=True)
class Windows:
    """Windows of the detector in frames."""

    half: int
    """Frames on either side in the smoothing window."""
    warm_up: int
    memory: int
    longest: int
    """Most frames that a beat reaches back."""
    gap: int
    """Most frames without a ventricle that are filled in."""


def windows_for(fps: float | None) -> Windows:
    """Windows for a frame rate, None if unknown."""

    def frames(seconds: float, least: int) -> int:
        return max(least, round((fps or ASSUMED_FPS) * seconds))

    return Windows(
        half=frames(SMOOTHING_S / 2, MIN_SMOOTHING_HALF_FRAMES) if fps else MIN_SMOOTHING_HALF_FRAMES,
        warm_up=frames(WARM_UP_S, MIN_WARM_UP_FRAMES),
        memory=frames(MEMORY_S, MIN_MEMORY_FRAMES),
        longest=frames(LONGEST_BEAT_S, MIN_LONGEST_BEAT_FRAMES),
        gap=frames(MAX_GAP_S, MIN_MAX_GAP_FRAMES),
    )


class CurveBuffer:
    """Piece of an area curve in which a ventricle is seen, as far back as a beat may reach."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.restart(0)

    def restart(self, frame: int) -> None:
        """Begin a piece of curve at a frame."""
        self.first_frame = frame
        """Frame of index 0."""
        self.raw = np.empty(0)
        """Areas as they came, gaps filled in."""
        self.values = np.empty(0)
        """Areas without glitches."""
        self.shown = np.empty(0, bool)
        """Whether the frame showed a ventricle, and no glitch."""
        self.smooth: list[float] = []
        """Smoothed values, as far as the curve is smoothed."""

    def __len__(self) -> int:
        return len(self.values)

    def append(self, values: np.ndarray, shown: bool) -> None:
        """Add areas (N,) to the end, and remove a glitch before the last one."""
        self.raw = np.concatenate([self.raw, values])
        self.values = np.concatenate([self.values, values])
        self.shown = np.concatenate([self.shown, np.full(len(values), shown)])
        self._remove_glitch()

    def _remove_glitch(self) -> None:
        """Replace the last value but one by the mean of its neighbours where it is a glitch."""
        if len(self.values) < 3:
            return
        before, at, after = self.values[-3:]
        step, limit = min(at - before, at - after, key=abs), MIN_GLITCH_FRACTION * (before + after) / 2
        if (at - before) * (at - after) > 0 and abs(step) > limit:
            self.values[-2], self.shown[-2] = (before + after) / 2, False

    def smooth_to(self, end: int) -> None:
        """Smooth the values up to an index, not included."""
        while len(self.smooth) < end:
            self.smooth.append(smooth_at(self.values, len(self.smooth), self.windows.half))

    def range(self) -> float:
        """Range of the beats in memory."""
        return beat_range(np.array(self.smooth[-self.windows.memory :]))

    def trim(self) -> int:
        """Remove what no beat reaches any more, not at every frame, and return the number of values removed."""
        if len(self) < 2 * self.windows.longest:
            return 0
        cut = len(self) - self.windows.longest
        self.raw, self.values, self.shown = self.raw[cut:], self.values[cut:], self.shown[cut:]
        self.smooth = self.smooth[cut:]
        self.first_frame += cut
        return cut
