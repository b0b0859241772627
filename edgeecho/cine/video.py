"""Read AVI, MP4, MOV, M4V, WEBM, MKV and GIF through OpenCV, and find out whether such a file is complete.

A file is given to FFmpeg only when its first bytes are those of a container, so that no playlist or script is followed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edgeecho.cine.grey import MAX_PIXELS, check_size, stack_frames
from edgeecho.cine.model import Cine
from edgeecho.errors import VideoError

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_MAX_BOXES = 1_000_000


def read_video(path: Path, max_pixels: int = MAX_PIXELS) -> Cine:
    """Read a video file or an animated GIF.

    Args:
        path: The file.
        max_pixels: Bound on the pixels of all frames together.

    Returns:
        Frames uint8 (T, H, W) and the frame rate that the container states; no spacing, as these files hold none.

    Raises:
        VideoError: If the file is none of these containers, cannot be decoded, or is cut short: fewer bytes than the
            container states, or more than a tenth of the promised frames missing.
    """
    import cv2

    size = path.stat().st_size
    with path.open("rb") as file:
        is_gif = file.read(6) in (b"GIF87a", b"GIF89a")
        delays_cs, whole = _scan_gif(file) if is_gif else ([], True)
        stated = None if is_gif else stated_bytes(file, size)
    cut = "" if whole else f"it ends within a block after {size} bytes"
    if stated is not None and size < stated - 8:  # some writers count padding
        cut = f"it has {size} bytes and states {stated}"
    with quiet_cv2():
        # The absolute path cannot be taken for a protocol ("concat:..."), as a relative one might.
        capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise VideoError(_cut_short(path, 0, 0, cut) if cut else _undecodable(path))
            counted = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            promised = len(delays_cs) * whole if is_gif else (round(counted) if 0 < counted < 1e12 else 0)
            height, width = (round(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH))
            check_size(path, max(promised, 1), height, width, max_pixels)
            frames = stack_frames(path, _decoded(path, capture, cut, promised), max_pixels)
            fps = float(capture.get(cv2.CAP_PROP_FPS))
        finally:
            capture.release()
    missing = promised - len(frames)
    if cut:
        raise VideoError(_cut_short(path, len(frames), promised, cut))
    if missing > max(1, promised // 10):
        raise VideoError(
            f"{path}: damaged: {len(frames)} of {promised} frames could be read; copy the file again or convert it"
        )
    warnings = []
    if missing > 1:  # one more or less is rounding: some containers state a duration, not a count
        warnings.append(f"{len(frames)} frames could be read, the file states {promised}.")
    if is_gif:
        fps = 100 * len(delays_cs) / sum(delays_cs)
        if max(delays_cs) > 1.1 * min(delays_cs):
            warnings.append("The frames are not evenly spaced in time; the mean frame rate is used.")
    return Cine(frames, fps=fps if fps > 0 else None, warnings=tuple(warnings))


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


def stated_bytes(file: BinaryIO, size: int) -> int | None:
    """Return the length that a container states in its outermost headers.

    Args:
        file: AVI, MP4, MOV, WEBM or MKV file, open for reading.
        size: Length of the file in bytes.

    Returns:
        The end of the outermost chunks in bytes, or None if the container does not state it. More than `size` means
        that the file is cut short.

    Raises:
        VideoError: If the first bytes are of none of these.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _riff_end(file, size)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska_end(file)
    if head[4:8] in _MP4_BOXES:
        return _mp4_end(file, size)
    raise VideoError(
        f"{file.name}: not a video: it begins with {head[:8]!r}; pass an AVI, MP4, MOV, WEBM, MKV or GIF file"
    )


def _decoded(path: Path, capture: Any, cut: str, promised: int) -> Iterator[np.ndarray]:
    import cv2

    count = 0
    while True:
        try:
            ok, frame = capture.read()
        except cv2.error as error:
            raise VideoError(_undecodable(path)) from error
        if not ok:
            break
        count += 1
        yield frame if frame.ndim == 2 else frame[..., ::-1]  # OpenCV's order is blue, green, red
    if count == 0:
        raise VideoError(_cut_short(path, 0, promised, cut) if cut else _undecodable(path))


def _cut_short(path: Path, frames: int, promised: int, cut: str) -> str:
    of = f" of {promised}" if promised else ""
    return f"{path}: cut short: {frames}{of} frames could be read, {cut}; copy it again"


def _undecodable(path: Path) -> str:
    return f"{path}: no frame can be decoded: damaged, or an unknown codec; convert it to MJPG AVI or H.264 MP4"


def _riff_end(file: BinaryIO, size: int) -> int | None:
    """Return the end of the last RIFF chunk, of which files over 1 GB have several; None if a size is not filled in."""
    end = 0
    while end + 12 <= size:
        file.seek(end)
        chunk = file.read(8)
        if chunk[:4] != b"RIFF":
            break
        length = int.from_bytes(chunk[4:], "little")
        if length in (0, 0xFFFFFFFF):
            return None
        end += 8 + length + length % 2
    return end


def _mp4_end(file: BinaryIO, size: int) -> int | None:
    """Return the end of the last top-level box; None if one is open-ended or the chain is broken."""
    end = 0
    for _ in range(_MAX_BOXES):
        if end + 8 > size:
            return end
        file.seek(end)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        if length < 8:
            return None
        end += length
    return None


def _matroska_end(file: BinaryIO) -> int | None:
    """Return the end of the segment after the EBML header; None if its length is unknown (a live recording)."""
    file.seek(4)
    length = _matroska_length(file)
    if length is None:
        return None
    file.seek(length, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    length = _matroska_length(file)
    return None if length is None else file.tell() + length


def _matroska_length(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + file.read(more), "big")
    return None if value == (1 << 7 * (more + 1)) - 1 else value


def _scan_gif(file: BinaryIO) -> tuple[list[int], bool]:
    """Walk the blocks of a GIF.

    Returns:
        The time for which each complete frame is shown, in hundredths of a second (0 and 1 mean 10, as in browsers and
        FFmpeg); and whether there is a frame and no block is cut.
    """
    delays_cs: list[int] = []
    delay = 10

    def skip_table(flags: int) -> None:
        if flags & 0x80:
            file.seek(3 << (flags & 7) + 1, os.SEEK_CUR)

    def sub_blocks() -> tuple[bytes, bool]:
        data, length = b"", file.read(1)
        while length and length[0]:
            block = file.read(length[0])
            data = data or block
            length = file.read(1)
        return data, bool(length)

    file.seek(6)
    screen = file.read(7)
    if len(screen) < 7:
        return delays_cs, False
    skip_table(screen[4])
    while (kind := file.read(1)) in (b"\x21", b"\x2c"):
        if kind == b"\x21":
            label = file.read(1)
            data, whole = sub_blocks()
            if label == b"\xf9" and len(data) >= 3:
                delay = int.from_bytes(data[1:3], "little")
        else:
            descriptor = file.read(9)
            skip_table(descriptor[8] if len(descriptor) == 9 else 0)
            file.read(1)
            _, whole = sub_blocks()
            if whole:
                delays_cs.append(delay if delay > 1 else 10)
        if not whole:
            return delays_cs, False
    return delays_cs, bool(delays_cs)
