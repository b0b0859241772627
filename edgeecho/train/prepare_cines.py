"""Preparation of the cines of a run: each is read once, for its region, labels and cardiac cycle.

The folder may be shared by runs and by processes: each file is written whole or not at all, and its name depends on
the cine's files and labels. Each run keeps to its bound, counting what it finds in the folder at its start.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from edgeecho.cine import Cine
from edgeecho.errors import DataError, EdgeEchoError, VideoError
from edgeecho.files import atomic, require_writable
from edgeecho.train.clip_cine import ClipCine
from edgeecho.train.clip_cines import ClipCines, Entry, Group, is_filmed, key_of, read_group
from edgeecho.train.workers import load_in_order

Progress = Callable[[str], None]
"""Function that is called with a line of text on what is done or left out."""
REPORT_S = 10.0
"""Seconds between two lines of progress."""
SAMPLED_CINES = 4
"""Number of cines that are read first, to estimate the size of all of them."""
NPY_HEADER_BYTES = 128
GB = 1e9


@dataclass(frozen=True)
class _Prepared:
    """Result of the preparation of one cine."""

    number: int
    cine: ClipCine | None
    left_out: tuple[str, ...] = ()
    error: EdgeEchoError | None = None
    """Error that ends the run."""


def prepare_cines(
    groups: Sequence[Group], folder: Path, limit_bytes: float, progress: Progress, workers: int = 0
) -> ClipCines:
    """Open cines, after reading those that the folder does not contain.

    Args:
        groups: Cines in a fixed order. Those that cannot be read are reported and left out.
        folder: Folder of regions, labels and decoded frames.
        limit_bytes: Bound on the decoded frames in the folder; the frames of other cines are decoded when a clip needs
            them. Regions and labels, about 9 kB a cine, are always stored.
        progress: Function that is called with lines on what is read, stored and left out.
        workers: Number of processes that read; 0 for this one.

    Raises:
        DataError: If no frame is labelled.
        OutputError: If the folder cannot be written.
    """
    require_writable(folder)
    store = _Store(groups, folder, limit_bytes)
    lacking = store.lacking()
    if lacking:
        progress(_announcement(groups, lacking, folder, limit_bytes))
        _fill(store, lacking, progress, workers)
    entries = [
        Entry(cine, group, store.decoded(number))
        for number, group in enumerate(groups)
        if (cine := store.cines.get(number))
    ]
    if not entries:
        raise DataError("no labelled frame to train on; `edgeecho data check` lists what is wrong with each cine")
    return ClipCines(entries)


class _Store(Dataset[_Prepared]):
    """The folder. Item n reads and stores the cine of number n, in whatever process it is called."""

    def __init__(self, groups: Sequence[Group], folder: Path, limit_bytes: float) -> None:
        self.groups, self.folder, self.limit_bytes = groups, folder, limit_bytes
        self._keys = [key_of(group) for group in groups]
        self.cines: dict[int, ClipCine] = {}
        """Cines whose region and labels are known, by their number."""
        used = sum(file.stat().st_size for file in folder.glob("*.npy"))
        self._used = multiprocessing.Value("q", used)
        for number in range(len(groups)):
            head = self._head(number)
            if head.is_file():
                self.cines[number] = ClipCine.from_json(head.read_text())

    def decoded(self, number: int) -> Path:
        """Return the path of the decoded frames of a cine."""
        return self.folder / f"{self._keys[number]}.npy"

    @property
    def used_bytes(self) -> int:
        """Bytes of decoded frames in the folder."""
        return int(self._used.value)

    def lacking(self) -> list[int]:
        """Return the numbers of the cines that are not known, or whose frames are to be stored and are not."""
        free = self.limit_bytes - self.used_bytes
        return [
            number
            for number in range(len(self.groups))
            if (cine := self.cines.get(number)) is None
            or (_file_bytes(cine) <= free and not self.decoded(number).exists())
        ]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, number: int) -> _Prepared:
        try:
            return self._prepare(number)
        except (DataError, VideoError) as error:
            return _Prepared(number, None, (str(error),))
        except EdgeEchoError as error:
            return _Prepared(number, None, error=error)

    def _prepare(self, number: int) -> _Prepared:
        if number not in self.cines and self._head(number).is_file():  # another process has made it in the meantime
            return _Prepared(number, ClipCine.from_json(self._head(number).read_text()))
        cine, left_out = read_group(self.groups[number])
        group = self.groups[number]
        found = replace(ClipCine.of(cine, filmed=is_filmed(group)), seekable=_is_seekable(group, cine))
        if not self.decoded(number).exists() and self._claim(_file_bytes(found)):
            with atomic(self.decoded(number)) as path:
                np.save(path, found.keep(cine.frames))
        with atomic(self._head(number)) as path:
            path.write_text(found.to_json())
        return _Prepared(number, found, tuple(left_out))

    def _head(self, number: int) -> Path:
        return self.folder / f"{self._keys[number]}.json"

    def _claim(self, size: int) -> bool:
        """Reserve bytes within the bound; return whether they are free."""
        with self._used.get_lock():
            free = self.used_bytes + size <= self.limit_bytes
            self._used.value += size if free else 0
            return free


def _fill(store: _Store, lacking: list[int], progress: Progress, workers: int) -> None:
    """Read the cines that the folder lacks, with a line of progress every few seconds."""
    started = reported = time.monotonic()
    for done, prepared in enumerate(load_in_order(store, lacking, workers), start=1):
        if prepared.error:
            raise prepared.error
        for text in prepared.left_out:
            progress(f"left out: {text}")
        if prepared.cine:
            store.cines[prepared.number] = prepared.cine
        now = time.monotonic()
        if now - reported > REPORT_S or done == len(lacking):
            reported = now
            left_s = (now - started) / done * (len(lacking) - done)
            stored = f"{store.used_bytes / GB:.2f} GB of decoded frames in {store.folder}"
            progress(f"read {done} of {len(lacking)} cines, {stored}, {left_s / 60:.0f} min left")


def _file_bytes(cine: ClipCine) -> int:
    """Return the size of the file of a cine's decoded frames."""
    return NPY_HEADER_BYTES + int(np.prod(cine.kept_shape))


def _is_seekable(group: Group, cine: Cine) -> bool:
    """Return whether some frames of the file, read alone, equal those of the whole cine."""
    span, count = group[0].span, len(cine.frames)
    if len(group) > 1 or span is None or count < 2:
        return False
    first, stop = count // 2, min(count, count // 2 + 4)
    try:
        frames = span(first, stop)
    except VideoError:
        return False
    return frames is not None and np.array_equal(frames, cine.frames[first:stop])


def _announcement(groups: Sequence[Group], lacking: list[int], folder: Path, limit_bytes: float) -> str:
    """Return a line on what will be read and stored, with its size estimated from a few cines."""
    text = f"reading {len(lacking)} of {len(groups)} cines"
    if not limit_bytes:
        return f"{text} once, for regions and labels; decoded frames are not stored (data.cache_gb is 0)"
    sizes = []
    for number in lacking[:: -(-len(lacking) // SAMPLED_CINES)]:
        try:
            sizes.append(_file_bytes(ClipCine.of(read_group(groups[number])[0])))
        except (DataError, VideoError):
            continue  # it is reported when it is its turn
    size = float(np.mean(sizes)) * len(lacking) if sizes else 0.0
    limit = f"up to {limit_bytes / GB:g} GB in all (data.cache_gb)"
    return f"{text}; their decoded frames, about {size / GB:.2f} GB, are stored in {folder}, {limit}"
