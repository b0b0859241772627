"""Interface of the data sets: items, each a cine that is read on demand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data.quality.defects import READING, Finding
from edgeecho.errors import ConfigError

SPLITS = ("train", "val", "test")
ALL = "all"
"""Name that stands for every split of a data set."""


@dataclass(frozen=True, eq=False)
class ItemCine(Cine):
    """Cine of a data set, with its labels and what is wrong with them."""

    findings: tuple[Finding, ...] = ()
    """Defects of the cine, in the order in which they were found; `warnings` are their sentences."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "warnings", tuple(finding.sentence() for finding in self.findings))

    @classmethod
    def of(cls, cine: Cine, findings: Iterable[Finding] = ()) -> "ItemCine":
        """Add findings to a cine; its own warnings, which are those of its reader, come before them."""
        reading = [Finding(READING, cine.name, warning.rstrip(".")) for warning in cine.warnings]
        values = {each.name: getattr(cine, each.name) for each in fields(Cine)}
        return cls(**values, findings=(*reading, *findings))


@dataclass(frozen=True)
class Item:
    """One cine of a data set. Holding 10,000 of them costs no pixels; `read` and `peek` can be pickled."""

    name: str
    """Name of the item, unique in the data set."""
    group: str
    """Patient; an item of ED alone and one of ES alone are joined by group and view."""
    split: str
    """`train`, `val` or `test`."""
    view: str
    """`4CH`, `2CH` or `PSAX`."""
    read: Callable[[], ItemCine]
    """Reads the cine with its labels and phases. Raises VideoError or DataError; if a file is missing, the error's
    `file` is that file."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Values that the data set states, without those that are unknown: `ef_percent`, `edv_ml`, `esv_ml`, `quality`,
    `sex`, `age`, `fps`, `frames`, `labels` (number of labelled frames), `half_sequence`."""
    peek: Callable[[], dict[str, Any]] | None = None
    """Reads `frames` and `fps` from the file's header where `metadata` lacks them; returns what is there."""
    files: tuple[Path, ...] = ()
    """Files that `read` reads, folders with all that is in them; tables of the data set are not among them."""
    span: Callable[[int, int], np.ndarray | None] | None = None
    """Reads the frames from the first to before the second index, uint8 (N, H, W) as `read` gives them, without
    decoding the others; it returns None where the file does not permit that. None if no file of the kind does."""


class DataSet(Protocol):
    """A data set on disk."""

    kind: str
    """Name of the kind, such as `camus`."""
    root: Path
    licence: str
    """Licence of weights trained on it, an identifier of `edgeecho.data.datasets.licences`, where its terms are."""
    notes: list[str]
    """Notes on the data set as a whole, on missing and odd parts, each a sentence."""
    splits: tuple[str, ...]
    """Splits that the data set has."""

    def items(self, split: str) -> list[Item]:
        """Return the items of a split, in a fixed order; no video is opened.

        Raises:
            ConfigError: If the split is unknown.
            DataError: If the data set does not have it.
        """
        ...

    def findings(self) -> list[Finding]:
        """Return the defects that lists and folders alone show; no video is decoded."""
        ...


def items_of(data: DataSet, split: str) -> list[Item]:
    """Return the items of a split, or of every split that the data set has, one after another, for `all`.

    Raises:
        ConfigError: If the split is unknown.
        DataError: If the data set does not have it.
    """
    if split == ALL:
        return [item for each in data.splits for item in data.items(each)]
    return data.items(split)


def require_split(split: str) -> str:
    """Return a split if it is one of `SPLITS`.

    Raises:
        ConfigError: If it is unknown.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}; known: {', '.join((*SPLITS, ALL))}")
    return split
