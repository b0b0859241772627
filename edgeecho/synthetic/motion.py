"""Motion of a drawn heart that no single curve describes, as in filmed cines.

The walls contract with regional delays, the base descends in its own time, the heart twists, which shows in the picture
as rotation, as tissue that moves along the wall and as tissue that leaves the plane, walls and blood change their
brightness along the beat, and breath moves the heart. Without it a drawn heart follows one curve, its volume, so that
the first principal component of its frames fits that curve by construction.
"""

from dataclasses import dataclass, replace

import numpy as np

from edgeecho.synthetic.outlines import POINTS
from edgeecho.synthetic.pose import Contraction, Pose
from edgeecho.synthetic.rhythm import Rhythm

MAX_DELAY_S = 0.05
"""Largest delay of a segment before or after the mean, so that segments contract up to 100 ms apart."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Tissue in the imaged plane at one moment, as it differs from that at rest."""

    slip: np.ndarray
    """Motion of the tissue along the wall at each landmark of a pose, (N, 2) in mm."""
    slices: float
    """Motion of the tissue across the plane, in slice thicknesses: tissue that is one away has other speckle."""
    segments: np.ndarray
    """Factor of the brightness of each segment of the wall, (2 * SIDE - 2,)."""
    blood: float
    """Grey levels added to the cavity by haze."""
    shadow: float
    """Motion of shadows to the right, as a part of the sector's width."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion of one heart, fixed for a cine."""

    delays_s: np.ndarray
    """Delay of the contraction at each point of the outline, (POINTS,)."""
    base: Rhythm
    """Volume that the length follows."""
    base_s: float
    """Delay of the base."""
    right_s: float
    """Delay of the right ventricle."""
    twist: Rhythm
    """Curve of the twist, 1 at ED and 0 at its end: a heart untwists before it fills."""
    turn: float
    """Rotation in the plane at full twist, in radians."""
    slip_mm: float
    """Motion of the tissue along the wall at full twist, at the middle of each wall."""
    slices: tuple[float, float, float, float]
    """Motion across the plane in slice thicknesses: by twist, by the base, by breath, and by the probe a second."""
    fading: np.ndarray
    """Logarithm of the change of each segment's brightness by twist, base and breath, (3, POINTS - 1)."""
    haze: tuple[float, float]
    """Grey levels of the cavity's haze by twist and by breath."""
    breath: tuple[float, float, float, float]
    """Motion by breath: (u, v) in mm, radians, and the shift of shadows as a part of the sector's width."""
    breath_s: float
    start: float

    @classmethod
    def draw(cls, rng: np.random.Generator, rhythm: Rhythm) -> "Motion":
        """Draw the motion of a heart of this rhythm."""
        x = np.linspace(0, 1, POINTS)
        wave = sum(rng.normal() / f * np.sin(2 * np.pi * (f * x + rng.uniform())) for f in (0.5, 1, 2))
        wave = np.asarray(wave) - np.mean(wave)
        delays = rng.uniform(0.2, 1.0) * MAX_DELAY_S * wave / np.abs(wave).max()
        base = replace(
            rhythm,
            systole=float(rhythm.systole * rng.uniform(0.8, 1.15)),
            filling=float(rhythm.filling * rng.uniform(0.7, 1.3)),
            kick=float(np.clip(rhythm.kick * rng.uniform(0.8, 2.2), 0.05, 0.55)),
        )
        twist = replace(
            rhythm,
            systole=float(rhythm.systole * rng.uniform(0.8, 1.0)),
            filling=float(rhythm.filling * rng.uniform(0.4, 0.8)),
            kick=float(rng.uniform(0, 0.08)),
        )
        segments = np.linspace(0, 2 * np.pi, POINTS - 1)
        fading = [
            sum(rng.normal(0, deep) * np.sin(f * segments + rng.uniform(0, 6)) for f in (1, 2.5, 4))
            for deep in rng.uniform(0.05, 0.4, 3)
        ]
        return cls(
            delays_s=delays,
            base=base,
            base_s=float(rng.uniform(-0.04, 0.03)),
            right_s=float(rng.uniform(-0.05, 0.05)),
            twist=twist,
            turn=float(rng.normal(0, 0.08)),
            slip_mm=float(rng.normal(0, 4.0)),
            slices=(
                float(rng.uniform(0.2, 1.6)),
                float(rng.uniform(0.1, 1.0)),
                float(rng.uniform(0.2, 2.0)),
                float(rng.normal(0, 0.4)),
            ),
            fading=np.array(fading),
            haze=(float(rng.normal(0, 14)), float(rng.normal(0, 10))),
            breath=(
                float(rng.normal(0, 3.0)),
                float(rng.normal(0, 4.0)),
                float(rng.normal(0, 0.04)),
                float(rng.normal(0, 0.08)),
            ),
            breath_s=float(rng.uniform(2.5, 6)),
            start=float(rng.uniform(0, 6)),
        )

    def contraction(self, rhythm: Rhythm, time: float, opening: float, kick: float) -> Contraction:
        """Return the state of the heart's parts at a time in seconds, with the valves and atria given."""
        return Contraction(
            rhythm.at(time - self.delays_s)[0],
            _at(self.base, time - self.base_s),
            _at(rhythm, time - self.right_s),
            opening,
            kick,
        )

    def move(self, points: np.ndarray, time: float, length: float) -> np.ndarray:
        """Rotate and shift points (u, v) in mm by twist and breath, about the middle of a heart of `length`."""
        breath = self._breath(time)
        angle = self.turn * (1 - _at(self.twist, time)) + self.breath[2] * breath
        c, s = np.cos(angle), np.sin(angle)
        middle = np.array([0, length / 2])
        away = middle + np.multiply(self.breath[:2], breath)
        return np.asarray((points - middle) @ np.array([[c, -s], [s, c]]) + away)

    def plane(self, pose: Pose, time: float) -> Plane:
        """Return the tissue in the plane at a time, for the heart in its pose."""
        twisted, descended, breath = (
            1 - _at(self.twist, time),
            1 - _at(self.base, time - self.base_s),
            self._breath(time),
        )
        along = np.gradient(pose.endo, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        profile = np.abs(np.sin(np.linspace(0, 2 * np.pi, POINTS)))[:, None]
        slip = (self.slip_mm * twisted * profile * along)[::3]
        slipped = np.zeros_like(pose.landmarks())
        slipped[: len(slip)], slipped[len(slip) : 2 * len(slip)] = slip, slip
        amounts = np.array([twisted, descended, breath])
        return Plane(
            slip=slipped,
            slices=float(np.dot(self.slices[:3], amounts) + self.slices[3] * time),
            segments=np.exp(amounts @ self.fading),
            blood=float(np.dot(self.haze, (twisted, breath))),
            shadow=self.breath[3] * breath,
        )

    def _breath(self, time: float) -> float:
        return float(np.sin(2 * np.pi * time / self.breath_s + self.start))


def _at(rhythm: Rhythm, time: float) -> float:
    """Return a rhythm's relative volume at one time."""
    return float(rhythm.at(np.array([time]))[0][0])
