"""Fan of a picture: its lit region, polar coordinates about its top, and its extension beyond its edges.

The fan here is found in clean pictures, to the pixel, to spoil or move them with known truth. The fans that the product
finds in any picture, on a small grid, are those of `edgeecho/preprocess/fan.py`.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from edgeecho.errors import VideoError

MIN_LIT_LEVEL = 13
"""Lowest grey level of a pixel that counts as lit; darker ones may be compression noise."""
MIN_FAN_FRACTION = 0.02
"""Least part of the picture that a fan covers."""


@dataclass(frozen=True, eq=False)
class Fan:
    """The lit region of a picture. Polar coordinates are the distance in pixels from `top`, and the angle from down."""

    inside: np.ndarray
    """Pixels of the fan, convex, bool (H, W)."""
    top: tuple[float, float]
    """Column and row of the middle of its highest rows, where the beams meet in a full sector."""

    @classmethod
    def of(cls, frames: np.ndarray) -> "Fan":
        """Find the fan: the convex hull of the largest lit component, without thin parts such as text.

        Args:
            frames: Grey frames, uint8 (T, H, W).

        Raises:
            VideoError: If no part of the picture is lit.
        """
        lit = (frames.max(axis=0) >= MIN_LIT_LEVEL).astype(np.uint8)
        side = max(3, round(min(lit.shape) * 0.025) | 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        padded = np.pad(lit, 2 * side)
        joined = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
        inner = joined[2 * side : -2 * side, 2 * side : -2 * side]
        _, names, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(inner), connectivity=4)
        areas = stats[1:, cv2.CC_STAT_AREA]
        if not len(areas) or areas.max() < MIN_FAN_FRACTION * lit.size:
            raise VideoError(f"no fan: the largest lit part has {max(areas, default=0)} pixels; pass a lit picture")
        component = (names == 1 + int(np.argmax(areas))).astype(np.uint8)
        component = cv2.dilate(component, disc) & lit  # the opening has cut its sharp corners
        points = np.concatenate(cv2.findContours(component, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0])
        filled = cv2.fillConvexPoly(np.zeros_like(component), cv2.convexHull(points), 1)
        return cls.from_pixels(np.asarray(filled > 0))

    @classmethod
    def from_pixels(cls, inside: np.ndarray) -> "Fan":
        """Make a fan of known pixels, bool (H, W) with at least one that is set."""
        rows = np.flatnonzero(inside.any(axis=1))
        high = inside[rows[0] : rows[0] + 1 + len(rows) // 50]
        return cls(inside, (float(np.nonzero(high)[1].mean()), float(rows[0])))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Column and row of the first pixel, width and height of the smallest rectangle about the fan."""
        rows, columns = np.flatnonzero(self.inside.any(axis=1)), np.flatnonzero(self.inside.any(axis=0))
        return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1

    @cached_property
    def radius(self) -> np.ndarray:
        """Distance of each pixel from the top in pixels, float32 (H, W)."""
        y, x = np.indices(self.inside.shape, np.float32)
        return np.asarray(np.hypot(x - self.top[0], y - self.top[1]), np.float32)

    @cached_property
    def angle(self) -> np.ndarray:
        """Angle of each pixel about the top in radians, 0 straight down and positive to the right, float32 (H, W)."""
        y, x = np.indices(self.inside.shape, np.float32)
        return np.asarray(np.arctan2(x - self.top[0], y - self.top[1]), np.float32)

    @cached_property
    def reach(self) -> float:
        """Distance of the farthest pixel of the fan from its top, in pixels."""
        return float(self.radius[self.inside].max())

    @cached_property
    def angles(self) -> tuple[float, float]:
        """Angles of the first and the last beam in radians; the near field, where angles are coarse, is left out."""
        far = self.angle[self.inside & (self.radius > 0.3 * self.reach)]
        return float(far.min()), float(far.max())

    @cached_property
    def depth(self) -> np.ndarray:
        """Distance of each pixel from the top as a part of `reach`, 0 to 1 inside the fan, float32 (H, W)."""
        return np.asarray(self.radius / np.float32(self.reach), np.float32)

    @cached_property
    def _mirrored(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column from which `extend` takes each pixel, int (H, W)."""
        inner = cv2.erode(self.inside.astype(np.uint8), np.ones((3, 3), np.uint8))
        _, nearest = cv2.distanceTransformWithLabels(1 - inner, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        rows, columns = np.nonzero(inner)
        where = np.zeros((int(nearest.max()) + 1, 2), np.int64)
        where[nearest[rows, columns]] = np.column_stack([rows, columns])
        edge = where[nearest]
        y, x = np.indices(inner.shape)
        far = (
            np.clip(2 * edge[..., 0] - y, 0, inner.shape[0] - 1),
            np.clip(2 * edge[..., 1] - x, 0, inner.shape[1] - 1),
        )
        good = inner[far] > 0
        taken = (np.where(good, far[axis], edge[..., axis]) for axis in (0, 1))
        row, column = (np.where(self.inside, own, other) for own, other in zip((y, x), taken, strict=True))
        return row, column

    def extend(self, image: np.ndarray) -> np.ndarray:
        """Fill the picture beyond the fan with its mirror image at the fan's edge.

        Args:
            image: Grey picture, uint8 (H, W).

        Returns:
            Picture of the same size without black borders, the same inside the fan, uint8 (H, W).
        """
        return np.asarray(image[self._mirrored])

    def move(self, image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Move the content of a picture under its resting fan.

        Args:
            image: Grey picture, uint8 (H, W).
            matrix: Affine transform of (column, row), from the picture to its moved form, float (2, 3).

        Returns:
            Picture that is moved inside the fan, mirrored at its edge, and the same outside; uint8 (H, W).
        """
        size = image.shape[::-1]
        moved = cv2.warpAffine(self.extend(image), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(np.where(self.inside, moved, image), np.uint8)

    def move_mask(self, mask: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Move a mask uint8 {0, 1} (H, W) as `move` moves the picture; nothing is mirrored into it."""
        moved = cv2.warpAffine(mask * 255, matrix, mask.shape[::-1], flags=cv2.INTER_LINEAR)
        return np.asarray((moved > 127) & self.inside, np.uint8)
