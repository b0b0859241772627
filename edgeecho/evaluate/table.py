"""Tables of an evaluation for the terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edgeecho.evaluate.figures import Figure
from edgeecho.evaluate.scores import Scores
from edgeecho.runtime.segmentation import ModelInfo

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

OVERLAP = (
    ("Dice, mean of videos", "overlap", "dice_mean"),
    ("Dice, pooled", "overlap", "dice_pooled"),
    ("IoU, mean of videos", "overlap", "iou_mean"),
    ("IoU, pooled", "overlap", "iou_pooled"),
    ("HD95, mm", "surface", "hd95_mm"),
    ("ASSD, mm", "surface", "assd_mm"),
    ("HD95, px", "surface", "hd95_px"),
    ("ASSD, px", "surface", "assd_px"),
)
DIGITS = {"mm": 2, "px": 2, "mL": 1, "points": 1, "%": 1, "frames": 2, "ms": 0, "1/s2": 1}
"""Number of digits after the point, by unit."""
AGREEMENT = (
    ("EDV, mL\nmodel - masks", "edv_masks"),
    ("ESV, mL\nmodel - masks", "esv_masks"),
    ("EF, model - masks", "ef_masks"),
    ("EDV biplane, mL\nmodel - masks", "edv_biplane_masks"),
    ("ESV biplane, mL\nmodel - masks", "esv_biplane_masks"),
    ("EF biplane, model - masks", "ef_biplane_masks"),
    ("EF biplane, model - clinical", "ef_biplane_clinical"),
    ("EF biplane, masks - clinical\n(the floor)", "ef_biplane_floor"),
    ("EF, model - clinical", "ef_clinical"),
    ("EF, masks - clinical\n(the floor)", "ef_floor"),
    ("EF, found beats - masks", "ef_beats_masks"),
    ("EF, found beats - clinical", "ef_beats_clinical"),
)
"""Label and topic of each row. `masks` are the reference masks, `clinical` is what the data set states."""
TIME = (
    ("found, %", "phase_frames", "found"),
    ("error, frames", "phase_frames", "mae"),
    ("bias, frames", "phase_frames", "bias"),
    ("error, ms", "phase_frames", "mae_ms"),
    ("frame-to-frame Dice", "time", "frame_to_frame_dice"),
    ("  less the reference's", "time", "frame_to_frame_dice_less_reference"),
    ("roughness of area, 1/s2", "time", "roughness"),
    ("  less the reference's", "time", "roughness_less_reference"),
    ("  over the reference's", "time", "roughness_over_reference"),
    ("area curve, Pearson r", "time", "area_pearson_r"),
    ("area curve, error, %", "time", "area_mae"),
)


def render_scores(scores: Scores) -> "Iterator[RenderableType]":
    """Yield tables for the terminal, each figure with its bootstrap interval over patients."""
    from rich.text import Text

    counts = scores.counts
    yield Text(
        f"{model_text(scores.model)} on {scores.data} {scores.split}: "
        f"{counts['patients']} patients, {counts['videos']} videos, {counts['labelled_frames']} labelled frames; "
        "95% bootstrap intervals over patients"
    )
    tables = (_overlap_table(scores), _agreement_table(scores), _time_table(scores))
    yield from (table for table in tables if table.row_count)
    if tables[-1].row_count:
        for population in scores.populations:
            if population.thresholds:
                yield Text(f"consistency thresholds: {population.thresholds.source}")
    if counts["missed_frames"] or counts["missing_ef"]:
        yield Text(
            f"{counts['missed_frames']} labelled frames missed altogether; {counts['missing_ef']} of "
            f"{counts['reference_ef']} patients without EF"
        )
    yield from map(Text, scores.notes)


def model_text(model: ModelInfo) -> str:
    """Return a model with its precision and runtime, such as `cl_unet_edge int8 (ort 1.32.0)`."""
    return f"{model.name} {model.precision} ({f'{model.runtime} {model.runtime_version}'.strip()})"


def text(figure: Figure | None) -> str:
    """Format a figure with its interval, such as `0.931 [0.922, 0.940]`; empty for None."""
    if figure is None or figure.value is None:
        return ""
    digits = 4 if figure.topic in ("overlap", "quality") else DIGITS.get(figure.unit, 3)
    ends = "" if figure.low is None or figure.high is None else f" [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
    return f"{figure.value:.{digits}f}{ends}"


def _overlap_table(scores: Scores) -> "Table":
    from rich.table import Table

    columns = [phase for phase in ("ED", "ES", "other", "all") if scores.figure("overlap", "dice_mean", phase)]
    counts = [scores.figure("overlap", "dice_mean", phase) for phase in columns]
    table = Table("LV cavity", *(f"{p} (n = {f.n if f else 0})" for p, f in zip(columns, counts, strict=True)))
    if not columns:
        return table
    for label, topic, metric in OVERLAP:
        cells = [text(scores.figure(topic, metric, phase)) for phase in columns]
        if any(cells):
            table.add_row(label, *cells)
    for figure in scores.figures:
        if figure.topic == "quality":
            blank = [""] * (len(columns) - 1)
            table.add_row(f"Dice, {figure.phase} quality (n = {figure.n})", *blank, text(figure))
    return table


def _agreement_table(scores: Scores) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table("difference", "n", "MAE", "RMSE", "R2", "Pearson r", "bias", "limits", box=SIMPLE_HEAD)
    for label, topic in AGREEMENT:
        found = {f.metric: f for f in scores.figures if f.topic == topic}
        if not found:
            continue
        low, high = found["loa_low"].value, found["loa_high"].value
        limits = "" if low is None or high is None else f"{low:+.1f} to\n{high:+.1f}"
        cells = (text(found[name]).replace(" [", "\n\\[") for name in ("mae", "rmse", "r2", "pearson_r", "bias"))
        table.add_row(label, str(found["mae"].n), *cells, limits)
    return table


def _time_table(scores: Scores) -> "Table":
    from rich.table import Table

    table = Table("over time", "ED", "ES", "all cines")
    for label, topic, metric in TIME:
        cells = [text(scores.figure(topic, metric, phase)) for phase in ("ED", "ES", "all")]
        if any(cells):
            table.add_row(label, *cells)
    for figure in scores.figures:
        if figure.topic.startswith("consistency"):
            of = "any attribute" if figure.phase == "all" else figure.phase.replace("_", " ")
            unit = f", {figure.unit}" if figure.unit else ""
            table.add_row(f"{figure.metric.replace('_', ' ')}, {of}{unit}", "", "", text(figure))
    return table
