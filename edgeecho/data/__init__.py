"""Data sets: one adapter each, all giving `Cine`s with sparse labels."""

from pathlib import Path

from edgeecho.data.camus import Still, find_stills
from edgeecho.errors import ConfigError

__all__ = ["Still", "find_stills", "parse_data"]


def parse_data(text: str) -> tuple[str, Path]:
    """Split `KIND:DIR`.

    Raises:
        ConfigError: If the form is wrong or the kind is unknown.
    """
    kind, colon, folder = text.partition(":")
    if not colon or not folder:
        raise ConfigError(f"data must be KIND:DIR, got {text!r}; such as camus:/data/camus")
    if kind != "camus":
        raise ConfigError(f"unknown data kind {kind!r}; known: camus")
    return kind, Path(folder)
