"""Files of pictures."""

import os

import cv2
import numpy as np

from edgeecho.files import atomic


def write_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: Path of the file; a file of that name is replaced.
        image: uint8, (H, W) grey or (H, W, 3) BGR.

    Raises:
        OutputError: If it cannot be written.
    """
    # level 9 takes 2.5 times as long for 3% fewer bytes
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    with atomic(path) as temporary:
        temporary.write_bytes(data.tobytes())
