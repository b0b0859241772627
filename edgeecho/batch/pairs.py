"""Four-chamber and two-chamber cines of one study: which belong together, and their biplane volumes and EF."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeecho.batch.task import CineTask, Outcome
from edgeecho.errors import ConfigError, MeasurementError
from edgeecho.files import open_regular
from edgeecho.measure import BeatMeasurement, View, pair_beats
from edgeecho.measure.biplane import LENGTHS_DIFFER
from edgeecho.measure.measurement import summarize
from edgeecho.report.stored import StoredResult

BY_NAMES = "names"
"""Value of `--pair` by which cines are paired by their names."""
_VIEW = re.compile(r"(?<![a-z0-9])(?:a?([24])\s*-?ch?|ap([24])|([24])-?chamber)(?![a-z0-9])", re.IGNORECASE)
"""Names of the two views: 4CH, A4C, AP4, 4-chamber, and those of two chambers."""


@dataclass(frozen=True)
class Pair:
    """Two cines of one study."""

    study: str
    four_chamber: str
    """Name of the results of the four-chamber cine."""
    two_chamber: str


@dataclass(frozen=True)
class PairResult:
    """Biplane figures of a pair; None where they are not given."""

    pair: Pair
    verdict: str
    """`report`, `review` or `withhold`, or `failed`."""
    ef_percent: float | None = None
    edv_ml: float | None = None
    esv_ml: float | None = None
    beats: int = 0
    reasons: tuple[str, ...] = ()


def find_pairs(given: str, tasks: Sequence[CineTask]) -> list[Pair]:
    """Find the pairs of a run.

    Args:
        given: `names`: two cines whose names differ in the view alone, `x_4CH` and `x_2CH` (`BY_NAMES`); or a CSV with
            the columns `study`, `four_chamber` and `two_chamber`, which have names of results or of files.
        tasks: The cines of the run.

    Raises:
        ConfigError: If there is no pair, the CSV cannot be read, or it names a cine that is not in the run.
    """
    pairs = _by_names(tasks) if given == BY_NAMES else _by_table(Path(given), tasks)
    if not pairs:
        raise ConfigError(f"--pair {given}: no pair found; name cines x_4CH and x_2CH, or give a CSV")
    return pairs


def _by_names(tasks: Sequence[CineTask]) -> list[Pair]:
    views: dict[str, dict[str, list[str]]] = {}
    for task in tasks:
        found = _VIEW.search(task.name)
        if found:
            study = (task.name[: found.start()] + task.name[found.end() :]).strip("_-. ")
            views.setdefault(study, {}).setdefault(next(filter(None, found.groups())), []).append(task.name)
    return [
        Pair(study or "study", both["4"][0], both["2"][0])
        for study, both in views.items()
        if len(both.get("4", [])) == 1 and len(both.get("2", [])) == 1
    ]


def _by_table(path: Path, tasks: Sequence[CineTask]) -> list[Pair]:
    names = {task.name: task.name for task in tasks} | {Path(task.source).name: task.name for task in tasks}
    columns = ("study", "four_chamber", "two_chamber")
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        values = [tuple(row[column] for column in columns) for row in rows]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ConfigError(f"--pair {path}: cannot be read; give `names`, or a CSV with {', '.join(columns)}") from error
    unknown = [name for _, *both in values for name in both if name not in names]
    if unknown:
        raise ConfigError(f"--pair {path}: {unknown[0]!r} is no cine of this run")
    return [Pair(study, names[four], names[two]) for study, four, two in values]


def measure_pair(pair: Pair, outcomes: Mapping[str, Outcome]) -> PairResult:
    """Compute the biplane figures of a pair from the beats that count in both views.

    They are withheld where the EF of a view is, and to be reviewed where one of the views is, or where the lengths of
    the ventricle differ by more than 10%.

    Args:
        pair: The pair.
        outcomes: Outcomes of the run by the name of the results.
    """
    both = [outcomes[name] for name in (pair.four_chamber, pair.two_chamber)]
    figures = [outcome.figures for outcome in both if outcome.figures is not None]
    if len(figures) < len(both):
        return PairResult(pair, "failed", reasons=("one of the cines could not be segmented",))
    reasons = [
        f"{view}: {reason['text']}"
        for view, values in zip(("4CH", "2CH"), figures, strict=True)
        for reason in values["reasons"]
        if reason["level"] == values["verdict"]
    ]
    verdicts = {values["verdict"] for values in figures}
    if "withhold" in verdicts:
        return PairResult(pair, "withhold", reasons=tuple(reasons))
    try:
        beats, _, warnings = pair_beats((_view(both[0]), _view(both[1])), (_beats(figures[0]), _beats(figures[1])))
    except MeasurementError as error:
        return PairResult(pair, "withhold", reasons=(*reasons, str(error)))
    if not beats:
        return PairResult(pair, "withhold", reasons=(*reasons, *(warnings or ["no beat was measured in both views"])))
    medians, _ = summarize(beats)
    is_doubtful = "review" in verdicts or LENGTHS_DIFFER in warnings
    return PairResult(
        pair,
        "review" if is_doubtful else "report",
        medians["ef_percent"],
        medians["edv_ml"],
        medians["esv_ml"],
        len(beats),
        (*reasons, *warnings),
    )


def _view(outcome: Outcome) -> View:
    figures = outcome.figures
    assert figures is not None
    stored = StoredResult(Path(outcome.files[-1]), figures)
    spacing = figures["spacing_mm"]
    return View(
        mask=stored.mask,
        area_px=stored.mask.sum(axis=(1, 2)),
        fps=figures["fps"],
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
    )


def _beats(figures: Mapping[str, Any]) -> list[BeatMeasurement]:
    return [BeatMeasurement.of(beat) for beat in figures["beats"] if beat["is_used"]]
