"""Data sets: an adapter for each kind, which reads cines with labels on some frames."""

from collections.abc import Callable
from pathlib import Path

from edgeecho.data.datasets.camus import Camus
from edgeecho.data.datasets.camus_cines import CamusCines
from edgeecho.data.datasets.dataset import ALL, SPLITS, DataSet, Item, items_of
from edgeecho.data.datasets.echonet_dynamic import EchoNetDynamic
from edgeecho.data.datasets.echonet_pediatric import EchoNetPediatric
from edgeecho.data.datasets.own import OwnCines
from edgeecho.data.datasets.phantom import Phantom, PhantomMotion, PhantomVaried
from edgeecho.errors import ConfigError

__all__ = ["ALL", "KINDS", "SPLITS", "WITHOUT_FOLDER", "DataSet", "Item", "items_of", "open_data"]

KINDS: dict[str, Callable[[Path], DataSet]] = {
    "camus": Camus,
    "camus-cines": CamusCines,
    "echonet-dynamic": EchoNetDynamic,
    "echonet-pediatric": EchoNetPediatric,
    "cine": OwnCines,
    "phantom": Phantom,
    "phantom-motion": PhantomMotion,
    "phantom-varied": PhantomVaried,
}

WITHOUT_FOLDER = ("phantom", "phantom-motion", "phantom-varied")
"""Kinds that are drawn instead of read."""


def open_data(text: str) -> DataSet:
    """Open `KIND:DIR`, or `phantom:`, `phantom-motion:` and `phantom-varied:`, which have no folder.

    Raises:
        ConfigError: If the form is wrong or the kind is unknown.
        DataError: If the folder does not contain that data set.
    """
    kind, colon, folder = text.partition(":")
    if not colon or not (folder or kind in WITHOUT_FOLDER):
        raise ConfigError(f"data must be KIND:DIR, got {text!r}; such as camus:/data/camus")
    if kind not in KINDS:
        raise ConfigError(f"unknown data kind {kind!r}; known: {', '.join(KINDS)}")
    return KINDS[kind](Path(folder))
