"""Masks in a folder, made by another program, in place of those of a model."""

import hashlib
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.errors import DataError
from edgeecho.evaluate.mask_files import RULES, MaskFiles, find_mask_files, read_masks
from edgeecho.evaluate.outlined import Outlined
from edgeecho.preprocess import flip_images
from edgeecho.runtime.segmentation import ModelInfo

MAX_NAMES = 3
"""Most names of each kind in a message."""


class GivenMasks:
    """Masks of the items of a data set, read from files."""

    def __init__(self, folder: Path, items: list[Item], level: int | None = None) -> None:
        """Find the files of every item.

        Args:
            folder: Folder of the masks.
            items: Items that the masks belong to.
            level: Value of the cavity in files with several labels; None if each has one value beside 0.

        Raises:
            DataError: If there is no such folder, or no file of it has the name of an item.
        """
        self.folder, self._level = folder, level
        self._files, others = find_mask_files(folder, [item.name for item in items])
        paths = [path for files in self._files.values() for path in files.paths]
        if items and not paths:
            raise DataError(
                f"{folder}: no mask of the {len(items)} items; missing: {_some(list(self._files))}; found: "
                f"{_some(others)}; {RULES}"
            )
        self.info = ModelInfo(
            name=f"masks:{folder.resolve().name}",
            sha256=_digest(folder, paths),
            form="masks",
            precision="as stored",
            runtime=f"{len(paths)} files",
            runtime_version="",
            licence="unknown",
        )
        self.notes = [f"The masks are the files in {folder}; they are scored as they are stored."]
        """Sentences on the masks, for the notes of the evaluation."""
        missing = [name for name, files in self._files.items() if not files]
        if missing:
            self.notes.append(f"No mask of {_some(missing)}: {RULES}.")
        if others:
            self.notes.append(f"Files in {folder} that belong to no item: {_some(others)}.")

    def outlined(self, item: Item, cine: Cine) -> Outlined:
        """Read the masks of an item, mirrored into the standard view where its frames are.

        Raises:
            DataError: If a labelled frame has no mask, or a file does not fit the cine.
            VideoError: If a file cannot be read.
        """
        files = self._files[item.name]
        if not files:
            raise DataError(f"no mask in {self.folder}")
        mask = self._read(files, cine)
        lacking = sorted(cine.labels.keys() - mask.keys())
        if lacking:
            has, lacks = (_some(list(map(str, sorted(frames)))) for frames in (mask, lacking))
            raise DataError(f"no mask of labelled frames {lacks} in {self.folder}, only of {has}; frames count from 0")
        masks = np.zeros(cine.frames.shape, np.uint8)
        for frame, pixels in mask.items():
            masks[frame] = flip_images(pixels, item.metadata.get("flip"))
        return Outlined.of(masks, cine, mask)

    def _read(self, files: MaskFiles, cine: Cine) -> dict[int, np.ndarray]:
        """Read the masks of a cine by frame, uint8 {0, 1} (H, W)."""
        count, height, width = cine.frames.shape
        shape = height, width
        if len(files.whole) + bool(files.frames) > 1 or any(len(paths) > 1 for paths in files.frames.values()):
            names = [path.relative_to(self.folder).as_posix() for path in files.paths]
            raise DataError(f"{self.folder}: several masks of the same frames: {_some(names)}; leave one of them")
        if files.whole:
            masks = read_masks(files.whole[0], shape, self._level)
            if len(masks) != count:
                raise DataError(f"{files.whole[0]}: {len(masks)} masks, the cine has {count} frames; save one a frame")
            return dict(enumerate(masks))
        found = {}
        for frame, (path,) in files.frames.items():
            masks = read_masks(path, shape, self._level)
            if frame >= count or len(masks) != 1:
                raise DataError(
                    f"{path}: expected the mask of one of frames 0 to {count - 1}, got {len(masks)} of frame {frame}"
                )
            found[frame] = masks[0]
        return found


def _digest(folder: Path, paths: list[Path]) -> str:
    """Return the SHA-256 of names and contents of files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode(errors="replace"))
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _some(names: list[str]) -> str:
    """Join the first names of a list, with the number of the others."""
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{', '.join(names[:MAX_NAMES]) or 'nothing'}{more}"
