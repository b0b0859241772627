"""Ultrasound picture of a drawn heart: speckle that moves with the tissues, gain and artefacts.

Everything is computed in beam images (range x angle), where the point spread is the same in each row; the screen
stretches it with depth. Tissues are given by their final grey level. Random scatterers times amplitude, blurred by the
point spread, give the echo; its magnitude is compressed to grey levels (`edgeecho/synthetic/compression.py`).
"""

from dataclasses import replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from edgeecho.synthetic.look import Look
from edgeecho.synthetic.motion import Plane
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.scatterers import patch_of, scatterers
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissue_picture import TissuePicture
from edgeecho.synthetic.tissues import Tissues

PAD = 48
"""Largest motion of tissue in a beam image, in pixels."""
GRID = (24, 20)
"""Numbers of rows and columns of the nodes on which tissue motion is computed."""
LOBES_PX = 41
"""Width of the side lobes, in beams."""
FILTER_PX = (5, 5)
"""Width and height of the local mean that speckle filters leave, in pixels of the beam image."""
MIN_CONTRAST = 12.0
"""Least difference of the grey levels of wall and blood for the border between them to be visible."""
FOCUS = (0.3, 0.45)
"""Ranges between which the beams are in focus, as parts of the depth."""


@lru_cache(1)
def _home() -> np.ndarray:
    """Return column and row of every pixel of a beam image, float32 (RANGES, BEAMS, 2)."""
    return np.stack(np.meshgrid(np.arange(BEAMS), np.arange(RANGES)), axis=-1).astype(np.float32)


class Scanner:
    """A machine with its settings and the patient's chest, fixed for a cine."""

    def __init__(self, look: Look, screen: Screen) -> None:
        """Take the look of the pictures, and the geometry of the sector."""
        self.screen, self._look = screen, look
        self._picture = TissuePicture(screen, look.around)
        self._amplitudes = look.law.amplitude(np.arange(256, dtype=np.float32)).reshape(1, 256)

    @cached_property
    def _reference(self) -> float:
        """Mean compressed magnitude of speckle of amplitude 1."""
        patch = self._spread(scatterers()[:200, :200])
        return self._look.law.reference(np.hypot(patch[..., 0], patch[..., 1]))

    @cached_property
    def _out_of_focus(self) -> np.ndarray:
        """Share of the additional point spread by range, float32 (RANGES, 1, 1)."""
        row = np.linspace(0, 1, RANGES, dtype=np.float32)[:, None, None]
        near, far = np.clip(1 - row / FOCUS[0], 0, 1), np.clip((row - FOCUS[1]) / (1 - FOCUS[1]), 0, 1)
        return np.asarray(0.5 * near + far, np.float32)

    @cached_property
    def _nodes(self) -> np.ndarray:
        """Points (x, z) in mm at which the motion of tissue is computed, (*GRID, 2)."""
        distance = np.linspace(*self.screen.reach, GRID[0])[:, None]
        angle = np.linspace(*self.screen.angles, GRID[1])[None]
        return np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=-1)

    def image(self, pose: Pose, rest: Pose, time: float, plane: Plane | None = None) -> np.ndarray:
        """Draw a beam image, uint8 (RANGES, BEAMS).

        Args:
            pose: Heart at this time, points (x, z) in probe coordinates.
            rest: Heart at the time at which its scatterers were placed.
            time: Time in seconds.
            plane: Tissue in the plane; None if all tissue stays in it and keeps its brightness.
        """
        look = self._look
        now_at = pose.landmarks() if plane is None else pose.landmarks() + plane.slip
        material = _home() + self._motion(rest.landmarks(), now_at)
        number, part = divmod(time / look.renewal_s + (0 if plane is None else plane.slices), 1)
        shape = (RANGES + 2 * PAD, BEAMS + 2 * PAD)
        now, following = (patch_of(scatterers(), look.key + int(number) + i, shape) for i in (0, 1))
        mixed = cv2.addWeighted(now, np.cos(part * np.pi / 2), following, np.sin(part * np.pi / 2), 0)
        echo = cv2.remap(mixed, material + PAD, None, cv2.INTER_LINEAR)
        blotches = cv2.remap(look.blotches, material, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        level = cv2.GaussianBlur(self._picture.draw(pose, self._faded(plane)), (0, 0), look.fuzzy)
        amplitude = cv2.LUT(level, self._amplitudes)
        amplitude *= self._gain_now(plane)
        amplitude *= blotches
        echo *= cv2.merge((amplitude, amplitude))
        echo += patch_of(scatterers(), look.key + 7919 + int(time * 1e4), (RANGES, BEAMS)) * look.haze
        echo += look.clutter
        echo = self._focused(self._spread(echo))
        grey = look.law.grey(cv2.magnitude(echo[..., 0], echo[..., 1]), self._reference)
        if look.smooth:
            grey = cv2.GaussianBlur(grey, (0, 0), look.smooth)
        if look.speckle < 1:
            grey = cv2.addWeighted(grey, look.speckle, cv2.blur(grey, FILTER_PX), 1 - look.speckle, 0)
        return np.asarray(cv2.LUT(cv2.convertScaleAbs(np.minimum(grey, 255)), look.tone))

    def visible_share(self, pose: Pose) -> float:
        """Return the share of the cavity's outline whose wall is brighter than the blood beside it, without speckle.

        The wall is looked at in its middle, the blood a quarter of the way to the middle of the cavity. Mean powers of
        tissue, haze and clutter add up. A part of the outline that lies outside the sector is not visible.
        """
        look = self._look
        level = self._picture.draw(pose, look.tissues)
        wall = (pose.endo + pose.epi) / 2
        blood = pose.trabeculae + 0.25 * (pose.endo.mean(axis=0) - pose.trabeculae)
        clutter = cv2.sqrBoxFilter(np.ascontiguousarray(look.clutter[..., 0]), -1, (9, 9))
        disturbing = look.haze[..., 0] ** 2 + np.maximum(clutter, 0)  # its running sums may fall below 0 by rounding
        greys, inside = [], []
        for points in (wall, blood):
            at = np.rint(self.screen.points_to_beams(points)).astype(int)
            column, row = np.clip(at, 0, (BEAMS - 1, RANGES - 1)).T
            power = (self._amplitudes[0, level[row, column]] * look.gain[row, column]) ** 2
            grey = look.law.level(np.sqrt(power + disturbing[row, column]))
            greys.append(look.tone[np.clip(grey, 0, 255).astype(int)].astype(float))
            inside.append(self.screen.holds(points))
        return float((inside[0] & inside[1] & (greys[0] - greys[1] > MIN_CONTRAST)).mean())

    def _spread(self, echo: np.ndarray) -> np.ndarray:
        """Blur an echo by the point spread, float32 (H, W, 2)."""
        across, along = self._look.blur
        return np.asarray(cv2.GaussianBlur(echo, (0, 0), across, sigmaY=along))

    def _focused(self, echo: np.ndarray) -> np.ndarray:
        """Widen a spread echo far from the focus, and add side lobes, float32 (RANGES, BEAMS, 2).

        Both keep the mean square of speckle: a sum of n independent echoes of amplitude 1 has the amplitude of n^(1/2).
        """
        far, lobes = self._look.far_blur, self._look.side_lobes
        if far:
            wide = cv2.GaussianBlur(echo, (0, 0), far, sigmaY=0.01)
            wide *= (1 + (far / self._look.blur[0]) ** 2) ** 0.25
            echo = echo + self._out_of_focus * (wide - echo)
        if lobes:
            echo = echo + np.float32(lobes * LOBES_PX**0.5) * cv2.blur(echo, (LOBES_PX, 1))
        return np.asarray(echo)

    def _motion(self, rest: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Return the displacement of each pixel's tissue since `rest`, in pixels, float32 (RANGES, BEAMS, 2).

        The motion of the heart's points is interpolated with the inverse fourth power of the distance, and falls to 0
        in the chest wall.
        """
        far = ((self._nodes[:, :, None] - now) ** 2).sum(-1) + 20.0
        weights = 1 / (far * far)
        weights /= weights.sum(-1, keepdims=True) + 1 / 40.0**4
        before = self._nodes - weights @ (now - rest)
        x, z = before[..., 0], before[..., 1]
        column, row = self.screen.to_beams(np.hypot(x, z), np.arctan2(x, z))
        nodes = np.stack(
            [
                column - np.linspace(0, BEAMS - 1, GRID[1])[None],
                row - np.linspace(0, RANGES - 1, GRID[0])[:, None],
            ],
            axis=-1,
        )
        moved = cv2.resize(np.clip(nodes, 2 - PAD, PAD - 2).astype(np.float32), (BEAMS, RANGES))
        return np.asarray(moved)

    def _faded(self, plane: Plane | None) -> Tissues:
        """Return the grey levels of the tissues that are in the plane."""
        if plane is None:
            return self._look.tissues
        t = self._look.tissues
        segments = t.segments * np.minimum(plane.segments, self._look.max_fading)
        return replace(t, segments=segments, blood=float(np.clip(t.blood + plane.blood, 0, 120)))

    def _gain_now(self, plane: Plane | None) -> np.ndarray:
        """Return the gain with its shadows where they are now, float32 (RANGES, BEAMS)."""
        if plane is None:
            return self._look.gain
        matrix = np.array([[1, 0, plane.shadow * BEAMS], [0, 1, 0]], np.float32)
        return np.asarray(cv2.warpAffine(self._look.gain, matrix, (BEAMS, RANGES), borderMode=cv2.BORDER_REPLICATE))
