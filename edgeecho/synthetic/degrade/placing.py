"""Degradations that move the picture: turned, mirrored, small on a screen. Masks and regions move with it.

Arguments are those of the functions of `receiver.py`. Each function returns the frames and how they were moved.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edgeecho.synthetic.degrade.small_on_screen import Place
from edgeecho.synthetic.fan import Fan

Box = tuple[int, int, int, int]
"""Column and row of the first pixel, width and height."""


class Moved(Protocol):
    """How a picture was moved: the place of its masks and regions in the new picture."""

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Move masks uint8 {0, 1} (N, H, W) with the picture."""
        ...

    def box(self, x: int, y: int, width: int, height: int, picture: tuple[int, int]) -> Box:
        """Return where a rectangle of a picture of (height, width) pixels lies now."""
        ...


@dataclass(frozen=True, eq=False)
class Warp:
    """A projective transform of a picture that keeps its size."""

    matrix: np.ndarray
    """Transform of (column, row, 1) from the picture to the moved one, float64 (3, 3)."""

    def images(self, images: np.ndarray) -> np.ndarray:
        """Move pictures or soft masks, uint8 (N, H, W); black comes in from beyond the edge."""
        size = images.shape[:0:-1]
        return np.stack([cv2.warpPerspective(image, self.matrix, size, flags=cv2.INTER_LINEAR) for image in images])

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Move masks uint8 {0, 1} (N, H, W) with the picture."""
        return np.asarray(self.images(masks * np.uint8(255)) > 127, np.uint8)

    def box(self, x: int, y: int, width: int, height: int, picture: tuple[int, int]) -> Box:
        """Return an upright rectangle about the moved middle of a rectangle, scaled as the picture is there."""
        middle = np.array([x + (width - 1) / 2, y + (height - 1) / 2, 1])
        u, v, w = self.matrix @ middle
        rows = self.matrix[:2, :2] - np.outer([u / w, v / w], self.matrix[2, :2])
        scale = np.sqrt(abs(np.linalg.det(rows / w)))
        wide, high = round(width * scale), round(height * scale)
        return round(u / w - (wide - 1) / 2), round(v / w - (high - 1) / 2), wide, high


def turn(
    frames: np.ndarray, degrees: float, rng: np.random.Generator, fan: Fan | None = None
) -> tuple[np.ndarray, Warp]:
    """Turn the picture about its middle by an angle, to a side that is drawn; its corners are cut off."""
    height, width = frames.shape[1:]
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, float(degrees) * rng.choice((-1, 1)), 1.0)
    warp = Warp(np.vstack([matrix, [0.0, 0.0, 1.0]]))
    return warp.images(frames), warp


def mirror(
    frames: np.ndarray, strength: float, rng: np.random.Generator, fan: Fan | None = None
) -> tuple[np.ndarray, Warp]:
    """Mirror the picture left and right, as with the probe held the other way round; the strength has no meaning."""
    matrix = np.array([[-1.0, 0.0, frames.shape[2] - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return np.ascontiguousarray(frames[..., ::-1]), Warp(matrix)


def small_on_screen(
    frames: np.ndarray, part: float, rng: np.random.Generator, fan: Fan | None = None
) -> tuple[np.ndarray, Place]:
    """Put the picture on a larger black screen beside text and a grey bar; the fan has a part of its width."""
    place = Place.choose(frames, part, rng)
    return place.show(frames, rng), place
