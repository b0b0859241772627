"""Summary of a data set: items per split, frames, frame rates, ejection fractions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeecho.data import open_data
from edgeecho.data.datasets.dataset import Item
from edgeecho.data.datasets.licences import TERMS
from edgeecho.data.io.parallel import Progress, over_items
from edgeecho.errors import DataError, MissingExtraError, VideoError

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Spread:
    """Distribution of a figure."""

    n: int
    mean: float
    sd: float
    minimum: float
    p5: float
    median: float
    p95: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Describe values by the sample's standard deviation, 0 for one value; None if there are no values."""
        if not values:
            return None
        a = np.asarray(values, np.float64)
        low, p5, p50, p95, high = (float(v) for v in np.percentile(a, (0, 5, 50, 95, 100)))
        sd = float(a.std(ddof=1)) if len(a) > 1 else 0.0
        return cls(len(a), float(a.mean()), sd, low, p5, p50, p95, high)


@dataclass(frozen=True)
class SplitSummary:
    """Summary of one split."""

    split: str
    items: int
    patients: int
    labels: int
    """Number of frames that the lists label."""
    views: dict[str, int]
    qualities: dict[str, int]
    """Number of patients by image quality, where it is stated."""
    sexes: dict[str, int]
    """Number of patients by sex, where it is stated."""
    frames: Spread | None
    """Number of frames of an item."""
    fps: Spread | None
    ef_percent: Spread | None
    """Ejection fraction; views and stills of a patient that share one figure count once."""
    ef_values: tuple[float, ...]


@dataclass(frozen=True)
class Summary:
    """Summary of a data set."""

    kind: str
    root: str
    licence: str
    licence_terms: str
    """Terms of the licence, and where they are published, in a sentence."""
    notes: tuple[str, ...]
    splits: tuple[SplitSummary, ...]
    unknown: int
    """Number of items whose number of frames neither the lists nor the files give."""
    picture: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, without the single ejection fractions."""
        values = asdict(self)
        for split in values["splits"]:
            del split["ef_values"]
        return values


def summarise(
    text: str,
    out_png: Path | None = None,
    *,
    jobs: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Describe a data set from its lists, else from the headers of its files, else from its cines.

    Args:
        text: `KIND:DIR`.
        out_png: Path for a picture of the distributions; None draws none.
        jobs: Threads; as many as there are cores if None.
        progress: Called with items done and items.

    Raises:
        ConfigError: If `text` is wrong.
        DataError: If the folder does not hold that data set.
        OutputError: If the picture cannot be written.
    """
    data = open_data(text)
    by_split = {split: data.items(split) for split in data.splits}
    items = [item for of_split in by_split.values() for item in of_split]
    facts_of = dict(zip((item.name for item in items), over_items(_measure, items, jobs, progress), strict=True))
    splits = tuple(_describe(split, of_split, facts_of) for split, of_split in by_split.items())
    unknown = sum("frames" not in facts for facts in facts_of.values())
    if out_png is not None:
        from edgeecho.data.quality.distributions_plot import write_summary_picture

        frames = [facts["frames"] for facts in facts_of.values() if "frames" in facts]
        rates = [facts["fps"] for facts in facts_of.values() if "fps" in facts]
        efs = {split.split: split.ef_values for split in splits}
        write_summary_picture(out_png, f"{data.kind}: {len(items)} items", efs, frames, rates)
    picture = None if out_png is None else str(out_png)
    return Summary(
        data.kind, str(data.root), data.licence, TERMS[data.licence], tuple(data.notes), splits, unknown, picture
    )


def _measure(item: Item) -> dict[str, float]:
    """Return number of frames and frame rate: from the list, else the header, else the cine."""
    facts: dict[str, float] = {key: item.metadata[key] for key in ("frames", "fps") if key in item.metadata}
    if len(facts) < 2 and item.peek is not None:
        facts = item.peek() | facts
    if "frames" not in facts:
        try:
            cine = item.read()
        except MissingExtraError:
            raise
        except (VideoError, DataError):
            return facts
        facts["frames"] = len(cine.frames)
        if cine.fps is not None:
            facts.setdefault("fps", cine.fps)
    return facts


def _describe(split: str, items: list[Item], facts_of: dict[str, dict[str, float]]) -> SplitSummary:
    patients = {item.group: item for item in items}
    studies = {(item.group, float(item.metadata["ef_percent"])) for item in items if "ef_percent" in item.metadata}
    efs = [ef for _, ef in sorted(studies)]

    def count(key: str) -> dict[str, int]:
        values = (item.metadata.get(key) for item in patients.values())
        return dict(Counter(str(value) for value in values if value is not None).most_common())

    return SplitSummary(
        split,
        len(items),
        len(patients),
        sum(int(item.metadata.get("labels", 0)) for item in items),
        dict(sorted(Counter(item.view for item in items).items())),
        count("quality"),
        count("sex"),
        Spread.of([facts_of[item.name]["frames"] for item in items if "frames" in facts_of[item.name]]),
        Spread.of([facts_of[item.name]["fps"] for item in items if "fps" in facts_of[item.name]]),
        Spread.of(efs),
        tuple(efs),
    )


def render_summary(summary: Summary) -> "Iterator[RenderableType]":
    """Yield a table for the terminal, with a column for each split, and the notes below it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    yield Text(f"{summary.kind} in {summary.root}")
    table = Table("", *(s.split for s in summary.splits), box=box.SIMPLE_HEAD, pad_edge=False)

    def row(name: str, cells: Sequence[str]) -> None:
        if any(cells):
            table.add_row(name, *(cell or "-" for cell in cells))

    row("items", [str(s.items) for s in summary.splits])
    row("patients", [str(s.patients) for s in summary.splits])
    row("labelled frames", [str(s.labels) for s in summary.splits])
    row("views", [_counts(s.views) for s in summary.splits])
    row("quality", [_counts(s.qualities) for s in summary.splits])
    row("sex", [_counts(s.sexes) for s in summary.splits])
    row("frames, median (range)", [_range(s.frames) for s in summary.splits])
    row("frames a second", [_range(s.fps) for s in summary.splits])
    row("EF %, mean ± SD (range)", [_mean(s.ef_percent) for s in summary.splits])
    row("EF below 50 %", [_below(s.ef_values, 50) for s in summary.splits])
    row("EF below 35 %", [_below(s.ef_values, 35) for s in summary.splits])
    yield table
    for note in summary.notes:
        yield Text(note, "yellow")
    if summary.unknown:
        yield f"[yellow]Items that could not be read: {summary.unknown}; `edgeecho data check` names them.[/]"
    yield Text(f"Licence: {summary.licence}. {summary.licence_terms}", "dim")
    if summary.picture:
        yield Text(f"Picture: {summary.picture}")


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in values.items())


def _range(spread: Spread | None) -> str:
    return "" if spread is None else f"{spread.median:g} ({spread.minimum:g} to {spread.maximum:g})"


def _mean(spread: Spread | None) -> str:
    return (
        "" if spread is None else f"{spread.mean:.1f} ± {spread.sd:.1f} ({spread.minimum:.0f} to {spread.maximum:.0f})"
    )


def _below(values: Sequence[float], limit: float) -> str:
    return "" if not values else f"{100 * float(np.mean(np.asarray(values) < limit)):.1f} %"
