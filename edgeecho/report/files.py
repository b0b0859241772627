"""Results appear whole or not at all: written under a temporary name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np

from edgeecho.errors import OutputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`, with its suffix; rename it to `path` at the end.

    Whatever fails inside, the temporary file is gone afterwards and a file that stood at `path` before is untouched.

    Raises:
        OutputError: If the folder is missing or cannot be written, or the disk is full.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        reason = (error.strerror or str(error)).splitlines()[0]
        raise OutputError(f"cannot write {target}: {reason}; is its folder there, writable, and not full?") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_png(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write a picture.

    Args:
        path: Where to; a file of that name is replaced.
        image: uint8, (H, W) grey or (H, W, 3) BGR.

    Raises:
        OutputError: If it cannot be written.
    """
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())
