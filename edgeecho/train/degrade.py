"""Degradation of clips: what low-cost probes and screens do to them, as on the ladder of `edgeecho eval --ladder`."""

import numpy as np

from edgeecho.errors import VideoError
from edgeecho.synthetic.degrade.degradation import DEGRADATIONS
from edgeecho.synthetic.degrade.placing import Warp
from edgeecho.synthetic.fan import Fan

TRAINED = tuple(name for name, each in DEGRADATIONS.items() if each.trained)
"""Names of the degradations that training draws, in the order in which they act."""
MAX_DRAWN = 2
"""Largest number of degradations on one clip."""


def degrade(
    frames: np.ndarray, masks: np.ndarray, rng: np.random.Generator, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Degrade a clip by one or two degradations of strengths that are drawn, the same for all frames.

    Args:
        frames: Frames, uint8 (T, S, S).
        masks: Soft masks 0 to 255, uint8 (T, S, S).
        rng: Random number generator; with a share of 0 no number is drawn.
        share: Share of the clips that are degraded.

    Returns:
        Degraded frames; frames that are moved as these are, but are not degraded otherwise, the input of a teacher; and
        masks moved alike. All are uint8 (T, S, S). A clip without a lit part is returned as it is.
    """
    if not share or rng.uniform() >= share:
        return frames, frames, masks
    chosen = sorted(rng.choice(len(TRAINED), int(rng.integers(1, MAX_DRAWN + 1)), replace=False))
    strengths = rng.uniform(size=len(chosen))
    try:
        fan = Fan.of(frames)  # of the undegraded clip; after a turn only its size counts
    except VideoError:
        return frames, frames, masks
    degraded, clean = frames, frames
    for number, part in zip(chosen, strengths, strict=True):
        each = DEGRADATIONS[TRAINED[number]]
        assert each.trained
        weakest, strongest = each.trained
        strength = float(weakest + part * (strongest - weakest))
        if each.change:
            degraded = each.change(degraded, strength, rng, fan)
            continue
        assert each.move
        degraded, moved = each.move(degraded, strength, rng, fan)
        assert isinstance(moved, Warp)  # it keeps the size of the clip
        clean, masks = moved.images(clean), moved.images(masks)
    return degraded, clean, masks
