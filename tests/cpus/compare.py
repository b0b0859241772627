"""Differences between the answers of two processors, their limits, and the tables that state them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cines import REAL

from edgeecho.metrics import dice

MAX_LEVELS = 1
"""Limit of fp32, in levels of prob."""
MIN_DICE, MAX_EF_POINTS = 0.99, 1.0
"""Limits of int8 in OpenVINO, which fuses and rounds differently on every kind of processor."""
FIGURES = {"areas": ("area_px",), "beats": ("ed_frames", "es_frames", "beats"), "EF": ("ef",)}
"""Name in the table to the arrays that are compared to the bit."""
HEADER = (
    "| file | processors | values of prob that differ | levels | mask pixels that differ | worst Dice | EF points "
    "| areas, beats, EF | limit |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Difference:
    """Between the answers of two processors to one file, over all cines."""

    values: int
    """Values of prob."""
    differ: int
    """Values of prob that differ."""
    levels: int
    """Largest difference of a value, of 255."""
    cavity_px: int
    """Pixels of the native masks."""
    mask_px: int
    """Pixels of the masks that differ."""
    dice: float
    """Lowest Dice of two masks of one frame; NaN if all are empty."""
    ef_points: float
    """Largest difference of EF; NaN, which is over any limit, if only one of the two processors has an EF."""
    unequal: tuple[str, ...]
    """Names in `FIGURES` of which a bit differs."""

    @property
    def equal(self) -> bool:
        """Whether every bit is equal: prob, masks, areas, beats and EF."""
        return not (self.differ or self.mask_px or self.unequal)

    def is_within_limit(self, file: str) -> bool:
        """Whether a file of this name keeps its limit."""
        if ".int8" not in file:
            return self.levels <= MAX_LEVELS
        if file.endswith(".xml"):
            return self.dice >= MIN_DICE and self.ef_points <= MAX_EF_POINTS
        return self.equal


@dataclass(frozen=True)
class Row:
    """One file on one processor."""

    file: str
    processor: str
    found: Difference | str
    """A text is the reason why there is no comparison."""
    skipped: bool = False
    """The file was left out on purpose, which is no failure."""

    @property
    def failed(self) -> bool:
        """Whether the file is over its limit or gave no answer."""
        if isinstance(self.found, str):
            return not self.skipped
        return not self.found.is_within_limit(self.file)

    @property
    def cells(self) -> str:
        """The table's cells beside file and processor."""
        verdict = "FAILS" if self.failed else ""
        if isinstance(self.found, str):
            return f"{self.found} | | | | | | {verdict}"
        d = self.found
        figures = f"{', '.join(d.unequal)} differ" if d.unequal else "equal"
        values = f"{d.differ:,} of {d.values:,} | {d.levels} | {d.mask_px:,} of {d.cavity_px:,}"
        return f"{values} | {d.dice:.4f} | {d.ef_points:.2f} | {figures} | {verdict}"


def compare(other: Path, native: Path) -> Difference | str:
    """Compare two files of answers.

    Args:
        other: Answers of the processor in question.
        native: Answers of this machine's own processor.

    Returns:
        The difference, or a text that gives the error of the engine if one of the two has no answer.
    """
    with np.load(other) as ours, np.load(native) as theirs:
        for where, answers in (("", ours), (" natively", theirs)):
            if "error" in answers:
                return f"refused{where}: {answers['error']}"
        names = [key.removesuffix(".prob") for key in theirs.files if key.endswith(".prob")]
        prob = [(ours[f"{n}.prob"].astype(int), theirs[f"{n}.prob"].astype(int)) for n in names]
        masks = [(ours[f"{n}.mask"], theirs[f"{n}.mask"]) for n in names]
        scores = [dice(a, b) for pair in masks for a, b in zip(*pair, strict=True)]
        efs = [_apart(float(ours[f"{n}.ef"]), float(theirs[f"{n}.ef"])) for n in names]
        pairs = {
            name: [(ours[f"{n}.{key}"], theirs[f"{n}.{key}"]) for n in names for key in keys]
            for name, keys in FIGURES.items()
        }
    return Difference(
        values=sum(b.size for _, b in prob),
        differ=sum(int((a != b).sum()) for a, b in prob),
        levels=max(int(np.abs(a - b).max()) for a, b in prob),
        cavity_px=sum(int(b.sum()) for _, b in masks),
        mask_px=sum(int((a != b).sum()) for a, b in masks),
        dice=min((score for score in scores if not np.isnan(score)), default=np.nan),
        ef_points=float(np.max(efs)),
        unequal=tuple(name for name, found in pairs.items() if not all(_same_bits(a, b) for a, b in found)),
    )


def _apart(a: float, b: float) -> float:
    """Points between two EFs; 0 if neither cine has one, NaN if one has."""
    return 0.0 if np.isnan(a) and np.isnan(b) else abs(a - b)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def fingerprint(answers: Iterable[Path]) -> str:
    """SHA-256 of all arrays of the SonoSite cine, in order of the paths, whose names do not count.

    The pixels of that cine are the same on every machine; those of a drawn heart depend on the processor.
    """
    digest = hashlib.sha256()
    for path in sorted(answers):
        with np.load(path) as data:
            for key in sorted(key for key in data.files if key.startswith(f"{REAL}.") or key == "error"):
                array = data[key]
                digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
                digest.update(array.tobytes())
    return digest.hexdigest()


def table(rows: Sequence[Row]) -> str:
    """Markdown; processors with equal cells share a line."""
    lines = grouped([(row.file, row.processor, row.cells) for row in rows])
    return "\n".join([HEADER, *(f"| `{file}` | {processors} | {cells} |" for file, processors, cells in lines)])


def grouped(cells: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Join the processors of equal (file, cells), from tuples (file, processor, cells), in order of the files."""
    processors: dict[str, dict[str, list[str]]] = {}
    for file, processor, text in cells:
        processors.setdefault(file, {}).setdefault(text, []).append(processor)
    return [(file, ", ".join(names), text) for file, found in processors.items() for text, names in found.items()]
