"""FrameResult: the mask of one frame of a stream, and the figures so far."""

from dataclasses import dataclass

import numpy as np

from edgeecho.measure import BeatMeasurement
from edgeecho.reasons import Finding, verdict_of
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

    @property
    def verdict(self) -> str:
        """Verdict on the figures so far: `report`, `review` or `withhold`."""
        return verdict_of(self.findings)
