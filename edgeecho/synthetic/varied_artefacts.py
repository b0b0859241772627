"""Surroundings, gain, haze, clutter and tone curves of the varied population of drawn hearts (`phantom-varied:`).

Ranges are chosen wide, from what textbooks show of apical views: clutter of the chest wall near the probe, drop-out of
the lateral wall, shadows of ribs and lung, noise that rises with depth under time-gain compensation, reverberation.
Nothing here is measured on the pictures of a data set. Fields of beams are (RANGES, BEAMS); `row` is the depth, 0 to 1,
(RANGES, 1), and `column` the angle, -1 to 1, (1, BEAMS).
"""

import numpy as np

from edgeecho.synthetic.scatterers import cloud
from edgeecho.synthetic.screen import BEAMS, RANGES


def draw_surroundings(rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Draw the grey level of what lies about the heart: chest wall, lung, liver, deep end, aorta; uint8."""
    base = rng.uniform(0, 35) if rng.uniform() < 0.3 else rng.uniform(20, 185)
    level = base * np.exp(rng.uniform(0.1, 0.4) * cloud(rng, 60, 40) + rng.uniform(0, 0.4) * cloud(rng, 10, 18))
    level = level * np.exp(rng.normal(0, 0.5) * (row - 0.5))
    for side in (-1, 1):  # lung or nothing beside the heart, or brighter tissue
        if rng.uniform() < 0.45:
            change = rng.uniform(-0.95, 0.6)
            level = level * (1 + change * np.clip((side * column - rng.uniform(0.1, 0.6)) / 0.4, 0, 1))
    if rng.uniform() < 0.5:  # the deep end, or tissue behind the atria
        at, thick = rng.uniform(0.7, 1.05), rng.uniform(0.03, 0.2)
        curved = at + rng.normal(0, 0.08) * column**2 + rng.normal(0, 0.05) * column
        level = level + rng.uniform(20, 160) * np.exp(-(((row - curved) / thick) ** 2))
    if rng.uniform() < 0.6:  # layers of the chest wall
        waves = 0.5 + 0.5 * np.sin(rng.uniform(60, 260) * row + rng.uniform(0, 6) + rng.normal(0, 1.5) * column)
        near = np.exp(-((row / rng.uniform(0.05, 0.16)) ** 2))
        level = level + rng.uniform(20, 160) * near * (1 - rng.uniform(0, 0.8) * waves)
    if rng.uniform() < 0.2:  # the descending aorta
        far = np.hypot((row - rng.uniform(0.7, 0.95)) / 0.07, (column - rng.uniform(0.05, 0.5)) / 0.13)
        level = np.where(far < 1, 0.4 * level, level) + 70 * np.exp(-(((far - 1.1) / 0.15) ** 2))
    return np.clip(level, 0, 250).astype(np.uint8)


def draw_gains(rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Draw the factor of the amplitude by gain, depth, beams and shadows, float32."""
    stops = rng.normal(0, 3.0, 7)
    decibels = np.interp(row[:, 0], np.linspace(0, 1, 7), stops)[:, None] + rng.normal(0, 2.5) * column
    decibels = decibels + rng.uniform(0.5, 4.0) * cloud(rng, 70, 45)
    decibels = decibels - rng.uniform(0, 15) * np.clip((np.abs(column) - 0.5) / 0.5, 0, 1)
    for _ in range(int(rng.choice(4, p=(0.4, 0.3, 0.2, 0.1)))):  # shadows of ribs and lung, along the beams
        at = rng.choice([-1, 1]) * rng.uniform(0.15, 1)
        wide, start = rng.uniform(0.05, 0.35), rng.uniform(0, 0.5)
        shadow = np.exp(-(((column - at) / wide) ** 2)) * np.clip((row - start) / 0.12, 0, 1)
        decibels = decibels - rng.uniform(3, 28) * shadow
    if rng.uniform() < 0.25:  # one side is lost, most often the lateral one
        side = 1 if rng.uniform() < 0.75 else -1
        decibels = decibels - rng.uniform(4, 22) * np.clip((side * column - rng.uniform(0, 0.4)) / 0.35, 0, 1)
    if rng.uniform() < 0.3:  # too little penetration
        decibels = decibels - rng.uniform(5, 30) * np.clip((row - rng.uniform(0.4, 0.8)) / 0.4, 0, 1)
    return np.asarray(np.exp((decibels * (np.log(10) / 20)).astype(np.float32)))


def draw_haze(rng: np.random.Generator, row: np.ndarray) -> np.ndarray:
    """Draw the grey level of noise and haze, which are new in every frame, float64 (RANGES, BEAMS)."""
    level = rng.uniform(0, 40) if rng.uniform() < 0.6 else rng.uniform(0, 75)
    haze = level * np.exp(0.25 * cloud(rng, 50, 40)) * np.exp(rng.normal(0.2, 0.6) * (row - 0.5))
    if rng.uniform() < 0.25:  # amplified noise at depth
        haze = haze + rng.uniform(10, 80) * np.clip((row - rng.uniform(0.3, 0.8)) / 0.5, 0, 1)
    if rng.uniform() < 0.4:  # haze of the near field, which ends at a depth: the base of the cavity is darker
        end, soft = rng.uniform(0.25, 0.7), rng.uniform(0.01, 0.1)
        haze = haze + rng.uniform(10, 70) / (1 + np.exp(np.clip((row - end) / soft, -50, 50)))
    return np.clip(haze, 0, 200)


def draw_clutter(rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Draw the grey level of still echoes over the heart, float64 (RANGES, BEAMS)."""
    near = rng.uniform(0, 190) * np.exp(-((row / rng.uniform(0.04, 0.2)) ** rng.uniform(1, 2.5)))
    if rng.uniform() < 0.4:  # haze over the apex, or beside it
        spot = ((row - rng.uniform(0.1, 0.45)) / rng.uniform(0.08, 0.2)) ** 2
        spot = spot + ((column - rng.uniform(-0.7, 0.7)) / rng.uniform(0.2, 0.6)) ** 2
        near = np.maximum(near, rng.uniform(20, 110) * np.exp(-spot))
    bands = 1 + rng.uniform(0, 0.4) * np.sin(row * rng.uniform(60, 260)) * np.exp(-row / 0.15)
    still = near * bands + rng.uniform(0, 30) * np.exp(0.3 * cloud(rng, 12, 25))
    for _ in range(int(rng.choice(3, p=(0.7, 0.2, 0.1)))):  # an echo that is no heart, and its reverberations
        at, wide, first = rng.uniform(-0.8, 0.8), rng.uniform(0.04, 0.3), rng.uniform(0.08, 0.45)
        strength, thick = rng.uniform(40, 200), rng.uniform(0.006, 0.02)
        for i in range(1, int(rng.integers(2, 5))):
            spot = np.exp(-(((row - i * first) / thick) ** 2) - ((column - at) / wide) ** 2)
            still = still + strength / i * spot
    return np.clip(still, 0, 255) * np.ones((RANGES, BEAMS))


def draw_tones(rng: np.random.Generator) -> np.ndarray:
    """Draw a tone curve of a scanner, uint8 (256,): gain, rejected lows, gamma, contrast and black level."""
    x = np.linspace(0, 1, 256) * np.exp(rng.normal(0, 0.18))
    x = np.clip(x - max(0.0, rng.normal(0, 0.08)), 0, 1) ** np.exp(rng.normal(0, 0.28))
    s_curve = rng.uniform(0, 0.7)
    x = (1 - s_curve) * x + s_curve * (3 * x * x - 2 * x**3)
    if rng.uniform() < 0.2:
        x = x + rng.uniform(0, 0.1)
    return np.asarray(np.rint(255 * np.clip(x, 0, 1)), np.uint8)
