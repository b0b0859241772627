"""Own data: a folder of cines, and a `labels.csv` if they are labelled; the format is in `docs/datasets.md`."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from edgeecho.cine import find_cines, read_cine
from edgeecho.cine.video_span import read_span
from edgeecho.data.datasets import licences
from edgeecho.data.datasets.dataset import SPLITS, Item, ItemCine, require_split
from edgeecho.data.io.avi import avi_header
from edgeecho.data.io.phases import is_area_curve, phases_of_labels
from edgeecho.data.io.tables import number, read_rows, stated_values, whole
from edgeecho.data.io.traces import rasterise, read_video_whole
from edgeecho.data.quality import defects
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError, EdgeEchoError
from edgeecho.preprocess import flip_images

COLUMNS = ("file", "frame", "phase")
VIEWS = {"A4C": "4CH", "4CH": "4CH", "AP4": "4CH", "A2C": "2CH", "2CH": "2CH", "AP2": "2CH", "PSAX": "PSAX"}
FLIPS = ("", "lr", "ud", "lrud")
"""Values of the column `flip`: how the frames are mirrored to give a standard view."""
NUMBERS = ("ef_percent", "edv_ml", "esv_ml", "age")
"""Columns of numbers that become metadata."""
USUAL_FPS = (15.0, 200.0)
"""Range of frame rates of echocardiography, frames a second."""
MIN_CAVITY_LEVEL = 1
"""Lowest grey level of the cavity in a mask file: 0 is the rest, whatever the other levels are."""


@dataclass(frozen=True)
class Label:
    """A row of `labels.csv` that labels a frame."""

    frame: int
    phase: str | None
    mask: Path | None
    points: np.ndarray | None
    """float64 (N, 2), x and y."""


@dataclass(frozen=True)
class Entry:
    """Labels and metadata of one cine, from all its rows."""

    file: str
    row: dict[str, str]
    """Values of the cine by column, each from the first row that has one."""
    labels: tuple[Label, ...]
    flip: str
    fps: float | None
    spacing_mm: tuple[float, float] | None


class OwnCines:
    """A folder of cines in any format that `read_cine` reads, with masks or polygons on some frames."""

    kind = "cine"
    licence = licences.OWN_DATA
    splits: tuple[str, ...] = SPLITS

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder that holds the cines, and `labels.csv` if any of them is labelled.

        Raises:
            DataError: If there is neither a cine nor a `labels.csv`, or that lacks a column or names a file outside the
                folder.
        """
        self.root, self.notes, self._findings = root, list[str](), list[Finding]()
        table = root / "labels.csv"
        if not table.is_file():
            self._entries = self._unlabelled()
            return
        rows: dict[str, list[dict[str, str]]] = {}
        for row in read_rows(table, COLUMNS):
            if row["file"]:
                inside(root, row["file"])
                rows.setdefault(row["file"], []).append(row)
        self._entries = {file: self._entry(file, of_cine) for file, of_cine in rows.items()}
        drawn = sum("split" not in e.row for e in self._entries.values())
        if drawn:
            self._findings.append(Finding(defects.SPLIT_DRAWN, "labels.csv", f"{drawn} cines"))

    def _unlabelled(self) -> dict[str, Entry]:
        """Return every cine of the folder, in the training split: enough to calibrate on."""
        found = [str(path.relative_to(self.root)) for path in find_cines([self.root]) if path != self.root]
        if not found:
            raise DataError(f"{self.root}: no data set of cines here; expected cines, and labels.csv beside them")
        self.notes.append("No labels.csv: no frame is labelled, and every cine is in the training split.")
        return {file: Entry(file, {"split": "train"}, (), "", None, None) for file in found}

    def items(self, split: str) -> list[Item]:
        """Return the cines of a split, in the order of `labels.csv`."""
        require_split(split)
        return [self._item(entry) for entry in self._entries.values() if split_of(entry) == split]

    def findings(self) -> list[Finding]:
        """Return the defects that `labels.csv` and the listing show."""
        found, masks = list(self._findings), set[Path]()
        for entry in self._entries.values():
            if split_of(entry) not in SPLITS:
                found.append(Finding(defects.UNKNOWN_SPLIT, entry.file, repr(entry.row["split"])))
            if not (self.root / entry.file).exists():
                found.append(Finding(defects.MISSING_FILE, entry.file))
            view = entry.row.get("view", "")
            if view.upper() not in VIEWS:
                found.append(Finding(defects.UNKNOWN_VIEW, entry.file, repr(view)))
            if entry.fps is not None and not USUAL_FPS[0] <= entry.fps <= USUAL_FPS[1]:
                found.append(Finding(defects.RARE_FRAME_RATE, entry.file, f"{entry.fps:g}"))
            masks |= {label.mask for label in entry.labels if label.mask}
        listed = {self.root / file for file in self._entries}
        others = [path for path in find_cines([self.root]) if path != self.root and path not in listed]
        unlisted = [path for path in others if not _contains_mask(path, masks)]
        return found + [Finding(defects.UNLISTED, str(path.relative_to(self.root))) for path in unlisted]

    def _entry(self, file: str, rows: list[dict[str, str]]) -> Entry:
        first: dict[str, str] = {}
        labels: dict[int, Label] = {}
        for row in rows:
            for key, value in row.items():
                if value and key not in first:
                    first[key] = value
            if not row["frame"]:
                continue
            try:
                label = self._label(row)
                if label.frame in labels:
                    raise ValueError("labelled twice; the first row counts")
                labels[label.frame] = label
            except ValueError as error:
                self._findings.append(Finding(defects.BAD_LABEL, f"{file} frame {row['frame']}", str(error)))
        flip = first.get("flip", "").lower()
        if flip not in FLIPS:
            raise DataError(f"{self.root / 'labels.csv'}: {file}: flip must be lr, ud or lrud, got {flip!r}")
        spacing = self._spacing(file, first)
        return Entry(file, first, tuple(labels.values()), flip, self._positive(file, first, "fps"), spacing)

    def _label(self, row: dict[str, str]) -> Label:
        frame, phase = whole(row["frame"]), row["phase"].upper() or None
        if frame is None or frame < 0:
            raise ValueError("the frame must be a whole number from 0")
        if phase not in ("ED", "ES", None):
            raise ValueError(f"the phase must be ED, ES or empty, got {row['phase']!r}")
        mask, polygon = row.get("mask", ""), row.get("polygon", "")
        if bool(mask) == bool(polygon):
            raise ValueError("give either a mask or a polygon")
        if mask:
            return Label(frame, phase, inside(self.root, mask), None)
        values = [number(text) for text in polygon.replace(",", " ").replace(";", " ").split()]
        if len(values) < 6 or len(values) % 2 or not all(map(math.isfinite, values)):
            raise ValueError("the polygon must be x y x y ..., three points or more")
        return Label(frame, phase, None, np.array(values).reshape(-1, 2))

    def _spacing(self, file: str, row: dict[str, str]) -> tuple[float, float] | None:
        row_mm, column_mm = (self._positive(file, row, key) for key in ("row_mm", "column_mm"))
        if (row_mm is None) != (column_mm is None):
            raise DataError(f"{self.root / 'labels.csv'}: {file}: give row_mm and column_mm, or neither")
        return None if row_mm is None or column_mm is None else (row_mm, column_mm)

    def _positive(self, file: str, row: dict[str, str], key: str) -> float | None:
        if key not in row:
            return None
        value = number(row[key])
        if not (math.isfinite(value) and value > 0):
            raise DataError(f"{self.root / 'labels.csv'}: {file}: {key} must be positive, got {row[key]!r}")
        return value

    def _item(self, entry: Entry) -> Item:
        row, path = entry.row, self.root / entry.file
        view = row.get("view", "")
        metadata = stated_values(
            **{key: number(row.get(key)) for key in NUMBERS},
            fps=entry.fps,
            labels=len(entry.labels),
            sex=row.get("sex"),
            quality=row.get("quality"),
            flip=entry.flip,
        )
        read = partial(read_entry, path, entry)
        is_avi = path.suffix.lower() == ".avi"
        peek = partial(avi_header, path) if is_avi else None
        span = partial(read_entry_span, path, entry.flip) if is_avi else None
        files = (path, *(label.mask for label in entry.labels if label.mask))
        group = row.get("patient", entry.file)
        view = VIEWS.get(view.upper(), view)
        return Item(entry.file, group, split_of(entry), view, read, metadata, peek, files, span)


def split_of(entry: Entry) -> str:
    """Return the split that is stated; else draw it by the patient's name: 8 in 10 train, 1 validates, 1 tests."""
    if "split" in entry.row:
        return entry.row["split"].lower()
    patient = entry.row.get("patient", entry.file)
    fold = int(hashlib.sha256(patient.encode()).hexdigest(), 16) % 10
    return "train" if fold < 8 else "val" if fold == 8 else "test"


def inside(root: Path, name: str) -> Path:
    """Return a path below the folder.

    Raises:
        DataError: If it leads outside.
    """
    path = Path(name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"{root / 'labels.csv'}: {name!r} is not below the folder; name files relative to it")
    return root / path


def read_entry(path: Path, entry: Entry) -> ItemCine:
    """Read a cine with its labels, mirrored into the standard view where the table asks for it.

    Raises:
        VideoError: If the cine is missing or damaged.
    """
    cine = read_video_whole(path, entry.fps, entry.spacing_mm)
    count, height, width = cine.frames.shape
    labels: dict[int, np.ndarray] = {}
    phases: dict[int, str] = {}
    found = list[Finding]()
    for label in entry.labels:
        if label.frame >= count:
            found.append(Finding(defects.LABEL_WITHOUT_FRAME, entry.file, f"frame {label.frame} of {count}"))
            continue
        try:
            mask = _mask(label, height, width)
        except (EdgeEchoError, ValueError) as error:
            found.append(Finding(defects.BAD_LABEL, entry.file, f"frame {label.frame}: {error}"))
            continue
        labels[label.frame] = mask
        if label.phase:
            phases[label.frame] = label.phase
    if not phases:
        phases = phases_of_labels(labels, cine.fps)
        if not phases and is_area_curve(labels):
            found.append(Finding(defects.NO_BEAT, entry.file, f"{len(labels)} masks"))
    frames = np.ascontiguousarray(flip_images(cine.frames, entry.flip))
    labels = {frame: np.ascontiguousarray(flip_images(mask, entry.flip)) for frame, mask in labels.items()}
    name = path.name.partition(".")[0] if not path.is_dir() else path.name
    return ItemCine.of(replace(cine, frames=frames, labels=labels, phases=phases, name=name), found)


def read_entry_span(path: Path, flip: str, first: int, stop: int) -> np.ndarray | None:
    """Read some frames of a cine, mirrored as `read_entry` does; None if the file does not permit that."""
    frames = read_span(path, first, stop)
    return None if frames is None else np.ascontiguousarray(flip_images(frames, flip))


def _mask(label: Label, height: int, width: int) -> np.ndarray:
    if label.points is not None:
        mask = rasterise(label.points, height, width)
    else:
        assert label.mask is not None
        picture = read_cine(label.mask).frames
        if picture.shape != (1, height, width):
            raise ValueError(f"the mask is {picture.shape[2]}x{picture.shape[1]}, the cine {width}x{height}")
        mask = (picture[0] >= MIN_CAVITY_LEVEL).astype(np.uint8)
    if not mask.any():
        raise ValueError("the mask is empty")
    return mask


def _contains_mask(folder: Path, masks: Sequence[Path] | set[Path]) -> bool:
    """Whether a folder of PNG files contains masks, and so is no cine."""
    return any(mask.parent == folder for mask in masks)
