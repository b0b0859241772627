"""Echoes that are not the heart's: haze of the near field and reverberation. They change the fan alone.

Arguments are those of the functions of `receiver.py`.
"""

import cv2
import numpy as np

from edgeecho.synthetic.degrade.receiver import in_fan
from edgeecho.synthetic.fan import Fan

HAZE_DEPTH = 0.45
"""Depth, as a part of the fan's, at which haze has fallen to 1/e of its level at the top."""
UNEVEN = 0.15
"""Standard deviation of haze over place, and amplitude of its slow change in time, as parts of its level."""
REVERBERATION_APART = (0.07, 0.16)
"""Range of the distance between the bands of a reverberation, as a part of the fan's depth: layers of the chest wall
under the probe."""
REVERBERATION_FALL = 0.75
"""Level of a band as a part of that of the band before."""
BAND_WIDTH = 0.009
"""Standard deviation of a band's depth, as a part of the fan's."""


def haze(frames: np.ndarray, level: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Add a broad veil to the near field, of about `level` grey levels at the top, slowly varying in place and time."""
    fan = fan or Fan.of(frames)
    veil = np.exp(-((fan.depth / HAZE_DEPTH) ** 2)) * _clouds(frames.shape, rng)
    swell = 1 + UNEVEN * np.sin(rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(len(frames)) / 64)
    return in_fan(frames, fan, frames + (level * swell).astype(np.float32)[:, None, None] * veil)


def reverberate(frames: np.ndarray, level: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Add bright bands across the beams at equal distances, which rest while the heart moves.

    The first has about `level` grey levels, each one below `REVERBERATION_FALL` of the one above: echoes that go to and
    fro between the probe and a layer of the chest wall.
    """
    fan = fan or Fan.of(frames)
    apart, bands = rng.uniform(*REVERBERATION_APART), np.zeros(frames.shape[1:], np.float32)
    for number in range(1, int(1 / apart) + 1):
        distance = (fan.depth - number * apart) / BAND_WIDTH
        bands += REVERBERATION_FALL ** (number - 1) * np.exp(-0.5 * distance * distance)
    side = rng.uniform(fan.angles[0], fan.angles[1])  # the layer faces the probe best at one angle
    width = 0.5 * (fan.angles[1] - fan.angles[0])
    bands *= np.exp(-(((fan.angle - side) / width) ** 2)) * _clouds(frames.shape, rng)
    return in_fan(frames, fan, frames + np.float32(level) * bands)


def _clouds(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth field about 1 with structures of a quarter of the picture, float32 (H, W)."""
    nodes = rng.standard_normal((4, 4)).astype(np.float32)
    field = cv2.resize(nodes, (shape[2], shape[1]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1 + UNEVEN * np.clip(field, -2, 2), np.float32)
