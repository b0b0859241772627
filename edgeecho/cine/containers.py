"""The containers of videos, walked without decoding: whether a file is whole, and what it states of its frames."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from edgeecho.cine.avi_chunks import video_slots
from edgeecho.errors import VideoError
from edgeecho.files import open_regular

_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_MAX_BOXES = 1_000_000


@dataclass(frozen=True)
class Container:
    """Statements of the container of a video about its frames, and whether the file is whole."""

    cut: str = ""
    """In what way the file is cut short, as a part of a sentence; empty if it is whole."""
    counts_frames: bool = False
    """Whether its number of frames is a count; Matroska, WebM and fragmented MP4 state a duration alone."""
    delays_cs: tuple[int, ...] | None = None
    """Time for which each frame of a GIF is shown, in hundredths of a second, as stated; None for other files."""
    slots: np.ndarray | None = None
    """Position of each frame of an AVI among the chunks of its stream, int64 (N,), rising; chunks of dropped frames are
    empty. None for other files."""
    empty_slots: int = 0
    """Number of chunks of dropped frames of an AVI; 0 for other files."""


def scan(path: Path) -> Container:
    """Walk the container of a video file or GIF.

    Raises:
        VideoError: If the first bytes are of no container that is read.
    """
    size = path.stat().st_size
    with open_regular(path) as file:
        if file.read(6) in (b"GIF87a", b"GIF89a"):
            delays_cs, is_whole = scan_gif(file)
            cut = "" if is_whole else f"it ends within a block after {size} bytes"
            return Container(cut, is_whole, tuple(delays_cs))
        stated = stated_bytes(file, size)
        is_cut = stated is not None and size < stated - 8  # some writers count padding
        cut = f"it has {size} bytes and states {stated}" if is_cut else ""
        file.seek(0)
        kind = file.read(12)
        if kind.startswith(b"RIFF"):
            slots, chunks = video_slots(file, size)
            return Container(cut, True, None, slots, chunks - len(slots))
        return Container(cut, kind[4:8] in _MP4_BOXES and not _is_fragmented(file, size))


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


def _is_fragmented(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 has its frames in fragments, which its header does not count."""
    end = 0
    for _ in range(_MAX_BOXES):
        file.seek(end)
        header = file.read(16)
        if len(header) < 8 or header[4:8] == b"moof":
            return len(header) >= 8
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        if length < 8:
            return False
        end += length
    return False


def scan_gif(file: BinaryIO) -> tuple[list[int], bool]:
    """Walk the blocks of a GIF.

    Args:
        file: GIF, open for reading.

    Returns:
        The time for which each complete frame is shown, as stated, in hundredths of a second; and whether there is a
        frame and no block is cut.
    """
    delays_cs: list[int] = []
    delay = 0

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
                delays_cs.append(delay)
        if not whole:
            return delays_cs, False
    return delays_cs, bool(delays_cs)
