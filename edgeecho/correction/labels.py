"""Corrected frames as training data: a folder that `cine:DIR` reads (docs/datasets.md)."""

import csv
import io
from pathlib import Path

import numpy as np

from edgeecho.batch.source import sha256_of
from edgeecho.cine import read_cine
from edgeecho.correction.remeasure import CHOSEN
from edgeecho.errors import DataError
from edgeecho.files import atomic, open_regular
from edgeecho.report.files import write_png
from edgeecho.report.results import write_arrays
from edgeecho.report.stored import StoredResult

COLUMNS = ("file", "frame", "phase", "mask", "patient", "split", "flip", "fps", "row_mm", "column_mm")
FLIPS = {"none": "", "lr": "lr", "ud": "ud", "lrud": "lrud"}


def add_labels(stored: StoredResult, folder: Path) -> str:
    """Add the frames of a result that a person edited or chose as ED and ES to a folder of training data.

    The cine is copied as NPZ, and the rows of an earlier correction of it are replaced.

    Returns:
        A sentence for the user.

    Raises:
        DataError: If no frame was edited or chosen, or the cine is not there or has changed.
        OutputError: If a file cannot be written.
    """
    figures, source = stored.figures, Path(stored.figures["input"])
    chosen = [beat for beat in figures["beats"] if beat.get("by_hand") == CHOSEN]
    phases = {beat["ed_frame"]: "ED" for beat in chosen} | {beat["es_frame"]: "ES" for beat in chosen}
    frames = sorted({*figures.get("corrected_frames", []), *phases})
    if not frames:
        raise DataError(f"{stored.json_path}: no frame was edited or chosen by hand; correct the result first")
    if figures["flip"] not in FLIPS:
        raise DataError(
            f"{stored.json_path}: a picture turned by {figures['flip']} cannot be training data; turn it first"
        )
    run = figures.get("run") or {}
    if not source.exists() or sha256_of(source) != run.get("input_sha256"):
        raise DataError(f"{source}: is not there or has changed since it was segmented; its frames are needed")
    name = f"{stored.stem}_{run['input_sha256'][:8]}"
    cine = read_cine(source)
    write_arrays(folder / f"{name}.npz", {"frames": cine.frames})
    spacing = figures["spacing_mm"] or ("", "")
    rows = [row for row in _read_rows(folder / "labels.csv") if row["file"] != f"{name}.npz"]
    for frame in frames:
        mask = f"masks/{name}_{frame}.png"
        write_png(folder / mask, stored.mask[frame] * np.uint8(255))
        values = (f"{name}.npz", frame, phases.get(frame, ""), mask, stored.stem, "train", FLIPS[figures["flip"]])
        rows.append(dict(zip(COLUMNS, map(str, (*values, figures["fps"] or "", *spacing)), strict=True)))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    with atomic(folder / "labels.csv") as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    return f"{len(frames)} labelled frames of {stored.stem} in cine:{folder}"


def _read_rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if set(reader.fieldnames or ()) != set(COLUMNS):
            raise DataError(f"{path}: has other columns than {', '.join(COLUMNS)}; choose another folder", file=path)
        return list(reader)
