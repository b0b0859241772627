"""Faults of screen, frame grabber and file: grey levels, few pixels, blur, compression. They change the whole picture.

Arguments are those of the functions of `receiver.py`; only lengths need the fan.
"""

import cv2
import numpy as np

from edgeecho.synthetic.degrade.receiver import NETWORK_PX, rounded
from edgeecho.synthetic.fan import Fan


def _look_up(frames: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Map every grey level; `table` is float (256,)."""
    flat = np.ascontiguousarray(frames).reshape(-1, frames.shape[-1])  # OpenCV takes a third axis for channels
    return np.asarray(cv2.LUT(flat, rounded(table)).reshape(frames.shape))


def raise_black(frames: np.ndarray, floor: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Map black to `floor` and white to white, linearly between them."""
    return _look_up(frames, floor + np.arange(256) * (255 - floor) / 255)


def flatten(frames: np.ndarray, contrast: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Reduce the contrast about middle grey, 128."""
    return _look_up(frames, 128 + contrast * (np.arange(256) - 128.0))


def gamma(frames: np.ndarray, power: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Raise the grey level, as a part of white, to a power; above 1 it becomes darker."""
    return _look_up(frames, 255 * (np.arange(256) / 255) ** power)


def few_bits(frames: np.ndarray, bits: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Keep the highest bits of every grey level, rounded to 1 to 8; black stays black and white stays white."""
    kept = int(np.clip(round(bits), 1, 8))
    return _look_up(frames, (np.arange(256) >> (8 - kept)) * (255 / (2**kept - 1)))


def blur(frames: np.ndarray, sigma_px: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Blur the picture; `sigma_px` is stated for a fan of `NETWORK_PX` pixels and grows with the fan's longer side."""
    sigma = sigma_px * max((fan or Fan.of(frames)).box[2:]) / NETWORK_PX
    return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames])


def few_pixels(frames: np.ndarray, pixels: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Resample the picture until the fan's longer side has so many pixels, and back: a small region of a screen."""
    height, width = frames.shape[1:]
    scale = min(1.0, pixels / max((fan or Fan.of(frames)).box[2:]))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = (cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames)
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR) for frame in small])


def compress(frames: np.ndarray, quality: float, rng: np.random.Generator, fan: Fan | None = None) -> np.ndarray:
    """Code and decode every frame as JPEG of a quality from 1 to 100, as a Motion JPEG file has it."""
    setting = [cv2.IMWRITE_JPEG_QUALITY, round(quality)]
    coded = (cv2.imencode(".jpg", frame, setting)[1] for frame in frames)
    return np.stack([np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)) for data in coded])
