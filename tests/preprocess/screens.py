"""Drawn screens: a fan of speckle among a grey bar, text, a counter, a ruler and an ECG trace."""

import cv2
import numpy as np

HEIGHT, WIDTH = 480, 640
MIDDLE, TOP, REACH, HALF_ANGLE = 330, 40, 340, 0.65
"""Column and row of the apex in pixels, length of the rays in pixels, half of the angle in radians."""


def draw_fan(rng: np.random.Generator, frames: int = 20, level: float = 60) -> tuple[np.ndarray, np.ndarray]:
    """Draw a speckled fan on a black screen.

    Returns:
        Frames uint8 (T, 480, 640) and the fan, bool (480, 640).
    """
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    reach, ray = np.hypot(x - MIDDLE, y - TOP), np.arctan2(x - MIDDLE, y - TOP)
    fan = (reach > 15) & (reach < REACH) & (np.abs(ray) < HALF_ANGLE)
    speckle = np.clip(level * rng.rayleigh(1.0, (frames, HEIGHT, WIDTH)), 0, 255)
    return np.where(fan, speckle, 0).astype(np.uint8), fan


def add_furniture(frames: np.ndarray) -> np.ndarray:
    """Draw a grey bar, a ruler, text, a counter and an ECG trace over frames of 480 x 640, on a copy."""
    frames = frames.copy()
    for t, frame in enumerate(frames):
        frame[60:300, 20:34] = np.linspace(255, 0, 240)[:, None]  # grey bar
        frame[60:380:20, 600:606] = 180  # ruler
        for row, text in enumerate(("HR 71", "12:34:56", "MI 1.2", "TIS 0.9")):
            cv2.putText(frame, text, (60, 40 + 22 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 200, 1)
        cv2.putText(frame, f"{t:03d}", (560, 470), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 220, 1)  # a counter moves too
        places = np.arange(40, 40 + 28 * (t + 1))
        frame[430 + (12 * np.sin(places / 9)).astype(int), places] = 255
    return frames
