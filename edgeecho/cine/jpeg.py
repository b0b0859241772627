"""The header of a JPEG or JPEG 2000: its size, and the colour space of its components."""

from collections.abc import Iterator

_APP0, _APP14, _LAST_APP, _COMMENT, _START_OF_SCAN = 0xE0, 0xEE, 0xEF, 0xFE, 0xDA
_START_OF_JPEG_LS = 0xF7
_ADOBE_COLOURS = ("RGB", "YBR", "YBR")
"""Colour space by the transform of an Adobe marker: none, YCbCr, and YCCK, which no cine has."""


_CODESTREAM = b"\xff\x4f\xff\x51"
"""Start of a JPEG 2000 codestream, and of the segment with its size."""


def header_size(data: bytes) -> tuple[int, int] | None:
    """Return height and width from the start of a JPEG, JPEG-LS or JPEG 2000, which may be cut behind its header.

    Returns:
        (0, 0) for a JPEG that does not state them; None for bytes that begin as none of these.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _stated_size(data) or (0, 0)
    at = data.find(_CODESTREAM)
    if at < 0 or not (at == 0 or data[4:8] == b"jP  "):
        return None
    right, bottom, left, top = (int.from_bytes(data[at + k : at + k + 4], "big") for k in (8, 12, 16, 20))
    return max(bottom - top, 0), max(right - left, 0)


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return height and width from the start of frame; None without it or without an end mark (a cut file)."""
    if b"\xff\xd9" not in data[-1024:]:
        return None
    return _stated_size(data)


def _stated_size(data: bytes) -> tuple[int, int] | None:
    for marker, segment, _ in _segments(data):
        if _is_start_of_frame(marker) and len(segment) >= 5:
            return int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    return None


def jpeg_colour(data: bytes) -> str | None:
    """Tell the colour space of a JPEG of three components from the JPEG alone.

    The rules are those of libjpeg, from the surest sign on: the components are named R, G, B; a JFIF marker means
    YCbCr; an Adobe marker names the space; only YCbCr has components of different resolution; components 1, 2, 3 are
    YCbCr.

    Args:
        data: JPEG, at least up to its start of scan.

    Returns:
        `RGB` or `YBR`; None if there are not three components, or none of these signs.
    """
    is_jfif, adobe = False, None
    for marker, segment, _ in _segments(data):
        if marker == _APP0 and segment.startswith(b"JFIF"):
            is_jfif = True
        if marker == _APP14 and segment.startswith(b"Adobe") and len(segment) == 12 and segment[11] < 3:
            adobe = _ADOBE_COLOURS[segment[11]]
        if _is_start_of_frame(marker):
            if len(segment) < 15 or segment[5] != 3:
                return None
            names, sampling = segment[6:15:3], segment[7:15:3]
            if names.upper() == b"RGB":
                return "RGB"
            if is_jfif:
                return "YBR"
            if adobe:
                return adobe
            return "YBR" if len(set(sampling)) > 1 or names == b"\x01\x02\x03" else None
    return None


def without_application_data(data: bytes) -> bytes:
    """Return a JPEG without its application segments (JFIF, EXIF, Adobe, profiles) and comments."""
    kept, end = [data[:2]], 2
    for marker, segment, end in _segments(data):
        if not (_APP0 <= marker <= _LAST_APP or marker == _COMMENT):
            kept.append(data[end - len(segment) - 4 : end])
    return b"".join((*kept, data[end:]))


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield the marker, the content and the end in the file of each segment before the scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == _START_OF_SCAN:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        at += 2 + length
        yield marker, segment, at


def _is_start_of_frame(marker: int) -> bool:
    return marker == _START_OF_JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC))
