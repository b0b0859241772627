"""Figures of one network of the ablations, on labelled frames, on cines and on phantoms. It is no study of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from edgeecho.cine import Cine
from edgeecho.data import Item, open_data
from edgeecho.errors import DataError
from edgeecho.evaluate import evaluate_items
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.runtime import load
from edgeecho.train.training_data import labelled_cines, split_patients
from edgeecho.train.validation import Validation

FIGURES = {
    "ED Dice": ("labelled", "overlap", "dice_mean", "ED"),
    "ES Dice": ("labelled", "overlap", "dice_mean", "ES"),
    "labelled Dice": ("labelled", "overlap", "dice_mean", "other"),
    "unlabelled Dice": ("cines", "overlap", "dice_mean", "other"),
    "roughness ratio": ("cines", "time", "roughness_over_reference", "all"),
    "EF error": ("cines", "ef_beats_masks", "mae", "all"),
    "EF error, stated EF": ("cines", "ef_beats_clinical", "mae", "all"),
    "phantom unlabelled Dice": ("phantom", "overlap", "dice_mean", "other"),
    "phantom roughness ratio": ("phantom", "time", "roughness_over_reference", "all"),
    "phantom EF error": ("phantom", "ef_beats_masks", "mae", "all"),
}
"""(part, topic, metric, phase) by printed name. `labelled Dice` is of frames that are neither ED nor ES, where a cine
marks none; `unlabelled Dice` of those between ED and ES, where every frame has a mask. What a data set does not allow
is left out."""


@dataclass(frozen=True, eq=False)
class Hearts:
    """Items that networks are measured on."""

    labelled: list[Item]
    """Items with labels, read anew for each network, so that a large data set needs no memory."""
    cines: dict[str, list[Item]]
    """Cines of the data set, and phantoms; each is read once."""

    def labelled_cines(self) -> Iterator[Cine]:
        """Read the items with labels; those that cannot be read are left out."""
        return labelled_cines(self.labelled, lambda text: None)


def read_hearts(data: str, cines: int, choosing: tuple[int, int] | None) -> Hearts:
    """Find the items of the validation patients, or of those held out by `choosing` = (number, seed).

    The cines of CAMUS are made of its stills (`camus-cines:`); other data sets have their own, of which those with
    labels are taken.

    Args:
        data: `KIND:DIR`.
        cines: Most cines of the data set, and of phantoms.
        choosing: None for the validation list.

    Raises:
        DataError: If there are none.
    """
    kind, _, folder = data.partition(":")
    split = "train" if choosing else "val"

    def chosen(source: str) -> list[Item]:
        items = open_data(source).items(split)
        return split_patients(items, *choosing)[1] if choosing else items

    labelled = [item for item in chosen(data) if item.metadata.get("labels") != 0]
    if not labelled:
        raise DataError(f"{data} has no labelled item in split {split} to measure on; give a data set that has some")
    moving = chosen(f"camus-cines:{folder}") if kind == "camus" else labelled
    moving = [item for item in moving if item.metadata.get("frames") != 1]
    drawn = open_data("phantom:").items("val" if choosing else "test")
    found = {"cines": moving[:cines], "phantom": drawn[:cines]}
    kept = {part: [replace(item, read=lru_cache(1)(item.read)) for item in items] for part, items in found.items()}
    return Hearts(labelled, kept)


def score(checkpoint: Path, hearts: Hearts, threads: int) -> dict[str, float]:
    """Measure the figures of one network that the data allow.

    A network that pools along time cannot be run in windows, so it has the figures of labelled frames alone.
    """
    network, spec = load_checkpoint(checkpoint)
    pooled = spec.pooled_frames > 1
    validation = Validation(hearts.labelled_cines(), spec.size_px, spec.context_frames, spec.pooled_frames)
    found = {
        ("labelled", "overlap", "dice_mean", phase): dice for phase, dice in validation.dice_by_phase(network).items()
    }
    for part, items in ({} if pooled else hearts.cines).items():
        if not items:
            continue
        scores = evaluate_items(load(checkpoint, runtime="torch", threads=threads), items, part, "")
        if scores.counts["cines"]:
            found |= {(part, f.topic, f.metric, f.phase): f.value for f in scores.figures if f.value is not None}
    return {name: found[key] for name, key in FIGURES.items() if key in found}
