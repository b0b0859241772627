"""Score of one mask at the network's size: confidence, pieces, and how much of it lies where it should not."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgeecho.runtime.trust_constants import MAX_EDGE_CELLS


@dataclass(frozen=True)
class MaskScore:
    """What one probability map shows, in whole numbers."""

    EMPTY: ClassVar["MaskScore"]

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

        mask = prob >= threshold
        pixels = int(np.count_nonzero(mask))
        if not pixels:
            return cls()
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
        left, top, width, height, largest = (int(v) for v in stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))])
        ends = sum(np.count_nonzero(line) for line in (mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]))
        return cls(
            pixels=pixels,
            total=int(prob[mask].sum(dtype=np.int64)),
            largest=largest if count > 2 else pixels,
            edge=int(ends),
            outside=0 if inside is None else pixels - int(np.count_nonzero(mask & inside)),
            box=(top, top + height, left, left + width),
        )

    @property
    def confidence(self) -> float:
        """Mean probability inside the mask, 0-1; 0 if it is empty."""
        return self.total / (255 * self.pixels) if self.pixels else 0.0

    @property
    def is_cut(self) -> bool:
        """Whether the mask reaches the edge of the picture."""
        return self.edge > MAX_EDGE_CELLS


MaskScore.EMPTY = MaskScore()
