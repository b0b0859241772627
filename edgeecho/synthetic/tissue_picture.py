"""Tissues of a drawn heart as grey levels in a beam image, before speckle, gain and artefacts."""

import cv2
import numpy as np

from edgeecho.synthetic.outlines import SIDE
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.screen import RANGES, Screen
from edgeecho.synthetic.tissues import Tissues

LINING = (0.0, 0.25, 0.5)
"""Depths of the layers that the trabeculae are drawn in, as parts of their thickness; the last one fills the rest."""


class TissuePicture:
    """Drawing of poses over the surroundings of the heart, which stay the same in a cine."""

    def __init__(self, screen: Screen, around: np.ndarray) -> None:
        """Take the geometry of the sector, and the grey level of the surroundings, uint8 (RANGES, BEAMS)."""
        self._screen, self._around = screen, around
        self._per_mm = RANGES / (screen.reach[1] - screen.reach[0])  # pixels a mm, along the beam

    def draw(self, pose: Pose, t: Tissues) -> np.ndarray:
        """Draw the grey levels of tissues, uint8 (RANGES, BEAMS)."""
        canvas = self._around.copy()
        wide = self._per_mm

        def fill(points: np.ndarray, level: float) -> None:
            cv2.fillPoly(canvas, [self._fixed(points)], _grey(level), cv2.LINE_AA, 4)

        def line(points: np.ndarray, level: float, mm: float, closed: bool = False) -> None:
            cv2.polylines(canvas, [self._fixed(points)], closed, _grey(level), max(1, round(mm * wide)), cv2.LINE_AA, 4)

        outer = np.concatenate([pose.la[8:20], pose.epi[-1:], pose.epi[SIDE + 4 : -1][::-1]])
        for part in (pose.ra[8:24], outer):
            self._pericardium(canvas, part, t)
        for chamber in (pose.rv, pose.ra, pose.la):
            line(chamber, t.atrial * 0.9, 3, closed=True)
        fill(pose.ra, t.atria)
        fill(pose.la, t.atria)
        line(pose.la[:11], t.atrial, 3)
        fill(pose.rv, t.blood)
        line(pose.moderator, t.lateral, 4)
        self._wall(canvas, pose, t)
        if t.trabeculae < 1:
            contrast = t.trabeculae * (0.5 * (t.septum + t.lateral) - t.blood)
            for depth in LINING:  # less and less tissue between the strands towards the cavity
                edge = pose.endo + depth * (pose.trabeculae - pose.endo)
                fill(np.concatenate([edge, _bowed(pose)]), t.blood + (1 - depth) * contrast)
        fill(np.concatenate([pose.trabeculae, _bowed(pose)]), t.blood)
        if t.border:
            self._borders(canvas, pose, t)
        for muscle in pose.papillary:
            fill(muscle, t.blood + t.muscle * (t.lateral - t.blood))
        for strand in pose.strands:
            line(strand, t.blood + t.muscle * (t.septum - t.blood), 1.5)
        for leaflet in pose.leaflets:
            line(leaflet, t.valve, 2.0)
        for hinge in (pose.endo[0], pose.endo[-1]):
            line(hinge + np.array([[-2, 0], [2, 0]]), t.valve, 4.0)
        return canvas

    def _wall(self, canvas: np.ndarray, pose: Pose, t: Tissues) -> None:
        """Draw the wall in segments, and over them its inner layer where that has a level of its own."""
        level = wall_levels(pose, t)
        layers = [(pose.epi, level)]
        if t.inner != 1:
            layers.append((pose.endo + t.inner_depth * (pose.epi - pose.endo), t.blood + t.inner * (level - t.blood)))
        inner = self._fixed(pose.endo)
        for points, greys in layers:
            outer = self._fixed(points)
            quads = np.stack([inner[:-1], inner[1:], outer[1:], outer[:-1]], axis=1)
            for quad, grey in zip(quads, greys, strict=True):
                cv2.fillConvexPoly(canvas, quad, _grey(float(grey)), cv2.LINE_8, 4)

    def _borders(self, canvas: np.ndarray, pose: Pose, t: Tissues) -> None:
        """Draw the specular echo of the borders of the wall, strongest where they lie across the beam."""
        width = max(1, round(1.2 * self._per_mm))
        for points in (pose.endo, pose.epi):
            along, beam = np.diff(points, axis=0), (points[1:] + points[:-1]) / 2
            across = np.abs(along[:, 0] * beam[:, 1] - along[:, 1] * beam[:, 0])
            facing = across / (np.linalg.norm(along, axis=1) * np.linalg.norm(beam, axis=1) + 1e-9)
            level = t.blood + (0.5 * (t.septum + t.lateral) - t.blood) * t.segments + t.border * facing**2
            grid = self._fixed(points)
            for k, grey in enumerate(level):
                cv2.line(canvas, grid[k], grid[k + 1], _grey(float(grey)), width, cv2.LINE_AA, 4)

    def _pericardium(self, canvas: np.ndarray, points: np.ndarray, t: Tissues) -> None:
        """Draw a bright line of varying strength outside an outline."""
        width = max(1, round(4 * self._per_mm))
        parts = np.interp(np.linspace(0, 1, len(points) - 1), np.linspace(0, 1, 40), t.pericardium_parts)
        out = points - points.mean(axis=0)
        grid = self._fixed(points + 3 * out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-9))
        for i, part in enumerate(parts):
            cv2.line(canvas, grid[i], grid[i + 1], _grey(t.pericardium * part), width, cv2.LINE_AA, 4)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        """Transform (x, z) in mm to (column, row) in the beam image, in sixteenths of a pixel, int32 (N, 2)."""
        return np.asarray(np.rint(self._screen.points_to_beams(points) * 16), np.int32)


def wall_levels(pose: Pose, t: Tissues) -> np.ndarray:
    """Return the grey level of each segment of the wall, by position and angle to the beam, (2 * SIDE - 2,)."""
    middle = (pose.endo + pose.epi) / 2
    middle = (middle[1:] + middle[:-1]) / 2
    along = np.diff(pose.endo, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    beam = middle / (np.linalg.norm(middle, axis=1, keepdims=True) + 1e-9)
    facing = 1 - np.abs((along * beam).sum(axis=1))
    where = np.linspace(-1, 1, len(along))
    tip = np.exp(-((where / 0.25) ** 2))
    level = np.where(where < 0, t.septum, t.lateral) * (1 - tip) + t.apex * tip
    level = t.blood + (level - t.blood) * t.segments * (1 - t.directional * (0.4 - facing))
    return np.asarray(np.clip(level, 0, 255))


def _bowed(pose: Pose) -> np.ndarray:
    """Return the base from its lateral to its septal end, moved a little into the atrium so that no gap is left."""
    a, b = pose.endo[-1], pose.endo[0]
    down = np.array([a[1] - b[1], b[0] - a[0]])
    down = -down / (np.linalg.norm(down) + 1e-9)
    return np.stack([a + 0.1 * (b - a) + 2 * down, b + 0.1 * (a - b) + 2 * down])


def _grey(level: float) -> float:
    return float(min(max(level, 0.0), 255.0))
