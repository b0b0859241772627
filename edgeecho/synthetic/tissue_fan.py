"""Speckled fan of any tissue, drawn from grey levels: the ground of views that are no apical heart."""

import cv2
import numpy as np

from edgeecho.synthetic.screen import BEAMS, RANGES, Screen

SIDE_PX = 224
"""Side of the square picture."""
COMPRESSION = 0.4
"""Power that makes grey levels from the magnitude of the echo."""


class TissueFan:
    """A full sector in a square picture, with speckle that is renewed slowly.

    Attributes:
        screen: Geometry of the picture.
        x: Position of each pixel of the beam image to the right of the probe in mm, float32 (RANGES, BEAMS).
        z: Its position below the probe in mm, float32 (RANGES, BEAMS).
        depth_mm: Depth of the sector in mm.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw depth, width and speckle."""
        self.depth_mm = float(rng.uniform(110, 180))
        half = float(np.deg2rad(rng.uniform(36, 44)))
        mm = self.depth_mm / (0.95 * SIDE_PX)
        origin = (SIDE_PX / 2, 0.02 * SIDE_PX)
        self.screen = Screen(SIDE_PX, SIDE_PX, mm, origin, (-half, half), (0.0, self.depth_mm))
        radius = np.linspace(0, self.depth_mm, RANGES, dtype=np.float32)[:, None]
        angle = np.linspace(-half, half, BEAMS, dtype=np.float32)[None]
        self.x, self.z = radius * np.sin(angle), radius * np.cos(angle)
        self._echoes = rng.standard_normal((2, RANGES, BEAMS, 2), np.float32)
        self._renewal_s = float(rng.uniform(0.3, 1.0))
        nodes = rng.standard_normal((6, 5)).astype(np.float32)
        self.clouds = np.asarray(cv2.resize(nodes, (BEAMS, RANGES), interpolation=cv2.INTER_CUBIC), np.float32)
        """Smooth field about 0 with structures of a fifth of the fan, float32 (RANGES, BEAMS)."""
        self._blur = (float(rng.uniform(1.0, 2.0)), float(rng.uniform(0.4, 0.8)))

    def blank(self, level: float) -> np.ndarray:
        """Return an uneven ground of a mean grey level, float32 (RANGES, BEAMS)."""
        return np.asarray(level * np.exp(0.2 * self.clouds), np.float32)

    def inside(self, x_mm: float, z_mm: float, across_mm: float, down_mm: float, turn: float = 0.0) -> np.ndarray:
        """Return how far each pixel is in an ellipse: 1 inside, 0 outside, with a soft edge; float32 (RANGES, BEAMS).

        Args:
            x_mm: Centre to the right of the probe.
            z_mm: Centre below the probe.
            across_mm: Half axis across.
            down_mm: Half axis down.
            turn: Angle of the ellipse in radians.
        """
        c, s = np.cos(turn), np.sin(turn)
        u, v = (self.x - x_mm) * c + (self.z - z_mm) * s, (self.z - z_mm) * c - (self.x - x_mm) * s
        distance = (np.hypot(u / across_mm, v / down_mm) - 1) * min(across_mm, down_mm)
        return np.asarray(np.clip(0.5 - distance / 2, 0, 1), np.float32)

    def show(self, level: np.ndarray, time_s: float) -> np.ndarray:
        """Draw a picture of mean grey levels, float32 (RANGES, BEAMS), at a time: uint8 (SIDE_PX, SIDE_PX)."""
        angle = time_s / self._renewal_s
        echo = np.cos(angle) * self._echoes[0] + np.sin(angle) * self._echoes[1]
        amplitude = (np.clip(level, 0, 255) / 255) ** np.float32(1 / COMPRESSION)
        echo = cv2.GaussianBlur(echo * amplitude[..., None], (0, 0), self._blur[0], sigmaY=self._blur[1])
        grey = np.hypot(echo[..., 0], echo[..., 1]) ** np.float32(COMPRESSION) * 300
        return self.screen.show(np.clip(grey, 0, 255).astype(np.uint8))

    def mask(self, x_mm: float, z_mm: float, across_mm: float, down_mm: float) -> np.ndarray:
        """Return the pixels of an upright ellipse, uint8 {0, 1} (SIDE_PX, SIDE_PX); arguments as for `inside`."""
        turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
        outline = np.column_stack([x_mm + across_mm * np.cos(turn), z_mm + down_mm * np.sin(turn)])
        return self.screen.mask(outline)
