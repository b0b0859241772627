"""Reader of MetaImage (.mhd with .raw), as far as cines need it: the format of the first CAMUS release."""

import math
import zlib
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.cine.grey import check_size
from edgeecho.cine.read import SPACING_RANGE_MM
from edgeecho.errors import VideoError
from edgeecho.files import open_regular

_TYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MAX_HEADER_BYTES = 1 << 16


def read_metaimage(path: Path) -> Cine:
    """Read a picture or cine of grey levels 0 to 255, `DimSize` being columns, rows and frames.

    Returns:
        Frames uint8 (T, H, W); spacing (row, column) from `ElementSpacing`, which is written (x, y, t).

    Raises:
        VideoError: If the header or the data is missing, damaged, of another kind or cut short.
    """
    try:
        with open_regular(path) as file:
            text = file.read(_MAX_HEADER_BYTES).decode("latin-1")
        fields = _fields(text)
        width, height, count, dtype, skip = _layout(path, fields)
        stored = 2 * width * height * count * dtype.itemsize
        check_size(path, count, height, width, stored_bytes=stored)
        data = path.parent / _data_file(path, fields)
        size = width * height * count * dtype.itemsize
        with open_regular(data) as file:
            file.seek(skip)
            raw = file.read(size + 1)  # of a compressed file this is more than enough, unless it does not compress
        if fields.get("CompressedData", "False").lower() == "true":
            raw = zlib.decompressobj().decompress(raw, size)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror or error}; fetch {path.stem} again") from error
    except zlib.error as error:
        raise VideoError(f"{path}: damaged: {error}; fetch it again") from error
    if len(raw) < size:
        raise VideoError(f"{path}: cut short: {len(raw)} of {size} bytes in {data.name}; fetch it again")
    values = np.frombuffer(raw, dtype, width * height * count).reshape(count, height, width)
    frames = np.rint(values).astype(np.uint8)
    if not np.array_equal(frames, values):
        raise VideoError(f"{path}: values from {values.min():g} to {values.max():g}; expected grey levels 0 to 255")
    return Cine(frames, spacing_mm=_spacing(fields), name=path.stem)


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _layout(path: Path, fields: dict[str, str]) -> tuple[int, int, int, np.dtype[np.generic], int]:
    """Return columns, rows, frames, the type of a value, and the number of bytes before the first."""
    try:
        sides = [int(side) for side in fields["DimSize"].split()]
        code = _TYPES[fields["ElementType"]]
        skip = int(fields.get("HeaderSize", "0"))
        channels = int(fields.get("ElementNumberOfChannels", "1"))
    except (KeyError, ValueError) as error:
        raise VideoError(f"{path}: not a MetaImage header that is read: {error} is missing or odd") from error
    if not 2 <= len(sides) <= 4 or math.prod(sides[3:]) != 1 or channels != 1 or skip < 0:
        raise VideoError(f"{path}: expected one grey cine of columns, rows and frames, got DimSize {fields['DimSize']}")
    big = any(fields.get(k, "").lower() == "true" for k in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB"))
    width, height, count = [*sides, 1][:3]
    return width, height, count, np.dtype((">" if big else "<") + code), skip


def _data_file(path: Path, fields: dict[str, str]) -> str:
    """Return the name of the file of values, which must lie beside the header."""
    name = fields.get("ElementDataFile", "")
    if not name or name in ("LOCAL", "LIST", ".", "..") or "/" in name or "\\" in name or "%" in name:
        raise VideoError(f"{path}: ElementDataFile {name!r} is not read; expected the name of a .raw file beside it")
    return name


def _spacing(fields: dict[str, str]) -> tuple[float, float] | None:
    text = fields.get("ElementSpacing") or fields.get("ElementSize")
    try:
        x, y = (float(value) for value in (text or "").split()[:2])
    except ValueError:
        return None
    low, high = SPACING_RANGE_MM
    return (y, x) if low <= x <= high and low <= y <= high else None
