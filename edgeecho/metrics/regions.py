"""Overlap of two masks: Dice and IoU, of one frame, as a mean, or pooled over many frames."""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ShapeError


@dataclass(frozen=True)
class Overlap:
    """Numbers of pixels in both of two masks and in either of them; overlaps of frames can be added."""

    intersection_px: int
    union_px: int

    @property
    def dice(self) -> float:
        """2 |A and B| / (|A| + |B|), no smoothing; NaN when both masks are empty."""
        total = self.union_px + self.intersection_px
        return 2 * self.intersection_px / total if total else float("nan")

    @property
    def iou(self) -> float:
        """|A and B| / |A or B|, no smoothing; NaN when both masks are empty."""
        return self.intersection_px / self.union_px if self.union_px else float("nan")

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(self.intersection_px + other.intersection_px, self.union_px + other.union_px)


def overlap(a: np.ndarray, b: np.ndarray) -> Overlap:
    """Count the pixels that two masks share.

    Pooled Dice, as EchoNet-Dynamic reports it (`echonet/utils/segmentation.py`, 2 sum(I) / (sum(U) + sum(I)) over all
    frames), is the Dice of the sum of all frames' overlaps: `sum(overlaps, Overlap(0, 0)).dice`. Large ventricles
    have more weight in it than in a mean of Dice values.

    Args:
        a: Mask, bool or {0, 1}, any shape.
        b: Mask of the same shape.

    Raises:
        ShapeError: If the shapes differ.
    """
    if a.shape != b.shape:
        raise ShapeError(f"masks differ in shape: {a.shape} and {b.shape}")
    a, b = a.astype(bool, copy=False), b.astype(bool, copy=False)
    return Overlap(int(np.count_nonzero(a & b)), int(np.count_nonzero(a | b)))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice overlap of two masks, 2 |A and B| / (|A| + |B|), no smoothing; NaN when both are empty.

    Arguments and errors are those of `overlap`.
    """
    return overlap(a, b).dice


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks (Jaccard index), no smoothing; NaN when both are empty.

    Arguments and errors are those of `overlap`.
    """
    return overlap(a, b).iou
