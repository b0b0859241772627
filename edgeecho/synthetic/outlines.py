"""Outlines of a drawn heart: levels along the ventricle, atria, valve leaflets, and the volume of a cavity.

Points are (u, v) in mm, float (N, 2): u to the right of the picture, v from the apex down to the base.
"""

import cv2
import numpy as np

from edgeecho.measure import discs_of

SIDE = 22
"""Number of points on each side of the ventricle, from apex to base."""
POINTS = 2 * SIDE - 1
"""Number of points of the cavity's outline."""
LEVELS = (1 - np.cos(np.linspace(0, np.pi / 2, SIDE))) ** 0.9
"""Positions of these points along the axis, 0 at the apex to 1 at the base; dense where the outline turns."""


def disc_volume(outline: np.ndarray) -> float:
    """Return the volume of a cavity by single-plane discs of its outline, in half millimetres cubed."""
    return discs_of(_raster(outline)).volume()


def _raster(outline: np.ndarray) -> np.ndarray:
    """Fill an outline on pixels of half a mm, uint8 {0, 1}."""
    points = 2 * (outline - outline.min(axis=0) + 1)
    width, height = np.ceil(points.max(axis=0)).astype(int) + 2
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.rint(points * 256).astype(np.int32)], 255, cv2.LINE_AA, shift=8)
    return np.asarray(canvas == 255, np.uint8)


def wavy_line(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw a wavy line from 0 to 1, (n,)."""
    x = np.linspace(0, 1, n)
    waves = np.sum([rng.normal() * np.sin(2 * np.pi * (f * x + rng.uniform())) for f in (1.5, 3, 5, 8)], axis=0)
    return np.asarray((waves - waves.min()) / np.ptp(waves))


def outward_normals(line: np.ndarray) -> np.ndarray:
    """Return the outward normals of an outline that runs clockwise on the screen, (N, 2)."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    return np.stack([along[:, 1], -along[:, 0]], axis=1)


def atrium_outline(
    inner: np.ndarray, outer: np.ndarray, floor: float, width: float, lean: float, side: int
) -> np.ndarray:
    """Return the outline of an atrium below the line from `inner` to `outer`, down to v = `floor`.

    Args:
        inner: Hinge at the septum, (2,).
        outer: Hinge at the free wall, (2,).
        floor: Largest v.
        width: Largest width.
        lean: Lean to the right, as a part of the depth.
        side: -1 if the septum is the left side of the atrium, 1 if it is the right one.
    """
    s = np.linspace(0, 1, 14)
    top = abs(outer[0] - inner[0])
    widest = 0.42
    shape = np.where(
        s < widest,
        top + (width - top) * (1 - ((widest - s) / widest) ** 2),
        width * np.sqrt(np.clip(1 - ((s - widest) / (1 - widest)) ** 2, 0, 1)),
    )
    septal = 0.16 * width * np.clip((s - 0.5) / 0.5, 0, 1) ** 2
    drop = np.maximum(floor - np.array([inner[1], outer[1]]), 6.0)
    shift = lean * (floor - inner[1]) * s**2
    a = np.stack([inner[0] - side * septal + shift, inner[1] + s * drop[0]], 1)
    b = np.stack([inner[0] - side * np.maximum(shape, septal + 1) + shift, outer[1] + s * drop[1]], 1)
    return np.concatenate([a, b[::-1]])


def leaflet_lines(
    left: np.ndarray, right: np.ndarray, opening: float, length: float, closed_deg: float
) -> list[np.ndarray]:
    """Return two leaflets between the hinges; when open, they hang into the ventricle.

    Args:
        left: Left hinge, (2,).
        right: Right hinge, (2,).
        opening: 0 closed to 1 open.
        length: Length of a leaflet as a part of half the distance of the hinges.
        closed_deg: Angle of closed leaflets to the line of the hinges, towards the ventricle, in degrees.
    """
    across = right - left
    half = length * np.linalg.norm(across) / 2
    lines = []
    for hinge, sign in ((left, 1), (right, -1)):
        angle = np.deg2rad(closed_deg + (70 - closed_deg) * opening)
        unit = sign * across / np.linalg.norm(across)
        up = np.array([across[1], -across[0]]) / np.linalg.norm(across)
        t = np.linspace(0, 1, 5)[:, None]
        tip = half * (np.cos(angle) * unit + np.sin(angle) * up)
        lines.append(hinge + t * tip + 0.15 * half * (t - t * t) * up * (1 - 2 * opening))
    return lines
