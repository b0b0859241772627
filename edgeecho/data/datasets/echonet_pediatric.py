"""EchoNet-Pediatric: A4C and PSAX videos of children, the cavity outlined on up to two frames of each.

Reddy et al., JASE 2023, doi 10.1016/j.echo.2023.01.015; Stanford research use agreement: not commercial, not to be
passed on. The formats and their traps are in `docs/datasets.md`.
"""

from functools import partial
from pathlib import Path

import numpy as np

from edgeecho.cine.video_span import read_span
from edgeecho.data.datasets import licences
from edgeecho.data.datasets.dataset import SPLITS, Item, require_split
from edgeecho.data.io.avi import avi_header
from edgeecho.data.io.tables import number, read_rows, stated_values, whole
from edgeecho.data.io.traces import (
    SIDE_PX,
    Outline,
    Traces,
    order_of,
    read_outlined,
    read_traces,
    stem,
    videos_in,
)
from edgeecho.data.quality import defects
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError

COLUMNS = ("FileName", "EF", "Split")
VIEWS = {"A4C": "4CH", "PSAX": "PSAX"}
RELEASE = {"A4C": 3284, "PSAX": 4526}
"""Number of videos of the release by view."""
FOLDS = {str(fold): "train" for fold in range(8)} | {"8": "val", "9": "test"}
MIN_LABELS_ON_FRAME_0 = 3
"""Number of labels on frame 0 that prove that frames count from 0, so that no video is opened."""
MARKS = {"no systolic": "ED", "no diastolic": "ES"}
"""Text in place of a frame that was not found, and the phase of the frame that remains."""


class EchoNetPediatric:
    """An EchoNet-Pediatric folder, or one of its views; each video is an item."""

    kind = "echonet-pediatric"
    licence = licences.ECHONET_PEDIATRIC
    splits: tuple[str, ...] = SPLITS

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder that holds `A4C/` and `PSAX/`, or one of the two itself, or what the archive unpacks to.

        Raises:
            DataError: If it does not, or a table lacks a column.
        """
        self.root = root
        views = _views(root)
        if not views:
            raise DataError(
                f"{root}: no EchoNet-Pediatric data set here; expected A4C/ or PSAX/ with FileList.csv, "
                "VolumeTracings.csv and Videos/ in it"
            )
        self._views = [_View(name, folder) for name, folder in views.items()]
        self.notes = []
        for view in self._views:
            if len(view.rows) != RELEASE.get(view.name, len(view.rows)):
                self.notes.append(f"{view.name} lists {len(view.rows)} videos; the release has {RELEASE[view.name]}.")
        if views.keys() < VIEWS.keys():
            self.notes.append(f"Only {', '.join(views)} is here; the release has A4C and PSAX.")
        self._base: int | None = None

    def items(self, split: str) -> list[Item]:
        """Return the videos of a split, A4C before PSAX, in the order of `FileList.csv`."""
        split, base = require_split(split), self._frame_base()
        return [v.item(name, split, base)[0] for v in self._views for name in v.rows if v.split(name) == split]

    def findings(self) -> list[Finding]:
        """Return the defects that the tables and the listings show."""
        base = self._frame_base()
        counted = [Finding(defects.FROM_ONE, "VolumeTracings.csv")] if base else []
        return counted + [finding for view in self._views for finding in view.findings(base)]

    def _frame_base(self) -> int:
        """Return the number of the first frame, 0 or 1: frame 0 exists only from 0, frame n of n only from 1.

        The papers' codes disagree and the release does not state it. If nothing proves it, 0 is taken, with a note.
        """
        if self._base is None:
            zeros = sum(view.zeros() for view in self._views)
            lasts = 0 if zeros >= MIN_LABELS_ON_FRAME_0 else sum(view.lasts() for view in self._views)
            self._base = int(lasts > zeros)
            if not zeros and not lasts:
                self.notes.append(
                    "No label proves whether frames count from 0 or from 1; 0 is taken, so labels may be a frame late."
                )
        return self._base


class _View:
    """Folder of one view: its tables and its videos."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.rows = name, folder, dict[str, dict[str, str]]()
        self._twice = []
        for row in read_rows(folder / "FileList.csv", COLUMNS):
            key = stem(row["FileName"])
            if key in self.rows:
                self._twice.append(key)
            elif key:
                self.rows[key] = row
        self.videos = videos_in(folder / "Videos")
        self.traces: Traces = read_traces(folder / "VolumeTracings.csv", ("X", "Y"))

    def split(self, name: str) -> str:
        """Return `train`, `val` or `test`; else the table's text. Folds 0-7 train, 8 validates, 9 tests."""
        text = self.rows[name]["Split"]
        fold = whole(text)
        return FOLDS.get(str(fold), text) if fold is not None else text.lower()

    def zeros(self) -> int:
        """Count the labels on frame 0."""
        return sum(whole(text) == 0 for frames in self.traces.values() for text in frames)

    def lasts(self) -> int:
        """Count the labels on frame n of a video of n frames; reads the header of every video, 4 kB each."""
        found = 0
        for name, frames in self.traces.items():
            numbers = [n for n in map(whole, frames) if n is not None]
            if numbers and name in self.rows:
                found += max(numbers) == self._count(name)
        return found

    def _count(self, name: str) -> int | None:
        listed = whole(self.rows[name].get("NumberOfFrames"))
        if listed is not None or name not in self.videos:
            return listed
        frames = avi_header(self.videos[name]).get("frames")
        return None if frames is None else int(frames)

    def item(self, name: str, split: str, base: int) -> tuple[Item, list[Finding]]:
        """Return a video, and the defects of its row and its outlines."""
        row = self.rows[name]
        outlines, found = _outlines(f"{self.name}/{name}", self.traces.get(name, {}), base)
        metadata = stated_values(
            ef_percent=number(row["EF"]),
            sex=_text(row.get("Sex")),
            age=number(row.get("Age")),
            weight_kg=number(row.get("Weight")),
            height_cm=number(row.get("Height")),
            fps=number(row.get("FPS")),
            frames=whole(row.get("NumberOfFrames")),
            labels=len(outlines),
        )
        path = self.videos.get(name, self.folder / "Videos" / f"{name}.avi")
        read = partial(read_outlined, path, outlines, None, None, f"{self.name}_{name}")
        patient = name.partition("-")[0]
        view = VIEWS[self.name]
        peek = partial(avi_header, path)
        span = partial(read_span, path)
        return Item(f"{self.name}/{name}", patient, split, view, read, metadata, peek, (path,), span), found

    def findings(self, base: int) -> list[Finding]:
        """Return the defects that the tables and the listing show."""
        found = [Finding(defects.LISTED_TWICE, f"{self.name}/{name}", "in FileList.csv") for name in self._twice]
        for name, row in self.rows.items():
            split = self.split(name)
            if split not in SPLITS:
                found.append(Finding(defects.UNKNOWN_SPLIT, f"{self.name}/{name}", repr(row["Split"])))
            found += self.item(name, split, base)[1]
            if name not in self.videos:
                found.append(Finding(defects.MISSING_FILE, f"{self.name}/Videos/{name}.avi"))
        unlisted = [name for name in self.videos if name not in self.rows]
        orphans = [name for name in self.traces if name not in self.rows]
        found += [Finding(defects.UNLISTED, f"{self.name}/Videos/{self.videos[name].name}") for name in unlisted]
        return found + [Finding(defects.ORPHAN_TRACE, f"{self.name}/{name}") for name in orphans]


def _views(root: Path) -> dict[str, Path]:
    if (root / "FileList.csv").is_file() and root.resolve().name in VIEWS:
        return {root.resolve().name: root}
    inner = root / "pediatric_echo_avi"
    for folder in (root, inner, inner / "pediatric_echo_avi"):
        found = {name: folder / name for name in VIEWS if (folder / name / "FileList.csv").is_file()}
        if found:
            return found
    return {}


def _text(text: str | None) -> str | None:
    return None if text is None or text.lower() in ("", "nan", "na", "none") else text


def _outlines(where: str, frames: dict[str, np.ndarray], base: int) -> tuple[list[Outline], list[Finding]]:
    outlines, found = list[Outline](), list[Finding]()
    remaining = None
    for text, points in frames.items():
        at = f"{where} frame {text}"
        frame = whole(text)
        if frame is None:
            mark = MARKS.get(text.lower())
            remaining = mark or remaining
            found.append(Finding(defects.PHASE_MISSING if mark else defects.BAD_FRAME, at))
            continue
        finite = points[np.isfinite(points).all(axis=1)]
        if len(finite) < 3:
            found.append(Finding(defects.TOO_FEW_POINTS, at, f"{len(finite)} of {len(points)} points are numbers"))
            continue
        if len(finite) < len(points):
            found.append(Finding(defects.POINTS_LEFT_OUT, at, f"{len(points) - len(finite)} of {len(points)}"))
        if finite.min() < 0 or finite.max() > SIDE_PX:
            found.append(Finding(defects.OUTSIDE, at, f"{finite.min():g} to {finite.max():g}"))
        outlines.append(Outline(frame - base, finite))
    if len(outlines) == 1 and remaining:
        outlines = [Outline(outlines[0].frame, outlines[0].points, remaining)]
    if not outlines:
        found.append(Finding(defects.UNTRACED, where))
    return outlines, found + order_of(where, outlines)
