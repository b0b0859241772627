"""The newest frame between two threads: one that is not taken in time is replaced, and counted."""

import threading
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame, when it came, and when it was taken."""

    pixels: np.ndarray
    came_s: float
    """By `time.monotonic`."""
    time_s: float | None = None
    """By the source's clock; None if the source's frame rate is all that is known."""
    begins: bool = False
    """Whether it is the first of a new cine."""


class Newest:
    """Room for one frame."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._is_closed = False
        self.dropped = 0
        """Frames that were replaced before they were taken."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes."""
        return self._is_closed and self._frame is None

    def put(self, frame: Frame, *, wait: bool = False) -> None:
        """Put a frame in; after `close` nothing is put in any more.

        Args:
            frame: The frame.
            wait: Whether to wait until the one before is taken, instead of replacing it.
        """
        with self._changed:
            while wait and self._frame is not None and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def take(self, patience_s: float) -> Frame | None:
        """Wait for a frame and take it; None if there was none in so many seconds, or nothing more comes."""
        with self._changed:
            if self._frame is None and not self._is_closed:
                self._changed.wait(patience_s)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def close(self) -> None:
        """Wake every thread that waits; nothing more comes."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
