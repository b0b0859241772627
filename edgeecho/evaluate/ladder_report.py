"""The ladder for the terminal and as files: a table, a CSV row a rung and way, a chart, and a sheet of pictures."""

import io
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeecho.evaluate.ladder_scores import FOUND, GIVEN, WAYS, LadderScores, RungScore
from edgeecho.evaluate.matplotlib_figure import figure_class
from edgeecho.evaluate.report import draw_worst, write_csv
from edgeecho.evaluate.table import model_text
from edgeecho.files import atomic
from edgeecho.report import write_png

if TYPE_CHECKING:
    from rich.console import RenderableType

COLOURS = {GIVEN: "#0072b2", FOUND: "#d55e00"}
"""Blue and orange, which colour-blind people can tell apart too."""
DPI = 130


def render_ladder(scores: LadderScores) -> "Iterator[RenderableType]":
    """Yield the table of the rungs for the terminal, and a line of summary for each way."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    yield Text(
        f"{model_text(scores.model)} on the ladder, "
        f"{scores.data} {scores.split}: {scores.patients} patients; Dice, mean and worst item; EF of the model less "
        "that of the reference masks, bias and MAE in points"
    )
    columns = [f"{name}\n{way}" for way in WAYS for name in ("mean", "worst", "bias", "MAE")]
    table = Table("rung", "n", *columns, "refused", "worst item, region found", box=SIMPLE_HEAD)
    for label in dict.fromkeys(row.rung for row in scores.rows):
        rows = [row for way in WAYS if (row := scores.row(label, way))]
        refused = "/".join(str(row.refused) for row in rows) if any(row.refused for row in rows) else ""
        cells = [cell for row in rows for cell in _cells(row)]
        table.add_row(label, str(rows[0].items), *cells, refused, rows[-1].worst)
    yield table
    for way in WAYS:
        if summary := scores.summary(way):
            yield Text(
                f"region {way}: worst rung {summary.worst_rung} ({summary.worst_dice:.3f}), mean of all rungs' worst "
                f"{summary.mean_of_worst:.3f}, mean of their means {summary.mean_of_means:.3f}"
            )
    yield from map(Text, scores.notes)


def ladder_markdown(rows: list[RungScore]) -> str:
    """Return the figures of the rungs as a Markdown table, for a model card or a page."""
    columns = [f"{name}, {way}" for way in WAYS for name in ("mean", "worst", "EF bias", "EF MAE")]
    lines = [f"| rung | items | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
    for label in dict.fromkeys(row.rung for row in rows):
        of_rung = [row for way in WAYS for row in rows if (row.rung, row.region) == (label, way)]
        cells = [cell for row in of_rung for cell in _cells(row)]
        lines.append(f"| {label} | {of_rung[0].items} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cells(row: RungScore) -> tuple[str, str, str, str]:
    """Format mean and worst Dice, bias and MAE of EF; empty where there is no EF."""
    bias = "" if row.ef_bias is None else f"{row.ef_bias:+.1f}"
    mae = "" if row.ef_mae is None else f"{row.ef_mae:.1f}"
    return f"{row.dice_mean:.3f}", f"{row.dice_worst:.3f}", bias, mae


def write_ladder(scores: LadderScores, out_dir: str | os.PathLike[str]) -> list[Path]:
    """Write `ladder.csv`, `ladder.md` for a model card, the chart `ladder.png`, and `rungs.png`, a frame on each rung.

    Args:
        scores: Result of `evaluate_ladder`.
        out_dir: Folder, which is made if it does not exist; files of those names are replaced.

    Returns:
        Paths of the files.

    Raises:
        MissingExtraError: If matplotlib is not installed; nothing is written then.
        OutputError: If a file cannot be written.
    """
    figure_class()  # first, as it may be missing
    chart, folder = draw_ladder(scores), Path(out_dir)
    written = [folder / "ladder.csv", folder / "ladder.md", folder / "ladder.png"]
    write_csv(written[0], [asdict(row) for row in scores.rows])
    with atomic(written[1]) as temporary:
        temporary.write_text(ladder_markdown(scores.rows), encoding="utf-8")
    with atomic(written[2]) as temporary:
        temporary.write_bytes(chart)
    if scores.shown:
        written.append(folder / "rungs.png")
        write_png(written[-1], draw_worst(scores.shown))
    return written


def draw_ladder(scores: LadderScores) -> bytes:
    """Draw mean and worst Dice of each rung, and the bias of EF beside them, as PNG."""
    labels = list(dict.fromkeys(row.rung for row in scores.rows))
    figure = figure_class()(figsize=(9, 1.4 + 0.24 * len(labels)), layout="constrained")
    dice, ef = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    for way, offset in zip(WAYS, (-0.14, 0.14), strict=True):
        rows = [(y, row) for y, label in enumerate(labels) if (row := scores.row(label, way))]
        at = np.array([y for y, _ in rows]) + offset
        worst, mean = ([getattr(row, key) for _, row in rows] for key in ("dice_worst", "dice_mean"))
        dice.hlines(at, worst, mean, color=COLOURS[way], linewidth=1)
        dice.plot(mean, at, "o", color=COLOURS[way], markersize=4, label=f"mean, region {way}")
        dice.plot(worst, at, "|", color=COLOURS[way], markersize=7, label=f"worst item, region {way}")
        biases = [(y, row.ef_bias) for y, (_, row) in zip(at, rows, strict=True) if row.ef_bias is not None]
        ef.plot([bias for _, bias in biases], [y for y, _ in biases], "o", color=COLOURS[way], markersize=4)
    dice.set_yticks(range(len(labels)), labels)
    dice.invert_yaxis()
    dice.set_xlabel("Dice")
    dice.legend(fontsize=7, loc="lower left")
    ef.axvline(0, color="#777777", linewidth=0.6)
    ef.set_xlabel("bias of EF, points")
    figure.suptitle(f"{scores.model.name} {scores.model.precision}, {scores.data} {scores.split}", fontsize=10)
    for axis in (dice, ef):
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", color="#dddddd", linewidth=0.5)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=DPI, format="png", metadata={"Software": None})
    return picture.getvalue()
