"""One cine of a run, and what came of it."""

from dataclasses import dataclass
from typing import Any

from edgeecho.batch.settings import CineOptions


@dataclass(frozen=True)
class CineTask:
    """A cine to segment."""

    source: str
    """Path, or an address with `://` that fsspec opens, as the user gave it."""
    name: str
    """Name of its results without suffix."""
    options: CineOptions


@dataclass(frozen=True)
class Outcome:
    """Outcome of one cine: its figures and files, or an error."""

    task: CineTask
    figures: dict[str, Any] | None = None
    """Content of NAME.json."""
    files: tuple[str, ...] = ()
    error: str = ""
    """One line that names the cine; empty if there was none."""
    was_done: bool = False
    """Whether an earlier run had segmented it."""
    stops: bool = False
    """Whether the error concerns all cines, as a full disk does."""
