"""Calibration of a DICOM cine: regions on the screen, the size of their pixels, and the shape of a pixel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from edgeecho.cine.dicom_numbers import numbers
from edgeecho.cine.model import aspect_of
from edgeecho.reasons import Finding, Level, Reason, find

_TISSUE_2D, _CM = 1, 3
MAX_OVERLAP_FRACTION = 0.1
"""Regions lie side by side if they share at most this part of the smaller one."""
MIN_SIDE_REGION_FRACTION = 0.25
"""A region beside the largest may be meant too if it has at least this part of its area; a smaller one is an inset."""


@dataclass(frozen=True)
class Calibration:
    """Size and shape of the pixels of a file, as its attributes state them."""

    spacing_mm: tuple[float, float] | None
    """(row, column) millimetres per pixel, None if unknown."""
    aspect: float
    """Height of a row over width of a column, 1 if not stated."""
    notes: tuple[str, ...]
    """Sentences for the user."""
    doubts: tuple[Finding, ...]
    """Why the region is unsure."""


@dataclass(frozen=True)
class _Region:
    """A calibrated 2D region: a box of pixels, its ends within it."""

    x0: int
    y0: int
    x1: int
    y1: int
    spacing_mm: tuple[float, float]

    @property
    def area(self) -> int:
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def overlap(self, other: "_Region") -> int:
        """Return the pixels that both share."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        return max(0, width) * max(0, min(self.y1, other.y1) - max(self.y0, other.y0))

    def roi(self, columns: int, rows: int) -> str:
        """Return the box as `--roi` takes it."""
        return f"{self.x0},{self.y0},{min(self.x1 + 1, columns) - self.x0},{min(self.y1 + 1, rows) - self.y0}"


def calibration(header: Any, roi: Sequence[int] | None = None) -> Calibration:
    """Find the pixel spacing of a DICOM data set.

    Of several regions, the one counts that shares most pixels with `roi`; without it the largest. A region
    whose box does not fit into the frame describes another image (the file was scaled and its tags were not), so its
    spacing is wrong for these pixels and is not used.

    Args:
        header: Data set without pixels.
        roi: (x, y, width, height) of the part of the picture that is meant; None if it is not known.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    fitting: list[_Region] = []
    notes: list[str] = []
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        kinds = [
            numbers(region, k)[:1]
            for k in ("RegionSpatialFormat", "PhysicalUnitsXDirection", "PhysicalUnitsYDirection")
        ]
        deltas_cm = [abs(d) for k in ("PhysicalDeltaY", "PhysicalDeltaX") for d in numbers(region, k)[:1]]
        if kinds != [[_TISSUE_2D], [_CM], [_CM]] or len(deltas_cm) != 2 or min(deltas_cm) <= 0:
            continue
        box = [
            round(v) for k in ("MinX0", "MinY0", "MaxX1", "MaxY1") for v in numbers(region, f"RegionLocation{k}")[:1]
        ]
        if len(box) == 4 and 0 <= box[0] < box[2] <= columns and 0 <= box[1] < box[3] <= rows:
            fitting.append(_Region(box[0], box[1], box[2], box[3], (10 * deltas_cm[0], 10 * deltas_cm[1])))
        else:
            notes.append(
                f"The calibrated region of the file (box {box}) does not fit its {columns}x{rows} "
                "pixels, so it describes another image; its spacing was not used."
            )
    if roi and (chosen := _at(roi, fitting)):
        return Calibration(chosen.spacing_mm, 1.0, tuple(notes), ())
    if fitting:
        spacing = max(fitting, key=lambda region: (region.area, region.spacing_mm)).spacing_mm
        if any(
            not math.isclose(a, b, rel_tol=0.01)
            for region in fitting
            for a, b in zip(region.spacing_mm, spacing, strict=True)
        ):
            notes.append("The file has 2D regions of different scale; the spacing of the largest is used.")
        doubts = _side_by_side(fitting, columns, rows)
        return Calibration(spacing, 1.0, (*notes, *(doubt.text for doubt in doubts)), doubts)
    spacing_mm = numbers(header, "PixelSpacing")
    if len(spacing_mm) == 2 and min(spacing_mm) > 0:
        return Calibration((spacing_mm[0], spacing_mm[1]), 1.0, tuple(notes), ())
    ratio = numbers(header, "PixelAspectRatio")  # height, width
    return Calibration(None, aspect_of(*ratio) if len(ratio) == 2 else 1.0, tuple(notes), ())


def _at(roi: Sequence[int], regions: list[_Region]) -> _Region | None:
    """Return the region that shares most pixels with a box (x, y, width, height); None if none does."""
    box = _Region(roi[0], roi[1], roi[0] + roi[2], roi[1] + roi[3], (0, 0))
    best = max(regions, key=lambda region: (box.overlap(region), region.area), default=None)
    return best if best and box.overlap(best) else None


def _side_by_side(regions: list[_Region], columns: int, rows: int) -> tuple[Finding, ...]:
    """Return the finding that two or more regions lie beside each other, with their boxes."""
    largest = max(region.area for region in regions)
    wide = [region for region in regions if region.area >= MIN_SIDE_REGION_FRACTION * largest]
    apart = sorted(
        {
            (region.x0, region.y0, region.roi(columns, rows))
            for pair in combinations(wide, 2)
            if pair[0].overlap(pair[1]) <= MAX_OVERLAP_FRACTION * min(pair[0].area, pair[1].area)
            for region in pair
        }
    )
    if not apart:
        return ()
    text = (
        f"The file has {len(apart)} calibrated 2D regions side by side, all of which the network would see: set the "
        f"region (--roi) to one of them, {' or '.join(box for _, _, box in apart)}."
    )
    return (find(Reason.REGION_UNSURE, Level.REVIEW, text),)
