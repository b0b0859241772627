"""Drawn cines as data sets: `phantom:`, `phantom:SEED`, `phantom:SEED,COUNT`, and the same of other populations."""

from functools import partial
from pathlib import Path

from edgeecho.data.datasets import licences
from edgeecho.data.datasets.dataset import SPLITS, Item, ItemCine, require_split
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import ConfigError
from edgeecho.synthetic.phantom import PhantomHeart, draw_cine
from edgeecho.synthetic.population import MOVING, PLAIN, VARIED, Population

COUNTS = {"train": 400, "val": 50, "test": 50}
"""Number of cines of each split, if COUNT is not given."""


class Phantom:
    """Drawn cines as a data set; no cine of one split is in another."""

    kind = "phantom"
    licence = licences.APACHE
    splits: tuple[str, ...] = SPLITS
    population = PLAIN

    def __init__(self, root: Path = Path()) -> None:
        """
        Args:
            root: The text after the kind, which is no folder: nothing, `SEED` or `SEED,COUNT`. COUNT is the number of
                training cines; an eighth of it, at least one, validates and another tests.

        Raises:
            ConfigError: If it is neither.
        """
        text = "" if root == Path() else str(root)
        try:
            numbers = [int(part) for part in text.split(",")] if text else [0]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2) or numbers[0] < 0 or numbers[-1] < len(numbers) - 1:
            raise ConfigError(f"a phantom is {self.kind}:, {self.kind}:SEED or {self.kind}:SEED,COUNT, got {text!r}")
        self.root, self.notes = Path(text), list[str]()
        self._seed = numbers[0]
        self._counts = dict(COUNTS)
        if len(numbers) == 2:
            few = max(1, numbers[1] // 8)
            self._counts = {"train": numbers[1], "val": few, "test": few}

    def items(self, split: str) -> list[Item]:
        """Return the cines of a split; each is drawn when it is read."""
        return [self._item(split, i) for i in range(self._counts[require_split(split)])]

    def findings(self) -> list[Finding]:
        """Return no findings, as there is no folder."""
        return []

    def _item(self, split: str, number: int) -> Item:
        seed = (self._seed, SPLITS.index(split), number)
        heart = PhantomHeart(seed, population=self.population)
        about = {
            "ef_percent": heart.ef_percent,
            "fps": heart.fps,
            "frames": heart.frame_count,
            "labels": heart.frame_count,
        }
        name = f"{self.kind}{self._seed}_{split}_{number:04d}"
        return Item(name, name, split, "4CH", partial(_draw, seed, name, self.population), about)


class PhantomMotion(Phantom):
    """Drawn cines of hearts whose parts move apart, twist, fade and leave the plane."""

    kind = "phantom-motion"
    population = MOVING


class PhantomVaried(Phantom):
    """Drawn cines of hearts and scanners of wider variety, whose ranges were measured on no data set."""

    kind = "phantom-varied"
    population = VARIED


def _draw(seed: tuple[int, int, int], name: str, population: Population) -> ItemCine:
    return ItemCine.of(draw_cine(seed, name, population))
