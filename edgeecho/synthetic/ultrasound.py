"""Ultrasound picture of a drawn heart: reflectivity of tissues, speckle that moves with them, gain and artefacts.

Everything is computed in beam images (range x angle), where the point spread is the same everywhere; the screen
stretches it with depth. Tissues are given by their final grey level. Random scatterers times amplitude, blurred by the
point spread, give the echo; its magnitude to the power `compress` is the grey level.
"""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from edgeecho.synthetic.anatomy import SIDE
from edgeecho.synthetic.motion import Plane
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissues import Tissues

NOISE = 1024
"""Side in pixels of the field of scatterers, from which every cine takes patches."""
PAD = 48
"""Largest motion of tissue in a beam image, in pixels."""
GRID = (24, 20)
"""Numbers of rows and columns of the nodes on which tissue motion is computed."""


@lru_cache(1)
def _scatterers() -> np.ndarray:
    """Draw real and imaginary part of slightly correlated scatterers, float32 (NOISE, NOISE, 2), variance 1."""
    field = np.random.default_rng(0).standard_normal((NOISE, NOISE, 2), np.float32)
    field = cv2.GaussianBlur(field, (0, 0), 0.5, borderType=cv2.BORDER_REFLECT)
    return np.asarray(field / field.std())


@lru_cache(1)
def _clouds() -> np.ndarray:
    """Draw a smooth field, float32 (NOISE, NOISE), mean 0 and variance 1, with structures of about 8 pixels."""
    noise = np.random.default_rng(1).standard_normal((NOISE, NOISE)).astype(np.float32)
    field = cv2.GaussianBlur(noise, (0, 0), 3.5, borderType=cv2.BORDER_REFLECT)
    return np.asarray((field - field.mean()) / field.std())


def _patch(field: np.ndarray, key: int, shape: tuple[int, int]) -> np.ndarray:
    """Cut a patch of a field, chosen by `key`."""
    mixed = (key * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    y, x = (mixed >> 34) % (NOISE - shape[0]), (mixed >> 8) % (NOISE - shape[1])
    return field[y : y + shape[0], x : x + shape[1]]


def _cloud(rng: np.random.Generator, rows: float, columns: float) -> np.ndarray:
    """Draw a smooth beam image with structures of this size in pixels, mean 0 and variance about 1."""
    size = (max(4, int(BEAMS * 8 / columns)), max(4, int(RANGES * 8 / rows)))
    patch = _patch(_clouds(), int(rng.integers(1 << 40)), (min(size[1], 900), min(size[0], 900)))
    return np.asarray(cv2.resize(patch, (BEAMS, RANGES), interpolation=cv2.INTER_LINEAR))


class Scanner:
    """A machine with its settings and the patient's chest, fixed for a cine."""

    def __init__(self, rng: np.random.Generator, screen: Screen) -> None:
        self.screen = screen
        self.tissues = Tissues.draw(rng)
        self._key = int(rng.integers(1 << 40))
        self.compress = float(np.exp(rng.uniform(np.log(0.26), np.log(0.5))))
        self._blur = (float(rng.uniform(0.9, 2.4)), float(rng.uniform(0.3, 0.75)))  # across, along the beam
        self._renewal_s = float(rng.uniform(0.12, 0.5))
        self._smooth = float(rng.uniform(0.35, 0.8)) if rng.uniform() < 0.3 else 0.0
        self._fuzzy = float(np.exp(rng.uniform(np.log(0.7), np.log(4))))
        self._level = self._mean_grey()
        table = (np.arange(256, dtype=np.float32) / 255) ** np.float32(1 / self.compress)
        self._amplitudes = table.reshape(1, 256)
        row = np.linspace(0, 1, RANGES, dtype=np.float32)[:, None]
        column = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None]
        self._around = self._surroundings(rng, row, column)
        self._gain = self._gains(rng, row, column) ** np.float32(1 / self.compress)
        self._haze, self._clutter = self._haze_and_clutter(rng, row, column)
        self._tone = self._tones(rng)
        self._blotches = np.exp(rng.uniform(0.05, 0.35) / self.compress * _cloud(rng, 9, 7)).astype(np.float32)
        distance = np.linspace(*screen.reach, GRID[0])[:, None]
        angle = np.linspace(*screen.angles, GRID[1])[None]
        self._nodes = np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=-1)
        self._home = np.stack(np.meshgrid(np.arange(BEAMS), np.arange(RANGES)), axis=-1).astype(np.float32)

    def image(self, pose: Pose, rest: Pose, time: float, plane: Plane | None = None) -> np.ndarray:
        """Draw a beam image, uint8 (RANGES, BEAMS).

        Args:
            pose: Heart at this time, points (x, z) in probe coordinates.
            rest: Heart at the time at which its scatterers were placed.
            time: Time in seconds.
            plane: Tissue in the plane; None if all tissue stays in it and keeps its brightness.
        """
        now_at = pose.landmarks() if plane is None else pose.landmarks() + plane.slip
        material = self._home + self._motion(rest.landmarks(), now_at)
        number, part = divmod(time / self._renewal_s + (0 if plane is None else plane.slices), 1)
        shape = (RANGES + 2 * PAD, BEAMS + 2 * PAD)
        now, following = (_patch(_scatterers(), self._key + int(number) + i, shape) for i in (0, 1))
        mixed = cv2.addWeighted(now, np.cos(part * np.pi / 2), following, np.sin(part * np.pi / 2), 0)
        echo = cv2.remap(mixed, material + PAD, None, cv2.INTER_LINEAR)
        blotches = cv2.remap(self._blotches, material, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        level = cv2.GaussianBlur(self._draw(pose, self._faded(plane)), (0, 0), self._fuzzy)
        amplitude = cv2.LUT(level, self._amplitudes)
        amplitude *= self._gain_now(plane)
        amplitude *= blotches
        echo *= cv2.merge((amplitude, amplitude))
        echo += _patch(_scatterers(), self._key + 7919 + int(time * 1e4), (RANGES, BEAMS)) * self._haze
        echo += self._clutter
        echo = cv2.GaussianBlur(echo, (0, 0), self._blur[0], sigmaY=self._blur[1])
        grey = cv2.magnitude(echo[..., 0], echo[..., 1])
        grey = cv2.pow(grey, self.compress)
        grey *= 255 / self._level
        if self._smooth:
            grey = cv2.GaussianBlur(grey, (0, 0), self._smooth)
        return np.asarray(cv2.LUT(cv2.convertScaleAbs(np.minimum(grey, 255)), self._tone))

    def _mean_grey(self) -> float:
        """Return the mean grey level of an echo of amplitude 1 after blur and compression."""
        patch = cv2.GaussianBlur(_scatterers()[:200, :200], (0, 0), self._blur[0], sigmaY=self._blur[1])
        return float((np.hypot(patch[..., 0], patch[..., 1]) ** self.compress).mean())

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
            return self.tissues
        t = self.tissues
        return replace(t, segments=t.segments * plane.segments, blood=float(np.clip(t.blood + plane.blood, 0, 120)))

    def _gain_now(self, plane: Plane | None) -> np.ndarray:
        """Return the gain with its shadows where they are now, float32 (RANGES, BEAMS)."""
        if plane is None:
            return self._gain
        matrix = np.array([[1, 0, plane.shadow * BEAMS], [0, 1, 0]], np.float32)
        return np.asarray(cv2.warpAffine(self._gain, matrix, (BEAMS, RANGES), borderMode=cv2.BORDER_REPLICATE))

    def _draw(self, pose: Pose, t: Tissues) -> np.ndarray:
        """Draw the grey levels of tissues, uint8 (RANGES, BEAMS)."""
        canvas = self._around.copy()
        wide = RANGES / (self.screen.reach[1] - self.screen.reach[0])  # pixels a mm, along the beam

        def fill(points: np.ndarray, level: float) -> None:
            cv2.fillPoly(canvas, [self._fixed(points)], _grey(level), cv2.LINE_AA, 4)

        def line(points: np.ndarray, level: float, mm: float, closed: bool = False) -> None:
            cv2.polylines(canvas, [self._fixed(points)], closed, _grey(level), max(1, round(mm * wide)), cv2.LINE_AA, 4)

        outer = np.concatenate([pose.la[8:20], pose.epi[-1:], pose.epi[SIDE + 4 : -1][::-1]])
        for part in (pose.ra[8:24], outer):
            self._pericardium(canvas, part, max(1, round(4 * wide)))
        for chamber in (pose.rv, pose.ra, pose.la):
            line(chamber, t.atrial * 0.9, 3, closed=True)
        fill(pose.ra, t.atria)
        fill(pose.la, t.atria)
        line(pose.la[:11], t.atrial, 3)
        fill(pose.rv, t.blood)
        line(pose.moderator, t.lateral, 4)
        self._wall(canvas, pose, t)
        fill(np.concatenate([pose.trabeculae, _bowed(pose)]), t.blood)
        for muscle in pose.papillary:
            fill(muscle, 0.5 * (t.lateral + t.blood))
        for leaflet in pose.leaflets:
            line(leaflet, t.valve, 2.0)
        for hinge in (pose.endo[0], pose.endo[-1]):
            line(hinge + np.array([[-2, 0], [2, 0]]), t.valve, 4.0)
        return canvas

    def _wall(self, canvas: np.ndarray, pose: Pose, t: Tissues) -> None:
        """Draw the wall in segments, with a brightness by level, position and angle to the beam."""
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
        inner, outer = self._fixed(pose.endo), self._fixed(pose.epi)
        quads = np.stack([inner[:-1], inner[1:], outer[1:], outer[:-1]], axis=1)
        for quad, grey in zip(quads, np.clip(level, 0, 255), strict=True):
            cv2.fillConvexPoly(canvas, quad, float(grey), cv2.LINE_8, 4)

    def _pericardium(self, canvas: np.ndarray, points: np.ndarray, width: int) -> None:
        """Draw a bright line of varying strength outside an outline."""
        t = self.tissues
        parts = np.interp(np.linspace(0, 1, len(points) - 1), np.linspace(0, 1, 40), t.pericardium_parts)
        out = points - points.mean(axis=0)
        grid = self._fixed(points + 3 * out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-9))
        for i, part in enumerate(parts):
            cv2.line(canvas, grid[i], grid[i + 1], _grey(t.pericardium * part), width, cv2.LINE_AA, 4)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        """Transform (x, z) in mm to (column, row) in the beam image, in sixteenths of a pixel, int32 (N, 2)."""
        return np.asarray(np.rint(self.screen.points_to_beams(points) * 16), np.int32)

    def _surroundings(self, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Draw the grey level of the surroundings of the heart, uint8 (RANGES, BEAMS)."""
        level = self.tissues.around * np.exp(0.25 * _cloud(rng, 60, 40) + rng.uniform(0, 0.35) * _cloud(rng, 10, 18))
        deep = rng.uniform(0.9, 2.3)
        level = level * (1 + (deep - 1) * np.clip((row - 0.55) / 0.4, 0, 1))
        for side in (-1, 1):  # lung or nothing beside the heart
            if rng.uniform() < 0.3:
                level = level * (1 - rng.uniform(0.2, 0.9) * np.clip((side * column - 0.3) / 0.4, 0, 1))
        return np.clip(level, 0, 250).astype(np.uint8)

    def _gains(self, rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Draw the factor of grey level by gain, depth, beams and shadows, float32 (RANGES, BEAMS)."""
        curve = rng.normal(0, 0.18) * (row - 0.5) + 0.1 * np.sin(rng.uniform(2, 8) * row + rng.uniform(0, 6))
        gain = np.exp(curve + rng.uniform(0, 0.2) * _cloud(rng, 70, 45))
        edge = rng.uniform(0, 0.5)
        gain = gain * (1 - edge * np.clip((np.abs(column) - 0.6) / 0.4, 0, 1))
        for _ in range(int(rng.choice(3, p=(0.55, 0.3, 0.15)))):  # shadows of ribs and lung
            at = rng.choice([-1, 1]) * rng.uniform(0.25, 1)
            shadow = np.exp(-(((column - at) / rng.uniform(0.06, 0.35)) ** 2)) * np.clip(row / 0.15, 0, 1)
            gain = gain * (1 - rng.uniform(0.2, 0.8) * shadow)
        return np.asarray(gain, np.float32)

    def _haze_and_clutter(
        self, rng: np.random.Generator, row: np.ndarray, column: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw the amplitude of haze, which is new in every frame, and still clutter: float32 (RANGES, BEAMS, 2)."""
        power = 1 / self.compress
        haze = rng.uniform(8, 80) * np.exp(0.22 * _cloud(rng, 50, 40)) * (1 + rng.normal(0.3, 0.4) * (row - 0.5))
        near = rng.uniform(60, 185) * np.exp(-((row / rng.uniform(0.05, 0.22)) ** 1.5))
        if rng.uniform() < 0.35:  # haze over the apex
            spot = ((row - rng.uniform(0.1, 0.4)) / 0.18) ** 2 + ((column - rng.uniform(-0.7, 0.7)) / 0.35) ** 2
            near = np.maximum(near, rng.uniform(20, 100) * np.exp(-spot))
        bands = 1 + rng.uniform(0, 0.25) * np.sin(row * rng.uniform(60, 180)) * np.exp(-row / 0.15)
        still = near * bands + rng.uniform(0, 25) * np.exp(0.3 * _cloud(rng, 12, 25))
        if rng.uniform() < 0.2:  # a bright echo that is no heart, and its repetition
            at, wide, r = rng.uniform(-0.8, 0.8), rng.uniform(0.04, 0.15), rng.uniform(0.1, 0.45)
            for i in (1, 2):
                spot = np.exp(-(((row - i * r) / 0.012) ** 2) - ((column - at) / wide) ** 2)
                still = still + rng.uniform(60, 200) / i * spot
        amplitudes = [(np.clip(v, 0, 255) / 255).astype(np.float32) ** np.float32(power) for v in (haze, still)]
        patch = _patch(_scatterers(), self._key + 104729, (RANGES, BEAMS))
        haze, still = (cv2.merge((a, a)) for a in amplitudes)
        return haze, still * patch

    def _tones(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a tone curve, uint8 (256,): gain, gamma, black and white level."""
        x = np.linspace(0, 1, 256) * np.exp(rng.normal(0, 0.12))
        x = np.clip(x - max(0.0, rng.normal(-0.02, 0.05)), 0, None) ** np.exp(rng.normal(0, 0.16))
        s_curve = rng.uniform(0, 0.4)
        x = np.clip(x, 0, 1)
        x = (1 - s_curve) * x + s_curve * (3 * x * x - 2 * x**3)
        x = x + rng.uniform(0, 0.05) * (rng.uniform() < 0.3)
        return np.asarray(np.rint(255 * np.clip(x, 0, 1)), np.uint8)


def _bowed(pose: Pose) -> np.ndarray:
    """Return the base from its lateral to its septal end, moved a little into the atrium so that no gap is left."""
    a, b = pose.endo[-1], pose.endo[0]
    down = np.array([a[1] - b[1], b[0] - a[0]])
    down = -down / (np.linalg.norm(down) + 1e-9)
    return np.stack([a + 0.1 * (b - a) + 2 * down, b + 0.1 * (a - b) + 2 * down])


def _grey(level: float) -> float:
    return float(min(max(level, 0.0), 255.0))
