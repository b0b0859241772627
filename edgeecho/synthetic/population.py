"""Populations of drawn hearts: how anatomy, motion, position, scanner and screen are drawn."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from edgeecho.synthetic.anatomy import Anatomy
from edgeecho.synthetic.look import Look
from edgeecho.synthetic.placement import Placement
from edgeecho.synthetic.plain_look import draw_plain_look
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.screen import Screen
from edgeecho.synthetic.varied_anatomy import draw_varied_anatomy
from edgeecho.synthetic.varied_look import draw_varied_look


@dataclass(frozen=True)
class Population:
    """Ways to draw the parts of a heart and its picture, each from a random number generator."""

    anatomy: Callable[[np.random.Generator], Anatomy]
    look: Callable[[np.random.Generator, Screen, Pose], Look]
    """From the sector, and the heart at ED under the probe."""
    screen: Callable[[np.random.Generator, float], Screen]
    """From the depth of the sector in mm."""
    placement: Callable[[np.random.Generator, float, float], Placement]
    """From the depth of the sector in mm, and that of the apex as a part of it."""
    apex_depth: tuple[float, float]
    base_depth: tuple[float, float]
    """Ranges of the depth of apex and base, as parts of the depth of the sector."""
    complex_motion: bool = False
    """Whether parts of the heart move apart, twist, fade and leave the plane (`edgeecho/synthetic/motion.py`)."""
    trabeculae_inside: bool = True
    """Whether the masks contain the trabeculae; else they are the dark part of the cavity."""


PLAIN = Population(Anatomy.draw, draw_plain_look, Screen.draw, Placement.draw, (0.09, 0.27), (0.6, 0.97))
"""Hearts of `phantom:`, whose parts all follow one volume curve."""
MOVING = replace(PLAIN, complex_motion=True)
"""The same hearts with parts that move apart: `phantom-motion:`."""
VARIED = Population(
    draw_varied_anatomy,
    draw_varied_look,
    Screen.draw_varied,
    Placement.draw_varied,
    (0.05, 0.3),
    (0.5, 0.97),
    complex_motion=True,
    trabeculae_inside=False,
)
"""Hearts and scanners of wider variety, none of whose ranges was measured on a data set: `phantom-varied:`."""
POPULATIONS = {"plain": PLAIN, "moving": MOVING, "varied": VARIED}
"""Populations by the name that settings of a training give them."""
