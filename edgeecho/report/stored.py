"""A result that was written: the figures of NAME.json and the arrays of NAME.npz beside it."""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.result_files import KEYS
from edgeecho.errors import DataError
from edgeecho.files import read_regular
from edgeecho.report.pictures import Pictures


@dataclass(frozen=True)
class StoredResult:
    """Files of one cine's result."""

    json_path: Path
    figures: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> "StoredResult":
        """Read the figures of a result.

        Args:
            path: NAME.json, or another file of the result, such as NAME.npz.

        Raises:
            DataError: If it is no result of EdgeEcho.
        """
        path = path.with_suffix(".json") if path.suffix in (".npz", ".webm", ".png", ".html") else path
        try:
            figures = json.loads(read_regular(path))
        except OSError as error:
            raise DataError(
                f"{path}: cannot be read: {error.strerror}; give NAME.json of a result", file=path
            ) from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: no JSON; give NAME.json that `edgeecho segment` wrote", file=path) from error
        if not isinstance(figures, dict) or not figures.keys() >= KEYS:
            raise DataError(f"{path}: no result of EdgeEcho; give NAME.json that `edgeecho segment` wrote", file=path)
        return cls(path, figures)

    @property
    def stem(self) -> str:
        """Name of the result's files without suffix."""
        return self.json_path.stem

    def array(self, name: str) -> np.ndarray | None:
        """Return an array of NAME.npz, None if it has no such array.

        Raises:
            DataError: If the file is missing or damaged.
        """
        path = self.json_path.with_suffix(".npz")
        try:
            with np.load(path) as arrays:
                return np.asarray(arrays[name]) if name in arrays else None
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"{path}: missing or damaged; segment the cine again", file=path) from error

    @cached_property
    def mask(self) -> np.ndarray:
        """uint8 {0, 1} (T, H, W); errors are those of `array`."""
        mask, figures = self.array("mask"), self.figures
        shape = (figures["frames"], figures["height"], figures["width"])
        if mask is None or mask.shape != shape or mask.dtype != np.uint8:
            path = self.json_path.with_suffix(".npz")
            raise DataError(f"{path}: its masks do not fit {self.json_path.name}; segment the cine again", file=path)
        return mask

    @property
    def thumbnails(self) -> list[bytes]:
        """JPEG pictures of ED and ES; none if the result was written without pages."""
        arrays = (self.array(f"thumbnail{number}") for number in range(2))
        return [array.tobytes() for array in arrays if array is not None]

    @cached_property
    def pictures(self) -> Pictures:
        """Pictures of the frames; none if the result was written without pages."""
        names = ("jpeg", "jpeg_ends", "jpeg_frames")
        arrays = {name: array for name in names if (array := self.array(name)) is not None}
        return Pictures.of(arrays)
