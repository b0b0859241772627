"""Files of cines for tests, and the one line of an error."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

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


def write_avi(path: Path, pictures: list[np.ndarray | None], fps: int = 50) -> Path:
    """An AVI of Motion JPEG by hand; None is a dropped frame, an empty chunk."""
    height, width = next(picture for picture in pictures if picture is not None).shape
    quality = [cv2.IMWRITE_JPEG_QUALITY, 98]
    coded = [b"" if p is None else cv2.imencode(".jpg", p, quality)[1].tobytes() for p in pictures]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)

    def words(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little") for value in values)

    count = len(coded)
    main = words(1_000_000 // fps, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vidsMJPG" + words(0, 0, 0, 1, fps, 0, count, 0, 0xFFFFFFFF, 0) + bytes(8)
    bitmap = words(40, width, height, 1 | 24 << 16) + b"MJPG" + words(width * height * 3, 0, 0, 0, 0)
    header = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", bitmap))
    index, at = b"", 4
    for data in coded:
        index += b"00dc" + words(0x10, at, len(data))
        at += 8 + len(data) + len(data) % 2
    movie = b"movi" + b"".join(chunk(b"00dc", data) for data in coded)
    lists = chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + header) + chunk(b"LIST", movie)
    path.write_bytes(chunk(b"RIFF", b"AVI " + lists + chunk(b"idx1", index)))
    return path


def write_timed(path: Path, frames: np.ndarray, times_ms: np.ndarray, codec: str = "libx264", **settings: Any) -> Path:
    """A video with a presentation time for each frame, by PyAV; `sar` is the width over height of a pixel."""
    av = pytest.importorskip("av", reason="PyAV writes this video")
    options = {"libx264": {"crf": "8", "bf": "2"}, "libvpx": {"b": "4M"}}.get(codec, {})
    with av.open(str(path), "w", options=settings.get("muxer", {}), format=settings.get("format")) as container:
        stream = container.add_stream(codec, rate=50, options=options)
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if "sar" in settings:
            stream.codec_context.sample_aspect_ratio = settings["sar"]
        for frame, time_ms in zip(frames, times_ms, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, "gray").reformat(
                format="yuv420p", dst_color_range=1, src_color_range=2
            )
            picture.pts, picture.time_base = int(time_ms), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def turn(path: Path) -> Path:
    """Write a quarter turn into the track header of an MP4, as phones do."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd") + 4
    at = header + 4 + (32 if data[header] == 1 else 20) + 16
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
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
