"""Sources of live frames: a camera, a file at its own rate, a local address, raw frames on standard input."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import cv2
import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.errors import ConfigError, VideoError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
ADDRESS_KINDS = ("http", "rtsp")
MAX_SIDE_PX = 4096
DEFAULT_FPS = 30.0
"""Frames a second at which a cine is played whose frame rate is unknown."""


class EndOfSourceError(Exception):
    """The source has no further frame: the end of a file, or of standard input."""


class LostSourceError(Exception):
    """The source gives no frames now, but may again: an unplugged camera."""


class Source(Protocol):
    """Frames, one after the other."""

    name: str
    fps: float | None
    """Frames per second, None if unknown."""
    spacing_mm: tuple[float, float] | None
    is_waiting: bool
    """Whether `read` may wait for the reader: a file can, a camera goes on without it."""

    def read(self) -> tuple[np.ndarray, float | None]:
        """Wait for the next frame.

        Returns:
            The frame, uint8 (H, W) or RGB (H, W, 3), and when it was taken, by any clock, in seconds; None if no more
            is known than the frame rate.

        Raises:
            EndOfSourceError: If there is none any more.
            LostSourceError: If there is none now.
        """
        ...

    def restart(self) -> None:
        """Begin again: at the first frame of a file, or with a camera that was lost."""
        ...

    def close(self) -> None:
        """Give the source back."""
        ...


def open_source(text: str, *, fps: float | None = None, size: tuple[int, int] | None = None) -> Source:
    """Open a source.

    Args:
        text: Number of a camera, path of a device (`/dev/video0`), path of a cine, address of this machine
            (`http://127.0.0.1:8080/stream.mjpg`, `rtsp://localhost/...`), or `-` for raw grey frames on standard input.
        fps: Frames per second, in place of the source's own.
        size: Width and height of raw frames.

    Raises:
        ConfigError: If the text or a setting makes no sense.
        VideoError: If it cannot be opened.
    """
    if text == "-":
        if size is None:
            raise ConfigError("raw frames on standard input need --size WIDTHxHEIGHT")
        return RawFrames(sys.stdin.buffer, size, fps)
    address = urlsplit(text)
    if "://" in text:
        if address.scheme not in ADDRESS_KINDS:
            raise ConfigError(f"{text}: an address begins with {'://, '.join(ADDRESS_KINDS)}://")
        if address.hostname not in LOCAL_HOSTS:
            raise ConfigError(f"{text}: only addresses of this machine are opened ({', '.join(LOCAL_HOSTS)})")
        return Camera(text, text, fps)
    if text.isdigit():
        return Camera(int(text), f"camera {text}", fps)
    if text.startswith("/dev/"):
        return Camera(text, text, fps)
    return CineFile(read_cine(Path(text), fps=fps), Path(text).name)


class Camera:
    """A camera, a capture device, or a local address, by OpenCV."""

    is_waiting = False
    spacing_mm: tuple[float, float] | None = None

    def __init__(self, target: int | str, name: str, fps: float | None) -> None:
        """
        Args:
            target: Number, path or address.
            name: What messages call it.
            fps: Frames per second, in place of its own.

        Raises:
            VideoError: If it cannot be opened.
        """
        self.name, self._target = name, target
        self._capture: Any = None
        self.restart()
        if self._capture is None:
            raise VideoError(f"{name}: cannot be opened; check that it is connected and not in use")
        stated = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps or (float(stated) if 1 <= stated <= 1000 else None)

    def restart(self) -> None:
        """Open it again."""
        self.close()
        capture = cv2.VideoCapture(self._target)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            self._capture = capture
        else:
            capture.release()

    def read(self) -> tuple[np.ndarray, float | None]:
        """Return the next picture, RGB, and when it came."""
        found, picture = self._capture.read() if self._capture is not None else (False, None)
        if not found or picture is None:
            raise LostSourceError
        frame = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return np.asarray(frame), time.monotonic()

    def close(self) -> None:
        """Give the device back."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class CineFile:
    """A cine, played at its own rate."""

    is_waiting = True

    def __init__(self, cine: Cine, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """
        Args:
            cine: The cine.
            name: What messages call it.
            sleep: Waits so many seconds.
        """
        self.name, self.fps, self.spacing_mm = name, cine.fps, cine.spacing_mm
        self._frames, self._sleep = cine.frames, sleep
        self._has_times = cine.times_s is not None
        times = cine.times_s if cine.times_s is not None else np.arange(len(cine.frames)) / (cine.fps or DEFAULT_FPS)
        self._times = times - times[0]
        self.restart()

    def restart(self) -> None:
        """Begin at the first frame."""
        self._next = 0
        self._started = time.monotonic()

    def read(self) -> tuple[np.ndarray, float | None]:
        """Return the next frame when its time has come, and its time in the cine if frames are not evenly spaced."""
        if self._next >= len(self._frames):
            raise EndOfSourceError
        frame, time_s = self._frames[self._next], float(self._times[self._next])
        wait = self._started + time_s - time.monotonic()
        if wait > 0:
            self._sleep(wait)
        else:
            self._started -= wait  # a late reader does not make the next frames come faster
        self._next += 1
        return frame, time_s if self._has_times else None

    def close(self) -> None:
        """Do nothing."""


class RawFrames:
    """Raw grey frames, one after the other, as a program writes them."""

    is_waiting = True
    spacing_mm: tuple[float, float] | None = None

    def __init__(self, file: IO[bytes], size: tuple[int, int], fps: float | None) -> None:
        """
        Args:
            file: Where frames are read from.
            size: Width and height.
            fps: Frames per second, None if unknown.

        Raises:
            ConfigError: If the size makes no sense.
        """
        if not all(16 <= side <= MAX_SIDE_PX for side in size):
            raise ConfigError(f"--size must be from 16x16 to {MAX_SIDE_PX}x{MAX_SIDE_PX}, got {size[0]}x{size[1]}")
        self.name, self.fps, self._file = "standard input", fps, file
        self._width, self._height = size

    def restart(self) -> None:
        """Do nothing: what was read is gone."""

    def read(self) -> tuple[np.ndarray, float | None]:
        """Wait for all bytes of the next frame. A pipe says nothing of when it was taken.

        Raises:
            VideoError: If the input ends within a frame.
            EndOfSourceError: If there is no further frame.
        """
        count = self._width * self._height
        found = self._file.read(count)
        if not found:
            raise EndOfSourceError
        if len(found) < count:
            text = f"standard input ended within a frame: {len(found)} of {count} bytes; check --size"
            raise VideoError(text)
        return np.frombuffer(found, np.uint8).reshape(self._height, self._width), None

    def close(self) -> None:
        """Do nothing."""
