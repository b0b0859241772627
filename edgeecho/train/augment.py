"""Augmentation of pictures: what other scanners, patients and operators do to them."""

import cv2
import numpy as np


def augment(frames: np.ndarray, rng: np.random.Generator, share: float = 1.0) -> np.ndarray:
    """Change the pictures of a clip as another scanner, patient and operator would.

    Args:
        frames: Frames, uint8 (T, H, W).
        rng: Random number generator.
        share: Share of the clips that are changed; the others are returned as they are.

    Returns:
        Frames, uint8 (T, H, W).
    """
    if rng.uniform() >= share:
        return frames
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
    if rng.uniform() < 0.3:  # a dark patch: drop-out of a piece of the wall
        far = (columns - rng.uniform(0.15, 0.85)) ** 2 + (rows - rng.uniform(0.15, 0.85)) ** 2
        x *= 1 - rng.uniform(0.3, 0.9) * np.exp(-far / rng.uniform(0.05, 0.18) ** 2)
    x *= max(1.0, 0.25 / (float(np.quantile(x, 0.99)) + 1e-3))  # nothing can be learnt from a nearly black picture
    if rng.uniform() < 0.35:  # haze, mostly near the probe
        x += sector * rng.uniform(0.03, 0.22) * np.exp(-rows / rng.uniform(0.15, 0.8))
    if rng.uniform() < 0.25:  # an echo that is not the heart's: a reverberation, a lead, a false tendon
        x += sector * _streak(rows, columns, rng)
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


def _streak(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one to three bright bands side by side, across or along the beam, float32 (H, W)."""
    x, y = columns - rng.uniform(0.3, 0.8), rows - rng.uniform(0.15, 0.75)
    turn = rng.normal(0, 0.35) + (np.pi / 2 if rng.uniform() < 0.3 else 0.0)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    width, apart = rng.uniform(0.006, 0.025), rng.uniform(0.05, 0.12)
    length = rng.uniform(0.04, 0.25)
    bands = sum(np.exp(-(((across - k * apart) / width) ** 2)) for k in range(int(rng.integers(1, 4))))
    return np.asarray(rng.uniform(0.1, 0.6) * bands * np.exp(-((along / length) ** 2)), np.float32)


def _fan(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a random sector shape, float32 0 or 1 (H, W)."""
    apex_x, apex_y = rng.uniform(0.42, 0.58), rng.uniform(-0.12, 0.08)
    ray = np.arctan2(columns - apex_x, rows - apex_y)
    reach = np.hypot(columns - apex_x, rows - apex_y)
    left, right = np.deg2rad(rng.uniform(32, 60, 2))
    return np.asarray((ray > -left) & (ray < right) & (reach < rng.uniform(0.85, 1.15)), np.float32)
