"""A heart that beats between two labelled stills: any ED and ES frame of one view become a cine with known masks.

The wall's path from ED to ES is the straight line between matching points of the two outlines. A frame between is both
stills, each pulled to the shape of that moment and cross-faded, so that speckle moves with the tissue and renews itself
over a beat; the mask is the mean of the two signed distances, pulled alike, and so follows the picture exactly. The
picture is pulled, never its sector: what lies outside is filled before and cut off again after.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from edgeecho.measure import long_axis

WALL_POINTS, BASE_POINTS = 24, 10
GRID = 36
"""Nodes along a side of the coarse displacement field."""
REACH = 0.13
"""How far a point of the outline pulls, as a part of the ventricle's length (one deviation)."""
HOLD = 0.12
"""Weight that holds what is far from every point of the outline in its place."""


@dataclass(frozen=True, eq=False)
class EdEsMorph:
    """Two stills of one heart, ready to be pulled. Points are (x, y) in pixels of the stills."""

    images: tuple[np.ndarray, np.ndarray]
    """ED and ES, uint8 (H, W), filled beyond the sector."""
    distances: tuple[np.ndarray, np.ndarray]
    """Signed distance to the outline at ED and ES, positive inside, float32 (H, W)."""
    outlines: tuple[np.ndarray, np.ndarray]
    """Matching points at ED and ES, float32 (N, 2)."""
    sector: np.ndarray
    """uint8 {0, 1} (H, W)."""

    @classmethod
    def from_stills(cls, images: np.ndarray, masks: np.ndarray) -> "EdEsMorph":
        """
        Args:
            images: ED and ES, uint8 (2, H, W).
            masks: Their cavities, uint8 {0, 1} (2, H, W).

        Raises:
            MeasurementError: If a mask is too small to have an axis.
        """
        sector = _sector(images)
        ed, es = (outline(mask) for mask in masks)
        filled = [_fill(image, sector) for image in images]
        return cls((filled[0], filled[1]), (signed_distance(masks[0]), signed_distance(masks[1])), (ed, es), sector)

    def pull(self, contraction: float) -> np.ndarray:
        """Displacement from ES to ED shape about the outline of that moment, float32 (GRID, GRID, 2).

        Where the heart stands at `contraction` (0 at ED, 1 at ES), a pixel x shows what the ED still has at
        x + contraction * pull, and the ES still at x - (1 - contraction) * pull.
        """
        ed, es = self.outlines
        return self._field(ed + contraction * (es - ed), ed - es)

    def _field(self, points: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Smooth displacement: `moves` (N, 2) at `points` (N, 2), none far from all; float32 (GRID, GRID, 2)."""
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
        """The same pictures with a ventricle on its way to another's size, form and motion.

        Args:
            other: Laid on this heart: the middles of the ED outlines on each other, turned so that they fit best.
            share: How far to go: 0 nowhere, 1 all the way, below 0 away from it.
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
        """Sample a moment.

        Args:
            contraction: 0 at ED, 1 at ES; somewhat beyond either is a stronger beat.
            x: Columns to sample, float32 (h, w), in pixels of the stills.
            y: Rows to sample, float32 (h, w).

        Returns:
            Picture uint8 (h, w), and signed distance to the cavity's outline, float32 (h, w), in pixels of the stills.
        """
        height, width = self.sector.shape
        pull = cv2.remap(
            self.pull(contraction),
            (x + 0.5) * (GRID / width) - 0.5,
            (y + 0.5) * (GRID / height) - 0.5,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        late = float(np.clip(contraction, 0, 1))
        pictures, distances = [], []
        for still, part in ((0, contraction), (1, contraction - 1)):
            px, py = x + part * pull[..., 0], y + part * pull[..., 1]
            pictures.append(cv2.remap(self.images[still], px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
            distances.append(
                cv2.remap(self.distances[still], px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            )
        mixed = cv2.addWeighted(pictures[0], 1 - late, pictures[1], late, 0, dtype=cv2.CV_32F)
        calm = cv2.GaussianBlur(mixed, (0, 0), 2.5)
        # a mean of two speckle patterns is flatter than either: give it back what it lost
        mixed = calm + (mixed - calm) / np.float32(np.hypot(late, 1 - late))
        inside = cv2.remap(self.sector, x, y, cv2.INTER_NEAREST)
        picture = np.clip(mixed + 0.5, 0, 255).astype(np.uint8) * inside
        return picture, (1 - late) * distances[0] + late * distances[1]


def outline(mask: np.ndarray) -> np.ndarray:
    """Points (x, y) round the cavity, from one corner of the base over the apex to the other and back: float32 (N, 2).

    Points of equal number in two masks of one ventricle show the same piece of wall, as far as an outline can tell.

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
    """`count` points at even steps along a path, its end left out."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(count) / count * along[-1]
    return np.column_stack([np.interp(at, along, path[:, k]) for k in (0, 1)]).astype(np.float32)


def signed_distance(mask: np.ndarray) -> np.ndarray:
    """Distance to the edge between cavity and rest in pixels, positive inside, float32 (H, W)."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((mask == 0).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.where(mask > 0, inside - 0.5, 0.5 - outside), np.float32)


def _sector(images: np.ndarray) -> np.ndarray:
    """What is not black in either still, without holes, uint8 {0, 1} (H, W)."""
    lit = (images.max(axis=0) > 3).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    return np.asarray(cv2.morphologyEx(np.pad(lit, 16), cv2.MORPH_CLOSE, disc)[16:-16, 16:-16])


def _fill(image: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """The picture carried on beyond its sector by mirroring at the sector's edge, uint8 (H, W)."""
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
