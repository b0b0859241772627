"""Small pictures of the whole frame, gathered over frames, in which fans are searched."""

import numpy as np

from edgeecho.errors import VideoError
from edgeecho.preprocess.fan import GRID_PX, LEVELS, MIN_BRIGHT_LEVEL, MIN_BRIGHT_PARTS, Fan, find_fans
from edgeecho.preprocess.region import whole_frame
from edgeecho.preprocess.resample import to_network

CINE_FRAMES = 16
"""Frames of a whole cine in which fans are searched."""


class Grid:
    """Brightest and darkest level of each cell of a small picture, over the frames added so far."""

    def __init__(self, height: int, width: int, spacing_mm: tuple[float, float] | None = None) -> None:
        """
        Args:
            height: Rows of the frames.
            width: Columns of the frames.
            spacing_mm: (row, column) millimetres per pixel, or None for square pixels.
        """
        self._whole = whole_frame(height, width, spacing_mm)
        self._cells = min(GRID_PX, max(self._whole.height, self._whole.width))
        self.brightest = np.zeros((self._cells, self._cells), np.uint8)
        self.darkest = np.full((self._cells, self._cells), 255, np.uint8)
        self._found: list[list[Fan]] | None = None

    def add(self, frame: np.ndarray) -> None:
        """Add a frame, uint8 (H, W)."""
        picture = to_network(frame[None], self._whole, self._cells)[0]
        self._found = None
        np.maximum(self.brightest, picture, out=self.brightest)
        np.minimum(self.darkest, picture, out=self.darkest)

    def add_cine(self, frames: np.ndarray) -> None:
        """Add about `CINE_FRAMES` frames of a whole cine, uint8 (T, H, W), at even steps."""
        for frame in frames[:: max(1, len(frames) // CINE_FRAMES)]:
            self.add(frame)

    @property
    def is_lit(self) -> bool:
        """Whether any cell of any frame was not black."""
        return int(self.brightest.max()) > min(LEVELS)

    @property
    def is_bright(self) -> bool:
        """Whether a quarter or more of the lit cells were bright in every frame, as in a picture of inverted levels."""
        always_bright = np.count_nonzero(self.darkest >= MIN_BRIGHT_LEVEL)
        return bool(always_bright * MIN_BRIGHT_PARTS >= np.count_nonzero(self.brightest > min(LEVELS)))

    def fans(self) -> list[list[Fan]]:
        """Find fans, as `find_fans` does.

        Raises:
            VideoError: If every frame is black.
        """
        if not self.is_lit:
            level = self.brightest.max()
            raise VideoError(f"no ultrasound fan: every pixel is black (brightest {level}); check the input")
        if self._found is None:
            self._found = find_fans(self.brightest, self.darkest)
        return self._found

    def invert(self) -> None:
        """Invert the grey levels of all frames so far."""
        self._found = None
        self.brightest, self.darkest = 255 - self.darkest, 255 - self.brightest
