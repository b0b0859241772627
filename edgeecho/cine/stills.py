"""Read single pictures and folders of PNG frames."""

import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from edgeecho.cine.find import natural_key
from edgeecho.cine.grey import check_size, stack_frames
from edgeecho.cine.jpeg import jpeg_size
from edgeecho.cine.model import Cine
from edgeecho.errors import VideoError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_MAX_BYTES = 1 << 29


def read_still(path: Path) -> Cine:
    """Read a PNG or JPG as a cine of one frame.

    Raises:
        VideoError: If the file is neither, is damaged or cut short, or has a size out of bounds.
    """
    frames, coloured = stack_frames(path, iter([_picture(path)]))
    return Cine(frames, coloured=coloured)


def read_folder(path: Path) -> Cine:
    """Read a folder of PNG frames, uint8 after decoding, in natural order of their names.

    Raises:
        VideoError: If the folder contains no PNG, or the files differ in size.
    """
    files = sorted(
        (file for file in path.iterdir() if file.suffix.lower() == ".png" and not file.name.startswith(".")),
        key=natural_key,
    )
    if not files:
        raise VideoError(f"{path}: no cine and no PNG frames in this folder; pass a folder that holds some")
    height, width = _picture(files[0]).shape[:2]
    check_size(path, len(files), height, width)
    frames, coloured = stack_frames(path, (_picture(file) for file in files))
    return Cine(frames, coloured=coloured)


def _picture(path: Path) -> np.ndarray:
    """Decode one picture to uint8 (H, W, 3), RGB. Transparency is dropped, 16 bits are cut to 8."""
    import cv2

    from edgeecho.cine.video import quiet_cv2

    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise VideoError(f"{path}: {size} bytes are too many for a picture; at most {_MAX_BYTES} are read")
    data = path.read_bytes()
    if not data.startswith((_PNG, _JPEG)):
        raise VideoError(f"{path}: neither PNG nor JPG: it begins with {data[:8]!r}; convert it to PNG")
    stated = _png_size(data) if data.startswith(_PNG) else jpeg_size(data)
    picture = None
    if stated is not None:
        check_size(path, 1, *stated)
        with quiet_cv2(), suppress(cv2.error):
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise VideoError(f"{path}: damaged or cut short after {len(data)} bytes; copy it again")
    rgb: np.ndarray = picture[..., ::-1]
    return rgb


def _png_size(data: bytes) -> tuple[int, int] | None:
    """Return height and width from the header; None if a chunk is cut or a checksum wrong (libpng would print)."""
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        length = int.from_bytes(data[at : at + 4], "big")
        kind, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return None
        at = end + 4
    return (int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")) if data[12:16] == b"IHDR" else None
