"""Wrong views: drawn cines that have no valid EF, by kind and seed. A result for one of them is a false report.

`WRONG` has all kinds: short axes, tissue without a heart and pictures that are no echo are drawn here, and hearts that
only move as a whole in `edgeecho/synthetic/wrong_hearts.py`. Views that have a remedy are in
`edgeecho/synthetic/turned.py`.
"""

from collections.abc import Callable

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.synthetic.rhythm import Rhythm
from edgeecho.synthetic.tissue_fan import TissueFan
from edgeecho.synthetic.wrong_hearts import (
    colour_doppler,
    four_hearts,
    frozen,
    heart_across,
    moving_away,
    rocked,
    shifted,
    zoomed,
)

SIDE_PX = 224
FPS, SECONDS = 30.0, 3.0
"""Frame rate and length of the cines that are drawn here."""
LINES = ("PATIENT 0042", "Adult Echo", "LVEDV 118 ml", "LVESV 52 ml", "EF 56 %", "HR 71 bpm", "Depth 16 cm", "FR 52 Hz")


def _times() -> np.ndarray:
    return np.arange(round(SECONDS * FPS)) / FPS


def _volumes(rng: np.random.Generator) -> np.ndarray:
    """Draw a relative volume, 1 at ED to 0 at ES, of a rate from 45 to 130 a minute, float64 (T,)."""
    return Rhythm.draw(rng, SECONDS, rng.uniform(45, 130)).at(_times())[0]


def short_axis(seed: int) -> Cine:
    """Draw a beating ring, a short axis: place, size, wall, rate and amplitude vary; the cavity is labelled."""
    rng = np.random.default_rng((seed, 11))
    fan = TissueFan(rng)
    x, z = rng.uniform(-0.1, 0.12) * fan.depth_mm, rng.uniform(0.4, 0.62) * fan.depth_mm
    inner, wall = rng.uniform(0.12, 0.2) * fan.depth_mm, rng.uniform(0.05, 0.08) * fan.depth_mm
    amplitude, oval = rng.uniform(0.12, 0.4), rng.uniform(0.9, 1.1)
    muscle, blood, ground = rng.uniform(120, 190), rng.uniform(10, 50), fan.blank(rng.uniform(50, 110))
    frames, labels = [], {}
    for index, (time, volume) in enumerate(zip(_times(), _volumes(rng), strict=True)):
        radius = inner * (1 - amplitude * (1 - volume))
        outer = np.sqrt(radius**2 + (inner + wall) ** 2 - inner**2)
        level = ground * (1 - 0.7 * fan.inside(x - 1.1 * outer, z - 0.3 * outer, 0.6 * outer, 0.9 * outer))
        ring, cavity = fan.inside(x, z, outer * oval, outer), fan.inside(x, z, radius * oval, radius)
        level = level * (1 - ring) + muscle * ring
        level = level * (1 - cavity) + blood * cavity
        for side in (-1, 1):  # papillary muscles
            at = fan.inside(x + side * 0.55 * radius, z + 0.45 * radius, 0.22 * radius, 0.22 * radius)
            level = level * (1 - at) + muscle * at
        frames.append(fan.show(level, float(time)))
        labels[index] = fan.mask(x, z, radius * oval, radius)
    spacing = (fan.screen.mm, fan.screen.mm)
    return Cine(np.stack(frames), FPS, spacing, labels, name=f"short axis {seed}")


def liver(seed: int) -> Cine:
    """Draw an even organ with dark vessels that pulse and move with breath."""
    rng = np.random.default_rng((seed, 12))
    fan = TissueFan(rng)
    count = int(rng.integers(2, 6))
    low, high = (-0.35, 0.25, 0.02, 1, 0), (0.35, 0.8, 0.06, 4, 3)
    vessels = rng.uniform(low, high, (count, 5))  # place across and down, radius, ratio of the axes, angle
    ground, blood, breath = fan.blank(rng.uniform(80, 140)), rng.uniform(5, 40), rng.uniform(1, 6)
    frames = []
    for time, volume in zip(_times(), _volumes(rng), strict=True):
        level, sway = ground, breath * np.sin(2 * np.pi * time / 4)
        for x, z, radius, ratio, turn in vessels:
            wide = radius * fan.depth_mm * (0.8 + 0.2 * volume)
            dark = fan.inside(x * fan.depth_mm, z * fan.depth_mm + sway, wide, wide * ratio, turn)
            level = level * (1 - dark) + blood * dark
        frames.append(fan.show(level, float(time)))
    return Cine(np.stack(frames), FPS, (fan.screen.mm, fan.screen.mm), name=f"liver {seed}")


def m_mode(seed: int) -> Cine:
    """Draw an M-mode strip that scrolls: depth down, time to the right, walls that move with the beat."""
    rng = np.random.default_rng((seed, 13))
    rhythm = Rhythm.draw(rng, 3 * SECONDS, rng.uniform(45, 130))
    width, height, window = 2 * SIDE_PX, SIDE_PX, 2 * SECONDS
    columns = np.arange(round(width * (window + SECONDS) / window))
    volume = rhythm.at(columns * (window / width))[0]
    y = np.arange(height)[:, None] / height
    strip = np.full((height, len(columns)), 20.0)
    for middle, wide, travel, level in ((0.12, 0.06, 0.0, 150), (0.3, 0.05, -0.06, 170), (0.7, 0.06, 0.08, 190)):
        centre = middle + rng.uniform(-0.03, 0.03) + travel * volume
        strip += level * np.exp(-(((y - centre) / wide) ** 2))
    strip *= rng.gamma(4, 0.25, strip.shape)
    strip = cv2.GaussianBlur(strip, (0, 0), 1.0)
    starts = (_times() * width / window).astype(int)
    frames = np.stack([np.clip(strip[:, start : start + width], 0, 255).astype(np.uint8) for start in starts])
    return Cine(np.pad(frames, ((0, 0), (30, 30), (20, 20))), FPS, name=f"M-mode {seed}")


def noise(seed: int) -> Cine:
    """Draw noise that is new in every frame, of a random coarseness."""
    rng = np.random.default_rng((seed, 14))
    coarse = rng.uniform(0.3, 6)
    fields = [cv2.GaussianBlur(rng.standard_normal((SIDE_PX, SIDE_PX)), (0, 0), coarse) for _ in _times()]
    level, contrast = rng.uniform(40, 160), rng.uniform(15, 60)
    frames = [np.clip(level + contrast * field / field.std(), 0, 255).astype(np.uint8) for field in fields]
    return Cine(np.stack(frames), FPS, name=f"noise {seed}")


def scene(seed: int) -> Cine:
    """Draw a scene as in a photograph: a gradient with discs and edges, a shaking camera and a disc that moves."""
    rng = np.random.default_rng((seed, 15))
    side = SIDE_PX + 32
    ramp = np.linspace(rng.uniform(120, 230), rng.uniform(20, 120), side)[:, None]
    ground = np.repeat(ramp, side, axis=1).astype(np.uint8)
    for _ in range(int(rng.integers(3, 9))):
        corner, extent = rng.integers(0, side, 2), rng.integers(10, 90, 2)
        grey = int(rng.integers(0, 256))
        if rng.uniform() < 0.5:
            cv2.rectangle(ground, corner.tolist(), (corner + extent).tolist(), grey, -1)
        else:
            cv2.circle(ground, corner.tolist(), int(extent[0]) // 2, grey, -1, cv2.LINE_AA)
    shake, grey, size = rng.uniform(1, 8), int(rng.integers(0, 256)), int(rng.integers(10, 40))
    way = rng.uniform(0.2, 0.8, (2, 2)) * side
    frames = []
    for time in _times():
        image = ground.copy()
        at = way[0] + (way[1] - way[0]) * (0.5 + 0.5 * np.sin(2 * np.pi * 0.4 * time))
        cv2.circle(image, np.rint(at).astype(int).tolist(), size, grey, -1, cv2.LINE_AA)
        dx, dy = (round(16 + shake * np.sin(2 * np.pi * f * time)) for f in (1.3, 0.9))
        cut = image[dy : dy + SIDE_PX, dx : dx + SIDE_PX] + 3 * rng.standard_normal((SIDE_PX, SIDE_PX))
        frames.append(np.clip(cut, 0, 255).astype(np.uint8))
    return Cine(np.stack(frames), FPS, name=f"scene {seed}")


def text_screen(seed: int) -> Cine:
    """Draw a screen of text with a clock and a bar that grows."""
    rng = np.random.default_rng((seed, 16))
    ground, ink = int(rng.integers(0, 60)), int(rng.integers(150, 256))
    lines = rng.permutation(LINES)
    frames = []
    for index, time in enumerate(_times()):
        image = np.full((SIDE_PX, 2 * SIDE_PX), ground, np.uint8)
        for row, line in enumerate((*lines, f"12:04:{10 + int(time):02d}")):
            cv2.putText(image, line, (12, 22 + 20 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
        cv2.rectangle(image, (220, 30), (220 + 2 * index, 44), ink, -1)
        frames.append(image)
    return Cine(np.stack(frames), FPS, name=f"text {seed}")


WRONG: dict[str, Callable[[int], Cine]] = {
    "short axis": short_axis,
    "zoomed still heart": zoomed,
    "rocked still heart": rocked,
    "shifted still heart": shifted,
    "frozen heart": frozen,
    "four hearts": four_hearts,
    "M-mode": m_mode,
    "heart across": heart_across,
    "liver": liver,
    "noise": noise,
    "scene": scene,
    "text": text_screen,
    "colour Doppler": colour_doppler,
    "probe moves away": moving_away,
}
"""Function from a seed to a cine without a valid EF, by kind; the same seed gives the same bytes."""
