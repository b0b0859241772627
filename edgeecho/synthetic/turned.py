"""Apical hearts in pictures that are mirrored, turned or inverted: wrong views that have a remedy."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from edgeecho.cine import Cine
from edgeecho.errors import ConfigError
from edgeecho.synthetic.phantom import draw_cine

TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored": lambda images: np.flip(images, -1),
    "apex down": lambda images: np.flip(images, -2),
    "turned by 90": lambda images: np.rot90(images, 1, (-2, -1)),
    "turned by 180": lambda images: np.rot90(images, 2, (-2, -1)),
    "turned by 270": lambda images: np.rot90(images, 3, (-2, -1)),
}
"""Function from images (..., H, W) to turned ones, by name; angles are counterclockwise."""
INVERTED = "inverted"
KINDS = (*TURNS, INVERTED)
"""Names of all kinds: turned pictures, and grey levels that are inverted."""


def turn(cine: Cine, kind: str) -> Cine:
    """Turn a cine with its labels and spacing, or invert its grey levels.

    Args:
        cine: Upright cine.
        kind: Name in `KINDS`.

    Raises:
        ConfigError: If the kind is unknown.
    """
    if kind == INVERTED:
        return Cine(255 - cine.frames, cine.fps, cine.spacing_mm, cine.labels, cine.phases, f"{cine.name} {kind}")
    if kind not in TURNS:
        raise ConfigError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    spacing = cine.spacing_mm[::-1] if cine.spacing_mm and kind in ("turned by 90", "turned by 270") else None
    turned = Cine(
        np.ascontiguousarray(TURNS[kind](cine.frames)),
        cine.fps,
        spacing or cine.spacing_mm,
        {index: np.ascontiguousarray(TURNS[kind](mask)) for index, mask in cine.labels.items()},
        cine.phases,
        f"{cine.name} {kind}",
    )
    return replace(turned, times_s=cine.times_s)


def _draw(kind: str, seed: int | Sequence[int]) -> Cine:
    return turn(draw_cine(seed), kind)


TURNED: dict[str, Callable[[int], Cine]] = {kind: partial(_draw, kind) for kind in KINDS}
"""Function from a seed to a drawn heart in a turned picture, by name of the kind."""
