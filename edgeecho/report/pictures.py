"""Small pictures of the frames of a cine, kept beside its masks, so that a page can be made again without the cine.

Pictures are JPEG, at most 400 pixels a side. They are for the eye; nothing is measured on them.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edgeecho.report.draw import draw_outline, to_bgr

SIDE_PX = 400
"""Length of a picture's longer side in pixels, at most."""
MAX_PICTURES = 300
"""Cines of more frames have pictures of the frames around the beat that is shown alone."""
AROUND_FRAMES = 10
THUMB_PX = 132
"""Height of a thumbnail in pixels."""
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 60]


@dataclass(frozen=True)
class Pictures:
    """Pictures of some frames of a cine."""

    frames: tuple[int, ...]
    """0-based, in rising order."""
    jpegs: tuple[bytes, ...]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays `jpeg` (bytes of all pictures), `jpeg_ends` (where each ends) and `jpeg_frames`."""
        return {
            "jpeg": np.frombuffer(b"".join(self.jpegs), np.uint8),
            "jpeg_ends": np.cumsum([len(jpeg) for jpeg in self.jpegs], dtype=np.int64),
            "jpeg_frames": np.asarray(self.frames, np.int32),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> "Pictures":
        """Return the pictures of stored arrays; none if they are not there.

        Raises:
            KeyError: If one of the arrays is missing.
            TypeError: If one is of another kind.
            ValueError: If they do not fit each other.
        """
        if "jpeg" not in arrays:
            return cls((), ())
        ends, frames = arrays["jpeg_ends"].tolist(), arrays["jpeg_frames"].tolist()
        whole = arrays["jpeg"].tobytes()
        starts = [0, *ends[:-1]] if ends else []
        jpegs = tuple(whole[a:b] for a, b in zip(starts, ends, strict=True))
        if len(frames) != len(jpegs) or not all(map(_is_jpeg, jpegs)) or not all(type(f) is int for f in frames):
            raise ValueError("the pictures do not fit their frames")
        return cls(tuple(frames), jpegs)

    def frame(self, index: int, height: int, width: int) -> np.ndarray:
        """Return the picture of a frame, enlarged to the cine's size, uint8 (H, W); black if none can be decoded."""
        if index not in self.frames:
            return np.zeros((height, width), np.uint8)
        data = np.frombuffer(self.jpegs[self.frames.index(index)], np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
        if picture is None:
            return np.zeros((height, width), np.uint8)
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def shown_beat(figures: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return ED and ES frame of the beat that pages show: the first that is used, else the first; None without one."""
    beats = sorted(figures["beats"], key=lambda beat: not beat["is_used"])
    return (beats[0]["ed_frame"], beats[0]["es_frame"]) if beats else None


def take_pictures(frames: np.ndarray, figures: Mapping[str, Any]) -> Pictures:
    """Make pictures of all frames of a cine, or of those around the beat that is shown if there are over 300.

    Args:
        frames: uint8 (T, H, W).
        figures: Figures of the cine.
    """
    total, height, width = frames.shape[:3]
    first, last = 0, total
    if total > MAX_PICTURES:
        ed, es = shown_beat(figures) or (int(np.argmax(figures["area_px"])),) * 2
        first = max(0, min(min(ed, es) - AROUND_FRAMES, total - MAX_PICTURES))
        last = min(total, max(max(ed, es) + AROUND_FRAMES + 1, first + MAX_PICTURES))
    scale = min(1.0, SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = (
        frame if scale == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames[first:last]
    )
    return Pictures(tuple(range(first, last)), tuple(_jpeg(picture) for picture in small))


def shown_frames(figures: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the frames of the thumbnails: ED and ES of the beat that is shown; without beats the largest mask's."""
    return shown_beat(figures) or (int(np.argmax(figures["area_px"])),)


def thumbnails(
    frame_of: Mapping[int, np.ndarray] | np.ndarray, mask: np.ndarray, figures: Mapping[str, Any]
) -> list[np.ndarray]:
    """Draw the frames of `shown_frames` with their outlines.

    Args:
        frame_of: Frames by their index, uint8 (H, W).
        mask: uint8 {0, 1} (T, H, W).
        figures: Figures of the cine.

    Returns:
        JPEG files, uint8 (N,), one or two.
    """
    indices = shown_frames(figures)
    return [np.frombuffer(_thumbnail(frame_of[index], mask[index]), np.uint8) for index in indices]


def _thumbnail(frame: np.ndarray, mask: np.ndarray) -> bytes:
    height, width = mask.shape
    picture = to_bgr(frame)
    draw_outline(picture, mask, 1, thickness=max(1, round(2 * height / THUMB_PX)))
    size = (max(1, round(width * THUMB_PX / height)), THUMB_PX)
    return _jpeg(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if height > THUMB_PX else cv2.INTER_CUBIC))


def data_uri(jpeg: bytes) -> str:
    """Return a JPEG picture as an address that contains it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8")


def _jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture, _QUALITY)[1].tobytes()
