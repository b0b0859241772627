"""What every data set gives: items, each a cine that is read on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgeecho.cine import Cine
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import ConfigError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Item:
    """One cine of a data set. Holding 10,000 of them costs no pixels; `read` and `peek` can be pickled."""

    name: str
    """Unique in the data set."""
    group: str
    """Patient; what has only ED or only ES is joined with the other by group and view."""
    split: str
    """`train`, `val` or `test`."""
    view: str
    """`4CH`, `2CH` or `PSAX`."""
    read: Callable[[], Cine]
    """Gives the cine with its labels and phases; raises VideoError or DataError, also where the file is missing."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What the data set says of it, only what is known: `ef_percent`, `edv_ml`, `esv_ml`, `quality`, `sex`, `age`,
    `fps`, `frames`, `labels` (how many frames should carry one), `half_sequence`."""
    peek: Callable[[], dict[str, Any]] | None = None
    """Gives `frames` and `fps` from the file's header where `metadata` lacks them; empty if it does not say."""


class DataSet(Protocol):
    """A data set on disk."""

    kind: str
    """Such as `camus`."""
    root: Path
    licence: str
    """Licence of weights trained on it, an identifier of `edgeecho.data.datasets.licences`, where its terms are."""
    notes: list[str]
    """What is missing or odd about it as a whole, each a sentence."""
    splits: tuple[str, ...]
    """The splits that it has."""

    def items(self, split: str) -> list[Item]:
        """The items of a split, in a fixed order; no video is opened.

        Raises:
            ConfigError: If the split is unknown.
            DataError: If the data set does not have it.
        """
        ...

    def findings(self) -> list[Finding]:
        """What lists and folders alone show to be wrong; no video is decoded."""
        ...


def known_split(split: str) -> str:
    """The split itself.

    Raises:
        ConfigError: If it is unknown.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return split
