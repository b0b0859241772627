"""What every data set gives: items, each a cine that is read on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edgeecho.cine import Cine

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Item:
    """One cine of a data set. Holding 10,000 of them costs no pixels."""

    name: str
    """Unique in the data set."""
    group: str
    """Patient; figures that need both ED and ES join the items of a group and view."""
    split: str
    """`train`, `val` or `test`."""
    view: str
    """`4CH`, `2CH` or `PSAX`."""
    read: Callable[[], Cine]
    """Gives the cine with its labels and phases; raises VideoError or DataError."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What the data set says of it, such as `ef_percent`, `edv_ml`, `esv_ml`, `quality`; only what is known."""


class DataSet(Protocol):
    """A data set on disk."""

    kind: str
    """Such as `camus`."""
    root: Path
    licence: str
    """SPDX identifier or a name, of weights trained on it."""
    notes: list[str]
    """What is missing or odd about it as a whole, each a sentence."""

    def items(self, split: str) -> list[Item]:
        """The items of a split, in a fixed order.

        Raises:
            ConfigError: If the split is unknown.
            DataError: If a listed file is missing.
        """
        ...
