"""How much of the cavity's outline a look shows: experts outline no picture that does not show the wall."""

import numpy as np

from edgeecho.synthetic.compression import Compression
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissue_picture import wall_levels
from edgeecho.synthetic.tissues import Tissues

MIN_CONTRAST = 12.0
"""Least difference of the grey levels of wall and blood for the border between them to be visible."""


def visible_share(
    screen: Screen,
    pose: Pose,
    tissues: Tissues,
    law: Compression,
    gain: np.ndarray,
    noise: np.ndarray,
    tone: np.ndarray,
) -> float:
    """Return the share of the cavity's outline whose wall is brighter than the blood beside it, speckle apart.

    The wall is looked at in its middle, the blood a quarter of the way to the middle of the cavity. The mean powers of
    tissue and of what lies over it add up. A part of the outline that lies outside the sector is not visible.

    Args:
        screen: Geometry of the sector.
        pose: Heart under the probe.
        tissues: Grey levels of its tissues.
        law: Compression of echoes.
        gain: Factor of the amplitude of tissue, (RANGES, BEAMS).
        noise: Power of haze and clutter, (RANGES, BEAMS).
        tone: Tone curve, uint8 (256,).
    """
    wall = (pose.endo + pose.epi) / 2
    blood = pose.trabeculae + 0.25 * (pose.endo.mean(axis=0) - pose.trabeculae)
    level = wall_levels(pose, tissues)
    sides = ((wall[1:] + wall[:-1]) / 2, level), ((blood[1:] + blood[:-1]) / 2, np.full_like(level, tissues.blood))
    greys, inside = [], np.ones(len(level), bool)
    for points, levels in sides:
        column, row = np.clip(np.rint(screen.points_to_beams(points)), 0, (BEAMS - 1, RANGES - 1)).astype(int).T
        power = (law.amplitude(levels) * gain[row, column]) ** 2 + noise[row, column]
        greys.append(tone[np.clip(law.level(np.sqrt(power)), 0, 255).astype(int)].astype(float))
        inside &= screen.holds(points)
    return float((inside & (greys[0] - greys[1] > MIN_CONTRAST)).mean())
