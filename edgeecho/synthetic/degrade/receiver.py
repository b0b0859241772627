"""Faults of probe and receiver: gain, weak signal, attenuation, rejection, noise. They change the fan alone.

Every function takes frames uint8 (T, H, W), a strength, a generator of random numbers, and the fan; it returns frames
of the same shape and leaves the given ones as they are. Without a fan, that of the frames is found, which raises
VideoError if no part of the picture is lit. Noise has the grain of a fan of `NETWORK_PX` pixels, or of single pixels in
a smaller one: the resolution cell of a cardiac probe, about 1.5 mm of a depth of 150 mm, is a pixel there. So its
strength is the same after the network's resampling whatever the size of the picture is.
"""

import cv2
import numpy as np

from edgeecho.synthetic.fan import Fan

NETWORK_PX = 112
"""Longer side of a fan for which the grain of noise, blurs and other lengths are stated, in pixels."""
RECEIVER_NOISE = 8.0
"""Standard deviation in grey levels of the receiver's noise, which stays when the signal becomes weak."""


def rounded(values: np.ndarray) -> np.ndarray:
    """Round grey levels to uint8; levels beyond 0 and 255 become these."""
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


def in_fan(frames: np.ndarray, fan: Fan, values: np.ndarray) -> np.ndarray:
    """Take the values inside the fan, rounded, and the frames outside.

    Args:
        frames: Grey frames, uint8 (T, H, W).
        fan: Fan of the frames.
        values: New grey levels, float (T, H, W).
    """
    return np.where(fan.inside, rounded(values), frames)


def cell_px(fan: Fan) -> float:
    """Return how many pixels of the picture a pixel of a fan of `NETWORK_PX` pixels is; at least 1."""
    return max(1.0, max(fan.box[2:]) / NETWORK_PX)


def grains(shape: tuple[int, ...], fan: Fan, rng: np.random.Generator) -> np.ndarray:
    """Draw noise that is new in every frame, with the grain of `cell_px`: float32 (T, H, W), mean 0, deviation 1."""
    count, height, width = shape
    cell = cell_px(fan)
    if cell < 1.5:
        return rng.standard_normal(shape, np.float32)
    small = rng.standard_normal((count, round(height / cell), round(width / cell)), np.float32)
    spread = 1.5  # linear interpolation multiplies the deviation by 2/3 along both axes together
    return np.stack([cv2.resize(frame * spread, (width, height), interpolation=cv2.INTER_LINEAR) for frame in small])


def gain(frames: np.ndarray, factor: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Multiply the fan by a factor."""
    return in_fan(frames, fan or Fan.of(frames), np.float32(factor) * frames)


def weak_signal(frames: np.ndarray, factor: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Multiply the fan by a factor, and add the noise of the receiver, which does not become weaker with the signal."""
    fan = fan or Fan.of(frames)
    added = np.float32(RECEIVER_NOISE) * grains(frames.shape, fan, rng)
    return in_fan(frames, fan, np.float32(factor) * frames + added)


def attenuate(frames: np.ndarray, deepest: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Darken the fan with depth: by 1 at its top, linearly down to `deepest` at its farthest pixel."""
    fan = fan or Fan.of(frames)
    return in_fan(frames, fan, frames * (1 - np.float32(1 - deepest) * fan.depth))


def reject(frames: np.ndarray, below: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Make grey levels of the fan under a bound black, and leave the others."""
    return in_fan(frames, fan or Fan.of(frames), np.where(frames < below, np.uint8(0), frames))


def noise(frames: np.ndarray, level: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Add normal noise of a standard deviation in grey levels to the fan, new in every frame."""
    fan = fan or Fan.of(frames)
    return in_fan(frames, fan, frames + np.float32(level) * grains(frames.shape, fan, rng))


def deep_noise(frames: np.ndarray, level: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Add noise whose deviation grows with the square of depth, to `level` grey levels at the farthest pixel.

    Time-gain compensation amplifies the noise of the receiver with depth as it does the echo.
    """
    fan = fan or Fan.of(frames)
    return in_fan(frames, fan, frames + np.float32(level) * fan.depth**2 * grains(frames.shape, fan, rng))
