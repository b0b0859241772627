"""Files of cines for tests, and the one line of an error."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.errors import VideoError

HEIGHT, WIDTH, FRAMES = 48, 64, 20


def write_video(path: Path, frames: np.ndarray, codec: str = "MJPG", fps: float = 25.0) -> Path:
    height, width = frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height), True)
    assert writer.isOpened(), f"this OpenCV cannot write {codec}"
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def write_gif(path: Path, frames: np.ndarray, delays_cs: list[int]) -> Path:
    """A GIF by hand: levels below 128 from a grey palette, LZW with a clear code before every 100 pixels."""
    _, height, width = frames.shape
    palette = bytes(2 * v for v in range(128) for _ in range(3))
    out = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\xf6\0\0" + palette
    for frame, delay in zip(frames, delays_cs, strict=True):
        out += b"\x21\xf9\x04\x00" + delay.to_bytes(2, "little") + b"\0\0"
        out += b"\x2c" + bytes(4) + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\x07"
        flat = (frame // 2).ravel().tolist()
        codes = [c for at in range(0, len(flat), 100) for c in (128, *flat[at : at + 100])] + [129]
        data = bytes(np.packbits([code >> bit & 1 for code in codes for bit in range(8)], bitorder="little"))
        out += b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"
    path.write_bytes(out + b"\x3b")
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def error_line(path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Message with which `read_cine` refuses a file: one line with its name, and no output of a library."""
    with pytest.raises(VideoError) as caught:
        read_cine(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    assert capfd.readouterr() == ("", "")
    return text
