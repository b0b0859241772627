"""Read single pictures and folders of PNG frames."""

from pathlib import Path

import numpy as np

from edgeecho.cine.find import natural_key
from edgeecho.cine.grey import check_size, stack_frames
from edgeecho.cine.jpeg import jpeg_size
from edgeecho.cine.model import Cine
from edgeecho.cine.picture import JPEG, PNG, decode_jpeg, decode_png, png_size
from edgeecho.cine.video import quiet_cv2
from edgeecho.errors import VideoError
from edgeecho.files import read_regular

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
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise VideoError(f"{path}: {size} bytes are too many for a picture; at most {_MAX_BYTES} are read")
    data = read_regular(path)
    if not data.startswith((PNG, JPEG)):
        raise VideoError(f"{path}: neither PNG nor JPG: it begins with {data[:8]!r}; convert it to PNG")
    is_png = data.startswith(PNG)
    stated = png_size(data) if is_png else jpeg_size(data)
    picture = None
    if stated is not None:
        check_size(path, 1, *stated, stored_bytes=2 * len(data))
        with quiet_cv2():
            picture = decode_png(data) if is_png else decode_jpeg(data)
    if picture is None:
        raise VideoError(f"{path}: damaged or cut short after {len(data)} bytes; copy it again")
    return picture
