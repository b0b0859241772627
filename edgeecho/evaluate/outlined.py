"""Masks of a cine that no model of EdgeEcho made, measured as those of a model are."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from edgeecho.cine import Cine
from edgeecho.measure import Measurement, measure


@dataclass(frozen=True, eq=False)
class Outlined:
    """Masks of a cine and their measurement: what the evaluation needs of a `Segmentation`."""

    mask: np.ndarray
    """uint8 {0, 1} (T, H, W), at the cine's own pixels; 0 on frames without a mask."""
    area_px: np.ndarray
    """float32 (T,), pixels of the mask."""
    measurement: Measurement
    """Beats that are found in the masks; those of a cine with masks on some frames are not used."""
    is_whole: bool = True
    """Whether every frame has a mask. If not, figures over time are left out."""
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, mask: np.ndarray, cine: Cine, frames: Iterable[int] | None = None) -> "Outlined":
        """Measure the masks of a cine.

        Args:
            mask: uint8 {0, 1} (T, H, W).
            cine: The cine, for its frame rate and spacing.
            frames: Frames that have a mask; None if all have.
        """
        area_px = mask.sum(axis=(1, 2), dtype=np.int64).astype(np.float32)
        measured = measure(mask, area_px, cine.fps, cine.spacing_mm, times_s=cine.times_s, aspect=cine.aspect)
        return cls(mask, area_px, measured, frames is None or len(set(frames)) == len(mask))
