"""The files that EdgeEcho leaves for a cine, and how to tell them from cines."""

import json
from pathlib import Path

SUFFIXES = (".npz", ".webm", ".png", ".json")
"""Masks, overlay, area curve and figures, of one stem."""
KEYS = frozenset({"input", "frames", "area_px", "quality", "model"})
"""A JSON with these is ours."""
_MAX_BYTES = 1 << 26


def own_outputs(folder: Path, names: list[str]) -> set[str]:
    """Which files of a folder EdgeEcho wrote: those beside a JSON of ours and of its stem, unless it was their input.

    Args:
        folder: Where.
        names: The files in it.
    """
    present, own = set(names), set[str]()
    for stem in (name.removesuffix(".json") for name in names if name.endswith(".json")):
        beside = {f"{stem}{suffix}" for suffix in SUFFIXES} & present
        source = _input_of(folder / f"{stem}.json") if len(beside) > 1 else None
        if source is not None:
            own |= beside - {Path(source).name}
    return own


def _input_of(path: Path) -> str | None:
    """The input that a JSON of ours names; None of any other file."""
    try:
        figures = json.loads(path.read_bytes()) if path.stat().st_size <= _MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return str(figures["input"]) if isinstance(figures, dict) and figures.keys() >= KEYS else None
