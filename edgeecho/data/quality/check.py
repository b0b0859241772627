"""Check of a data set: whether it is complete, what is wrong with it, and what is done about that."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from edgeecho.data import open_data
from edgeecho.data.datasets.dataset import Item
from edgeecho.data.io.parallel import Progress, over_items
from edgeecho.data.quality.defects import INCOMPLETE, LEVELS, OTHER_COUNT, UNREADABLE, Defect, Finding
from edgeecho.errors import DataError, MissingExtraError, VideoError

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


@dataclass(frozen=True)
class CheckReport:
    """Findings of `check`, and the counts of what was checked."""

    kind: str
    root: str
    items: dict[str, int]
    """Number of items by split."""
    labels: int
    """Number of labelled frames that can be used."""
    findings: tuple[Finding, ...]
    """Findings by level, errors first, and by defect."""
    seconds: float
    """Duration of the check."""

    @property
    def is_sound(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.defect.level != "error" for finding in self.findings)

    def counts(self) -> dict[Defect, int]:
        """Return the number of findings of each defect."""
        return dict(Counter(finding.defect for finding in self.findings))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"is_sound": self.is_sound}


def check(text: str, *, jobs: int | None = None, progress: Progress = lambda done, total: None) -> CheckReport:
    """Check the lists, then decode every cine with its labels.

    Args:
        text: `KIND:DIR`.
        jobs: Threads; as many as there are cores if None.
        progress: Called with cines done and cines.

    Raises:
        ConfigError: If `text` is wrong.
        DataError: If the folder does not hold that data set, or a table cannot be read.
        MissingExtraError: If a package is missing that the files need.
    """
    started = time.monotonic()
    data = open_data(text)
    by_split = {split: data.items(split) for split in data.splits}
    findings = data.findings()
    findings += [Finding(INCOMPLETE, str(data.root), note) for note in data.notes]
    labels = 0
    items = [item for items in by_split.values() for item in items]
    for count, found in over_items(_check_item, items, jobs, progress):
        labels += count
        findings += found
    order = list(dict.fromkeys(finding.defect for finding in findings))
    findings.sort(key=lambda f: (LEVELS.index(f.defect.level), order.index(f.defect)))
    counts = {split: len(items) for split, items in by_split.items()}
    return CheckReport(data.kind, str(data.root), counts, labels, tuple(findings), time.monotonic() - started)


def _check_item(item: Item) -> tuple[int, list[Finding]]:
    """Return the number of labelled frames of an item, and what is wrong with it."""
    try:
        cine = item.read()
    except MissingExtraError:
        raise
    except (VideoError, DataError) as error:
        if error.file and not error.file.exists():
            return 0, []  # a finding of the listing already
        return 0, [Finding(UNREADABLE, item.name, " ".join(str(error).split()))]
    found = [replace(finding, where=item.name) for finding in cine.findings]
    listed = item.metadata.get("frames")
    if listed is not None and listed != len(cine.frames):
        found.append(Finding(OTHER_COUNT, item.name, f"{len(cine.frames)}, listed {listed}"))
    return len(cine.labels), found


def render_check(report: CheckReport, *, per_defect: int = 5) -> "Iterator[RenderableType]":
    """Yield a table of the defects for the terminal, then the places of each.

    Args:
        report: Report of `check`.
        per_defect: Number of places that are named of a warning or note; of an error all are.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    splits = ", ".join(f"{count} {split}" for split, count in report.items.items())
    yield Text(f"{report.kind} in {report.root}: {splits}; {report.labels} labelled frames")
    if not report.findings:
        yield Text("Complete, and nothing is wrong.", "green")
        return
    table = Table("", "found", "times", "what is done about it", box=box.SIMPLE_HEAD, pad_edge=False)
    for defect, count in report.counts().items():
        table.add_row(f"[{STYLES[defect.level]}]{defect.level}[/]", defect.what, str(count), defect.action)
    yield table
    for defect in report.counts():
        places = [finding for finding in report.findings if finding.defect == defect]
        shown = places if defect.level == "error" else places[:per_defect]
        yield f"[{STYLES[defect.level]}]{defect.what}[/]"
        for place in shown:
            yield f"  {escape(place.where)}{': ' + escape(place.detail) if place.detail else ''}"
        if len(shown) < len(places):
            yield f"[dim]  and {len(places) - len(shown)} more; --json names all[/]"
    by_level = Counter(finding.defect.level for finding in report.findings)
    counts = ", ".join(f"{by_level[level]} {level}{'s' * (by_level[level] > 1)}" for level in LEVELS if by_level[level])
    yield Text(f"{counts} ({report.seconds:.0f} s)")
