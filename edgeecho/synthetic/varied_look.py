"""Look of the varied population of drawn hearts (`phantom-varied:`): tissues and scanners of wide variety.

Nothing is measured on the pictures of a data set. Known is the order of the echoes: blood is darkest, then muscle, then
valves and pericardium; muscle along the beam returns less. Levels and all else are drawn over wide ranges (domain
randomisation), so that a real scanner is one more of many. Compression is logarithmic over 35 to 85 dB, the dynamic
ranges that scanners offer, or a power law.
"""

import cv2
import numpy as np

from edgeecho.synthetic.compression import Compression, LogLaw, PowerLaw
from edgeecho.synthetic.look import Look
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.scatterers import cloud, patch_of, scatterers
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissues import Tissues, draw_pericardium_parts, draw_segments
from edgeecho.synthetic.varied_artefacts import draw_clutter, draw_gains, draw_haze, draw_surroundings, draw_tones
from edgeecho.synthetic.visibility import Settings, visible_share, visible_valve

MIN_VISIBLE = 0.65
"""Least share of the cavity's outline at ED that is visible; a look that shows less is drawn anew."""
MIN_VALVE = 0.6
"""The same of the mitral leaflets."""
MAX_LOOKS = 24
"""Largest number of attempts to draw a look that shows as much."""
ROW = np.linspace(0, 1, RANGES, dtype=np.float32)[:, None]
COLUMN = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None]


def draw_varied_look(rng: np.random.Generator, screen: Screen, rest: Pose) -> Look:
    """Draw a scanner with its settings and a chest, such that the outline of a heart is visible.

    Args:
        rng: Random number generator.
        screen: Geometry of the sector.
        rest: Heart at ED under the probe.
    """
    for _ in range(MAX_LOOKS):
        law: Compression = PowerLaw(float(np.exp(rng.uniform(-1.5, -0.6))))
        if rng.uniform() < 0.6:
            law = LogLaw(float(rng.uniform(35, 85)))
        tissues, tone = draw_varied_tissues(rng), draw_tones(rng)
        gain = draw_gains(rng, ROW, COLUMN)
        haze, clutter = law.amplitude(draw_haze(rng, ROW)), law.amplitude(draw_clutter(rng, ROW, COLUMN))
        settings = Settings(law, gain, haze**2 + clutter**2, tone)
        share = visible_share(screen, rest, tissues, settings)
        if share >= MIN_VISIBLE and visible_valve(screen, rest, tissues, settings) >= MIN_VALVE:
            break
    key = int(rng.integers(1 << 40))
    return Look(
        tissues=tissues,
        key=key,
        law=law,
        blur=(float(rng.uniform(0.8, 3.0)), float(rng.uniform(0.3, 1.0))),
        renewal_s=float(rng.uniform(0.12, 0.6)),
        smooth=float(rng.uniform(0.35, 1.2)) if rng.uniform() < 0.5 else 0.0,
        fuzzy=float(np.exp(rng.uniform(np.log(0.6), np.log(4)))),
        around=draw_surroundings(rng, ROW, COLUMN),
        gain=gain,
        haze=cv2.merge((haze, haze)),
        clutter=cv2.merge((clutter, clutter)) * patch_of(scatterers(), key + 104729, (RANGES, BEAMS)),
        blotches=np.exp(np.float32(0.23 * rng.uniform(0.3, 2.5)) * cloud(rng, 9, 7)),
        tone=tone,
        speckle=float(rng.uniform(0.3, 1)) if rng.uniform() < 0.7 else 1.0,
        far_blur=float(rng.uniform(0.5, 5)) if rng.uniform() < 0.6 else 0.0,
        max_fading=1.25,
        side_lobes=float(rng.uniform(0, 0.12)) if rng.uniform() < 0.25 else 0.0,
    )


def draw_varied_tissues(rng: np.random.Generator) -> Tissues:
    """Draw the grey levels of tissues, with blood darkest, and drop-outs of parts of the wall."""
    blood = float(95 * rng.uniform() ** 1.6)
    septum = float(np.exp(rng.uniform(np.log(14), np.log(150))))
    segments = draw_segments(rng, (0.15, 0.15, 0.12), (0.4, 0.3, 0.2, 0.1), lateral_share=0.7, widest=0.14)
    parts = draw_pericardium_parts(rng, 0.4)
    return Tissues(
        blood=blood,
        atria=float(np.clip(blood + rng.normal(8, 20), 0, 140)),
        septum=blood + septum,
        lateral=blood + septum * float(rng.uniform(0.3, 1.2)),
        apex=blood + septum * float(rng.uniform(0.3, 1.3)),
        around=0.0,
        atrial=blood + septum * float(rng.uniform(0.3, 1.2)),
        pericardium=float(rng.uniform(30, 250)),
        valve=blood + max(septum, 40.0) * float(rng.uniform(0.6, 1.7)),
        directional=float(rng.uniform(0, 0.7)),
        segments=segments,
        pericardium_parts=np.clip(parts, 0, 1.6),
        trabeculae=0.9 * float(rng.uniform()) ** 1.7,
        muscle=float(rng.uniform(0.2, 1.1)),
        inner=float(rng.uniform(0.3, 1.3)) if rng.uniform() < 0.5 else 1.0,
        inner_depth=float(rng.uniform(0.3, 0.7)),
        border=float(rng.uniform(5, 90)) if rng.uniform() < 0.45 else 0.0,
    )
