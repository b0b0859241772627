"""Spoilt pictures: clean cines made worse in the ways of scanners, screens and files, by a known strength.

`RUNGS` has a function for each rung of the ladder, by a name that states its strength. Faults of the receiver (gain,
attenuation, rejection, noise, haze, beams) spoil the fan alone; faults of the screen and of the file (grey levels,
blur, compression) spoil the whole picture. A cine keeps its size, except on the two rungs of `SMALL`, which put it on a
larger screen; `place_on` returns its place there.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from edgeecho.errors import ConfigError
from edgeecho.synthetic.fan import Fan
from edgeecho.synthetic.small_on_screen import Place

Spoil = Callable[[np.ndarray, int], np.ndarray]
"""Function from frames uint8 (T, H, W) and a seed to spoilt frames, uint8. Raises VideoError if no part is lit."""

NETWORK_PX = 112
"""Side of the picture for which the blur is stated."""
SMALL = {"sector 0.45 of the screen": 0.45, "sector 0.3 of the screen": 0.3}
"""Rungs that put the picture on a larger screen, with the fan's width as a part of the screen's."""


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


def _look_up(frames: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Map every grey level, of the whole picture; `table` is float (256,)."""
    return np.asarray(_rounded(table)[frames])


def _in_fan(frames: np.ndarray, spoil: Callable[[np.ndarray, Fan, int], np.ndarray]) -> np.ndarray:
    """Spoil the fan of each frame: `spoil` maps a frame float32 (H, W), the fan and the frame's index to a frame."""
    fan = Fan.of(frames)
    out = frames.copy()
    for index, frame in enumerate(frames):
        out[index][fan.inside] = _rounded(spoil(frame.astype(np.float32), fan, index))[fan.inside]
    return out


def gain(frames: np.ndarray, seed: int, *, factor: float, noise: float = 0.0) -> np.ndarray:
    """Multiply the fan by a factor, and add normal noise of a standard deviation in grey levels, new in every frame."""
    rng = np.random.default_rng((seed, 1))

    def spoil(frame: np.ndarray, fan: Fan, index: int) -> np.ndarray:
        grains = noise * rng.standard_normal(frame.shape, np.float32) if noise else 0
        return np.asarray(factor * frame + grains)

    return _in_fan(frames, spoil)


def gamma(frames: np.ndarray, seed: int, *, power: float) -> np.ndarray:
    """Raise the grey level, as a part of white, to a power in the whole picture; above 1 it becomes darker."""
    return _look_up(frames, 255 * (np.arange(256) / 255) ** power)


def attenuate(frames: np.ndarray, seed: int, *, deepest: float) -> np.ndarray:
    """Darken the fan with depth: by 1 at its top, linearly down to `deepest` at its farthest pixel."""
    return _in_fan(frames, lambda frame, fan, index: frame * (1 - (1 - deepest) * fan.depth))


def coarse_levels(frames: np.ndarray, seed: int, *, bits: int) -> np.ndarray:
    """Keep the highest bits of every grey level; black stays black and white stays white."""
    return _look_up(frames, (np.arange(256) >> (8 - bits)) * (255 / (2**bits - 1)))


def reject(frames: np.ndarray, seed: int, *, below: int) -> np.ndarray:
    """Make grey levels of the fan under a bound black, and leave the others."""
    return _in_fan(frames, lambda frame, fan, index: np.where(frame < below, 0, frame))


def raise_black(frames: np.ndarray, seed: int, *, floor: int) -> np.ndarray:
    """Map black to `floor` and white to white, linearly between them, in the whole picture."""
    return _look_up(frames, floor + np.arange(256) * (255 - floor) / 255)


def flatten(frames: np.ndarray, seed: int, *, contrast: float) -> np.ndarray:
    """Reduce the contrast about middle grey, 128, in the whole picture."""
    return _look_up(frames, 128 + contrast * (np.arange(256) - 128.0))


def blur(frames: np.ndarray, seed: int, *, sigma_px: float) -> np.ndarray:
    """Blur the whole picture; `sigma_px` is stated for a fan of 112 pixels and grows with the fan's longer side."""
    sigma = sigma_px * max(Fan.of(frames).box[2:]) / NETWORK_PX
    return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames])


def haze(frames: np.ndarray, seed: int, *, level: float) -> np.ndarray:
    """Add a broad veil to the near field, of about `level` grey levels at the top, slowly varying in place and time."""
    rng = np.random.default_rng((seed, 2))
    nodes = rng.standard_normal((4, 4)).astype(np.float32)
    start = rng.uniform(0, 2 * np.pi)

    def spoil(frame: np.ndarray, fan: Fan, index: int) -> np.ndarray:
        clouds = 1 + 0.15 * np.clip(cv2.resize(nodes, frame.shape[::-1], interpolation=cv2.INTER_CUBIC), -2, 2)
        swell = 1 + 0.15 * np.sin(start + 2 * np.pi * index / 64)
        return np.asarray(frame + level * swell * clouds * np.exp(-((fan.depth / 0.45) ** 2)))

    return _in_fan(frames, spoil)


def jpeg(frames: np.ndarray, seed: int, *, quality: int) -> np.ndarray:
    """Code and decode every frame as JPEG."""
    coded = (cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for frame in frames)
    return np.stack([np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)) for data in coded])


def few_beams(frames: np.ndarray, seed: int, *, beams: int) -> np.ndarray:
    """Average the fan along the angle about its top into beams, and interpolate between them as a scanner does."""
    fan = Fan.of(frames)
    fine = 8  # lines that are averaged into a beam
    first, last = fan.angles
    angle = first + (np.arange(beams * fine, dtype=np.float32)[None] + 0.5) * ((last - first) / (beams * fine))
    radius = np.arange(int(fan.reach) + 1, dtype=np.float32)[:, None]
    column = np.float32(fan.top[0]) + radius * np.sin(angle)
    row = np.float32(fan.top[1]) + radius * np.cos(angle)
    beam = ((fan.angle - first) * (beams / (last - first)) - 0.5).astype(np.float32)
    out = frames.copy()
    for index, frame in enumerate(frames):
        lines = cv2.remap(fan.extend(frame), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        means = lines.reshape(len(radius), beams, fine).mean(axis=2, dtype=np.float32)
        shown = cv2.remap(means, beam, fan.radius, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        out[index][fan.inside] = _rounded(shown)[fan.inside]
    return out


def small(frames: np.ndarray, seed: int, *, part: float) -> np.ndarray:
    """Put the picture on a larger black screen beside text and a grey bar; the fan has a part of its width."""
    return Place.choose(frames, seed, part).show(frames, seed)


RUNGS: dict[str, Spoil] = {
    "gain 0.4": partial(gain, factor=0.4),
    "gain 0.5 and noise of 8": partial(gain, factor=0.5, noise=8.0),
    "gamma 2": partial(gamma, power=2.0),
    "attenuation to 0.25": partial(attenuate, deepest=0.25),
    "4 bits": partial(coarse_levels, bits=4),
    "3 bits": partial(coarse_levels, bits=3),
    "levels under 30 black": partial(reject, below=30),
    "black raised to 30": partial(raise_black, floor=30),
    "half contrast": partial(flatten, contrast=0.5),
    "blur of 2 px of 112": partial(blur, sigma_px=2.0),
    "noise of 20": partial(gain, factor=1.0, noise=20.0),
    "haze of 60": partial(haze, level=60.0),
    "JPEG quality 15": partial(jpeg, quality=15),
    "24 beams": partial(few_beams, beams=24),
} | {name: partial(small, part=part) for name, part in SMALL.items()}
"""Function of each rung, by a name that states its strength; the same frames and seed give the same bytes."""


def spoil(rung: str, frames: np.ndarray, seed: int) -> np.ndarray:
    """Spoil frames by a rung of the ladder.

    Args:
        rung: Name in `RUNGS`.
        frames: Grey frames, uint8 (T, H, W).
        seed: Seed of noise, haze and place.

    Raises:
        ConfigError: If the rung is unknown.
        VideoError: If no part of the picture is lit.
    """
    if rung not in RUNGS:
        raise ConfigError(f"unknown rung {rung!r}; known: {', '.join(RUNGS)}")
    return RUNGS[rung](frames, seed)


def place_on(rung: str, frames: np.ndarray, seed: int) -> Place:
    """Return the place of the unspoilt picture in the spoilt one; arguments are those of `spoil`."""
    if rung in SMALL:
        return Place.choose(frames, seed, SMALL[rung])
    height, width = frames.shape[1:]
    return Place(0, 0, width, height, width, height)
