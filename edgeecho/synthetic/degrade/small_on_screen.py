"""A cine that lies small on a larger black screen, beside text and a grey bar, with the way of its masks there."""

from dataclasses import dataclass

import cv2
import numpy as np

from edgeecho.synthetic.fan import Fan

MAX_WIDTH_PX = 1024
"""Largest width of a screen; the picture is made smaller where it would be wider."""
ASPECT = 0.75
"""Height of a screen as a part of its width."""
WORDS = ("Adult Echo", "MI 1.2  TIS 0.8", "52 Hz", "16.0 cm", "2D  Gen", "Gain 62", "C 50  P Low", "HR 71 bpm")


@dataclass(frozen=True)
class Place:
    """Place of a picture on a larger screen."""

    x: int
    y: int
    """Column and row of its first pixel."""
    width: int
    height: int
    """Size of the picture on the screen in pixels."""
    screen_width: int
    screen_height: int

    @classmethod
    def choose(cls, frames: np.ndarray, part: float, rng: np.random.Generator) -> "Place":
        """Draw a place.

        Args:
            frames: Grey frames, uint8 (T, H, W).
            part: Width of the fan as a part of the screen's width.
            rng: Generator of random numbers.

        Raises:
            VideoError: If no part of the picture is lit.
        """
        height, width = frames.shape[1:]
        screen_width = Fan.of(frames).box[2] / part
        scale = min(1.0, MAX_WIDTH_PX / screen_width)
        wide, high = round(width * scale), round(height * scale)
        screen_width = max(round(screen_width * scale), wide)
        screen_height = max(round(ASPECT * screen_width), high)
        x, y = (int(rng.uniform(0.2, 0.8) * room) for room in (screen_width - wide, screen_height - high))
        return cls(x, y, wide, high, screen_width, screen_height)

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Put masks uint8 {0, 1} (T, H, W) of the picture at their place on the screen, uint8 {0, 1}."""
        out = np.zeros((len(masks), self.screen_height, self.screen_width), np.uint8)
        out[:, self.y : self.y + self.height, self.x : self.x + self.width] = [
            self._resize(mask * 255) > 127 for mask in masks
        ]
        return out

    def box(self, x: int, y: int, width: int, height: int, picture: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return a rectangle of a picture of (height, width) pixels as it lies on the screen."""
        down, across = self.height / picture[0], self.width / picture[1]
        return round(self.x + x * across), round(self.y + y * down), round(width * across), round(height * down)

    def show(self, frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Put frames uint8 (T, H, W) on the screen, with text and a grey bar at the side that has more room."""
        screen = np.zeros((self.screen_height, self.screen_width), np.uint8)
        self._furnish(screen, rng)
        out = np.repeat(screen[None], len(frames), axis=0)
        out[:, self.y : self.y + self.height, self.x : self.x + self.width] = [self._resize(f) for f in frames]
        return out

    def _resize(self, image: np.ndarray) -> np.ndarray:
        if image.shape == (self.height, self.width):
            return image
        return np.asarray(cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA))

    def _furnish(self, screen: np.ndarray, rng: np.random.Generator) -> None:
        """Draw text and a grey bar in place."""
        ink, font = int(rng.integers(180, 256)), self.screen_width / 1600
        right = self.screen_width - self.x - self.width > self.x
        start = self.x + self.width + 4 if right else 4
        room = self.screen_width - start - 4 if right else self.x - 8
        step = max(8, self.screen_height // 20)
        for line, word in enumerate(rng.permutation(WORDS)[: int(rng.integers(4, len(WORDS) + 1))]):
            cv2.putText(screen, word, (start, step * (line + 2)), cv2.FONT_HERSHEY_SIMPLEX, font, ink, 1, cv2.LINE_AA)
        wide, tall = max(4, min(self.screen_width // 40, room)), self.screen_height // 3
        at = max(0, start + (room - wide) * 3 // 4)
        bar = np.linspace(255, 0, tall)[:, None].astype(np.uint8)
        low = min(step * 12, self.screen_height - tall)
        screen[low : low + tall, at : at + wide] = bar
