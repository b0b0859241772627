"""`Cine`: the frames of one ultrasound loop, with frame rate, spacing, labels and phases where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from edgeecho.cine.grey import MAX_SIDE_PX
from edgeecho.errors import ConfigError, ShapeError
from edgeecho.reasons import Finding

MIN_FPS, MIN_SPACING_MM = 0.01, 0.001
MAX_FPS, MAX_SPACING_MM = 10_000, 1_000
"""Bounds of the frame rate and spacing that a user may give; wide, for phantoms and animals."""
MAX_ASPECT = 5.0
"""Largest ratio of the sides of a pixel that a file may state; a larger one is an error of the file."""


@dataclass(frozen=True, eq=False)
class Cine:
    """A loop of grey frames.

    Raises:
        ShapeError: If `frames` is not uint8 (T, H, W) with T >= 1, or a label, times or aspect do not fit.
    """

    frames: np.ndarray
    """Grey frames, uint8 (T, H, W)."""
    fps: float | None = None
    """Frames per second, None if unknown."""
    spacing_mm: tuple[float, float] | None = None
    """(row, column) millimetres per pixel, None if unknown."""
    labels: dict[int, np.ndarray] = field(default_factory=dict)
    """Left-ventricle masks by frame index, uint8 {0, 1} (H, W), of the labelled frames only."""
    phases: dict[int, str] = field(default_factory=dict)
    """`ED` or `ES` by frame index, where a person marked it."""
    name: str = "cine"
    """Name for messages and output files."""
    warnings: tuple[str, ...] = ()
    """Warnings about the file, each a sentence for the user."""
    doubts: tuple[Finding, ...] = ()
    """Reasons in the file that make figures doubtful, such as an unsure time base."""
    times_s: np.ndarray | None = None
    """Presentation time of each frame in seconds, float64 (T,), rising; None where frames are evenly spaced."""
    coloured: np.ndarray | None = None
    """Pixels that are strongly coloured in a tenth of the frames or more, bool (H, W); None for a grey source."""
    aspect: float = 1.0
    """Height of a row over width of a column, as the file states it; 1 where it states none. `spacing_mm` decides
    where that is known."""

    def __post_init__(self) -> None:
        if not isinstance(self.frames, np.ndarray):
            raise ShapeError(f"{self.name}: expected frames uint8 (T, H, W), got {type(self.frames).__name__}")
        if self.frames.dtype != np.uint8 or self.frames.ndim != 3 or 0 in self.frames.shape:
            raise ShapeError(
                f"{self.name}: expected frames uint8 (T, H, W), got {self.frames.dtype} {self.frames.shape}; "
                "pass one grey cine"
            )
        require_side(self.frames.shape[1:], self.name)
        for index, mask in self.labels.items():
            if not 0 <= index < len(self.frames) or mask.shape != self.frames.shape[1:]:
                raise ShapeError(f"{self.name}: label {index} {mask.shape} does not fit frames {self.frames.shape}")
        if self.times_s is not None and not _are_times(self.times_s, len(self.frames)):
            kind = type(self.times_s).__name__
            raise ShapeError(
                f"{self.name}: times_s must be {len(self.frames)} finite numbers, a frame each, got {kind}"
            )
        if not _is_between(self.aspect, MAX_SPACING_MM) or self.aspect < 1 / MAX_SPACING_MM:
            raise ShapeError(f"{self.name}: aspect must be from 0.001 to 1000, got {self.aspect!r:.80}")

    @property
    def pixel_shape(self) -> tuple[float, float]:
        """(row, column) size of a pixel: in millimetres where `spacing_mm` is known, else in widths of a column."""
        return self.spacing_mm or (self.aspect, 1.0)

    @property
    def marked(self) -> list[int]:
        """Labelled frames that are ED or ES, in order of time; all labelled frames if neither is marked."""
        return sorted(self.labels.keys() & self.phases.keys()) or sorted(self.labels)


def require_side(shape: tuple[int, ...], name: str) -> None:
    """Refuse frames of more rows or columns than are read from files.

    Raises:
        ShapeError: If they have more.
    """
    if max(shape) > MAX_SIDE_PX:
        raise ShapeError(f"{name}: frames of {shape[1]}x{shape[0]} pixels are too large; at most {MAX_SIDE_PX} a side")


def aspect_of(height: float, width: float) -> float:
    """Return the `aspect` of a pixel whose sides a file states; 1 where they are not stated or cannot be."""
    if not (height > 0 and width > 0) or max(height / width, width / height) > MAX_ASPECT:
        return 1.0
    return float(height / width)


def shape_notes(aspect: float) -> tuple[str, ...]:
    """Return the sentence that a file states pixels that are not square, for its warnings; none if they are."""
    if aspect == 1:
        return ()
    width, height = (1 / aspect, 1.0) if aspect < 1 else (1.0, aspect)
    return (
        f"The file states pixels of shape {width:.4g}:{height:.4g} (width to height), which the region and EF use.",
    )


def check_stated(fps: float | None, spacing_mm: Sequence[float] | None) -> None:
    """Refuse an impossible frame rate or spacing.

    Raises:
        ConfigError: If `fps` or a spacing is not a positive number of a plausible size.
    """
    if fps is not None and not _is_between(fps, MAX_FPS, MIN_FPS):
        raise ConfigError(f"fps must be positive and below {MAX_FPS}, got {fps!r:.80}; the least is {MIN_FPS}")
    if spacing_mm is None:
        return
    try:
        both = tuple(spacing_mm)
    except TypeError:
        both = ()
    if len(both) != 2 or not all(_is_between(mm, MAX_SPACING_MM, MIN_SPACING_MM) for mm in both):
        raise ConfigError(
            f"spacing_mm must be two positive numbers (row, column) below {MAX_SPACING_MM}, got {spacing_mm!r:.80}; "
            f"the least is {MIN_SPACING_MM}"
        )


def _are_times(times_s: object, count: int) -> bool:
    """Whether a value is an array of a finite number for each frame."""
    if not isinstance(times_s, np.ndarray) or times_s.dtype.kind not in "fiu" or times_s.shape != (count,):
        return False
    return bool(np.isfinite(times_s).all())


def _is_between(value: object, most: float, least: float = 0.0) -> bool:
    """Whether a value that a caller gave is a number above 0, from `least` on, and below `most`."""
    number: Any = value if isinstance(value, Real) and not isinstance(value, bool) else 0
    return bool(number > 0 and least <= number < most)
