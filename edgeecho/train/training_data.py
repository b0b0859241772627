"""Sources of training clips from a data set, and the split by patient into training and validation."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import DataSet, Item
from edgeecho.errors import ConfigError, DataError, VideoError
from edgeecho.train.clip_cines import Group, is_filmed
from edgeecho.train.config import DataConfig, TrainConfig
from edgeecho.train.drawn_hearts import Phantoms
from edgeecho.train.prepare_cines import GB, prepare_cines
from edgeecho.train.sources import Pairs, Source, Stills, Videos
from edgeecho.train.workers import single_thread

Progress = Callable[[str], None]
"""Function that is called with a line of text on what is done or left out."""
CACHE_FOLDER = "cines"
"""Folder in `run.out` of regions, labels and decoded frames, where `data.cache` names none."""


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


def labelled_cines(items: list[Item], progress: Progress) -> Iterator[Cine]:
    """Read every item that has labels, one after another; those that cannot be read are reported and left out."""
    for item in items:
        if item.metadata.get("labels") == 0:
            continue
        try:
            cine = item.read()
        except (DataError, VideoError) as error:
            progress(f"left out: {error}")
            continue
        if cine.labels:
            yield cine


def group_stills(items: list[Item]) -> list[Group]:
    """Return the cines of items that have labels; stills of one heart and view are one cine.

    Cines that were filmed come first, each group in the order of the items.
    """
    filmed, stills = list[Group](), dict[tuple[str, str], list[Item]]()
    for item in items:
        if item.metadata.get("labels") == 0:
            continue
        if is_filmed((item,)):
            filmed.append((item,))
        else:
            stills.setdefault((item.group, item.view), []).append(item)
    return filmed + [tuple(views) for views in stills.values()]


def find_sources(items: list[Item], config: TrainConfig, progress: Progress) -> list[tuple[float, Source]]:
    """Return sources of clips with their shares, which sum to 1.

    Args:
        items: Items to train on.
        config: Settings of the run: shares of the sources, of which one that the data set does not have is left out;
            the folder of decoded frames, its bound, and the number of processes that read.
        progress: Function that is called with what is done and what is left out.

    Raises:
        ConfigError: If nothing is left to train on.
        DataError: If the data set is requested and no frame of it is labelled.
        OutputError: If the folder cannot be written.
    """
    clips, found = config.clips, list[tuple[float, Source]]()
    if clips.stills or clips.cines:
        folder = Path(config.data.cache) if config.data.cache else Path(config.run.out) / CACHE_FOLDER
        limit = config.data.cache_gb * GB
        cines = prepare_cines(group_stills(items), folder, limit, progress, config.run.workers)
        with single_thread():
            moving: Source | None = Videos(videos) if len(videos := cines.videos()) else Pairs.of(cines)
        if clips.stills:
            found.append((clips.stills, Stills(cines)))
        if clips.cines and moving:
            found.append((clips.cines, moving))
    if clips.phantom:
        found.append((clips.phantom, Phantoms()))
    total = sum(share for share, _ in found)
    if not total:
        raise ConfigError("nothing to train on: clips.stills, clips.cines and clips.phantom give no clip of this data")
    return [(share / total, source) for share, source in found]
