"""State of a drawn heart at one moment: how far its parts have contracted, and where their outlines are.

Points are (u, v) in mm as in `edgeecho/synthetic/anatomy.py`, or (x, z) once the heart is placed under the probe.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Contraction:
    """State of the parts of a heart at one moment; relative volumes are 1 at ED and 0 at ES."""

    radial: float | np.ndarray
    """Relative volume that the walls follow, one value or one for each point of the outline, (2 * SIDE - 1,)."""
    axial: float
    """Relative volume that the length and the atria follow."""
    right: float
    """Relative volume that the right ventricle follows."""
    opening: float = 0.0
    """Opening of the valves to the ventricles, 0 closed to 1 open."""
    kick: float = 0.0
    """Contraction of the atria, 0 to 1."""

    @classmethod
    def of(cls, volume: float, opening: float = 0.0, kick: float = 0.0) -> Self:
        """Return the state of a heart of which all parts follow one relative volume."""
        return cls(volume, volume, volume, opening, kick)


@dataclass(frozen=True, eq=False)
class Pose:
    """Outlines of a heart at one moment."""

    endo: np.ndarray
    """Cavity as an expert draws it, from the septal end of the mitral base over the apex to the lateral end."""
    epi: np.ndarray
    """Outer side of the wall, point for point beside `endo`."""
    trabeculae: np.ndarray
    """Dark part of the cavity: `endo` without the trabeculae, point for point."""
    rv: np.ndarray
    la: np.ndarray
    ra: np.ndarray
    """Cavities of right ventricle, left and right atrium, closed."""
    papillary: tuple[np.ndarray, ...]
    """Muscles inside the ventricles, closed."""
    leaflets: tuple[np.ndarray, ...]
    """Mitral and tricuspid leaflets, open lines from the hinge."""
    moderator: np.ndarray
    """Band across the right ventricle, an open line."""
    strands: tuple[np.ndarray, ...] = ()
    """False tendons across the left ventricle, open lines."""

    def landmarks(self) -> np.ndarray:
        """Return points whose motion the tissue follows, the same ones in every pose."""
        return np.concatenate([self.endo[::3], self.epi[::3], self.rv[::4], self.la[::5], self.ra[::5]])

    def points(self) -> np.ndarray:
        """Return the points of all outlines, one outline after another, (N, 2)."""
        return np.concatenate(self._outlines())

    def with_points(self, points: np.ndarray) -> "Pose":
        """Return the pose whose outlines have other points, (N, 2) in the order of `points`."""
        parts = iter(np.split(points, np.cumsum([len(each) for each in self._outlines()])[:-1]))
        values: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            values[field.name] = tuple(next(parts) for _ in value) if isinstance(value, tuple) else next(parts)
        return Pose(**values)

    def _outlines(self) -> list[np.ndarray]:
        """Return all outlines in the order of the fields."""
        found: list[np.ndarray] = []
        for field in fields(self):
            value = getattr(self, field.name)
            found.extend(value if isinstance(value, tuple) else [value])
        return found
