"""EchoNet-Dynamic: 10,030 apical four-chamber videos, two of each video's frames traced.

Ouyang et al., Nature 2020, doi 10.1038/s41586-020-2145-8; Stanford research use agreement: not commercial, not to be
passed on. The formats and their traps are in `docs/datasets.md`.
"""

from functools import cached_property, partial
from pathlib import Path

import numpy as np

from edgeecho.cine.times import FPS_RANGE
from edgeecho.cine.video_span import read_span
from edgeecho.data.datasets import licences
from edgeecho.data.datasets.dataset import SPLITS, Item, require_split
from edgeecho.data.io.tables import number, read_rows, stated_values, whole
from edgeecho.data.io.traces import SIDE_PX, Outline, Traces, order_of, read_outlined, read_traces, stem, videos_in
from edgeecho.data.quality import defects
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError
from edgeecho.measure import ef_percent

COLUMNS = ("FileName", "EF", "ESV", "EDV", "FPS", "NumberOfFrames", "Split")
ROWS = 21
"""Number of rows of a whole trace: the long axis, then 20 discs."""
RELEASE = {"train": 7465, "val": 1288, "test": 1277}
"""Number of videos of the release by split."""
EF_TOLERANCE = 0.5
"""Points by which EF may differ from the volumes; in the release it holds to 1e-7."""


class EchoNetDynamic:
    """An EchoNet-Dynamic folder; each video is an item, its labels on the traced frames."""

    kind = "echonet-dynamic"
    licence = licences.ECHONET_DYNAMIC
    splits: tuple[str, ...] = SPLITS

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: Folder that holds `FileList.csv`, `VolumeTracings.csv` and `Videos/`.

        Raises:
            DataError: If it does not, or a table lacks a column.
        """
        self.root, self._findings = root, list[Finding]()
        if not (root / "FileList.csv").is_file():
            raise DataError(
                f"{root}: no EchoNet-Dynamic data set here; expected FileList.csv, VolumeTracings.csv and Videos/"
            )
        self._rows: dict[str, dict[str, str]] = {}
        for row in read_rows(root / "FileList.csv", COLUMNS):
            name = stem(row["FileName"])
            if name in self._rows:
                self._findings.append(Finding(defects.LISTED_TWICE, name, "in FileList.csv"))
            elif name:
                self._rows[name] = row
        self.notes = incomplete({s: len(self._names(s)) for s in SPLITS}, RELEASE, "videos")

    def _names(self, split: str) -> list[str]:
        return [name for name, row in self._rows.items() if row["Split"].upper() == split.upper()]

    @cached_property
    def _videos(self) -> dict[str, Path]:
        return videos_in(self.root / "Videos")

    @cached_property
    def _traces(self) -> Traces:
        return read_traces(self.root / "VolumeTracings.csv", ("X1", "Y1", "X2", "Y2"))

    def items(self, split: str) -> list[Item]:
        """Return the videos of a split, in the order of `FileList.csv`; those without a trace have no labels."""
        return [self._item(name, split)[0] for name in self._names(require_split(split))]

    def findings(self) -> list[Finding]:
        """Return the defects that the tables and the listing show."""
        found = list(self._findings)
        for name, row in self._rows.items():
            split = row["Split"].lower()
            if split not in SPLITS:
                found.append(Finding(defects.UNKNOWN_SPLIT, name, repr(row["Split"])))
            found += self._item(name, split)[1]
            if name not in self._videos:
                found.append(Finding(defects.MISSING_FILE, f"Videos/{name}.avi"))
            found += _listed_values(name, row)
        found += [Finding(defects.UNLISTED, self._videos[n].name) for n in self._videos if n not in self._rows]
        found += [Finding(defects.ORPHAN_TRACE, name) for name in self._traces if name not in self._rows]
        return found

    def _item(self, name: str, split: str) -> tuple[Item, list[Finding]]:
        row = self._rows[name]
        outlines, found = _outlines(name, self._traces.get(name, {}))
        size = (whole(row.get("FrameHeight")), whole(row.get("FrameWidth")))
        values = {key: number(row[key]) for key in ("EF", "EDV", "ESV", "FPS")}
        fps = values["FPS"] if FPS_RANGE[0] <= values["FPS"] <= FPS_RANGE[1] else None
        metadata = stated_values(
            ef_percent=values["EF"],
            edv_ml=values["EDV"],
            esv_ml=values["ESV"],
            fps=fps,
            frames=whole(row["NumberOfFrames"]),
            labels=len(outlines),
        )
        path = self._videos.get(name, self.root / "Videos" / f"{name}.avi")
        listed = (size[0], size[1]) if size[0] and size[1] else None
        read = partial(read_outlined, path, outlines, fps, listed, name)
        span = partial(read_span, path)
        return Item(name, name, split, "4CH", read, metadata, files=(path,), span=span), found


def incomplete(counts: dict[str, int], release: dict[str, int], things: str) -> list[str]:
    """Return a sentence if the number of videos differs from the release's; empty if it does not."""
    if counts == release:
        return []
    here, there = (" + ".join(str(n[s]) for s in SPLITS) for n in (counts, release))
    return [f"{here} {things} to train, validate and test on are listed; the release has {there}."]


def _listed_values(name: str, row: dict[str, str]) -> list[Finding]:
    found = []
    ef, edv, esv = (number(row[key]) for key in ("EF", "EDV", "ESV"))
    if edv > 0 and abs(ef_percent(edv, esv) - ef) > EF_TOLERANCE:
        found.append(Finding(defects.EF_DIFFERS, name, f"EF {ef:g}, EDV {edv:g}, ESV {esv:g}"))
    return found


def _outlines(name: str, frames: dict[str, np.ndarray]) -> tuple[list[Outline], list[Finding]]:
    """Return the usable outlines of a video, in the order of the table, and the defects of its traces."""
    outlines, found = list[Outline](), list[Finding]()
    for text, rows in frames.items():
        where = f"{name} frame {text}"
        frame = whole(text)
        if frame is None:
            found.append(Finding(defects.BAD_FRAME, where))
            continue
        trace = _one_trace(rows, where, found)
        if trace is None:
            continue
        if trace.min() < 0 or trace.max() > SIDE_PX:
            found.append(Finding(defects.OUTSIDE, where, f"{trace.min():g} to {trace.max():g}"))
        outlines.append(Outline(frame, outline(trace)))
    if not outlines:
        found.append(Finding(defects.UNTRACED, name))
    return outlines, found + order_of(name, outlines)


def _one_trace(rows: np.ndarray, where: str, found: list[Finding]) -> np.ndarray | None:
    """Return the one whole trace among the rows, float64 (21, 4); None if there is none, or more than one."""
    if not np.isfinite(rows).all():
        found.append(Finding(defects.NOT_A_NUMBER, where))
        return None
    if len(rows) == ROWS:
        return rows
    _, first = np.unique(rows, axis=0, return_index=True)
    distinct = rows[np.sort(first)]
    if len(distinct) == ROWS and len(rows) % ROWS == 0:
        found.append(Finding(defects.REPEATED_ROWS, where, f"{len(rows)} rows"))
        return distinct
    defect = defects.SEVERAL_TRACES if len(rows) % ROWS == 0 else defects.ODD_LENGTH
    found.append(Finding(defect, where, f"{len(rows)} rows, {len(distinct)} of them distinct"))
    return None


def outline(trace: np.ndarray) -> np.ndarray:
    """Make the polygon of a trace as the authors do: one end of the discs down, the other up, without the axis.

    Args:
        trace: float64 (21, 4): x1, y1, x2, y2 of the long axis and of 20 discs.

    Returns:
        float64 (40, 2), x and y.
    """
    discs = trace[1:]
    return np.concatenate([discs[:, :2], discs[::-1, 2:]])
