"""Morph between a labelled ED and ES still of one view, which gives a cine with known masks.

The wall moves from ED to ES on straight lines between matching points of the two outlines. An intermediate frame is the
cross-fade of both stills, each warped to the shape of that moment, so that speckle moves with the tissue and changes
over a beat. The mask is the mean of the two signed distances, warped in the same way, and so fits the picture exactly.
The sector is not warped: the picture is extended beyond it before, and cut at its edge afterwards.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from edgeecho.measure import long_axis

WALL_POINTS, BASE_POINTS = 24, 10
GRID = 36
"""Number of nodes along a side of the coarse displacement field."""
REACH = 0.13
"""Standard deviation of the effect of a point of the outline, as a part of the ventricle's length."""
HOLD = 0.12
"""Weight of zero displacement, for pixels that are far from all points of the outline."""


@dataclass(frozen=True, eq=False)
class EdEsMorph:
    """Two stills of one heart with matching outlines. Points are (x, y) in pixels of the stills."""

    images: tuple[np.ndarray, np.ndarray]
    """Pictures at ED and ES, uint8 (H, W), extended beyond the sector."""
    distances: tuple[np.ndarray, np.ndarray]
    """Signed distance to the outline at ED and ES, positive inside, float32 (H, W)."""
    outlines: tuple[np.ndarray, np.ndarray]
    """Matching points at ED and ES, float32 (N, 2)."""
    sector: np.ndarray
    """Pixels of the sector, uint8 {0, 1} (H, W)."""

    @classmethod
    def from_stills(cls, images: np.ndarray, masks: np.ndarray) -> "EdEsMorph":
        """Make a morph from two stills.

        Args:
            images: Pictures at ED and ES, uint8 (2, H, W).
            masks: Cavities at ED and ES, uint8 {0, 1} (2, H, W).

        Raises:
            MeasurementError: If a mask is too small to have an axis.
        """
        sector = _sector(images)
        ed, es = (outline(mask) for mask in masks)
        filled = [_fill(image, sector) for image in images]
        return cls((filled[0], filled[1]), (signed_distance(masks[0]), signed_distance(masks[1])), (ed, es), sector)

    def displacement(self, contraction: float) -> np.ndarray:
        """Return the displacement from ES to ED shape about the outline of a moment, float32 (GRID, GRID, 2).

        At `contraction` (0 at ED, 1 at ES) a pixel x shows the point x + contraction * displacement of the ED still
        and the point x - (1 - contraction) * displacement of the ES still.
        """
        ed, es = self.outlines
        return self._field(ed + contraction * (es - ed), ed - es)

    def _field(self, points: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Interpolate displacements `moves` (N, 2) at `points` (N, 2), 0 far from all, to float32 (GRID, GRID, 2)."""
        height, width = self.sector.shape
        xs = (np.arange(GRID, dtype=np.float32) + 0.5) * (width / GRID) - 0.5
        ys = (np.arange(GRID, dtype=np.float32) + 0.5) * (height / GRID) - 0.5
        scale = -0.5 / (REACH * float(np.linalg.norm(np.ptp(self.outlines[0], axis=0)))) ** 2
        near_x = np.exp(scale * (xs[:, None] - points[:, 0]) ** 2)  # (GRID, N)
        near_y = np.exp(scale * (ys[:, None] - points[:, 1]) ** 2)
        back = np.column_stack([moves, np.ones(len(moves), np.float32)])  # (N, 3)
        sums = np.einsum("yn,xn,nk->yxk", near_y, near_x, back, optimize=True)
        return np.asarray(sums[..., :2] / (sums[..., 2:] + HOLD * WALL_POINTS * 0.1), np.float32)

    def shaped_like(self, other: "EdEsMorph", share: float) -> "EdEsMorph":
        """Return these pictures with size, form and motion of the ventricle changed towards those of another one.

        Args:
            other: Other heart; its ED outline is aligned with this one by translation and rotation (Kabsch).
            share: Part of the way: 0 is none, 1 is all, below 0 is away from the other heart.
        """
        middle, theirs = self.outlines[0].mean(0), other.outlines[0].mean(0)
        u, _, vt = np.linalg.svd((other.outlines[0] - theirs).T @ (self.outlines[0] - middle))
        turn = u @ np.diag([1.0, np.linalg.det(u @ vt)]) @ vt
        y, x = np.indices(self.sector.shape, np.float32)
        images, distances, outlines = [], [], []
        for image, distance, own, aim in zip(self.images, self.distances, self.outlines, other.outlines, strict=True):
            points = np.asarray(own + share * ((aim - theirs) @ turn + middle - own), np.float32)
            back = cv2.resize(self._field(points, own - points), x.shape[::-1], interpolation=cv2.INTER_LINEAR)
            at = x + back[..., 0], y + back[..., 1]
            images.append(cv2.remap(image, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
            distances.append(cv2.remap(distance, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            outlines.append(points)
        return EdEsMorph((images[0], images[1]), (distances[0], distances[1]), (outlines[0], outlines[1]), self.sector)

    def frame(self, contraction: float, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sample the heart at one moment.

        Args:
            contraction: 0 at ED, 1 at ES; values a little outside give a stronger beat.
            x: Columns to sample, float32 (h, w), in pixels of the stills.
            y: Rows to sample, float32 (h, w).

        Returns:
            Picture uint8 (h, w), and signed distance to the cavity's outline, float32 (h, w), in pixels of the stills.
        """
        height, width = self.sector.shape
        displacement = cv2.remap(
            self.displacement(contraction),
            (x + 0.5) * (GRID / width) - 0.5,
            (y + 0.5) * (GRID / height) - 0.5,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        late = float(np.clip(contraction, 0, 1))
        pictures, distances = [], []
        for still, part in ((0, contraction), (1, contraction - 1)):
            px, py = x + part * displacement[..., 0], y + part * displacement[..., 1]
            pictures.append(cv2.remap(self.images[still], px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
            distances.append(
                cv2.remap(self.distances[still], px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            )
        mixed = cv2.addWeighted(pictures[0], 1 - late, pictures[1], late, 0, dtype=cv2.CV_32F)
        calm = cv2.GaussianBlur(mixed, (0, 0), 2.5)
        # The mean of two speckle patterns has less contrast than each; restore it.
        mixed = calm + (mixed - calm) / np.float32(np.hypot(late, 1 - late))
        inside = cv2.remap(self.sector, x, y, cv2.INTER_NEAREST)
        picture = np.clip(mixed + 0.5, 0, 255).astype(np.uint8) * inside
        return picture, (1 - late) * distances[0] + late * distances[1]


def outline(mask: np.ndarray) -> np.ndarray:
    """Return points (x, y) round the cavity, from one corner of the base over the apex to the other and back.

    Points of equal index in two masks of one ventricle lie on about the same piece of wall; float32 (N, 2).

    Raises:
        MeasurementError: If the mask is too small to have an axis.
    """
    axis = long_axis(mask)
    left, right = sorted(axis.corners, key=lambda point: point[1])
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(contours, key=cv2.contourArea)[:, 0].astype(np.float32)  # (M, 2)
    stops = [int(np.argmin(np.hypot(*(points - (p[1], p[0])).T))) for p in (left, axis.apex, right)]
    forward = np.roll(points, -stops[0], axis=0)
    a, b = ((stop - stops[0]) % len(points) for stop in stops[1:])
    if a > b:  # the contour runs the other way round
        forward = np.roll(forward[::-1], 1, axis=0)
        a, b = (-a) % len(points), (-b) % len(points)
    ring = np.concatenate([forward, forward[:1]])
    parts = ((0, a, WALL_POINTS), (a, b, WALL_POINTS), (b, len(points), BASE_POINTS))
    return np.concatenate([_evenly(ring[low : high + 1], count) for low, high, count in parts])


def _evenly(path: np.ndarray, count: int) -> np.ndarray:
    """Return `count` points at even steps along a path, without its end."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(count) / count * along[-1]
    return np.column_stack([np.interp(at, along, path[:, k]) for k in (0, 1)]).astype(np.float32)


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Return the distance in pixels to the edge of the cavity, positive inside, float32 (H, W)."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.where(mask > 0, inside - 0.5, 0.5 - outside), np.float32)


def _sector(images: np.ndarray) -> np.ndarray:
    """Find the pixels that are not black in either still, without holes, uint8 {0, 1} (H, W)."""
    lit = (images.max(axis=0) > 3).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    return np.asarray(cv2.morphologyEx(np.pad(lit, 16), cv2.MORPH_CLOSE, disc)[16:-16, 16:-16])


def _fill(image: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Extend the picture beyond its sector by mirroring at the sector's edge, uint8 (H, W)."""
    inner = cv2.erode(sector, np.ones((3, 3), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(1 - inner, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(inner)
    where = np.zeros((nearest.max() + 1, 2), np.int32)
    where[nearest[rows, columns]] = np.column_stack([rows, columns])
    y, x = np.indices(sector.shape)
    edge = where[nearest]
    height, width = sector.shape
    mirrored_y = np.clip(2 * edge[..., 0] - y, 0, height - 1)
    mirrored_x = np.clip(2 * edge[..., 1] - x, 0, width - 1)
    mirrored = image[mirrored_y, mirrored_x]
    on_sector = sector[mirrored_y, mirrored_x] > 0
    return np.asarray(np.where(inner > 0, image, np.where(on_sector, mirrored, image[edge[..., 0], edge[..., 1]])))
