"""A result that was written: the figures of NAME.json and the arrays of NAME.npz beside it."""

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine.result_files import KEYS
from edgeecho.errors import DataError
from edgeecho.file_group import settle
from edgeecho.files import read_regular
from edgeecho.report.figures_check import find_fault
from edgeecho.report.pictures import Pictures

AUTOMATIC_ARRAYS = ("automatic_frames", "automatic_masks")
"""Arrays of the masks before any correction, of the frames that were ever changed."""
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, NotImplementedError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip
"""Errors that NumPy and zipfile raise at a damaged NPZ file."""


@dataclass(frozen=True)
class StoredResult:
    """Files of one cine's result."""

    json_path: Path
    figures: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> "StoredResult":
        """Read the figures of a result. If a correction of it was killed, its files are put back as they were first; if
        another process is writing it, that is waited for.

        Args:
            path: NAME.json, or another file of the result, such as NAME.npz.

        Raises:
            DataError: If it is no result of EdgeEcho, or a value in it makes no sense.
        """
        path = path.with_suffix(".json") if path.suffix in (".npz", ".webm", ".png", ".html") else path
        settle(path)
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
        if fault := find_fault(figures):
            raise DataError(f"{path}: `{fault}` is missing or makes no sense; segment the cine again", file=path)
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
            with np.load(io.BytesIO(read_regular(path))) as arrays:
                return np.asarray(arrays[name]) if name in arrays else None
        except _DAMAGED as error:
            raise DataError(f"{path}: missing or damaged; segment the cine again", file=path) from error

    @cached_property
    def mask(self) -> np.ndarray:
        """uint8 {0, 1} (T, H, W); errors are those of `array`."""
        mask = self.array("mask")
        if mask is None or not _are_masks(mask, (self.figures["frames"], *self._size)):
            raise self._misfit("masks")
        return mask

    @cached_property
    def automatic_masks(self) -> dict[int, np.ndarray]:
        """Masks before any correction of the frames that were ever changed; errors are those of `array`."""
        frames, masks = map(self.array, AUTOMATIC_ARRAYS)
        if frames is None or masks is None:
            return {}
        is_index = frames.ndim == 1 and frames.dtype.kind in "iu"
        if not is_index or not _are_masks(masks, (len(frames), *self._size)):
            raise self._misfit("masks before the correction")
        if any(not 0 <= frame < self.figures["frames"] for frame in frames.tolist()):
            raise self._misfit("masks before the correction")
        return dict(zip(frames.tolist(), masks, strict=True))

    @property
    def _size(self) -> tuple[int, int]:
        return self.figures["height"], self.figures["width"]

    def _misfit(self, what: str) -> DataError:
        path = self.json_path.with_suffix(".npz")
        return DataError(f"{path}: its {what} do not fit {self.json_path.name}; segment the cine again", file=path)

    @property
    def thumbnails(self) -> list[bytes]:
        """JPEG pictures of ED and ES; none if the result was written without pages."""
        arrays = (self.array(f"thumbnail{number}") for number in range(2))
        return [array.tobytes() for array in arrays if array is not None]

    @cached_property
    def pictures(self) -> Pictures:
        """Pictures of the frames; none if the result was written without pages. Errors are those of `array`."""
        names = ("jpeg", "jpeg_ends", "jpeg_frames")
        arrays = {name: array for name in names if (array := self.array(name)) is not None}
        try:
            return Pictures.of(arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise self._misfit("pictures") from error


def _are_masks(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether an array is uint8 {0, 1} of a shape; masks of other numbers would have other areas."""
    return array.shape == shape and array.dtype == np.uint8 and not (array > 1).any()
