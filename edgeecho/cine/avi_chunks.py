"""The chunks of an AVI, walked without decoding: which slots of the video stream hold a frame."""

from typing import BinaryIO

import numpy as np

_MAX_CHUNKS = 4_000_000
_LISTS = (b"movi", b"rec ")


def video_slots(file: BinaryIO, size: int) -> tuple[np.ndarray, int]:
    """Find the chunks of the video stream that hold a frame.

    A recorder that drops a frame writes an empty chunk, or none at all: the frame before is shown for longer.

    Args:
        file: AVI, open for reading.
        size: Length of the file in bytes.

    Returns:
        Position of each frame among the chunks of its stream, int64 (N,), rising, from 0; and the number of chunks,
        empty ones too.
    """
    file.seek(0)
    stream = _video_stream(file.read(min(size, 1 << 16)))
    kinds = (stream + b"dc", stream + b"db")
    slots: list[int] = []
    chunks = 0
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > size:
            break
        file.seek(at)
        header = file.read(12)
        kind, length = header[:4], int.from_bytes(header[4:8], "little")
        if kind == b"RIFF" or (kind == b"LIST" and header[8:12] in _LISTS):
            at += 12  # into the list
            continue
        if kind in kinds:
            if length:
                slots.append(chunks)
            chunks += 1
        at += 8 + length + length % 2
    return np.array(slots, np.int64), chunks


def _video_stream(head: bytes) -> bytes:
    """Return the two digits that name the first video stream in its chunks."""
    at = number = 0
    while (at := head.find(b"strh", at)) >= 0:
        if head[at + 8 : at + 12] == b"vids":
            return b"%02d" % number
        at, number = at + 4, number + 1
    return b"00"
