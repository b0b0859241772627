"""Files of one segmented cine: figures, masks, the cine with its outline, the area curve."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine import Cine
from edgeecho.cine.result_files import SUFFIXES
from edgeecho.errors import OutputError
from edgeecho.files import atomic
from edgeecho.names import printable
from edgeecho.report.curve import write_curve
from edgeecho.report.marks import Marks
from edgeecho.report.overlay import write_overlay
from edgeecho.runtime import Segmentation


@dataclass(frozen=True)
class RunIdentity:
    """Digests by which a later run knows that a result is of the same cine and settings."""

    input_sha256: str
    """SHA-256 of the cine's file, or of the names and bytes of its files."""
    settings_sha256: str
    """SHA-256 of the version of EdgeEcho, the model and the settings."""


def result_files(folder: Path, stem: str, *, with_video: bool = True) -> list[Path]:
    """Return the paths of a cine's results: masks, overlay video if it is wanted, area curve and, last, figures."""
    return [folder / f"{stem}{suffix}" for suffix in SUFFIXES if with_video or suffix != ".webm"]


def write_results(
    files: list[Path],
    source: str,
    cine: Cine,
    result: Segmentation,
    identity: RunIdentity | None = None,
    also: Callable[[dict[str, Any]], object] | None = None,
) -> dict[str, Any]:
    """Write the results of a cine; each file appears whole or not at all.

    The figures of an earlier result are removed before anything is written, and the new ones are written last: where
    they are, all files are there and belong together.

    Args:
        files: Paths of `result_files`.
        source: Path of the input as the user gave it.
        cine: Cine that was segmented.
        result: Segmentation of the cine.
        identity: Digests for a later run, None if they are not known.
        also: Called with the figures before they are written; writes further files.

    Returns:
        The figures as they were written.

    Raises:
        OutputError: If a file cannot be written.
    """
    paths = {path.suffix: path for path in files}
    times_s = cine.times_s if result.fps == cine.fps else None
    figures = {"input": printable(source), **result.to_dict(), "run": identity and asdict(identity)}
    marks = Marks.of(figures)
    _remove(paths[".json"])
    arrays = io.BytesIO()
    np.savez_compressed(arrays, mask=result.mask, area_px=result.area_px)
    with atomic(paths[".npz"]) as temporary:
        temporary.write_bytes(arrays.getvalue())
    if ".webm" in paths:
        write_overlay(
            paths[".webm"],
            cine.frames,
            result.mask,
            result.fps,
            area_px=result.area_px,
            marks=marks,
            times_s=times_s,
        )
    write_curve(
        paths[".png"],
        result.area_px,
        result.fps if times_s is None else None,  # over frames where these are not evenly spaced
        marks,
        printable(paths[".json"].stem),
    )
    if also:
        also(figures)
    with atomic(paths[".json"]) as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose a folder that is writable") from error
