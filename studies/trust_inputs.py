"""Inputs of the study `studies/trust.py`: drawn cines, data sets and files; and what a result has to say about them."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.measure import discs_of, ef_percent
from edgeecho.metrics.regions import Overlap, overlap
from edgeecho.runtime import Segmentation
from edgeecho.synthetic.phantom import draw_cine

PHANTOMS = 60
"""Number of upright phantoms, if no limit is given."""
PHANTOM_SEED = 4711
"""First number of their seeds, which no other set of phantoms has."""

Read = Callable[[], Cine]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of the command line."""

    data: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("val",)
    cines: tuple[Path, ...] = ()
    limit: int | None = None
    first_seed: int = 0
    frames: int | None = None
    model: str = "default"
    threads: int = 1

    def count(self, usual: int) -> int:
        """Return the number of drawn cines of a kind, which is `usual` without a limit."""
        return usual if self.limit is None else self.limit


def phantoms(options: Options) -> list[Read]:
    """Return upright phantoms, each drawn when it is read."""
    seeds = range(options.first_seed, options.first_seed + options.count(PHANTOMS))
    return [partial(draw_cine, (PHANTOM_SEED, seed), f"phantom {seed}") for seed in seeds]


def data_cines(options: Options) -> dict[str, list[Read]]:
    """Return the cines of each data set and split, each read when it is needed; a limit takes them at even steps.

    Raises:
        ConfigError: If a data set or a split is unknown.
        DataError: If a folder does not contain its data set.
    """
    found: dict[str, list[Read]] = {}
    for text in options.data:
        kind, colon, folder = text.partition(":")
        kind = "camus-cines" if kind == "camus" else kind
        dataset = open_data(f"{kind}{colon}{folder}")
        for split in options.splits:
            items = dataset.items(split)
            if options.limit is not None and options.limit < len(items):
                items = [items[i] for i in np.linspace(0, len(items) - 1, options.limit).round().astype(int)]
            found[f"{kind} {split}"] = [item.read for item in items]
    return found


def with_progress(name: str, reads: list[Read]) -> Iterator[Read]:
    """Yield cines that are to be read, with a line of progress on stderr where that is a terminal."""
    for number, read in enumerate(reads, start=1):
        if sys.stderr.isatty():
            print(f"\r{name}: {number} of {len(reads)}", end="\n" if number == len(reads) else "", file=sys.stderr)
        yield read


def true_ef(cine: Cine) -> float | None:
    """Return EF in percent by discs of the cine's own masks; None without masks of two phases.

    Of several ED or ES, the median volume counts. Where no phase is marked, the largest or smallest mask is taken.
    """
    if len(cine.labels) < 2:
        return None
    area = {index: int(mask.sum()) for index, mask in cine.labels.items()}
    volumes = []
    for phase, extreme in (("ED", max), ("ES", min)):
        marked = [index for index in cine.marked if cine.phases.get(index) == phase]
        frames = marked or [extreme(area, key=lambda index: area[index])]
        discs = [discs_of(cine.labels[index], cine.spacing_mm or (1.0, 1.0)) for index in frames if area[index]]
        volumes.append(float(np.median([each.volume() for each in discs])) if discs else 0.0)
    return ef_percent(*volumes) if volumes[0] > volumes[1] > 0 else None


def pooled_dice(masks: np.ndarray, truth: dict[int, np.ndarray]) -> float:
    """Return the Dice of all labelled frames together; 0 where only one of mask and truth is there."""
    total = sum((overlap(masks[index], mask) for index, mask in truth.items()), Overlap(0, 0))
    return total.dice


def reasons(result: Segmentation) -> list[str]:
    """Return the codes of a result's reasons, each once."""
    return list(dict.fromkeys(finding.reason.code for finding in result.findings))
