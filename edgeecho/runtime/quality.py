"""Quality of a result: an unsure network, a view that it was not made for, implausible figures, a frozen cine."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgeecho.measure import Measurement

MAX_FRAGMENTED_FRACTION = 0.1
"""Largest fraction of frames whose mask is in pieces in an apical view."""
MIN_LARGEST_REGION_FRACTION = 0.98
"""A mask is in pieces if its largest region has less of its pixels."""
MIN_CONFIDENCE = 0.9
PLAUSIBLE_EF_PERCENT = (5.0, 90.0)
"""EF outside is rarely real: over EchoNet-Dynamic it goes from 6.9 to 97.0, mean 55.8, standard deviation 12.4."""
PLAUSIBLE_EDV_ML = (5.0, 500.0)
"""The smallest infants' and the most dilated ventricles lie within; outside, the spacing or the mask is wrong."""
MIN_FROZEN_FRAMES = 10
"""A shorter pause may be diastasis of a quiet heart."""
MAX_FROZEN_CHANGE = 0.1
"""Largest change between two frozen frames, as a fraction of the 90th percentile of the cine's changes."""


@dataclass(frozen=True)
class MaskQuality:
    """Confidence of the network on one cine, and the frames whose mask is not one region."""

    frames: int
    confidence: float
    """Mean probability inside the masks, 0-1; 0 if all of them are empty."""
    empty_frames: int
    """Frames without a mask."""
    broken_frames: int
    """Frames whose mask is in several pieces."""

    @classmethod
    def of(cls, prob: np.ndarray, threshold: int) -> "MaskQuality":
        """Measure probability maps.

        Args:
            prob: 255 times the probability, uint8 (T, S, S).
            threshold: A pixel is cavity where `prob` is at least this.
        """
        import cv2

        masks = (prob >= threshold).astype(np.uint8)
        inside = prob[masks > 0]
        empty = broken = 0
        for mask in masks:
            sizes = cv2.connectedComponentsWithStats(mask)[2][1:, cv2.CC_STAT_AREA]
            empty += len(sizes) == 0
            broken += len(sizes) > 1 and bool(sizes.max() < MIN_LARGEST_REGION_FRACTION * sizes.sum())
        return cls(len(masks), float(inside.mean() / 255) if inside.size else 0.0, empty, broken)

    def to_dict(self) -> dict[str, float]:
        """Return the figures as JSON values."""
        return {
            "confidence": round(self.confidence, 4),
            "empty_frames": self.empty_frames,
            "broken_frames": self.broken_frames,
        }

    def warnings(self) -> list[str]:
        """List what limits the result, each a sentence."""
        return [f"{self.empty_frames} of {self.frames} frames have no left ventricle"] if self.empty_frames else []

    def severe_warnings(self) -> list[str]:
        """List what makes the whole result doubtful, each a sentence."""
        if self.broken_frames > MAX_FRAGMENTED_FRACTION * self.frames:
            pieces = f"the mask falls into pieces in {self.broken_frames} of {self.frames} frames"
            return [f"{pieces}: is this an apical view?"]
        if self.empty_frames < self.frames and self.confidence < MIN_CONFIDENCE:
            return [f"the network is unsure (confidence {self.confidence:.2f}): is this an apical view?"]
        return []


def implausible_figures(measured: Measurement) -> list[str]:
    """List the figures that are outside what hearts have, each a sentence."""
    found = []
    ef, edv = measured.ef_percent, measured.edv_ml
    if ef is not None and not PLAUSIBLE_EF_PERCENT[0] <= ef <= PLAUSIBLE_EF_PERCENT[1]:
        found.append(f"an EF of {ef:.0f}% is implausible: look at the masks of ED and ES")
    if edv is not None and not PLAUSIBLE_EDV_ML[0] <= edv <= PLAUSIBLE_EDV_ML[1]:
        found.append(f"an EDV of {edv:.1f} mL is implausible: check the pixel spacing")
    return found


def frozen_tail(frames: np.ndarray) -> list[str]:
    """Find equal frames at the end, as a recorder leaves them that fills up a cine with its last frame.

    Args:
        frames: Input of the network, uint8 (T, S, S).

    Returns:
        One sentence, or none if the cine does not end so.
    """
    if len(frames) <= MIN_FROZEN_FRAMES:
        return []
    change = np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)])
    moving = np.flatnonzero(change > MAX_FROZEN_CHANGE * np.percentile(change, 90))
    still = len(change) - (int(moving[-1]) + 1 if len(moving) else 0)
    if still < MIN_FROZEN_FRAMES:
        return []
    return [f"the last {still + 1} of {len(frames)} frames are the same: cut them off, beats there are not real"]
