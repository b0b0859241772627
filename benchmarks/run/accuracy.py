"""Accuracy of rows: Dice and EF error of every row with trained weights, on one named split."""

from collections.abc import Callable
from typing import Any

from edgeecho.benchmarks.run.runner import Runner
from edgeecho.data import items_of, open_data
from edgeecho.errors import DataError
from edgeecho.evaluate import evaluate_model
from edgeecho.evaluate.scores import Scores

FIGURES = {
    "dice_ed": ("overlap", "dice_mean", "ED"),
    "dice_es": ("overlap", "dice_mean", "ES"),
}
EF_TOPICS = ("ef_masks", "ef_biplane_masks", "ef_beats_masks")
"""Topics of the EF error against the EF of the reference masks; the first that the data set has is taken."""


def require_items(data: str, split: str) -> None:
    """Refuse data that cannot be evaluated, before anything is timed; no video is opened.

    Raises:
        ConfigError: If the kind or the split is unknown.
        DataError: If the folder does not hold that data set, or the split is empty.
    """
    source = open_data(data)
    if not items_of(source, split):
        raise DataError(f"{source.kind} has no items in split {split}; choose another split")


def fill_accuracy(runners: list[Runner], data: str, split: str, threads: int, notify: Callable[[str], None]) -> None:
    """Evaluate each row with trained weights as `edgeecho eval` does; rows in bf16 are left out.

    Args:
        runners: Measured rows; those with trained weights get `accuracy`, or the reason in `failed`.
        data: `KIND:DIR`.
        split: `train`, `val`, `test` or `all`.
        threads: Threads of every engine.
        notify: Called with a description before each evaluation.
    """
    for runner in runners:
        row, entry = runner.row, runner.entry
        if row.weights != "trained" or row.error or row.precision_asked == "bf16":
            continue
        notify(f"evaluating {entry.label} on {data.partition(':')[0]} {split}")
        with runner.attempt_extra("accuracy"):
            scores = evaluate_model(
                entry.source,
                data,
                split,
                row.runtime,
                row.precision_asked if row.runtime != "torch" else None,
                threads,
                as_stream=row.form == "stream",
            )
            row.accuracy = summarise(scores)


def summarise(scores: Scores) -> dict[str, Any]:
    """Return `Row.accuracy` of an evaluation."""
    found = {(f.topic, f.metric, f.phase): f for f in scores.figures}
    out: dict[str, Any] = {"data": scores.data, "split": scores.split, "n": len(scores.videos)}
    for name, key in FIGURES.items():
        value = found[key].value if key in found else None
        out[name] = None if value is None else round(value, 5)
    ef = next(
        (found[key] for t in EF_TOPICS if (key := (t, "mae", "all")) in found and found[key].value is not None), None
    )
    out["ef_mae"] = None if ef is None or ef.value is None else round(ef.value, 3)
    out["ef_n"] = ef.n if ef else None
    return out
