"""One cine of a run, and its outcome: figures and files, or an error."""

import os
from dataclasses import dataclass
from pathlib import Path
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
    is_hidden: bool = False
    """Whether its name, a pseudonym, stands for the source in results, tables and messages."""

    @property
    def label(self) -> str:
        """The cine in results, tables and messages: its source, or its pseudonym."""
        return self.name if self.is_hidden else self.source

    def hide(self, text: str) -> str:
        """Return a message without the source of a hidden cine, nor the name of its file."""
        if not self.is_hidden:
            return text
        path = Path(self.source)
        for known in (self.source, str(path), os.path.realpath(path), path.name):
            text = text.replace(known, self.name) if known.strip("./") else text
        return text


@dataclass(frozen=True)
class Outcome:
    """Outcome of one cine: its figures and files, or an error."""

    task: CineTask
    figures: dict[str, Any] | None = None
    """Content of NAME.json."""
    files: tuple[str, ...] = ()
    error: str = ""
    """One line that names the cine; empty if there was none."""
    unsent: str = ""
    """One line why its products could not be sent; empty if they were, or were not to be."""
    was_done: bool = False
    """Whether an earlier run had segmented it."""
    stops: bool = False
    """Whether the error concerns all cines, as a full disk does."""
