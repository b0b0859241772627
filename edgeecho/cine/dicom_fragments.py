"""Fragments of compressed DICOM pixels in the file, found without decoding."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from edgeecho.cine.jpeg import header_size
from edgeecho.errors import VideoError

_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_DELIMITER = b"\xfe\xff\xdd\xe0"
_ELEMENT_BYTES, _ITEM_BYTES = 12, 8
_HEADER_BYTES, _MAX_HEADER_BYTES = 1 << 12, 1 << 20


def fragments(file: BinaryIO, at: int) -> Iterator[tuple[int, int]]:
    """Yield position and length in bytes of each fragment, the offset table first.

    The last one may reach beyond the end of a file that is cut.

    Args:
        file: The file.
        at: Position of the encapsulated pixel data element, so explicit VR little endian.
    """
    file.seek(at)
    if file.read(4) != _PIXEL_DATA:
        return
    at += _ELEMENT_BYTES
    while True:
        file.seek(at)
        item = file.read(_ITEM_BYTES)
        if len(item) < _ITEM_BYTES or item[:4] == _DELIMITER:
            return
        length = int.from_bytes(item[4:], "little")
        yield at + _ITEM_BYTES, length
        at += _ITEM_BYTES + length


def pictures(file: BinaryIO, at: int) -> Iterator[tuple[int, int]]:
    """Return the `fragments` behind the offset table, those of the pictures; arguments are the same."""
    return islice(fragments(file, at), 1, None)


def is_cut(file: BinaryIO, at: int) -> bool:
    """Whether the file ends within compressed pixels; decoders may fill the missing part with grey.

    Arguments are those of `fragments`; a file that ends before its pixels is not cut within them.
    """
    size = os.fstat(file.fileno()).st_size
    end = None
    for start, length in fragments(file, at):
        end = start + length
    if end is None:
        return False
    if end > size:
        return True
    file.seek(end)
    rest = file.read(_ITEM_BYTES)
    return 0 < len(rest) < _ITEM_BYTES and rest[:4] != _DELIMITER


def first_frame(file: BinaryIO, at: int, most: int = 1 << 20) -> bytes:
    """Return the beginning of the first frame, at most so many bytes. Arguments are those of `fragments`."""
    for start, length in pictures(file, at):
        file.seek(start)
        return file.read(min(length, most))
    return b""


def require_stated_size(path: Path, file: BinaryIO, at: int, height: int, width: int) -> None:
    """Refuse compressed pictures that state another size than the attributes: a decoder believes the picture.

    Args:
        path: The file, for messages.
        file: The file.
        at: That of `fragments`.
        height: Rows that the attributes state.
        width: Columns that the attributes state.

    Raises:
        VideoError: If a picture is larger, or states no size.
    """
    for start, length in pictures(file, at):
        for most in (_HEADER_BYTES, _MAX_HEADER_BYTES):  # few pictures have their size behind the first
            file.seek(start)
            found = header_size(file.read(min(length, most)))
            if found != (0, 0) or length <= most:
                break
        if found is None:  # the rest of a picture, or another kind
            continue
        if 0 in found or found[0] > height or found[1] > width:
            size = f"{found[1]}x{found[0]}" if 0 not in found else "no size"
            raise VideoError(
                f"{path}: damaged: a compressed picture states {size}, the attributes {width}x{height}; export it again"
            )


def longest(file: BinaryIO, at: int) -> int:
    """Return the length of the longest fragment in bytes. Arguments are those of `fragments`."""
    return max((length for _, length in fragments(file, at)), default=0)


def joined(file: BinaryIO, at: int) -> bytes:
    """Return all fragments after the offset table as one stream of bytes. Arguments are those of `fragments`."""
    parts = []
    for start, length in pictures(file, at):
        file.seek(start)
        parts.append(file.read(length))
    return b"".join(parts)
