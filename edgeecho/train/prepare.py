"""From a data set to sources of clips."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.errors import ConfigError, DataError, MeasurementError, VideoError
from edgeecho.files import atomic
from edgeecho.synthetic.ed_es_morph import BeatingHeart
from edgeecho.train.config import ClipConfig
from edgeecho.train.geometry import CANVAS, to_canvas
from edgeecho.train.sources import Pairs, Phantoms, Source, Stills, Videos

Say = Callable[[str], None]


def split_patients(items: list[Item], held_out: int, seed: int) -> tuple[list[Item], list[Item]]:
    """Split by patient: those to train on, and those to choose the checkpoint on."""
    patients = sorted({item.group for item in items})
    if not 0 < held_out < len(patients):
        raise ConfigError(f"data.held_out must be between 1 and {len(patients) - 1}, got {held_out}")
    chosen = set(np.random.default_rng(seed).permutation(patients)[:held_out])
    return [i for i in items if i.group not in chosen], [i for i in items if i.group in chosen]


def labelled_cines(items: list[Item], say: Say, join: bool = False) -> Iterator[Cine]:
    """Every item that carries labels; what cannot be read is said and left out.

    Args:
        items: To read.
        say: Told what is left out.
        join: Give stills of one heart and view as one cine, whose frames are then no neighbours in time.
    """
    stills: dict[tuple[str, str], list[Cine]] = {}
    for item in items:
        if item.metadata.get("labels") == 0:
            continue
        try:
            cine = item.read()
        except (DataError, VideoError) as error:
            say(f"left out: {error}")
            continue
        if len(cine.frames) > 1 or (cine.labels and not join):
            yield cine
        elif cine.labels:
            stills.setdefault((item.group, item.view), []).append(cine)
    for views in stills.values():
        alike = [c for c in views if c.frames.shape == views[0].frames.shape and c.spacing_mm == views[0].spacing_mm]
        yield _join(alike)
        yield from (c for c in views if not any(c is other for other in alike))


def _join(stills: list[Cine]) -> Cine:
    return replace(
        stills[0],
        frames=np.concatenate([c.frames for c in stills]),
        labels={k: c.labels[0] for k, c in enumerate(stills)},
        phases={k: c.phases[0] for k, c in enumerate(stills) if 0 in c.phases},
    )


class Canvases:
    """Labelled frames on disk, so that a large data set costs no memory: uint8 (N, 2, CANVAS, CANVAS)."""

    def __init__(self, folder: Path, items: list[Item], say: Say) -> None:
        """Make them, or take those that an earlier start of the same run has made.

        Raises:
            DataError: If no frame is labelled.
        """
        data, index = folder / "canvases.npy", folder / "canvases.json"
        names = [item.name for item in items]
        known = json.loads(index.read_text()) if index.is_file() and data.is_file() else {}
        if known.get("items") != names:
            say("reading data")
            known = {"items": names, "cines": _write(data, items, say)}
            with atomic(index) as path:
                path.write_text(json.dumps(known))
        self.cines: list[list[str]] = known["cines"]
        """Phases of the labelled frames of each cine, in the order of the canvases."""
        self.pictures: np.ndarray = np.load(data, mmap_mode="r")

    def stills(self) -> Stills:
        """Each frame by itself."""
        return Stills(self.pictures, [phase != "ES" for phases in self.cines for phase in phases])

    def pairs(self) -> Pairs | None:
        """Hearts with one ED and one ES, if there are any."""
        hearts, start = [], 0
        for phases in self.cines:
            if sorted(phases) == ["ED", "ES"]:
                both = np.asarray(self.pictures[start : start + 2])[[phases.index("ED"), phases.index("ES")]]
                with suppress(MeasurementError):  # a mask too small to have an axis
                    hearts.append(BeatingHeart.from_stills(both[:, 0], (both[:, 1] > 127).astype(np.uint8)))
            start += len(phases)
        return Pairs(hearts) if hearts else None


def _write(path: Path, items: list[Item], say: Say) -> list[list[str]]:
    cines: list[list[str]] = []
    with atomic(path) as temporary:
        raw = temporary.with_name(temporary.name + ".raw")
        try:
            with raw.open("wb") as file:
                for cine in labelled_cines(items, say, join=True):
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


def find_sources(items: list[Item], clips: ClipConfig, folder: Path, say: Say) -> list[tuple[float, Source]]:
    """Sources of clips with their shares, which sum to 1.

    Args:
        items: To train on.
        clips: Shares asked for; a source that the data set cannot give is left out.
        folder: For the canvases.
        say: Told what is done and what is left out.

    Raises:
        ConfigError: If nothing is left to train on.
        DataError: If stills are asked for and no frame is labelled.
    """
    found: list[tuple[float, Source]] = []
    videos = [item for item in items if item.metadata.get("frames") != 1 and item.metadata.get("labels") != 0]
    if clips.stills or (clips.cines and not videos):
        canvases = Canvases(folder, items, say)
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
