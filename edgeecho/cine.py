"""Cine: the frames of one ultrasound loop, with what is known about them."""

from dataclasses import dataclass, field

import numpy as np

from edgeecho.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Cine:
    """One loop of grey frames.

    Raises:
        ShapeError: If `frames` is not uint8 (T, H, W) with T >= 1, or a label does not fit.
    """

    frames: np.ndarray
    """uint8 (T, H, W)."""
    fps: float | None = None
    """Frames per second, None if unknown."""
    spacing_mm: tuple[float, float] | None = None
    """(row, column) millimetres per pixel, None if unknown."""
    labels: dict[int, np.ndarray] = field(default_factory=dict)
    """Frame index to left-ventricle mask, uint8 {0, 1} (H, W), for the labelled frames only."""
    name: str = "cine"
    """For messages and output files."""
    warnings: tuple[str, ...] = ()
    """What was odd about the file, each a sentence for the user."""

    def __post_init__(self) -> None:
        if self.frames.dtype != np.uint8 or self.frames.ndim != 3 or 0 in self.frames.shape:
            raise ShapeError(
                f"{self.name}: expected frames uint8 (T, H, W), got {self.frames.dtype} {self.frames.shape}; "
                "pass one grey cine"
            )
        for index, mask in self.labels.items():
            if not 0 <= index < len(self.frames) or mask.shape != self.frames.shape[1:]:
                raise ShapeError(f"{self.name}: label {index} {mask.shape} does not fit frames {self.frames.shape}")
