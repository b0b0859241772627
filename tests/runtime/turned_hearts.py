"""Drawn hearts whose orientation the packaged default is sure of, turned in each of the eight ways."""

from dataclasses import replace
from functools import cache

import numpy as np

from edgeecho.cine import Cine
from edgeecho.preprocess import unflip_images
from edgeecho.synthetic.phantom import draw_cine

CLEAR_SEEDS = (0, 5, 12)
"""Seeds of drawn hearts whose upright picture is clearly told from the seven others, in a cine and in a stream."""


@cache
def upright(seed: int) -> Cine:
    """Draw an upright heart without labels."""
    return replace(draw_cine(seed), labels={}, phases={})


def turned(cine: Cine, flip: str) -> Cine:
    """Turn a cine so that `flip` puts it upright again."""
    spacing = cine.spacing_mm[::-1] if cine.spacing_mm and "cw" in flip else cine.spacing_mm
    return replace(cine, frames=np.ascontiguousarray(unflip_images(cine.frames, flip)), spacing_mm=spacing)
