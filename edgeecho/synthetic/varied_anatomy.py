"""Anatomy of the varied population of drawn hearts (`phantom-varied:`), from no measurement on pictures of a data set.

Ranges contain those of Lang et al., Recommendations for cardiac chamber quantification by echocardiography in adults,
J Am Soc Echocardiogr 2015, doi 10.1016/j.echo.2014.10.003, from the healthy to the severely abnormal: diameter of the
left ventricle at ED, normally 42 to 58 mm (men) and 38 to 52 mm (women), EF 52 to 72% and 54 to 74%, walls of 6 to 10
mm, right ventricle of 25 to 41 mm at its base. They are wider, so that no real heart is at the edge of the population.

The outline of the masks is that which the eye can follow, the border of the dark cavity: echoes are wider than what
returns them, so that the trabeculae look like a dimmer lining of the wall. The lining is thickest at the apex, and in
systole, when the blood between its strands is pressed out. Papillary muscles lie inside the outline. That experts draw
ES inside such a lining of apex and lateral wall was seen on outlines of CAMUS's training list; its ranges were chosen.

`ef` of a heart is that of the cavity with its trabeculae; the cavity of the outline ejects more of itself.

A third is foreshortened: the plane misses the true apex, so the ventricle is short and round, and its apex, cut
obliquely, thick.
"""

import numpy as np

from edgeecho.synthetic.anatomy import Anatomy
from edgeecho.synthetic.outlines import POINTS, SIDE, wavy_line

LENGTH_MM = 84.0
"""Mean length of the ventricle at ED, to which sizes are scaled."""


def draw_varied_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw a heart: half of them healthy, the others of any EF, with dilated, thick or partly still walls."""

    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    ef = float(np.clip(rng.normal(0.53, 0.08), 0.35, 0.75)) if rng.uniform() < 0.45 else u(0.06, 0.68)
    scale = float(np.exp(np.clip(rng.normal(0, 0.14), -0.45, 0.4)))
    foreshortened = u(0, 0.28) if rng.uniform() < 0.35 else 0.0
    dilated = 0.35 * max(0.0, 0.5 - ef) * u(0, 2)
    width = scale * LENGTH_MM * float(np.clip(rng.normal(0.56 + dilated, 0.075), 0.36, 0.9))
    wall = float(np.clip(9.5 * np.exp(rng.normal(0, 0.27)), 4.5, 21)) * scale**0.7
    thick = np.clip(wall * rng.normal(1, 0.15, 3), 3.5, 24)
    atria = np.exp(rng.normal(0, 0.22))
    still = u(0.3, 1.3) if rng.uniform() < 0.4 else 0.0
    return Anatomy(
        length=scale * LENGTH_MM * (1 - foreshortened),
        width=min(width, 0.95 * scale * LENGTH_MM * (1 - foreshortened)),
        widest=u(0.38, 0.85),
        bluntness=u(1.6, 3.4),
        base=u(0.55, 0.98),
        bend=rng.normal(0, 0.07),
        slope=rng.normal(0, 0.05),
        flat_septum=u(-0.15, 0.4),
        septum=float(thick[0]),
        lateral=float(thick[1]),
        apex=float(thick[2]) * u(0.6, 1.0) + 40 * foreshortened * u(0, 1),
        bulge=max(0.0, rng.normal(-1, 3.5)) * scale,
        ef=ef,
        shortening=u(0.08, 0.42),
        septal_part=u(0.5, 1.35),
        still=still,
        still_at=u(-1, 1),
        thickening=u(0.4, 1.4),
        rv_width=scale * float(np.clip(rng.normal(33, 9), 14, 65)),
        rv_apex=u(0.03, 0.5),
        rv_bulge=u(0.7, 1.4),
        tricuspid=u(-3, 11) * scale,
        la_length=scale * float(np.clip(rng.normal(46, 11) * atria, 14, 95)),
        la_width=scale * float(np.clip(rng.normal(41, 7) * atria, 22, 85)),
        ra_length=scale * float(np.clip(rng.normal(45, 9) * atria, 16, 90)),
        ra_width=scale * float(np.clip(rng.normal(38, 7) * atria, 20, 80)),
        lean=rng.normal(0, 0.2),
        atrial_septum=u(2, 9) * scale,
        leaflet=u(0.7, 1.35),
        papillary=u(0.35, 1.25),
        trabecular=u(0, 3.8) * scale,
        rough=_draw_lining(rng),
        muscles=_draw_muscles(rng),
        compaction=u(0.8, 4.0),
        closed_deg=u(0, 35),
        strands=_draw_strands(rng),
        most_lined=0.45,
        chords=_draw_chords(rng),
        ajar=u(0, 0.8) if rng.uniform() < 0.4 else 0.0,
        recess=u(0.3, 1.1),
    )


def _draw_lining(rng: np.random.Generator) -> np.ndarray:
    """Draw the thickness of the trabeculae along the outline, (POINTS,), as a part of `Anatomy.trabecular`.

    The septum is smooth, the apex and the lateral wall are not: beside an even part and waves, which may be less at the
    septum, they have linings of their own.
    """
    even, smooth, apical, lateral = rng.uniform(0, (0.6, 1.0, 1.4, 1.0))
    where = np.linspace(-1, 1, POINTS)
    common = even + (1 - even) * wavy_line(rng, POINTS)
    common *= 1 - smooth * np.clip(-3 * where, 0, 1)
    return np.asarray(common + apical * np.exp(-((where / 0.25) ** 2)) + lateral * np.clip(3 * where, 0, 1))


def _draw_muscles(rng: np.random.Generator) -> tuple[tuple[int, float], ...]:
    """Draw no to three papillary muscles: places on the outline, most of them lateral, and how far they reach in."""
    found = []
    for _ in range(int(rng.choice(4, p=(0.35, 0.3, 0.25, 0.1)))):
        at = int(rng.integers(25, 36)) if rng.uniform() < 0.8 else int(rng.integers(8, 17))
        found.append((at, float(rng.uniform(0.5, 1.1))))
    return tuple(found)


def _draw_strands(rng: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Draw no to two false tendons from the septal to the lateral side."""
    count = int(rng.choice(3, p=(0.7, 0.22, 0.08)))
    return tuple((int(rng.integers(6, 18)), int(rng.integers(25, 37))) for _ in range(count))


def _draw_chords(rng: np.random.Generator) -> tuple[tuple[tuple[int, float], tuple[int, float]], ...]:
    """Draw no to four short tendinous cords between papillary muscles and leaflets, most of them lateral."""
    found = []
    for _ in range(int(rng.choice(5, p=(0.4, 0.2, 0.2, 0.1, 0.1)))):
        level, place = int(rng.integers(8, 19)), float(rng.triangular(0.1, 0.8, 0.95))
        other = int(np.clip(level + rng.integers(-3, 4), 5, SIDE - 2))
        found.append(((level, place), (other, float(np.clip(place + rng.normal(0, 0.12), 0.05, 0.97)))))
    return tuple(found)
