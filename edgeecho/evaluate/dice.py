"""Dice of a model on labelled frames, at the frames' own size."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeecho.data import open_data
from edgeecho.metrics import dice
from edgeecho.runtime import load


@dataclass(frozen=True)
class PhaseScore:
    """Mean over patients of the Dice of one phase's frames."""

    phase: str
    n: int
    dice_mean: float
    dice_median: float
    dice_min: float


@dataclass(frozen=True)
class Scores:
    """A model on a split."""

    model: str
    precision: str
    runtime: str
    data: str
    split: str
    phases: list[PhaseScore]
    dice: dict[str, float]
    """Of every frame, by its name."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def evaluate_model(
    model: str,
    data: str,
    split: str,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scores:
    """Segment every labelled frame of a split, at its own size.

    Args:
        model: Packaged model's name, folder or file.
        data: `KIND:DIR`.
        split: `train`, `val` or `test`.
        runtime: As `edgeecho.load`.
        precision: As `edgeecho.load`.
        threads: As `edgeecho.load`.
        progress: Called with frames done and frames.
    """
    source = open_data(data)
    items = source.items(split)
    predictor = load(model, runtime=runtime, precision=precision, threads=threads)
    found: dict[str, list[float]] = {}
    by_frame: dict[str, float] = {}
    for done, item in enumerate(items):
        progress(done, len(items))
        cine = item.read()
        mask = predictor.segment(cine).mask
        for index, label in cine.labels.items():
            score = dice(mask[index], label)
            found.setdefault(cine.phases.get(index, "other"), []).append(score)
            by_frame[f"{item.name}:{index}"] = score
    phases = [
        PhaseScore(phase, len(v), float(np.mean(v)), float(np.median(v)), float(np.min(v)))
        for phase, v in sorted(found.items())
    ]
    info = predictor.info
    return Scores(info.name, info.precision, info.runtime, source.kind, split, phases, by_frame)


def print_scores(scores: Scores) -> None:
    """A table on stdout."""
    from rich.console import Console
    from rich.table import Table

    title = f"{scores.model} {scores.precision} ({scores.runtime}) on {scores.data} {scores.split}: LV Dice per frame"
    table = Table("phase", "frames", "mean", "median", "worst", title=title)
    for p in scores.phases:
        table.add_row(p.phase, str(p.n), f"{p.dice_mean:.4f}", f"{p.dice_median:.4f}", f"{p.dice_min:.4f}")
    Console().print(table)
