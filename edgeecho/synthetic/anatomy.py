"""Anatomy of a drawn heart in the apical four-chamber view: outlines of chambers, wall, valves and pericardium.

Points are (u, v) in mm, float (N, 2): u to the right of the picture, where the lateral wall is, v from the apex of the
ventricle at end-diastole down to its base. Ranges are wider than those of CAMUS's training patients, whose statistics
`studies/phantom_statistics.py` prints.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from edgeecho.measure import ef_percent
from edgeecho.synthetic.outlines import (
    LEVELS,
    POINTS,
    SIDE,
    atrium_outline,
    disc_volume,
    leaflet_lines,
    outward_normals,
    wavy_line,
)
from edgeecho.synthetic.pose import Contraction, Pose


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Shape and motion of one heart; lengths in mm, other values as parts of 1."""

    length: float
    """Length of the ventricle at ED, apex to mitral base."""
    width: float
    """Largest diameter of the ventricle at ED."""
    widest: float
    """Position of the largest diameter along the axis."""
    bluntness: float
    """Exponent of the apex: 2 is an ellipse, more is a bullet."""
    base: float
    """Diameter at the base as a part of the largest one."""
    bend: float
    """Bend of the axis to the lateral side, as a part of the width."""
    slope: float
    """Depth of the lateral end of the base below its septal end, as a part of the length."""
    flat_septum: float
    """Part of the septal half's width that is missing."""
    septum: float
    lateral: float
    apex: float
    """Thickness of the wall at ED, at the septum, the lateral wall and the apex."""
    bulge: float
    """Thickness added to the basal septum."""
    ef: float
    """Ejected part of the volume if all walls move alike."""
    shortening: float
    """Exponent of the volume to which the length is proportional."""
    septal_part: float
    """Share of the septum in the inward motion; at 1 it equals that of the lateral wall."""
    still: float
    """Part of its motion that a weak segment lacks."""
    still_at: float
    """Position of the weak segment: -1 is the base of the septum, 0 the apex, 1 the base of the lateral wall."""
    thickening: float
    rv_width: float
    rv_apex: float
    """Position along the septum at which the right ventricle begins, as a part of the length."""
    rv_bulge: float
    tricuspid: float
    """Distance by which the tricuspid base is nearer to the apex than the mitral one."""
    la_length: float
    la_width: float
    ra_length: float
    ra_width: float
    lean: float
    """Lean of the atria to the side, as a part of their length."""
    atrial_septum: float
    leaflet: float
    """Length of the leaflets, as a part of half the mitral base."""
    papillary: float
    """Size of the papillary muscles, as a part of 0.16 diameters of the cavity."""
    trabecular: float
    """Thickness of the trabeculae."""
    rough: np.ndarray
    """Roughness of the trabeculae along the outline, 0 to 1, (2 * SIDE - 1,)."""
    muscles: tuple[tuple[int, float], ...] = ()
    """Papillary muscles: landmark of the outline where each is attached, and how far it reaches into the cavity."""
    compaction: float = 0.0
    """Growth of trabeculae and papillary muscles in thickness at full ejection, as the cavity around them empties."""
    closed_deg: float = 8.0
    """Angle of closed leaflets to the base, towards the apex, in degrees."""
    strands: tuple[tuple[int, int], ...] = ()
    """False tendons: pairs of landmarks of the outline that a strand joins across the cavity."""
    most_lined: float = 0.0
    """Part of the room between wall and axis that the trabeculae fill at most; 0 sets no limit."""
    chords: tuple[tuple[tuple[int, float], tuple[int, float]], ...] = ()
    """Tendinous cords: two ends each, by the level between apex (0) and base (SIDE - 1) and the place from the septal
    (0) to the lateral side (1)."""
    ajar: float = 0.0
    """Least opening of the valves, 0 to 1: leaflets that have not met, or that do not meet in this plane."""
    recess: float = 0.35
    """Descent of the cavity's apex in systole, as a part of the growth of the wall there; at 1 the outside rests."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw a heart of any size, from a child's to a dilated one."""

        def u(low: float, high: float) -> float:
            return float(rng.uniform(low, high))

        ef = float(np.clip(rng.normal(0.57, 0.09), 0.1, 0.8)) if rng.uniform() < 0.5 else u(0.1, 0.8)
        weak = max(0.0, 0.5 - ef)
        length = 83 * np.exp(float(np.clip(rng.normal(0, 0.15), -0.6, 0.35)))
        width = length * float(np.clip(rng.normal(0.60 + 0.15 * weak, 0.085), 0.38, 0.9))
        scale = length / 83
        wall = float(rng.normal(10.5, 2.2)) * scale**0.7
        thick = np.clip(wall * rng.normal(1, 0.12, 3), 4.5 * scale, 19)
        large = np.exp(rng.normal(0, 0.28))
        widest, bluntness, base = u(0.42, 0.8), u(1.6, 3.0), u(0.55, 0.94)
        # The third number, of a property that hearts no longer have, is drawn so that each seed keeps its heart.
        bend, slope, _ = (float(rng.normal(0, spread)) for spread in (0.06, 0.035, 1.0))
        return cls(
            length=length,
            width=width,
            widest=widest,
            bluntness=bluntness,
            base=base,
            bend=bend,
            slope=slope,
            flat_septum=u(-0.1, 0.35),
            septum=float(thick[0]),
            lateral=float(thick[1]),
            apex=float(thick[2]),
            bulge=max(0.0, rng.normal(-1, 3)) * scale,
            ef=ef,
            shortening=u(0.2, 0.45),
            septal_part=u(0.5, 1.2),
            still=u(0.3, 1.2) if rng.uniform() < 0.25 else 0.0,
            still_at=u(-1, 1),
            thickening=u(0.3, 0.9),
            rv_width=scale * float(np.clip(rng.normal(32, 9), 14, 62)),
            rv_apex=u(0.05, 0.5),
            rv_bulge=u(0.75, 1.35),
            tricuspid=u(-2, 10) * scale,
            la_length=scale * float(np.clip(rng.normal(38, 11) * large, 12, 85)),
            la_width=scale * float(np.clip(rng.normal(43, 7) * large, 24, 80)),
            ra_length=scale * float(np.clip(rng.normal(40, 9) * large, 16, 80)),
            ra_width=scale * float(np.clip(rng.normal(40, 7) * large, 20, 75)),
            lean=rng.normal(0, 0.18),
            atrial_septum=u(2, 8) * scale,
            leaflet=u(0.75, 1.15),
            papillary=(papillary := u(0, 1)),
            trabecular=abs(rng.normal(0, 1.6)) * scale,
            rough=wavy_line(rng, POINTS),
            muscles=((31, 1.0), (25, 0.7))[: int(papillary >= 0.3) + int(papillary > 0.6)],
        )

    def cavity(self, volume: float | np.ndarray, axial: float | None = None) -> np.ndarray:
        """Return the outline of the cavity, (2 * SIDE - 1, 2).

        Args:
            volume: Relative volume (1 at ED, 0 at ES) that the walls follow, one or one for each point of the outline.
            axial: Relative volume that the length follows; None for that of the walls, which must be one number.
        """
        left, right, ends = self._cavity(volume, float(volume) if axial is None else axial)
        return np.concatenate([np.stack([left, ends[0]], 1)[::-1], np.stack([right, ends[1]], 1)[1:]])

    def ef_percent(self) -> float:
        """Return EF in percent, by single-plane discs of the cavity at ED and ES."""
        return ef_percent(*(disc_volume(self.cavity(volume)) for volume in (1.0, 0.0)))

    def without_trabeculae(self, endo: np.ndarray, axial: float) -> np.ndarray:
        """Return the outline of the dark part of a cavity, point for point, (2 * SIDE - 1, 2).

        Args:
            endo: Outline of the cavity.
            axial: Relative volume that the length follows.
        """
        thick = self._compact(axial) * self.trabecular * self.rough
        if self.most_lined:
            most = self.most_lined * _room(endo)
            thick = most * np.tanh(thick / most)
        return endo - outward_normals(endo) * thick[:, None]

    def _compact(self, axial: float) -> float:
        """Return the thickness of trabeculae and papillary muscles, as a multiple of that at ED."""
        return 1 + self.compaction * self.ef * (1 - axial)

    def pose(self, state: Contraction) -> Pose:
        """Return the whole heart at one moment."""
        opening, kick, axial = max(state.opening, self.ajar), state.kick, state.axial
        endo = self.cavity(state.radial, axial)
        normal = outward_normals(endo)
        thick = self._thickness() * (1 + self.thickening * self.ef * (1 - state.radial))
        epi = endo + normal * thick[:, None]
        inner = self.without_trabeculae(endo, axial)
        septal, mitral = endo[0], endo[-1]
        squeeze = self.ef * (1 - state.right)
        tricuspid = epi[0] + [-self.rv_width * (1 - 0.3 * squeeze), -self.tricuspid]
        rv = self._rv(epi, tricuspid, squeeze)
        swell = (1 + 0.12 * (1 - axial)) * (1 - 0.08 * kick)
        la_floor = self.length + self.la_length * (1 - 0.05 * kick)
        ra_floor = self.length - self.tricuspid + self.ra_length * (1 - 0.05 * kick)
        middle = epi[0] * 0.5 + septal * 0.5 + [0, 0.5]
        gap = np.array([self.atrial_septum / 2, 0])
        la = atrium_outline(middle + gap, np.add(mitral, (-1, 1.5)), la_floor, self.la_width * swell, self.lean, -1)
        ra = atrium_outline(middle - gap, np.add(tricuspid, (1, 1.5)), ra_floor, self.ra_width * swell, self.lean, 1)
        leaflets = [
            *leaflet_lines(septal, mitral, opening, self.leaflet, self.closed_deg),
            *leaflet_lines(tricuspid, epi[0] + [0, -self.tricuspid], opening, self.leaflet, self.closed_deg),
        ]
        band = np.array([rv[len(rv) // 2 + 5], epi[int(0.45 * SIDE)]])
        muscles = self._papillary(inner, normal, self._compact(axial))
        strands = [np.stack([inner[a], inner[b]]) for a, b in self.strands]
        strands += [np.stack([_across(inner, *end) for end in ends]) for ends in self.chords]
        return Pose(endo, epi, inner, rv, la, ra, muscles, tuple(leaflets), band, tuple(strands))

    def _cavity(
        self, volume: float | np.ndarray, axial: float
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return u of the septal and of the lateral side at LEVELS, and v of both."""
        if isinstance(volume, np.ndarray):
            volume = np.stack([volume[SIDE - 1 :: -1], volume[SIDE - 1 :]])  # (2, SIDE), from the apex to the base
        share = 1 - self.ef * (1 - volume)
        length = self.length * (1 - self.ef * (1 - axial)) ** self.shortening
        shrink = 1 - share ** ((1 - self.shortening) / 2)
        s, m = LEVELS, self.widest
        upper = (1 - np.clip((m - s) / m, 0, 1) ** self.bluntness) ** (1 / 2)
        lower = 1 - (1 - self.base) * np.clip((s - m) / (1 - m), 0, 1) ** 2
        half = self.width / 2 * upper * lower
        part = np.array([self.septal_part, 2 - self.septal_part])
        place = np.stack([-s, s])
        weak = 1 - self.still * np.exp(-(((place - self.still_at) / 0.3) ** 2))
        kept = 1 - shrink * part[:, None] * weak
        middle = self.bend * self.width * np.sin(np.pi * s)
        left = -half * (1 - self.flat_septum * np.sin(np.pi * s) ** 2) * kept[0] + middle
        right = half * kept[1] + middle
        tip = self.recess * self.apex * self.thickening * self.ef * (1 - axial)
        v = tip + (length - tip) * s
        tilt = self.slope * length * s**2
        return left, right, (v - tilt, v + tilt)

    def _thickness(self) -> np.ndarray:
        """Return the thickness of the wall at ED along the outline, (2 * SIDE - 1,)."""
        s = LEVELS
        tip = np.exp(-((s / 0.25) ** 2))
        septal = self.septum + self.bulge * np.exp(-(((s - 0.85) / 0.15) ** 2))
        left, right = ((1 - tip) * side + tip * self.apex for side in (septal, np.full(SIDE, self.lateral)))
        return np.concatenate([left[::-1], right[1:]])

    def _rv(self, epi: np.ndarray, tricuspid: np.ndarray, squeeze: float) -> np.ndarray:
        """Return the right ventricle: along the septum from the base to its apex, then down the free wall."""
        stop = SIDE - 1 - int(self.rv_apex * SIDE)
        septum = np.subtract(epi[: max(stop, 4)], (1, 0))
        top = septum[-1]
        side = tricuspid * [1, 0.5] + [-0.1 * self.rv_width, 0.45 * top[1]]
        side = top + (side - top) * self.rv_bulge * (1 - 0.15 * squeeze)
        t = np.linspace(0, 1, 16)[1:, None]
        return np.concatenate([septum, (1 - t) ** 2 * top + 2 * t * (1 - t) * side + t * t * tricuspid])

    def _papillary(self, inner: np.ndarray, normal: np.ndarray, compact: float) -> tuple[np.ndarray, ...]:
        """Return the papillary muscles, ellipses on the inner side of the wall, `compact` times as thick as at ED."""
        size = 0.16 * self.width * self.papillary
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        found = []
        for at, reach in self.muscles:
            along = inner[at + 1] - inner[at - 1]
            along = along / np.linalg.norm(along)
            shape = np.cos(turn)[:, None] * along * 1.6 + compact * np.sin(turn)[:, None] * normal[at]
            found.append(inner[at] - 0.4 * size * normal[at] + reach * size / 2 * shape)
        return tuple(found)


def _across(outline: np.ndarray, level: int, place: float) -> np.ndarray:
    """Return the point at a level of an outline, at a place from its septal (0) to its lateral side (1), (2,)."""
    return np.asarray((1 - place) * outline[SIDE - 1 - level] + place * outline[SIDE - 1 + level])


def _room(endo: np.ndarray) -> np.ndarray:
    """Return the distance from each point of a cavity's outline to its axis, at the apex to its middle, (POINTS,)."""
    half = np.linalg.norm(endo - endo[::-1], axis=1) / 2
    tip = np.exp(-((np.linspace(-1, 1, POINTS) / 0.25) ** 2))
    return np.asarray((1 - tip) * half + tip * np.linalg.norm(endo - endo.mean(axis=0), axis=1))
