"""Orientation of a view: how its pictures are mirrored and turned for the network, and its masks turned back."""

from dataclasses import dataclass

import numpy as np

from edgeecho.errors import ConfigError

FLIPS = ("none", "lr", "ud", "lrud", "cw", "ccw", "cwlr", "ccwlr")
"""Names of the ways in which a square picture can be put upright. `lr` mirrors left and right, `ud` up and down; `cw`
and `ccw` turn by 90 degrees, clockwise and counterclockwise, and are followed by `lr` where it stands behind. The place
of a name is its number in C."""
UPRIGHT = FLIPS[0]
"""Flip of a picture that is as the network takes it."""
AUTO = "auto"
"""Flip that is found by the network."""


@dataclass(frozen=True)
class Orientation:
    """How pictures are put upright for the network."""

    flip: str = UPRIGHT
    """One of `FLIPS`."""
    inverted: bool = False
    """Whether grey levels are inverted first, 255 minus the level."""


def check_flip(flip: str | None) -> str:
    """Return the name of a flip; None means `none`.

    Raises:
        ConfigError: If it is neither `auto` nor a name of `FLIPS`.
    """
    if flip is None:
        return UPRIGHT
    if not isinstance(flip, str) or (flip != AUTO and flip not in FLIPS):
        raise ConfigError(f"unknown flip {flip!r:.80}; known: {AUTO}, {', '.join(FLIPS)}")
    return flip


def flip_images(images: np.ndarray, flip: str | None) -> np.ndarray:
    """Mirror and turn images (..., H, W); those that are turned by 90 degrees change places of H and W.

    Returns:
        A view of the images; the images themselves if `flip` is None, empty or `none`.
    """
    flip = flip or UPRIGHT
    if "cw" in flip:
        images = np.rot90(images, 1 if flip.startswith("ccw") else -1, axes=(-2, -1))
        flip = flip.partition("cw")[2]
    axes = tuple(axis for name, axis in (("lr", -1), ("ud", -2)) if name in flip)
    return np.flip(images, axes) if axes else images


def unflip_images(images: np.ndarray, flip: str | None) -> np.ndarray:
    """Undo `flip_images`."""
    opposite = {"cw": "ccw", "ccw": "cw"}  # every other one undoes itself
    return flip_images(images, opposite.get(flip or UPRIGHT, flip))
