"""Read AVI, MP4, MOV, M4V, WEBM, MKV and GIF through OpenCV, with the times and the pixel shape that they state.

A file is given to FFmpeg only when its first bytes are those of a container, so that no playlist or script is followed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.containers import Container, scan
from edgeecho.cine.grey import check_size, stack_frames
from edgeecho.cine.model import Cine, aspect_of, shape_notes
from edgeecho.cine.times import TimeBase, from_times
from edgeecho.errors import VideoError
from edgeecho.names import name_for_ffmpeg

_GIF_TICK_S = 0.01
_MIN_DELAY_CS = 2
"""Shorter delays of a GIF have no meaning: each player shows them at a rate of its own."""
_NO_GIF_RATE = "The file states no time between its frames, so that its frame rate is unknown."


@dataclass
class _Decoded:
    """Decoded video."""

    frames: np.ndarray
    coloured: np.ndarray | None
    promised: int
    """Number of frames that the container counts; 0 if it counts none."""
    fps: float | None
    """Rate that the container states."""
    aspect: float
    times_s: list[float] = field(default_factory=list)
    """Presentation time of each frame."""


def read_video(path: Path) -> Cine:
    """Read a video file or an animated GIF.

    The frame rate is that of the presentation times: of an AVI the slots of its frames, of a GIF its delays, else the
    times that OpenCV returns with the frames. Where they do not rise, it is the rate that the container states.

    Args:
        path: The file.

    Returns:
        Frames uint8 (T, H, W) with their rate, and their times where they are not evenly spaced; the shape of pixels
        (`aspect`), and no spacing, as these files hold none.

    Raises:
        VideoError: If the file is none of these containers, cannot be decoded, or is cut short: fewer bytes than the
            container states, or more than a tenth of the frames missing that it counts.
    """
    container = scan(path)
    decoded = _decode(path, container)
    count = len(decoded.frames)
    if container.cut:
        raise VideoError(_cut_short(path, count, decoded.promised, container.cut))
    missing = decoded.promised - count
    if missing > max(1, decoded.promised // 10):
        raise VideoError(
            f"{path}: damaged: {count} of {decoded.promised} frames could be read; copy the file again or convert it"
        )
    warnings = []
    if missing > 1:  # one more or less is rounding: some containers state a duration, not a count
        warnings.append(f"{count} frames could be read, the file states {decoded.promised}.")
    base, notes = _time_base(container, decoded)
    return Cine(
        decoded.frames,
        fps=base.fps,
        warnings=(*warnings, *base.warnings, *notes, *shape_notes(decoded.aspect)),
        doubts=base.doubts,
        times_s=base.times_s,
        coloured=decoded.coloured,
        aspect=decoded.aspect,
    )


@contextmanager
def quiet_cv2() -> Iterator[None]:
    """Keep OpenCV and FFmpeg from writing to stderr; errors of EdgeEcho report what is wrong with a file.

    FFmpeg's level is read from the environment when OpenCV first opens a video; a value that is set already stays.
    """
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # `cv2.setLogLevel` of OpenCV 4 became `cv2.utils.logging.setLogLevel`.
    module: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    before = module.getLogLevel()
    module.setLogLevel(0)
    try:
        yield
    finally:
        module.setLogLevel(before)


def _decode(path: Path, container: Container) -> _Decoded:
    import cv2

    times_s: list[float] = []
    with quiet_cv2(), name_for_ffmpeg(path) as name:
        capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise VideoError(_cut_short(path, 0, 0, container.cut) if container.cut else _undecodable(path))
            counted = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            promised = round(counted) - container.empty_slots if 0 < counted < 1e12 else 0
            if container.delays_cs is not None:
                promised = len(container.delays_cs)
            if not container.counts_frames:
                promised = 0
            height, width = (round(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH))
            check_size(path, max(promised, 1), height, width)
            pictures = _pictures(path, capture, container.cut, promised, times_s)
            frames, coloured = stack_frames(path, pictures)
            fps = float(capture.get(cv2.CAP_PROP_FPS))
            aspect = _aspect(capture)
        finally:
            capture.release()
    return _Decoded(frames, coloured, promised, fps if fps > 0 else None, aspect, times_s)


def _pictures(path: Path, capture: Any, cut: str, promised: int, times_s: list[float]) -> Iterator[np.ndarray]:
    """Yield the frames of a video, and append their presentation times to a list."""
    import cv2

    while True:
        try:
            ok, frame = capture.read()
        except cv2.error as error:
            raise VideoError(_undecodable(path)) from error
        if not ok:
            break
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        yield frame if frame.ndim == 2 else frame[..., ::-1]  # OpenCV's order is blue, green, red
    if not times_s:
        raise VideoError(_cut_short(path, 0, promised, cut) if cut else _undecodable(path))


def _aspect(capture: Any) -> float:
    """Return height over width of a pixel of the frames as OpenCV returns them, turned; 1 where it is not stated."""
    import cv2

    width, height = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    is_turned = round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 == 90
    return aspect_of(width, height) if is_turned else aspect_of(height, width)


def _time_base(container: Container, decoded: _Decoded) -> tuple[TimeBase, list[str]]:
    """Find the time base, and notes on it, each a sentence."""
    count, delays_cs, slots = len(decoded.frames), container.delays_cs, container.slots
    if delays_cs is not None:
        shown = delays_cs[: count - 1]  # the last is a pause before the loop starts again
        if not shown or min(shown) < _MIN_DELAY_CS:
            return TimeBase(), [_NO_GIF_RATE] if shown else []
        return from_times(np.concatenate([[0], np.cumsum(shown)]) / 100, tick_s=_GIF_TICK_S), []
    if slots is not None and decoded.fps:
        if len(slots) == count:
            return from_times(slots / decoded.fps, decoded.fps, tick_s=0), []
        if not container.empty_slots:
            return TimeBase(decoded.fps), []
    return from_times(np.array(decoded.times_s), decoded.fps), []


def _cut_short(path: Path, frames: int, promised: int, cut: str) -> str:
    of = f" of {promised}" if promised else ""
    return f"{path}: cut short: {frames}{of} frames could be read, {cut}; copy it again"


def _undecodable(path: Path) -> str:
    return f"{path}: no frame can be decoded: damaged, or an unknown codec; convert it to MJPG AVI or H.264 MP4"
