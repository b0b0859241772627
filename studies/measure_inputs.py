"""Inputs of `studies.device_measure`: random area curves, random masks, and ellipses of rising volume."""

import numpy as np

from edgeecho.synthetic.rhythm import relative_volume


def ellipses(count: int = 48, shape: tuple[int, int] = (40, 36)) -> np.ndarray:
    """Draw masks of rising volume, uint8 (count, H, W)."""
    y, x = np.indices(shape)
    size = np.linspace(0.5, 1, count)[:, None, None]
    inside = ((y - 0.9 * shape[0]) / (0.8 * shape[0] * size**0.5)) ** 2 + ((x - 17.3) / (12 * size)) ** 2 < 1
    return (inside & (y < 0.9 * shape[0])).astype(np.uint8)


def random_curve(rng: np.random.Generator) -> np.ndarray:
    """Draw an area curve of a random kind, float64 (T,)."""
    period = float(np.exp(rng.uniform(np.log(4), np.log(250))))
    # most special cases are at the ends of a curve
    frames = int(rng.integers(1, 700) if rng.random() < 0.4 else np.clip(rng.uniform(0.3, 3.5) * period, 1, 400))
    t = np.arange(frames)
    phase = np.cumsum(1 / (period * (1 + rng.choice([0, 0.05, 0.5]) * rng.uniform(-1, 1, frames)))) + rng.random()
    kind = rng.integers(8)
    if kind < 4:
        curve = relative_volume(phase % 1, rng.uniform(0.25, 0.45), rng.uniform(0.15, 0.3), rng.uniform(0, 0.3))
    elif kind == 4:
        curve = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    elif kind == 5:
        curve = np.cumsum(rng.normal(size=frames)) / 10
    elif kind == 6:
        curve = (phase % 1 < rng.uniform(0.2, 0.8)) * 1.0
    else:
        curve = np.abs((phase % 1) * 2 - 1)
    volume: np.ndarray = 1 + rng.choice([0.02, 0.1, 0.4, 1.0]) * np.asarray(curve, float)
    volume += rng.choice([0, 0, 0.01, 0.05, 0.2]) * rng.normal(size=frames) + rng.choice([0, 0, 0.3]) * t / frames
    area: np.ndarray = np.maximum(volume, 0.01) * np.exp(rng.uniform(np.log(20), np.log(60_000)))
    if rng.random() < 0.8:
        area = np.round(area)  # whole pixels; small areas give many equal values
    if rng.random() < 0.3:
        area[int(rng.integers(frames)) :] *= rng.uniform(0.5, 2)
    for _ in range(int(rng.choice([0, 0, 1, 4, 12]))):
        at, long = int(rng.integers(frames)), int(rng.choice([1, 1, 3, 10, 60]))
        area[at : at + long] = rng.choice([0, 0, np.nan, 5, 1e5])
    return area


def random_mask(rng: np.random.Generator) -> np.ndarray:
    """Draw a mask of a random kind, uint8 {0, 1} (H, W)."""
    height, width = (int(n) for n in rng.integers(1, 120, 2))
    y, x = np.indices((height, width))
    kind = rng.integers(6)
    if kind < 3:
        angle, (cy, cx) = rng.uniform(0, np.pi), rng.uniform(0.2, 0.8, 2) * (height, width)
        u, v = (y - cy) * np.cos(angle) + (x - cx) * np.sin(angle), (x - cx) * np.cos(angle) - (y - cy) * np.sin(angle)
        a, b = rng.uniform(3, 60), rng.uniform(3, 40)
        mask = ((u / a) ** 2 + (v / b) ** 2 < 1) & (v < rng.uniform(0, b))
        if kind == 2:
            mask ^= rng.random(mask.shape) < rng.choice([0.01, 0.1, 0.3])
    elif kind == 3:
        mask = rng.random((height, width)) < rng.uniform(0.3, 1)
    elif kind == 4:
        mask = (y % int(rng.integers(2, 5)) == 0) | (x == int(rng.integers(width)))
    else:  # symmetric, with many equal distances
        down, across = np.abs(y - height // 2), np.abs(x - width // 2)
        mask = (down < height // 3) & (across <= width // int(rng.integers(3, 9)))
        if rng.random() < 0.5:
            mask = (down + across < min(height, width) // 2) & ((y < height // 2) | (rng.random() < 0.5))
    return np.asarray(mask, np.uint8)
