"""Drawing for all pictures: colours, text, lines, the outline of a mask."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

Colour = tuple[int, int, int]
"""Blue, green, red, 0-255."""

BACKGROUND: Colour = (26, 21, 17)
GRID: Colour = (62, 54, 48)
MUTED: Colour = (166, 154, 144)
TEXT: Colour = (238, 234, 230)
OUTLINE: Colour = (120, 235, 70)
ED: Colour = (80, 180, 255)
ES: Colour = (255, 175, 95)
"""ED is orange and ES blue, which colour-blind people can tell apart too."""

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV's line functions take."""


@lru_cache(maxsize=1)
def _font() -> Any:
    """Return OpenCV 5's built-in sans serif, None in OpenCV 4."""
    face = getattr(cv2, "FontFace", None)
    return face("sans") if face is not None else None


def text_width(text: str, size: int, *, bold: bool = False) -> int:
    """Width of a line of text in pixels at a height of `size` pixels."""
    font = _font()
    if font is None:
        return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size / 30, 1)[0][0])
    # a large empty image, to which OpenCV clips the box
    return int(cv2.getTextSize((1 << 14, 1 << 14), text, (0, 99), font, size, 600 if bold else 400)[2])


def put_text(
    image: np.ndarray,
    text: str,
    at: tuple[float, float],
    size: int,
    colour: Colour = TEXT,
    *,
    align: float = 0.0,
    bold: bool = False,
) -> None:
    """Write a line of text into a BGR picture.

    Args:
        image: uint8 (H, W, 3), changed in place.
        text: One line. OpenCV 4's font knows ASCII only; other characters become question marks there.
        at: (x, y) of the baseline.
        size: Height in pixels.
        colour: BGR.
        align: Part of the text that lies at x: 0 its start, 0.5 its middle, 1 its end.
        bold: Semi-bold.
    """
    x = round(at[0] - align * text_width(text, size, bold=bold)) if align else round(at[0])
    font = _font()
    if font is None:
        cv2.putText(image, text, (x, round(at[1])), cv2.FONT_HERSHEY_SIMPLEX, size / 30, colour, 1, cv2.LINE_AA)
    else:
        cv2.putText(image, text, (x, round(at[1])), colour, font, size, 600 if bold else 400)


def fit_text(text: str, width: float, size: int, *, bold: bool = False) -> str:
    """Return a line of text, shortened to a width in pixels with dots at its end."""
    while text_width(text, size, bold=bold) > width and len(text) > 4:
        text = text.removesuffix("...")[:-2] + "..."
    return text


def to_bgr(frame: np.ndarray) -> np.ndarray:
    """Convert a grey (H, W) or RGB (H, W, 3) uint8 frame to a new BGR picture."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if frame.ndim == 2 else cv2.COLOR_RGB2BGR))


def polyline(
    image: np.ndarray, points: np.ndarray, colour: Colour, thickness: int = 1, *, closed: bool = False
) -> None:
    """Draw an antialiased line through (x, y) points, float (N, 2), to a sixteenth of a pixel."""
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [fixed], closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def disc(
    image: np.ndarray,
    at: Sequence[float],
    radius: float,
    colour: Colour,
    *,
    ring: Colour | None = None,
    is_hollow: bool = False,
) -> None:
    """Draw an antialiased disc at (x, y), with a ring of two pixels around it if `ring` is a colour.

    A hollow one is a circle two pixels wide, filled with the background.
    """
    centre = (round(at[0] * (1 << _SHIFT)), round(at[1] * (1 << _SHIFT)))
    if ring is not None:
        cv2.circle(image, centre, round((radius + 2) * (1 << _SHIFT)), ring, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    cv2.circle(image, centre, round(radius * (1 << _SHIFT)), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    if is_hollow:
        cv2.circle(image, centre, round((radius - 2) * (1 << _SHIFT)), BACKGROUND, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def outlines(mask: np.ndarray, scale: int = 1) -> list[np.ndarray]:
    """Trace the outlines of a mask as closed smooth lines along the edge of the cavity.

    Args:
        mask: uint8 {0, 1}, (H, W).
        scale: The picture is this many times larger than the mask.

    Returns:
        One float (N, 2) array of (x, y) a region, in pixels of the enlarged picture; empty for an empty mask.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return []
    # twice as fine as the picture, so that the line can run between the pixels, on the edge itself
    fine = 2 * scale
    crop = np.zeros((height + 2, width + 2), np.uint8)
    crop[1:-1, 1:-1] = mask[y : y + height, x : x + width] * np.uint8(255)
    crop = cv2.resize(crop, None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR)
    found = cv2.findContours((crop >= 128).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    lines = []
    for contour in found:
        points = contour[:, 0].astype(np.float64)
        reach = min(3 * fine // 2, (len(points) - 1) // 8)
        if reach:
            # a running mean along the line removes the steps of the pixels
            wrapped = np.concatenate([points[-reach:], points, points[:reach]])
            sums = np.cumsum(np.concatenate([np.zeros((1, 2)), wrapped]), axis=0)
            points = (sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)
        # OpenCV runs through the centres of the outermost pixels: half a fine pixel outward lies their edge
        along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
        length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        outward = np.sign(cv2.contourArea(contour, oriented=True)) * along[:, ::-1] * np.array([1, -1]) / length
        points = points + outward / 2
        lines.append((points + 0.5) / 2 - 0.5 + scale * np.array([x - 1, y - 1]))
    return lines


def draw_outline(image: np.ndarray, mask: np.ndarray, scale: int = 1, *, thickness: int = 2) -> None:
    """Draw the outline of a mask (H, W) into a picture (scale H, scale W, 3), in place."""
    for points in outlines(mask, scale):
        polyline(image, points, OUTLINE, thickness, closed=True)
