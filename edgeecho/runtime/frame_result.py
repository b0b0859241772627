"""FrameResult: the mask of one frame of a stream, and the figures so far."""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure import BeatMeasurement, outline
from edgeecho.reasons import Finding, Reason, verdict_of
from edgeecho.runtime.view import View


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Mask and area of one frame of a stream, and the figures so far."""

    frame: int
    """Index of the frame, counted from 0 at the last reset."""
    mask: np.ndarray
    """uint8 {0, 1} (H, W), left-ventricular cavity at the frame's own pixels, in one piece."""
    area_px: float
    """Pixels of the mask."""
    confidence: float
    """Mean probability inside the mask, 0-1; 0 if it is empty."""
    view: View
    """Region and orientation in which the network saw the frame."""
    beats: tuple[BeatMeasurement, ...]
    """Beats that this frame completes, also those that are left out of the medians."""
    ef_percent: float | None
    """Median over the beats so far that are used, 0-100; None before the first, or if it is withheld."""
    heart_rate_bpm: float | None
    """Median over these beats; None before the first, or without a frame rate."""
    findings: tuple[Finding, ...]
    """Reasons that limit the figures so far."""
    prob: np.ndarray
    """255 times the probability of cavity, uint8 (S, S), over the region of `view`, not turned."""
    reasons: tuple[Reason, ...]
    """What is doubtful in this frame alone: empty or broken masks, an unlikely view, a frozen picture."""
    time_s: float | None
    """When the frame was taken, as it was given to `push`."""

    @property
    def outline(self) -> np.ndarray:
        """Pixels at the edge of the mask as (x, y), int32 (N, 2), in order."""
        return outline(self.mask)

    @property
    def verdict(self) -> str:
        """Verdict on the figures so far: `report`, `review` or `withhold`."""
        return verdict_of(self.findings)
