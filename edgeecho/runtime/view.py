"""View: the region and the orientation in which the network sees a cine."""

from dataclasses import dataclass, replace

import numpy as np

from edgeecho.preprocess import UPRIGHT, Fan, Orientation, Roi, whole_frame


@dataclass(frozen=True, eq=False)
class View:
    """Region and orientation of a cine, and how sure they are."""

    roi: Roi
    orientation: Orientation
    fan: Fan | None = None
    """The fan of the lowest grey level, if the region is around a fan; None if it is not, or given."""
    confidence: float = 0.0
    """Mean confidence of the looks in this region and orientation, 0-1."""
    margin: float = 1.0
    """Confidence above that of the next best orientation; 1 if no other was tried."""
    rival: str = UPRIGHT
    """Flip of the next best orientation."""
    is_clear: bool = True
    """Whether the margin is large enough for the number of frames that were sampled."""
    panels: tuple[Roi, ...] = ()
    """Other parts of the picture in which the network is confident to see a ventricle."""

    shows_apex: bool = True
    """Whether the fan shows on which side its apex lies, or the orientation is given."""

    def turned_to_rival(self) -> "View":
        """Return this view in the next best orientation."""
        return replace(self, orientation=Orientation(self.rival, self.orientation.inverted))

    def inside(self, size_px: int, shape: tuple[int, int], spacing_mm: tuple[float, float] | None) -> np.ndarray | None:
        """Return the pixels of the network's picture that lie in the hull of the fan, not turned, bool (S, S).

        Args:
            size_px: S.
            shape: Rows and columns of the frames.
            spacing_mm: (row, column) millimetres per pixel, or None for square pixels.

        Returns:
            None if the region is around no fan.
        """
        if self.fan is None:
            return None
        whole, hull = whole_frame(*shape, spacing_mm), self.fan.hull
        rows, columns = (
            (2 * (start - first) * size_px + (2 * np.arange(size_px) + 1) * length) * len(hull) // (2 * side * size_px)
            for start, length, first, side in (
                (self.roi.y, self.roi.height, whole.y, whole.height),
                (self.roi.x, self.roi.width, whole.x, whole.width),
            )
        )
        inside = np.zeros((size_px, size_px), bool)
        r, c = ((cells >= 0) & (cells < len(hull)) for cells in (rows, columns))
        inside[np.ix_(r, c)] = hull[np.ix_(rows[r], columns[c])]
        return inside
