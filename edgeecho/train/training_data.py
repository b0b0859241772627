"""Sources of training clips from a data set, and the split by patient into training and validation."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import DataSet, Item
from edgeecho.errors import ConfigError, DataError, MeasurementError, VideoError
from edgeecho.files import atomic
from edgeecho.synthetic.ed_es_morph import EdEsMorph
from edgeecho.train.config import ClipConfig, DataConfig
from edgeecho.train.geometry import CANVAS, to_canvas
from edgeecho.train.sources import Pairs, Phantoms, Source, Stills, Videos

Progress = Callable[[str], None]
"""Function that is called with a line of text on what is done or left out."""


def training_and_choice(data: DataSet, config: DataConfig, seed: int) -> tuple[list[Item], list[Item]]:
    """Return the items to train on, and those that the checkpoint is chosen on, which may be none.

    Raises:
        ConfigError: If more patients are to be held out than there are.
        DataError: If the data set has no validation list and the settings ask for it.
    """
    if config.choose_on == "val":
        return data.items("train"), data.items("val")
    return split_patients(data.items("train"), config.held_out, seed)


def split_patients(items: list[Item], held_out: int, seed: int) -> tuple[list[Item], list[Item]]:
    """Split items by patient into those to train on and those that are held out, which may be none.

    Raises:
        ConfigError: If no patient would be left to train on.
    """
    patients = sorted({item.group for item in items})
    if held_out >= len(patients):
        raise ConfigError(f"data.held_out must be at most {len(patients) - 1}, got {held_out}")
    chosen = set(np.random.default_rng(seed).permutation(patients)[:held_out])
    return [i for i in items if i.group not in chosen], [i for i in items if i.group in chosen]


def labelled_cines(items: list[Item], progress: Progress, join: bool = False) -> Iterator[Cine]:
    """Read every item that has labels; items that cannot be read are reported and left out.

    Args:
        items: Items to read.
        progress: Function that is called with each item that is left out.
        join: Whether to return stills of one heart and view as one cine, whose frames are not consecutive.
    """
    stills: dict[tuple[str, str], list[Cine]] = {}
    for item in items:
        if item.metadata.get("labels") == 0:
            continue
        try:
            cine = item.read()
        except (DataError, VideoError) as error:
            progress(f"left out: {error}")
            continue
        if len(cine.frames) > 1 or (cine.labels and not join):
            yield cine
        elif cine.labels:
            stills.setdefault((item.group, item.view), []).append(cine)
    for views in stills.values():
        same_size = [
            c for c in views if c.frames.shape == views[0].frames.shape and c.spacing_mm == views[0].spacing_mm
        ]
        yield _join(same_size)
        yield from (c for c in views if not any(c is other for other in same_size))


def _join(stills: list[Cine]) -> Cine:
    return replace(
        stills[0],
        frames=np.concatenate([c.frames for c in stills]),
        labels={k: c.labels[0] for k, c in enumerate(stills)},
        phases={k: c.phases[0] for k, c in enumerate(stills) if 0 in c.phases},
    )


class Canvases:
    """Labelled frames in a file, uint8 (N, 2, CANVAS, CANVAS), so that a large data set needs no memory."""

    def __init__(self, folder: Path, items: list[Item], progress: Progress) -> None:
        """Write the file, or open the one that an earlier start of the same run has written.

        Raises:
            DataError: If no frame is labelled.
        """
        data, index = folder / "canvases.npy", folder / "canvases.json"
        names = [item.name for item in items]
        stored = json.loads(index.read_text()) if index.is_file() and data.is_file() else {}
        if stored.get("items") != names:
            progress("reading data")
            stored = {"items": names, "cines": _write(data, items, progress)}
            with atomic(index) as path:
                path.write_text(json.dumps(stored))
        self.cines: list[list[str]] = stored["cines"]
        """Phases of the labelled frames of each cine, in the order of the canvases."""
        self.pictures: np.ndarray = np.load(data, mmap_mode="r")

    def stills(self) -> Stills:
        """Return each frame as a still."""
        return Stills(self.pictures, [phase != "ES" for phases in self.cines for phase in phases])

    def pairs(self) -> Pairs | None:
        """Return morphs of the hearts with one ED and one ES; None if there is none."""
        hearts, start = [], 0
        for phases in self.cines:
            if sorted(phases) == ["ED", "ES"]:
                both = np.asarray(self.pictures[start : start + 2])[[phases.index("ED"), phases.index("ES")]]
                with suppress(MeasurementError):  # a mask too small to have an axis
                    hearts.append(EdEsMorph.from_stills(both[:, 0], (both[:, 1] > 127).astype(np.uint8)))
            start += len(phases)
        return Pairs(hearts) if hearts else None


def _write(path: Path, items: list[Item], progress: Progress) -> list[list[str]]:
    cines: list[list[str]] = []
    with atomic(path) as temporary:
        raw = temporary.with_name(temporary.name + ".raw")
        try:
            with raw.open("wb") as file:
                for cine in labelled_cines(items, progress, join=True):
                    marked = cine.marked
                    masks = np.stack([cine.labels[k] * 255 for k in marked])
                    both = np.stack([to_canvas(part, cine) for part in (cine.frames[marked], masks)], axis=1)
                    file.write(both.tobytes())
                    cines.append([cine.phases.get(k, "") for k in marked])
            count = sum(map(len, cines))
            if not count:
                raise DataError("no labelled frame to train on")
            shape = (count, 2, CANVAS, CANVAS)
            with temporary.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
                with raw.open("rb") as body:
                    while block := body.read(1 << 24):
                        file.write(block)
        finally:
            raw.unlink(missing_ok=True)
    return cines


def find_sources(items: list[Item], clips: ClipConfig, folder: Path, progress: Progress) -> list[tuple[float, Source]]:
    """Return sources of clips with their shares, which sum to 1.

    Args:
        items: Items to train on.
        clips: Requested shares; a source that the data set does not have is left out.
        folder: Folder of the canvases.
        progress: Function that is called with what is done and what is left out.

    Raises:
        ConfigError: If nothing is left to train on.
        DataError: If stills are requested and no frame is labelled.
    """
    found: list[tuple[float, Source]] = []
    videos = [item for item in items if item.metadata.get("frames") != 1 and item.metadata.get("labels") != 0]
    if clips.stills or (clips.cines and not videos):
        canvases = Canvases(folder, items, progress)
        if clips.stills:
            found.append((clips.stills, canvases.stills()))
        if clips.cines and not videos and (pairs := canvases.pairs()):
            found.append((clips.cines, pairs))
    if clips.cines and videos:
        found.append((clips.cines, Videos(videos)))
    if clips.phantom:
        found.append((clips.phantom, Phantoms()))
    total = sum(share for share, _ in found)
    if not total:
        raise ConfigError("nothing to train on: clips.stills, clips.cines and clips.phantom give no clip of this data")
    return [(share / total, source) for share, source in found]
