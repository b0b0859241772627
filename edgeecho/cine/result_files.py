"""Recognition of the files that EdgeEcho wrote for a cine, so that they are not read as cines."""

import json
from pathlib import Path

from edgeecho.files import read_regular
from edgeecho.names import printable

SUFFIXES = (".npz", ".webm", ".png", ".html", ".json")
"""Suffixes of masks, overlay, area curve, page and figures, which have one stem."""
PRODUCT_SUFFIXES = (".sr.dcm", ".seg.dcm", ".capture.dcm", ".cine.dcm", ".fhir.json")
"""Suffixes of the files for other software beside them (`edgeecho.dicom`)."""
KEYS = frozenset({"input", "frames", "area_px", "quality", "model"})
"""Keys by which a JSON of EdgeEcho is recognized."""
_MAX_BYTES = 1 << 26


def own_outputs(folder: Path, names: list[str]) -> set[str]:
    """Find the files of a folder that EdgeEcho wrote: those with the stem of one of its JSON files, except their input.

    Args:
        folder: The folder.
        names: Names of the files in it.
    """
    present, own = set(names), set[str]()
    for stem in (name.removesuffix(".json") for name in names if name.endswith(".json")):
        beside = {f"{stem}{suffix}" for suffix in (*SUFFIXES, *PRODUCT_SUFFIXES)} & present
        source = _input_of(folder / f"{stem}.json") if len(beside) > 1 else None
        if source is not None:
            own |= {name for name in beside if printable(name) != Path(source).name}
    return own


def _input_of(path: Path) -> str | None:
    """Return the input that a JSON of EdgeEcho names; None for any other file."""
    try:
        figures = json.loads(read_regular(path)) if path.stat().st_size <= _MAX_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return str(figures["input"]) if isinstance(figures, dict) and figures.keys() >= KEYS else None
