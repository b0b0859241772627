"""A screen that is filmed by a phone: perspective, bezel, exposure, reflection, moire, flicker, noise."""

import cv2
import numpy as np

from edgeecho.synthetic.degrade.placing import Warp
from edgeecho.synthetic.degrade.receiver import NETWORK_PX, rounded
from edgeecho.synthetic.fan import Fan

DISTANCE = 1.6
"""Distance from the phone to the middle of the screen, in widths of the screen."""
SHARE = 0.88
"""Width or height of the screen as a part of the phone's picture, whichever is larger there."""
ROLL = 0.15
"""Standard deviation of the angle about the phone's axis, as a part of the tilt."""
BEZEL = 0.03
"""Width of the bezel as a part of the screen's width."""
BEZEL_LEVEL, WALL_LEVELS = 18.0, (35.0, 110.0)
"""Grey level of the bezel, and range of that of the wall behind it."""
EXPOSURES = (0.75, 1.2)
"""Range of the factor by which the exposure multiplies the screen's levels."""
AMBIENT_LEVEL = 10.0
"""Grey levels that light in the room adds to the whole screen."""
REFLECTION_LEVELS = (10.0, 35.0)
"""Range of the grey levels of a reflection in the brightest corner."""
MOIRE = 0.1
"""Amplitude of each of two gratings of moire, as a part of the level."""
MOIRE_PX = (3.0, 10.0)
"""Range of their period, in pixels of a picture of `NETWORK_PX` pixels."""
FLICKER = 0.06
"""Amplitude of dark bands that roll over the screen, as a part of the level."""
CAMERA_NOISE = 3.0
"""Standard deviation of the noise of the phone's sensor in grey levels."""
BLUR_PX = 0.4
"""Standard deviation of the phone's blur, in pixels of a picture of `NETWORK_PX` pixels."""


def film(
    frames: np.ndarray, tilt_deg: float, rng: np.random.Generator, fan: Fan | None = None
) -> tuple[np.ndarray, Warp]:
    """Film the picture from a screen with a phone that looks at it from an angle.

    Args:
        frames: Grey frames, uint8 (T, H, W).
        tilt_deg: Angle between the phone's axis and the normal of the screen.
        rng: Generator of the direction of the tilt and of all that is drawn.
        fan: Without effect.

    Returns:
        Frames of the same size, and how the picture was moved.
    """
    count, height, width = frames.shape
    warp = _perspective(height, width, float(tilt_deg), rng)
    size, px = (width, height), max(height, width) / NETWORK_PX
    lit = _polygon(warp, height, width, 0.0)
    frame = _polygon(warp, height, width, BEZEL * width)
    behind = rng.uniform(*WALL_LEVELS) * (1 - frame) + BEZEL_LEVEL * (frame - lit)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    moire = _moire(rows, columns, px, rng)
    corner = rng.uniform(-1, 1, 2)
    shine = 0.5 + 0.25 * (corner[0] * (2 * columns / width - 1) + corner[1] * (2 * rows / height - 1))
    shine = np.float32(rng.uniform(*REFLECTION_LEVELS)) * shine**2 + np.float32(AMBIENT_LEVEL)
    exposure, start = np.float32(rng.uniform(*EXPOSURES)), rng.uniform(0, 2 * np.pi)
    rolls, speed = rng.uniform(0.7, 2.5), rng.uniform(0.2, 1.5)
    out = np.empty_like(frames)
    for index in range(count):
        screen = cv2.warpPerspective(frames[index], warp.matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32)
        bands = 1 - FLICKER * np.sin(start + speed * index + (2 * np.pi * rolls / height) * rows[:, :1])
        screen = lit * (exposure * bands.astype(np.float32) * moire * screen + shine) + behind
        screen = cv2.GaussianBlur(screen, (0, 0), BLUR_PX * px)
        out[index] = rounded(screen + np.float32(CAMERA_NOISE) * rng.standard_normal(screen.shape, np.float32))
    return out, warp


def _perspective(height: int, width: int, tilt_deg: float, rng: np.random.Generator) -> Warp:
    """Return how a pinhole camera sees the screen, moved and scaled until it fills `SHARE` of the picture."""
    tilt, toward = np.deg2rad(tilt_deg), rng.uniform(0, 2 * np.pi)
    roll = np.deg2rad(ROLL * tilt_deg * rng.standard_normal())
    across, down = tilt * np.cos(toward), tilt * np.sin(toward)
    c, s = np.cos(roll), np.sin(roll)
    rotation = (
        np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, np.cos(down), -np.sin(down)], [0, np.sin(down), np.cos(down)]])
        @ np.array([[np.cos(across), 0, np.sin(across)], [0, 1, 0], [-np.sin(across), 0, np.cos(across)]])
    )
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float64)
    flat = (corners - corners.mean(axis=0)) / width
    seen = np.column_stack([flat, np.zeros(4)]) @ rotation.T
    shown = seen[:, :2] / (DISTANCE + seen[:, 2:]) * DISTANCE * width
    low, high = shown.min(axis=0), shown.max(axis=0)
    scale = SHARE / max((high - low) / (width, height))
    shown = (shown - (low + high) / 2) * scale + corners.mean(axis=0)
    return Warp(cv2.getPerspectiveTransform(corners.astype(np.float32), shown.astype(np.float32)))


def _polygon(warp: Warp, height: int, width: int, margin: float) -> np.ndarray:
    """Return the part of each pixel that the screen with a margin covers, float32 (H, W), 0 to 1."""
    low, right, bottom = -0.5 - margin, width - 0.5 + margin, height - 0.5 + margin
    corners = np.array([[[low, low]], [[right, low]], [[right, bottom]], [[low, bottom]]])
    points = cv2.perspectiveTransform(corners, warp.matrix)
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return canvas.astype(np.float32) / 255


def _moire(rows: np.ndarray, columns: np.ndarray, px: float, rng: np.random.Generator) -> np.ndarray:
    """Draw the product of two bent gratings about 1, float32 (H, W): the pixels of screen and sensor interfere."""
    out = np.ones_like(rows)
    for _ in range(2):
        angle, period = rng.uniform(0, np.pi), px * rng.uniform(*MOIRE_PX)
        along = np.float32(np.cos(angle) / period) * columns + np.float32(np.sin(angle) / period) * rows
        bend = np.float32(rng.uniform(-0.6, 0.6) / (NETWORK_PX * px * period))
        along += bend * (columns - columns.mean()) ** 2
        out *= 1 + np.float32(MOIRE) * np.sin(np.float32(2 * np.pi) * along + np.float32(rng.uniform(0, 2 * np.pi)))
    return out
