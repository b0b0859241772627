"""Files of one segmented cine: figures, masks, the cine with its outline, the area curve."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine import Cine
from edgeecho.cine.result_files import PRODUCT_SUFFIXES, SUFFIXES
from edgeecho.errors import OutputError
from edgeecho.file_group import change_together
from edgeecho.files import atomic
from edgeecho.names import printable
from edgeecho.report.cine_page import write_cine_page
from edgeecho.report.curve import write_curve
from edgeecho.report.marks import Marks
from edgeecho.report.overlay import write_overlay
from edgeecho.report.pictures import shown_frames, take_pictures, thumbnails
from edgeecho.report.stored import StoredResult
from edgeecho.runtime import Segmentation

Also = Callable[[dict[str, Any]], object]
"""Function that is called with the figures before they are written, to write further files."""


@dataclass(frozen=True)
class RunIdentity:
    """Digests by which a later run knows that a result is of the same cine and settings."""

    input_sha256: str
    """SHA-256 of the cine's file, or of the names and bytes of its files."""
    settings_sha256: str
    """SHA-256 of the version of EdgeEcho, the model and the settings."""
    text_covered: bool = False
    """Whether the pictures of the result show the cine without the text beside the fan."""


def result_files(folder: Path, stem: str, *, with_video: bool = True, with_page: bool = True) -> list[Path]:
    """Return the paths of a cine's results: masks, video and page if they are wanted, area curve and, last, figures."""
    left_out = {suffix for suffix, wanted in ((".webm", with_video), (".html", with_page)) if not wanted}
    return [folder / f"{stem}{suffix}" for suffix in SUFFIXES if suffix not in left_out]


def write_results(
    files: list[Path],
    source: str,
    cine: Cine,
    result: Segmentation,
    identity: RunIdentity | None = None,
    also: Also | None = None,
) -> dict[str, Any]:
    """Write the results of a cine; each file appears whole or not at all.

    The figures of an earlier result are removed before anything is written, and the new ones are written last: where
    they are, all files are there and belong together. If that fails, the files of an earlier result are as they were.

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
    figures = {"input": printable(source), **result.to_dict(), "aspect": cine.aspect}
    figures["run"] = identity and asdict(identity)
    arrays: dict[str, np.ndarray] = {"mask": result.mask, "area_px": result.area_px}
    if ".html" in paths:
        ed_es = thumbnails(cine.frames, result.mask, figures)
        arrays |= take_pictures(cine.frames, figures).to_arrays()
        arrays |= {f"thumbnail{number}": jpeg for number, jpeg in enumerate(ed_es)}
    with change_together(_all_files(files[-1])):
        _write_files(paths, figures, arrays, cine, also)
    return figures


def _all_files(figures: Path) -> list[Path]:
    """Return the paths that files of a result can have, by that of its NAME.json."""
    return [figures.with_name(f"{figures.stem}{suffix}") for suffix in (*SUFFIXES, *PRODUCT_SUFFIXES)]


def rewrite_results(
    stored: StoredResult,
    figures: dict[str, Any],
    mask: np.ndarray,
    extra: dict[str, np.ndarray],
    cine: Cine | None,
    also: Also | None = None,
) -> list[Path]:
    """Write the files of a result again with other figures and masks, in the same order as `write_results`.

    If that fails, all of them are as they were: earlier corrections are in no other place.

    Args:
        stored: The result; its pictures are kept.
        figures: New figures.
        mask: New masks, uint8 {0, 1} (T, H, W).
        extra: Further arrays for NAME.npz.
        cine: The cine, for the overlay video; without it the video is removed.
        also: Writes further files of the figures, before NAME.json.

    Returns:
        The files that are there now.

    Raises:
        OutputError: If a file cannot be written, or the result has changed since it was opened.
    """
    paths = {path.suffix: path for path in result_files(stored.json_path.parent, stored.stem)}
    arrays = {"mask": mask, "area_px": np.asarray(figures["area_px"], np.float32), **extra}
    pictures, height, width = stored.pictures, *mask.shape[1:]
    if pictures.frames:
        arrays |= pictures.to_arrays()
        drawn = {frame: pictures.frame(frame, height, width) for frame in shown_frames(figures)}
        arrays |= {f"thumbnail{n}": jpeg for n, jpeg in enumerate(thumbnails(drawn, mask, figures))}
    else:
        del paths[".html"]
    with change_together(_all_files(stored.json_path)):
        if StoredResult.open(stored.json_path).figures != stored.figures:
            raise OutputError(f"cannot write {stored.json_path}: it has changed meanwhile; give the correction again")
        if cine is None:
            _remove(paths.pop(".webm"))
        _write_files(paths, figures, arrays, cine, also)
    return [path for path in paths.values() if path.is_file()]


def _write_files(
    paths: dict[str, Path],
    figures: dict[str, Any],
    arrays: dict[str, np.ndarray],
    cine: Cine | None,
    also: Also | None,
) -> None:
    """Write the files of `paths`, by their suffix: the figures are removed first and written last."""
    fps, area = figures["fps"], arrays["area_px"]
    times_s = cine.times_s if cine is not None and fps == cine.fps else None
    marks = Marks.of(figures)
    _remove(paths[".json"])
    write_arrays(paths[".npz"], arrays)
    if ".webm" in paths and cine is not None:
        write_overlay(paths[".webm"], cine.frames, arrays["mask"], fps, area_px=area, marks=marks, times_s=times_s)
    # over frames where these are not evenly spaced
    write_curve(paths[".png"], area, fps if times_s is None else None, marks, printable(paths[".json"].stem))
    if ".html" in paths:
        write_cine_page(StoredResult(paths[".json"], figures))
    if also:
        also(figures)
    write_figures(paths[".json"], figures)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as a compressed NPZ file, whole or not at all."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its stub takes the names for flags
    with atomic(path) as temporary:
        temporary.write_bytes(file.getvalue())


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write NAME.json, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(figures, indent=1) + "\n")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose a folder that is writable") from error
