"""Mirrored views: flipped for the network, and flipped back in its masks."""

import numpy as np

from edgeecho.errors import ConfigError

FLIP_AXES = {"lr": -1, "ud": -2}
"""Names of mirrored views, left-right and upside-down, and the axis of (..., H, W) along which each is flipped."""


def check_flip(flip: str | None) -> None:
    """Refuse a flip that is unknown.

    Raises:
        ConfigError: If it is neither None nor a name of `FLIP_AXES`.
    """
    if flip is not None and flip not in FLIP_AXES:
        raise ConfigError(f"unknown flip {flip!r}; known: {', '.join(FLIP_AXES)}")


def flip_images(images: np.ndarray, flip: str | None) -> np.ndarray:
    """Flip images (..., H, W) along the axis of every name that `flip` contains, such as `lr` or `lrud`.

    Returns:
        A view of the images; the images themselves if `flip` is None or empty.
    """
    axes = tuple(axis for name, axis in FLIP_AXES.items() if name in (flip or ""))
    return np.flip(images, axes) if axes else images
