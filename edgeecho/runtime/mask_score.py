"""Score of one mask at the network's size: confidence, pieces, and how much of it lies where it should not."""

import math
from dataclasses import dataclass

import numpy as np

from edgeecho.reasons import Reason
from edgeecho.runtime.trust_constants import (
    MAX_EDGE_CELLS,
    MAX_EDGE_FRACTION,
    MIN_LARGEST_FRACTION,
    OUTSIDE_FRACTIONS,
    SURE_CONFIDENCE,
)


@dataclass(frozen=True)
class MaskScore:
    """What one probability map shows, in whole numbers."""

    pixels: int = 0
    """Pixels at or above the threshold."""
    total: int = 0
    """Sum of their `prob`."""
    largest: int = 0
    """Pixels of the largest piece (4 neighbours)."""
    edge: int = 0
    """Pixels of the mask on the edge of the picture."""
    outside: int = 0
    """Pixels outside the fan."""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, bottom, left and right of the largest piece; bottom and right are exclusive."""

    @classmethod
    def of(cls, prob: np.ndarray, threshold: int, inside: np.ndarray | None = None) -> "MaskScore":
        """Score a probability map.

        Args:
            prob: 255 times the probability, uint8 (S, S).
            threshold: A pixel is cavity where `prob` is at least this.
            inside: Pixels of the fan, bool (S, S); None takes all.
        """
        import cv2

        shown = cv2.compare(prob, threshold, cv2.CMP_GE)  # 255 where it is cavity
        pixels = cv2.countNonZero(shown)
        if not pixels:
            return cls()
        largest, (left, top, width, height) = pixels, cv2.boundingRect(shown)
        if cv2.connectedComponents(shown, connectivity=4)[0] > 2:
            _, _, stats, _ = cv2.connectedComponentsWithStats(shown, connectivity=4)
            best = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))]
            left, top, width, height, largest = (int(value) for value in best)
        return cls(
            pixels=pixels,
            total=round(cv2.mean(prob, shown)[0] * pixels),
            largest=largest,
            edge=sum(int(np.count_nonzero(line)) for line in (shown[0], shown[-1], shown[1:-1, 0], shown[1:-1, -1])),
            outside=0 if inside is None else pixels - int(np.count_nonzero(inside[shown > 0])),
            box=(top, top + height, left, left + width),
        )

    @property
    def confidence(self) -> float:
        """Mean probability inside the mask, 0-1; 0 if it is empty."""
        return self.total / (255 * self.pixels) if self.pixels else 0.0

    def frame_reasons(self, *, is_frozen: bool) -> tuple[Reason, ...]:
        """Return what is doubtful in this frame alone, by the limits that hold for a beat.

        Args:
            is_frozen: Whether its picture is the same as that of the frame before.
        """
        found = {Reason.FROZEN: is_frozen, Reason.NO_VENTRICLE: not self.pixels}
        if self.pixels:
            found |= {
                Reason.VIEW_UNLIKELY: self.confidence < SURE_CONFIDENCE,
                Reason.MASK_IN_PIECES: self.largest < MIN_LARGEST_FRACTION * self.pixels,
                Reason.MASK_OUTSIDE_FAN: self.outside / self.pixels > OUTSIDE_FRACTIONS[0],
                Reason.CUT_BY_EDGE: self.edge > MAX_EDGE_FRACTION * math.sqrt(self.pixels),
            }
        return tuple(sorted(reason for reason, is_found in found.items() if is_found))

    @property
    def is_cut(self) -> bool:
        """Whether the mask reaches the edge of the picture."""
        return self.edge > MAX_EDGE_CELLS
