"""Decode one picture, PNG or JPG: what is damaged is refused, and no codec writes to stderr.

OpenCV decodes PNG, Pillow JPG. A PNG is checked whole before, since libpng prints what is wrong; of a JPG, libjpeg
would only print that it ends too early, and fill the rest with grey.
"""

import io
import zlib
from contextlib import suppress

import numpy as np
from PIL import Image, ImageOps

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_KEPT = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"eXIf")
"""Chunks of a PNG that decide about its pixels and orientation; libpng prints warnings about others."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Number of channels by the colour type of a PNG."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Column, row and steps of the passes of an interlaced PNG."""
_END_OF_JPEG = b"\xff\xd9"
_PROBE = bytes((37 * n + 11) % 251 for n in range(96))
"""Bytes of a picture that are no marker, to see whether a decoder still reads."""


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return height and width of a PNG from its header; None if there is none."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        return None
    return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")


def decode_png(data: bytes) -> np.ndarray | None:
    """Decode a PNG to uint8 (H, W, 3), RGB: transparency is dropped, 16 bits are cut to 8. None if it is damaged."""
    import cv2

    kept = _sound_chunks(data)
    if kept is None:
        return None
    picture = None
    with suppress(cv2.error):
        picture = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    return None if picture is None else picture[..., ::-1]


def decode_jpeg(data: bytes) -> np.ndarray | None:
    """Decode a JPG to uint8 (H, W, 3), RGB, turned as it states. None if it is damaged or closed too early."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
            picture = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    except Exception:  # Pillow raises many kinds
        return None
    return None if is_closed_early(data) else picture


def is_closed_early(data: bytes) -> bool:
    """Whether a JPEG has an end mark before its pixels are complete; decoders fill the rest with grey.

    Bytes that are put before the end mark are read as pixels only if some are missing: then the picture changes.
    """
    end = data.rfind(_END_OF_JPEG)
    if end < 0:
        return True
    return _grey(data) != _grey(data[:end] + _PROBE + data[end:])


def _grey(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as opened:
            return opened.tobytes()
    except Exception:  # Pillow raises many kinds
        return None


def _sound_chunks(data: bytes) -> bytes | None:
    """Return a PNG of the chunks that decide about its pixels; None if one is cut, damaged, or in a wrong place."""
    at, kind, kept, pixels, seen = len(PNG), b"", [PNG], [], list[bytes]()
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return None
        if kind in _KEPT:
            kept.append(data[at : end + 4])
            if not seen or seen[-1] != kind:
                seen.append(kind)
        if kind == b"IDAT":
            pixels.append(data[at + 8 : end])
        at = end + 4
    header = data[16:29]
    order = [kind for kind in seen if kind != b"eXIf"]
    allowed = ([b"IHDR", b"IDAT", b"IEND"], [b"IHDR", b"PLTE", b"IDAT", b"IEND"])
    if order not in allowed or (header[9:10] == b"\x03" and b"PLTE" not in order):
        return None
    return b"".join(kept) if _holds_pixels(header, b"".join(pixels)) else None


def _holds_pixels(header: bytes, packed: bytes) -> bool:
    """Whether the pixels of a PNG can be unpacked and are as many as its header states."""
    size = _unpacked_bytes(header)
    if size is None:
        return False
    unpacker = zlib.decompressobj()
    try:
        return len(unpacker.decompress(packed, size + 1)) == size and unpacker.eof
    except zlib.error:
        return False


def _unpacked_bytes(header: bytes) -> int | None:
    """Return the number of bytes of the rows of a PNG, each with its filter; None for a header that cannot be."""
    if len(header) != 13:
        return None
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, compression, filters, interlace = header[8:]
    if depth not in _DEPTHS.get(colour, ()) or compression or filters or interlace > 1 or not (width and height):
        return None
    bits, size = depth * _CHANNELS[colour], 0
    for column, row, step_x, step_y in _PASSES if interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(width - column) // step_x), -(-(height - row) // step_y)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    return size
