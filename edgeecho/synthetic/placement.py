"""Placement of a drawn heart under the probe, and its motion by breath and by the hand that holds the probe."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Placement:
    """Position of the heart under the probe, and its motion by breath and probe."""

    apex: tuple[float, float]
    """Position of the apex (x, z) in mm."""
    tilt: float
    """Tilt of the axis in radians, base to the right."""
    breath_mm: float
    breath_s: float
    drift: tuple[float, float]
    """Drift of the probe (x, z) in mm per second."""
    swing: float
    """Rotation of the heart by contraction, in radians."""
    start: float

    @classmethod
    def draw(cls, rng: np.random.Generator, depth: float, high: float) -> Self:
        """Draw a placement in a sector of `depth` mm, with the apex at the part `high` of the depth."""
        side, drift = float(np.clip(rng.normal(-0.03, 0.06), -0.2, 0.15)), rng.normal(0, 0.8, 2)
        return cls(
            apex=(side * depth, high * depth),
            tilt=float(np.deg2rad(np.clip(rng.normal(11, 9), -15, 40))),
            breath_mm=rng.uniform(0, 3) * (rng.uniform() < 0.6),
            breath_s=rng.uniform(2.5, 6),
            drift=(float(drift[0]), float(drift[1])),
            swing=rng.normal(0, 0.03),
            start=rng.uniform(0, 6),
        )

    @classmethod
    def draw_varied(cls, rng: np.random.Generator, depth: float, high: float) -> Self:
        """Draw a placement farther from the usual one: any tilt of a hand-held probe, more motion."""
        drift = rng.normal(0, 1.5, 2)
        return cls(
            apex=(float(np.clip(rng.normal(-0.02, 0.08), -0.25, 0.22)) * depth, high * depth),
            tilt=float(np.deg2rad(np.clip(rng.normal(7, 14), -30, 42))),
            breath_mm=rng.uniform(0, 4) * (rng.uniform() < 0.6),
            breath_s=rng.uniform(2.5, 6),
            drift=(float(drift[0]), float(drift[1])),
            swing=rng.normal(0, 0.05),
            start=rng.uniform(0, 6),
        )

    def place(self, points: np.ndarray, time: float, volume: float) -> np.ndarray:
        """Transform heart coordinates to probe coordinates, (N, 2)."""
        angle = self.tilt + self.swing * (1 - volume)
        c, s = np.cos(angle), np.sin(angle)
        sway = self.breath_mm * np.sin(2 * np.pi * time / self.breath_s + self.start)
        away = np.add(self.apex, np.multiply(self.drift, time) + np.multiply((0.4, 1.0), sway))
        return np.asarray(points @ np.array([[c, -s], [s, c]]) + away)
