"""Overlay video: the cine with the outline on it, and the area curve below it."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edgeecho.errors import OutputError, ShapeError
from edgeecho.files import atomic
from edgeecho.model.spec import NOTICE
from edgeecho.names import name_for_ffmpeg
from edgeecho.report.draw import (
    BACKGROUND,
    ED,
    ES,
    GRID,
    MUTED,
    OUTLINE,
    TEXT,
    disc,
    draw_outline,
    fit_text,
    polyline,
    put_text,
    text_width,
    to_bgr,
)
from edgeecho.report.marks import Marks

MIN_SIDE_PX = 320
"""Length of the short side in pixels to which smaller cines are enlarged, by the nearest whole factor."""
REMARK_PX = 16
"""Height of the line for the remark under the curve."""
STRIP_FOOT_PX = 20 + REMARK_PX
"""Height of the space under the curve, for remark and notice."""
DEFAULT_FPS = 30.0
"""Playing speed where the frame rate is unknown."""


NO_MARKS = Marks()


class _Encoder(Protocol):
    def write(self, picture: np.ndarray) -> None: ...
    def close(self) -> None: ...


def write_overlay(
    path: str | os.PathLike[str],
    frames: np.ndarray,
    mask: np.ndarray,
    fps: float | None,
    *,
    area_px: np.ndarray,
    marks: Marks = NO_MARKS,
    times_s: np.ndarray | None = None,
) -> None:
    """Write a VP9 video that plays in every browser.

    Args:
        path: Path of the file, ending in `.webm`; a file of that name is replaced.
        frames: uint8, (T, H, W) grey or (T, H, W, 3) RGB.
        mask: uint8 {0, 1}, (T, H, W).
        fps: Playing speed; None plays at 30.
        area_px: Pixels of the mask per frame, (T,), for the curve.
        marks: Frames to mark, and what is written beside the time and below the curve.
        times_s: Time of each frame in seconds to write on it, float64 (T,), where frames are not evenly spaced.

    Raises:
        OutputError: If the file cannot be written, or nothing installed can encode VP9.
        ShapeError: If the arrays do not fit each other.
    """
    if frames.shape[:3] != mask.shape or np.shape(area_px) != mask.shape[:1] or mask.ndim != 3 or 0 in mask.shape:
        got = f"{frames.shape}, {mask.shape} and {np.shape(area_px)}"
        raise ShapeError(f"expected frames and mask (T, H, W) and area_px (T,), got {got}")
    speed = fps if fps else DEFAULT_FPS
    pictures = render_overlay(frames, mask, fps, area_px=area_px, marks=marks, times_s=times_s)
    with atomic(path) as temporary, name_for_ffmpeg(temporary) as name:
        encoder: _Encoder | None = None
        try:
            for picture in pictures:
                if encoder is None:
                    encoder = _encoder(name, picture.shape[1], picture.shape[0], speed)
                encoder.write(picture)
        finally:
            if encoder is not None:
                encoder.close()
        if abs(_frames_in(name) - len(mask)) > max(1, len(mask) // 100):  # counted from rounded times
            raise OutputError(f"cannot write {os.fspath(path)}: the video came out incomplete; is the disk full?")


def render_overlay(
    frames: np.ndarray,
    mask: np.ndarray,
    fps: float | None,
    *,
    area_px: np.ndarray,
    marks: Marks = NO_MARKS,
    times_s: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Yield the pictures of `write_overlay`, one a frame.

    The cine stands in the upper left corner, enlarged by `overlay_scale`; the strip with the curve is below it.

    Yields:
        uint8 BGR, height and width even.
    """
    total, height, width = mask.shape
    scale = overlay_scale(height, width)
    strip_height = max(76 + REMARK_PX, round(0.15 * height * scale))
    full_width = scale * width + scale * width % 2
    full_height = scale * height + strip_height
    full_height += full_height % 2
    strip, points = _strip(full_width, full_height - scale * height, area_px, marks)
    top = scale * height
    digits = len(str(total - 1))
    phases = dict.fromkeys(marks.ed_frames, ("ED", ED)) | dict.fromkeys(marks.es_frames, ("ES", ES))
    for index in range(total):
        picture = np.zeros((full_height, full_width, 3), np.uint8)
        image = to_bgr(frames[index])
        if scale > 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        draw_outline(image, mask[index], scale)
        picture[:top, : scale * width] = image
        picture[top:] = strip
        x, y = points[index]
        cv2.line(picture, (round(x), top + 22), (round(x), full_height - STRIP_FOOT_PX), MUTED, 1)
        disc(picture, (x, top + y), 4.5, phases.get(index, ("", TEXT))[1], ring=BACKGROUND)
        time_s = times_s[index] if times_s is not None else index / fps if fps else None
        label = f"frame {index:>{digits}}" + ("" if time_s is None else f"   {time_s:.2f} s")
        put_text(picture, label, (10, top + 16), 12, TEXT)
        if index in phases:
            name, colour = phases[index]
            put_text(picture, name, (18 + text_width(label, 12), top + 16), 12, colour, bold=True)
        put_text(picture, marks.headline, (full_width - 10, top + 16), 12, TEXT, align=1, bold=True)
        yield picture


def overlay_scale(height: int, width: int) -> int:
    """Return the whole factor, at least 1, that brings the short side of a cine nearest to 320 pixels."""
    return max(1, round(MIN_SIDE_PX / min(height, width)))


def _strip(width: int, height: int, area_px: np.ndarray, marks: Marks) -> tuple[np.ndarray, np.ndarray]:
    """Draw the area curve without its cursor, (height, width, 3), and return the (x, y) of each frame on it, (T, 2)."""
    strip = np.full((height, width, 3), BACKGROUND, np.uint8)
    area = np.nan_to_num(np.asarray(area_px, float))
    low, high = float(area.min()), float(area.max())
    x = np.linspace(10, width - 11, len(area)) if len(area) > 1 else np.array([width / 2])
    foot = height - STRIP_FOOT_PX
    y = (foot - 6) - (foot - 36) * ((area - low) / (high - low) if high > low else np.full(len(area), 0.5))
    points = np.stack([x, y], axis=1)
    cv2.line(strip, (10, foot), (width - 11, foot), GRID, 1)
    polyline(strip, points, OUTLINE, 1)
    for marked, colour in ((marks.ed_frames, ED), (marks.es_frames, ES)):
        for index in marked:
            disc(strip, points[index], 3.5, colour, ring=BACKGROUND, is_hollow=index in marks.left_out)
    put_text(strip, fit_text(marks.remark, width - 20, 11), (10, height - 6 - REMARK_PX), 11, TEXT)
    put_text(strip, NOTICE, (width - 10, height - 6), 11, MUTED, align=1)
    return strip, points


def _frames_in(name: str) -> int:
    """Read the number of frames of a video; OpenCV's encoder reports no error when the disk is full."""
    video = cv2.VideoCapture(name)
    count = round(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    return count


def _encoder(name: str, width: int, height: int, fps: float) -> _Encoder:
    """Open the encoder of PyAV if that is installed, as it is many times faster, else that of OpenCV."""
    try:
        import av  # noqa: F401
    except ImportError:
        return _OpenCVEncoder(name, width, height, fps)
    return _PyAVEncoder(name, width, height, fps)


class _PyAVEncoder:
    """VP9 encoder of FFmpeg, in its fast mode, on one thread, so that the same input gives the same file."""

    def __init__(self, name: str, width: int, height: int, fps: float) -> None:
        import av

        self._frame = av.VideoFrame.from_ndarray
        self._container = av.open(name, "w", format="webm", options={"fflags": "+bitexact"})
        options = {"deadline": "realtime", "cpu-used": "7", "crf": "30", "b": "0", "threads": "1"}
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libvpx-vp9", rate=rate, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"

    def write(self, picture: np.ndarray) -> None:
        self._container.mux(self._stream.encode(self._frame(picture, format="bgr24")))

    def close(self) -> None:
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class _OpenCVEncoder:
    """VP9 encoder of OpenCV's own FFmpeg."""

    def __init__(self, name: str, width: int, height: int, fps: float) -> None:
        Path(name).touch()  # raises an error with a reason, which OpenCV would not
        self._writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*"VP90"), fps, (width, height))
        if not self._writer.isOpened():
            raise OutputError("this OpenCV cannot encode VP9 video: pip install 'edgeecho[video-gpl]'")

    def write(self, picture: np.ndarray) -> None:
        self._writer.write(picture)

    def close(self) -> None:
        self._writer.release()
