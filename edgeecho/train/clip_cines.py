"""The cines that clips are cut from: read in part from their files, or from a folder of decoded frames."""

import hashlib
import pickle
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.errors import DataError, VideoError
from edgeecho.train.clip_cine import ClipCine

FORMAT = 2
"""Number of the form of the files in the folder; files of another form are not used."""
Group = tuple[Item, ...]
"""The items of one cine: one item, or the ED and the ES still of one heart and view, a cine of two frames."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A cine with the files that it is read from."""

    cine: ClipCine
    group: Group
    decoded: Path
    """File of its decoded frames, uint8 of `ClipCine.kept_shape`, which need not exist."""


class ClipCines:
    """Cines of a data set, of which any frames can be read. Holding 10,000 of them takes about 80 MB."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Take cines in a fixed order, on which the clips depend."""
        self._entries = list(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> ClipCine:
        return self._entries[index].cine

    def videos(self) -> "ClipCines":
        """Return the cines that were filmed, without those that are stills."""
        return ClipCines([entry for entry in self._entries if is_filmed(entry.group)])

    def canvases(self, index: int, shown: np.ndarray) -> np.ndarray:
        """Return frames of a cine on canvases.

        Args:
            index: Number of the cine.
            shown: Frames, int (N,), in any order; frames may repeat.

        Returns:
            uint8 (N, CANVAS, CANVAS), the same whether the frames are decoded before or now.

        Raises:
            DataError: If the cine cannot be read.
            VideoError: If it is damaged, or is no longer the file that it was.
        """
        entry = self._entries[index]
        wanted, where = np.unique(shown, return_inverse=True)
        kept = _from_folder(entry, wanted)
        if kept is None:
            kept = _from_file(entry, wanted)
        return entry.cine.canvases(kept)[where]


def is_filmed(group: Group) -> bool:
    """Return whether a group is a cine of consecutive frames; what does not state its frames is taken for one."""
    return len(group) == 1 and group[0].metadata.get("frames") != 1


def read_group(group: Group) -> tuple[Cine, list[str]]:
    """Read the items of one cine.

    Returns:
        The cine, whose frames are consecutive only if it was filmed; and sentences on stills that were left out.

    Raises:
        DataError: If no item can be read.
        VideoError: If the only item is damaged.
    """
    if len(group) == 1:
        return group[0].read(), []
    stills, left_out = list[Cine](), list[str]()
    for item in group:
        try:
            still = item.read()
        except (DataError, VideoError) as error:
            left_out.append(str(error))
            continue
        same = not stills or (still.frames.shape, still.spacing_mm) == (stills[0].frames.shape, stills[0].spacing_mm)
        if same and still.labels:
            stills.append(still)
        else:
            left_out.append(f"{still.name}: {'unlike ' + stills[0].name + ' in size' if not same else 'no label'}")
    if not stills:
        raise DataError("; ".join(left_out))
    if len(stills) == 1:
        return stills[0], left_out
    joined = replace(
        stills[0],
        frames=np.concatenate([still.frames for still in stills]),
        labels={k: still.labels[0] for k, still in enumerate(stills)},
        phases={k: still.phases[0] for k, still in enumerate(stills) if 0 in still.phases},
    )
    return joined, left_out


def key_of(group: Group) -> str:
    """Return the name of a cine's files in the folder: another one if a file, a label or a setting of it changes."""
    digest = hashlib.sha256(str(FORMAT).encode())
    for item in group:
        digest.update(pickle.dumps((item.name, item.read), protocol=4))
        for path in item.files:
            for file in sorted(path.iterdir()) if path.is_dir() else (path,):
                with suppress(OSError):
                    state = file.stat()
                    digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _from_folder(entry: Entry, wanted: np.ndarray) -> np.ndarray | None:
    """Return frames from the folder; None if they are not there."""
    try:
        decoded = np.load(entry.decoded, mmap_mode="r")
    except (OSError, ValueError):
        return None
    if decoded.dtype != np.uint8 or decoded.shape != entry.cine.kept_shape:
        return None
    return np.asarray(decoded[wanted])


def _from_file(entry: Entry, wanted: np.ndarray) -> np.ndarray:
    """Decode frames from the cine's own file: only those between the first and the last, where that is possible."""
    cine, item = entry.cine, entry.group[0]
    first, stop = int(wanted[0]), int(wanted[-1]) + 1
    if cine.seekable and item.span and (frames := item.span(first, stop)) is not None:
        return cine.keep(frames[wanted - first])
    frames = read_group(entry.group)[0].frames
    if frames.shape != (cine.frames, cine.height, cine.width):
        raise VideoError(f"{cine.name}: was {cine.frames} frames of {cine.width}x{cine.height} pixels and is no longer")
    return cine.keep(frames[wanted])
