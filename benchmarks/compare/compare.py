"""Comparison of two result files in the terminal, for `edgeecho bench compare`."""

import os
from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edgeecho.benchmarks.compare.comparison import (
    FASTER,
    INCONCLUSIVE,
    MACHINE,
    MIN_RELATIVE_CHANGE,
    MIN_RUNS,
    NOT_TOLD,
    PERHAPS,
    SLOWER,
    YARDSTICK_ONLY,
    Comparison,
    compare,
    interval,
    signed_percent,
)
from edgeecho.benchmarks.render.formatting import significant
from edgeecho.benchmarks.run.result import BenchResult

COLOURS = {
    FASTER: "green",
    SLOWER: "red",
    MACHINE: "yellow",
    YARDSTICK_ONLY: "yellow",
    INCONCLUSIVE: "yellow",
    NOT_TOLD: "dim",
}
MIN_FULL_WIDTH_CHARS = 100
"""Characters in a line; narrower terminals show no intervals."""


def compare_runs(first: str | os.PathLike[str], second: str | os.PathLike[str]) -> Comparison:
    """Compare two files that `edgeecho bench --json` wrote, of this schema or the one before.

    Raises:
        DataError: If one cannot be read or is no result.
    """
    return compare(BenchResult.from_json(first), BenchResult.from_json(second))


def render_comparison(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """Yield a table of the rows with their change and verdict, for `width` characters, then the conclusion."""
    for warning in comparison.warnings:
        yield Text(warning, "yellow")
    is_wide = width >= MIN_FULL_WIDTH_CHARS
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("row", overflow="fold")
    heads = ["p50, ms\nfirst", "p50, ms\nsecond", "change", "against\nyardstick"]
    if is_wide:
        heads[3:3] = ["95 %\nof change"]
        heads.append("95 %\nof that")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for change in comparison.changes:
        cells = [significant(change.old.p50_ms), significant(change.new.p50_ms), signed_percent(change.ratio)]
        cells += [interval(change.ratio)] if is_wide else []
        cells += [signed_percent(change.corrected)]
        cells += [interval(change.corrected)] if is_wide else []
        colour = COLOURS.get(change.verdict)
        verdict = f"[{colour}]{change.verdict}[/]" if colour else change.verdict
        table.add_row(escape(change.name), *cells, verdict)
    yield table if comparison.changes else "The two results have no row in common."
    for change in comparison.changes:
        for note in change.notes:
            yield Text(f"{change.name}: {note}")
    for words, names in (("first", comparison.only_old), ("second", comparison.only_new)):
        if names:
            yield Text(f"Only in the {words}: {', '.join(names)}.")
    yield from map(Text, _conclusion(comparison))


def _conclusion(comparison: Comparison) -> list[str]:
    names = {
        verdict: ", ".join(change.name for change in comparison.changes if change.verdict == verdict)
        for verdict in (SLOWER, FASTER, PERHAPS + SLOWER, PERHAPS + FASTER, INCONCLUSIVE)
    }
    lines = [
        f"{verdict.capitalize()} beyond noise: {names[verdict]}." for verdict in (SLOWER, FASTER) if names[verdict]
    ]
    if comparison.changes and not any(names.values()):
        lines.append("No row changed beyond noise.")
    perhaps = [verdict for verdict in (PERHAPS + SLOWER, PERHAPS + FASTER) if names[verdict]]
    lines += [f"{verdict.capitalize()}: {names[verdict]}." for verdict in perhaps]
    if perhaps:
        lines.append("Perhaps: beyond the row's own scatter, but the yardstick scatters too much to clear the machine.")
    if names[INCONCLUSIVE]:
        lines.append(
            f"{INCONCLUSIVE.capitalize()}: {names[INCONCLUSIVE]}. The times changed; that cannot be told from drift of "
            "the machine."
        )
    if comparison.yardstick:
        lines.append(
            f"The yardstick, the standard 3D U-Net's fp32 in ONNX Runtime: {signed_percent(comparison.yardstick)}. "
            f"{MACHINE.capitalize()}: the row moved with it. {YARDSTICK_ONLY.capitalize()}: it moved, the row did not."
        )
        if names[INCONCLUSIVE]:
            lines.append(
                "Inconclusive: the row's time and its time over the yardstick's changed in opposite directions."
            )
    elif comparison.changes:
        lines.append(
            f"No yardstick (the standard 3D U-Net's fp32 in ONNX Runtime): {comparison.no_yardstick}. Drift of the "
            "machine looks like a change of every row, and can hide one."
        )
    lines.append(
        f"Noise: less than {100 * MIN_RELATIVE_CHANGE:.0f} %, or an interval that holds 0. Not told: fewer than "
        f"{MIN_RUNS} runs, not timed, or timed on other work."
    )
    return lines
