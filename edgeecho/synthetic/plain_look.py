"""Look of the pictures of the first population of drawn hearts (`phantom:`): scanner, chest and artefacts.

Grey levels and their spread are those of CAMUS's training frames, widened (`studies/phantom_statistics.py`).
"""

import numpy as np

from edgeecho.synthetic.compression import PowerLaw
from edgeecho.synthetic.look import Look
from edgeecho.synthetic.pose import Pose
from edgeecho.synthetic.scatterers import cloud, patch_of, scatterers
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.tissues import Tissues


def draw_plain_look(rng: np.random.Generator, screen: Screen, rest: Pose) -> Look:
    """Draw a scanner with its settings and a chest, for any sector and heart."""
    tissues = Tissues.draw(rng)
    key = int(rng.integers(1 << 40))
    law = PowerLaw(float(np.exp(rng.uniform(np.log(0.26), np.log(0.5)))))
    blur = (float(rng.uniform(0.9, 2.4)), float(rng.uniform(0.3, 0.75)))
    renewal_s = float(rng.uniform(0.12, 0.5))
    smooth = float(rng.uniform(0.35, 0.8)) if rng.uniform() < 0.3 else 0.0
    fuzzy = float(np.exp(rng.uniform(np.log(0.7), np.log(4))))
    row = np.linspace(0, 1, RANGES, dtype=np.float32)[:, None]
    column = np.linspace(-1, 1, BEAMS, dtype=np.float32)[None]
    around = _surroundings(rng, tissues.around, row, column)
    gain = _gains(rng, row, column) ** np.float32(1 / law.exponent)
    haze, clutter = _haze_and_clutter(rng, row, column, law, key)
    tone = _tones(rng)
    blotches = np.exp(rng.uniform(0.05, 0.35) / law.exponent * cloud(rng, 9, 7)).astype(np.float32)
    return Look(tissues, key, law, blur, renewal_s, smooth, fuzzy, around, gain, haze, clutter, blotches, tone)


def _surroundings(rng: np.random.Generator, around: float, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Draw the grey level of the surroundings of the heart, uint8 (RANGES, BEAMS)."""
    level = around * np.exp(0.25 * cloud(rng, 60, 40) + rng.uniform(0, 0.35) * cloud(rng, 10, 18))
    deep = rng.uniform(0.9, 2.3)
    level = level * (1 + (deep - 1) * np.clip((row - 0.55) / 0.4, 0, 1))
    for side in (-1, 1):  # lung or nothing beside the heart
        if rng.uniform() < 0.3:
            level = level * (1 - rng.uniform(0.2, 0.9) * np.clip((side * column - 0.3) / 0.4, 0, 1))
    return np.clip(level, 0, 250).astype(np.uint8)


def _gains(rng: np.random.Generator, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Draw the factor of grey level by gain, depth, beams and shadows, float32 (RANGES, BEAMS)."""
    curve = rng.normal(0, 0.18) * (row - 0.5) + 0.1 * np.sin(rng.uniform(2, 8) * row + rng.uniform(0, 6))
    gain = np.exp(curve + rng.uniform(0, 0.2) * cloud(rng, 70, 45))
    edge = rng.uniform(0, 0.5)
    gain = gain * (1 - edge * np.clip((np.abs(column) - 0.6) / 0.4, 0, 1))
    for _ in range(int(rng.choice(3, p=(0.55, 0.3, 0.15)))):  # shadows of ribs and lung
        at = rng.choice([-1, 1]) * rng.uniform(0.25, 1)
        shadow = np.exp(-(((column - at) / rng.uniform(0.06, 0.35)) ** 2)) * np.clip(row / 0.15, 0, 1)
        gain = gain * (1 - rng.uniform(0.2, 0.8) * shadow)
    return np.asarray(gain, np.float32)


def _haze_and_clutter(
    rng: np.random.Generator, row: np.ndarray, column: np.ndarray, law: PowerLaw, key: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the amplitude of haze, which is new in every frame, and still clutter: float32 (RANGES, BEAMS, 2)."""
    power = 1 / law.exponent
    haze = rng.uniform(8, 80) * np.exp(0.22 * cloud(rng, 50, 40)) * (1 + rng.normal(0.3, 0.4) * (row - 0.5))
    near = rng.uniform(60, 185) * np.exp(-((row / rng.uniform(0.05, 0.22)) ** 1.5))
    if rng.uniform() < 0.35:  # haze over the apex
        spot = ((row - rng.uniform(0.1, 0.4)) / 0.18) ** 2 + ((column - rng.uniform(-0.7, 0.7)) / 0.35) ** 2
        near = np.maximum(near, rng.uniform(20, 100) * np.exp(-spot))
    bands = 1 + rng.uniform(0, 0.25) * np.sin(row * rng.uniform(60, 180)) * np.exp(-row / 0.15)
    still = near * bands + rng.uniform(0, 25) * np.exp(0.3 * cloud(rng, 12, 25))
    if rng.uniform() < 0.2:  # a bright echo that is no heart, and its repetition
        at, wide, r = rng.uniform(-0.8, 0.8), rng.uniform(0.04, 0.15), rng.uniform(0.1, 0.45)
        for i in (1, 2):
            spot = np.exp(-(((row - i * r) / 0.012) ** 2) - ((column - at) / wide) ** 2)
            still = still + rng.uniform(60, 200) / i * spot
    amplitudes = [(np.clip(v, 0, 255) / 255).astype(np.float32) ** np.float32(power) for v in (haze, still)]
    patch = patch_of(scatterers(), key + 104729, (RANGES, BEAMS))
    haze, still = (np.repeat(a[..., None], 2, axis=2) for a in amplitudes)
    return haze, still * patch


def _tones(rng: np.random.Generator) -> np.ndarray:
    """Draw a tone curve, uint8 (256,): gain, gamma, black and white level."""
    x = np.linspace(0, 1, 256) * np.exp(rng.normal(0, 0.12))
    x = np.clip(x - max(0.0, rng.normal(-0.02, 0.05)), 0, None) ** np.exp(rng.normal(0, 0.16))
    s_curve = rng.uniform(0, 0.4)
    x = np.clip(x, 0, 1)
    x = (1 - s_curve) * x + s_curve * (3 * x * x - 2 * x**3)
    x = x + rng.uniform(0, 0.05) * (rng.uniform() < 0.3)
    return np.asarray(np.rint(255 * np.clip(x, 0, 1)), np.uint8)
