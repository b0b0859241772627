"""Training clips: labelled stills made to move, and every image a little different from the last.

Randomness is drawn in one place (`Recipe.draw`) and applied in another; clip i of step s depends on (seed, s, i) only,
so a resumed run sees what an unbroken one would have seen.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from edgeecho.cine import Cine
from edgeecho.preprocess import Roi, crop, find_roi, resample

CANVAS = 320
"""Side of the stored canvas; its middle CANVAS / MARGIN pixels are the region of interest."""
MARGIN = 1.25
"""Side of the canvas as a multiple of the region of interest."""


def to_canvas(cine: Cine) -> np.ndarray:
    """A labelled still as uint8 (2, CANVAS, CANVAS): image, and mask as 0 or 255, with room around the region."""
    roi = find_roi(cine.frames, cine.spacing_mm)
    width, height = round(roi.width * MARGIN), round(roi.height * MARGIN)
    wide = Roi(roi.x - (width - roi.width) // 2, roi.y - (height - roi.height) // 2, width, height)
    pair = np.stack([cine.frames[0], cine.labels[0] * 255])
    return resample(crop(pair, wide), CANVAS, CANVAS)


@dataclass
class Recipe:
    """One clip's random choices."""

    matrices: np.ndarray
    """float32 (T, 2, 3): from clip pixels at twice the network's size to canvas pixels."""
    contraction: np.ndarray
    """float32 (T,): how far points near the ventricle move toward its centre."""
    rng: np.random.Generator
    """For the pixel noise."""

    @classmethod
    def draw(cls, rng: np.random.Generator, frames: int, size_px: int, motion: float, contracts: bool) -> "Recipe":
        """Geometry of a clip: one placement, a slow drift of the probe, and a beat."""
        big = 2 * size_px
        base = CANVAS / MARGIN / big  # canvas pixels per clip pixel at scale 1
        scale = base / np.exp(rng.normal(0.08, 0.18))
        aspect = np.exp(rng.normal(0, 0.08))
        angle = np.deg2rad(rng.normal(0, 11))
        shift = rng.normal(0, 0.06, 2) * CANVAS / MARGIN
        shear = rng.normal(0, 0.05)
        drift = np.cumsum(rng.normal(0, 0.35, (frames, 2)), axis=0)
        sway = np.cumsum(rng.normal(0, 0.004, frames))
        matrices = []
        for t in range(frames):
            a = angle + sway[t]
            turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            linear = turn @ np.array([[scale * aspect, shear * scale], [0, scale / aspect]])
            offset = CANVAS / 2 + shift + drift[t] - linear @ np.array([big / 2, big / 2])
            matrices.append(np.column_stack([linear, offset]))
        period, phase = rng.uniform(8, 50), rng.uniform(0, 2 * np.pi)
        depth = motion * rng.uniform() * (rng.uniform() < 0.85)
        wave = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / period + phase)
        contraction = depth * wave * (1 if contracts else -0.7)
        return cls(np.array(matrices, np.float32), contraction.astype(np.float32), rng)


def make_clip(canvas: np.ndarray, recipe: Recipe, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Apply a recipe.

    Args:
        canvas: uint8 (2, CANVAS, CANVAS).
        recipe: From `Recipe.draw`.
        size_px: Side of the network's frames.

    Returns:
        Frames and soft masks, uint8 (T, size_px, size_px).
    """
    big, t = 2 * size_px, len(recipe.matrices)
    pull, centre = _pull_field(canvas[1])
    frames, masks = np.empty((t, big, big), np.uint8), np.empty((t, big, big), np.uint8)
    xs, ys = np.meshgrid(np.arange(big, dtype=np.float32), np.arange(big, dtype=np.float32))
    for i, (m, amount) in enumerate(zip(recipe.matrices, recipe.contraction, strict=True)):
        x, y = m[0, 0] * xs + m[0, 1] * ys + m[0, 2], m[1, 0] * xs + m[1, 1] * ys + m[1, 2]
        if amount:
            near = amount * cv2.remap(pull, x, y, cv2.INTER_LINEAR)
            x, y = x + near * (x - centre[0]), y + near * (y - centre[1])
        frames[i] = cv2.remap(canvas[0], x, y, cv2.INTER_LINEAR)
        masks[i] = cv2.remap(canvas[1], x, y, cv2.INTER_LINEAR)
    return degrade(resample(frames, size_px, size_px), recipe.rng), resample(masks, size_px, size_px)


def _pull_field(mask: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Weight 1 in the cavity fading to 0 outside, float32 (CANVAS, CANVAS), and the cavity's centre (x, y)."""
    outside = cv2.distanceTransform((mask < 128).astype(np.uint8), cv2.DIST_L2, 3)
    moments = cv2.moments(mask, binaryImage=True)
    area = max(moments["m00"], 1.0)
    reach = 0.6 * np.sqrt(area)
    return np.exp(-((outside / reach) ** 2)).astype(np.float32), (moments["m10"] / area, moments["m01"] / area)


def degrade(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What another scanner, another chest and another hand do to the picture: uint8 (T, H, W) to the same."""
    t, h, w = frames.shape
    sector = frames[0] > 0
    x = frames.astype(np.float32) / 255
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32) / h
    x = x ** np.exp(rng.normal(0, 0.35))  # tone curve
    x *= np.exp(rng.normal(-0.05, 0.35))  # gain
    if rng.uniform() < 0.5:  # time-gain compensation, and one side darker than the other
        x *= np.exp(rng.normal(0, 0.5) * (rows - 0.5) + rng.normal(0, 0.5) * (columns - 0.5))
    if rng.uniform() < 0.35:  # shadow along a ray from the probe
        ray = np.arctan2(columns - 0.5, rows + 0.1)
        x *= 1 - rng.uniform(0.3, 0.9) * np.exp(-(((ray - rng.uniform(-0.6, 0.6)) / rng.uniform(0.03, 0.15)) ** 2))
    if rng.uniform() < 0.3:  # a dark patch: wall that drops out
        far = (columns - rng.uniform(0.15, 0.85)) ** 2 + (rows - rng.uniform(0.15, 0.85)) ** 2
        x *= 1 - rng.uniform(0.3, 0.9) * np.exp(-far / rng.uniform(0.05, 0.18) ** 2)
    if rng.uniform() < 0.35:  # haze, mostly near the probe
        x += sector * rng.uniform(0.03, 0.22) * np.exp(-rows / rng.uniform(0.15, 0.8))
    if rng.uniform() < 0.25:  # black level cut off
        x -= rng.uniform(0.02, 0.12)
    if rng.uniform() < 0.5:  # a blurred or over-sharp screen
        sigma = rng.uniform(0.4, 1.3)
        soft = np.stack([cv2.GaussianBlur(f, (0, 0), sigma) for f in x])
        x = soft if rng.uniform() < 0.7 else x + rng.uniform(0.2, 0.9) * (x - soft)
    grain = rng.uniform(0, 0.15)
    fixed, fresh = rng.standard_normal((2, t, h, w), np.float32)
    renew = rng.uniform(0.1, 1)
    for i in range(t):
        speckle = (1 - renew) * fixed[0] + renew * fresh[i]
        x[i] = x[i] * (1 + grain * speckle) * (1 + rng.normal(0, 0.01))
    if rng.uniform() < 0.4:  # another scanner's sector: narrower, cut at the sides or the bottom
        x *= _fan(rows, columns, rng)
    out = np.clip(x * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.uniform() < 0.35:  # a compressed file
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        small = int(rng.choice([h, h, h // 2]))
        for i in range(t):
            coded = cv2.imencode(".jpg", cv2.resize(out[i], (small, small), interpolation=cv2.INTER_AREA), quality)[1]
            out[i] = cv2.resize(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), (w, h), interpolation=cv2.INTER_LINEAR)
    return out


def _fan(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random sector shape, float32 0 or 1."""
    apex_x, apex_y = rng.uniform(0.42, 0.58), rng.uniform(-0.12, 0.08)
    ray = np.arctan2(columns - apex_x, rows - apex_y)
    reach = np.hypot(columns - apex_x, rows - apex_y)
    left, right = np.deg2rad(rng.uniform(32, 60, 2))
    return ((ray > -left) & (ray < right) & (reach < rng.uniform(0.85, 1.15))).astype(np.float32)
