"""Regions of a frame that may show the heart: around its fans, the whole frame, around a mask."""

from dataclasses import dataclass

from edgeecho.preprocess import AUTO, UPRIGHT, Fan, Grid, Roi, apex_side, fan_region, whole_frame
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.trust_constants import AROUND_FACTOR, MIN_SAME_REGION

APEX_FLIPS: dict[str | None, tuple[str, ...]] = {
    None: (UPRIGHT, "lr"),
    "top": (UPRIGHT, "lr"),
    "bottom": ("lrud", "ud"),
    "left": ("cw", "cwlr"),
    "right": ("ccw", "ccwlr"),
}
"""Orientations that put the apex of a fan at the top, by the side on which it lies."""


@dataclass(frozen=True, eq=False)
class Region:
    """A region to look at, the orientations that its fan allows, and the fan."""

    roi: Roi
    flips: tuple[str, ...]
    """Orientations to compare; the first is that of the picture."""
    fan: Fan | None = None
    has_apex: bool = False
    """Whether the fan shows on which side its apex lies."""


class Regions:
    """Regions of the frames of one cine."""

    def __init__(
        self,
        shape: tuple[int, int],
        size_px: int,
        spacing_mm: tuple[float, float] | None,
        roi: Roi | None,
        flip: str,
    ) -> None:
        """
        Args:
            shape: Rows and columns of the frames.
            size_px: Rows and columns of the network's pictures.
            spacing_mm: (row, column) millimetres per pixel, or None for square pixels.
            roi: Region, if it is given.
            flip: `auto`, or the orientation that is given.
        """
        self._shape, self._size_px, self._spacing_mm = shape, size_px, spacing_mm
        self._given_roi, self._flip = roi, flip

    @property
    def whole(self) -> Region:
        """The given region, or the whole frame, upright or in the orientation that is given."""
        flips = (UPRIGHT,) if self._flip == AUTO else (self._flip,)
        return Region(self._given_roi or whole_frame(*self._shape, self._spacing_mm), flips)

    def candidates(self, grid: Grid) -> list[Region]:
        """Return the regions to look at, without those that hardly differ from one before.

        Args:
            grid: Grid with frames of the cine.
        """
        found = [self.around_fan(fans[0]) for fans in grid.fans()] if grid.is_lit else []
        flips, has_apex = (found[0].flips, found[0].has_apex) if found else (self._flips(None), False)
        if self._given_roi:
            return [Region(self._given_roi, flips, None, has_apex)]
        found.append(Region(self.whole.roi, flips, None, has_apex))
        return [
            region
            for number, region in enumerate(found)
            if all(overlap(region.roi, other.roi) < MIN_SAME_REGION for other in found[:number])
        ]

    def beside(self, grid: Grid, region: Region) -> list[Roi]:
        """Return the regions of the fans that were found with that of a region; if it has none, of the first several.

        Args:
            grid: Grid with frames of the cine.
            region: Region that was chosen.
        """
        several = [fans for fans in grid.fans() if len(fans) > 1]
        if region.fan:
            box = region.fan.box
            several = [fans for fans in several if fans[0].box == box]
        return [fan_region(fan, *self._shape, self._spacing_mm) for fan in several[0]] if several else []

    def around_fan(self, fan: Fan) -> Region:
        """Return the region around a fan, with the orientations that its apex allows."""
        side = apex_side(fan.hull)
        return Region(fan_region(fan, *self._shape, self._spacing_mm), self._flips(side), fan, side is not None)

    def _flips(self, side: str | None) -> tuple[str, ...]:
        return APEX_FLIPS[side] if self._flip == AUTO else (self._flip,)

    def around_mask(self, roi: Roi, score: MaskScore) -> Roi:
        """Return the square around the mask of a region, `AROUND_FACTOR` times as large as its longer side."""
        top, bottom, left, right = score.box
        side = max(bottom - top, right - left)
        height, width = (
            max(1, side * length * AROUND_FACTOR[0] // (self._size_px * AROUND_FACTOR[1]))
            for length in (roi.height, roi.width)
        )
        y = roi.y + (top + bottom) * roi.height // (2 * self._size_px) - height // 2
        x = roi.x + (left + right) * roi.width // (2 * self._size_px) - width // 2
        return Roi(x, y, width, height)


def overlap(a: Roi, b: Roi) -> float:
    """Return the area that two regions share, as a part of the area that they cover together."""
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    shared = max(0, height) * max(0, width)
    return shared / (a.width * a.height + b.width * b.height - shared)
