"""Plots of an evaluation: Bland-Altman, EF scatter, Dice by image quality."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from edgeecho.evaluate.matplotlib_figure import figure_class
from edgeecho.evaluate.scores import Scores
from edgeecho.metrics import agreement

MODEL, FLOOR, GREY = "#0072b2", "#d55e00", "#777777"
"""Blue and orange, which colour-blind people can tell apart too."""
DPI = 130
Pairs = tuple[np.ndarray, np.ndarray]
Plot = Any
"""Figure of matplotlib, which is imported only when something is drawn."""
Axes = Any
"""Axes of matplotlib."""


def draw_plots(scores: Scores) -> Iterator[tuple[str, bytes]]:
    """Draw the plots that the data set allows: file name and PNG of each."""
    title = f"{scores.model.name} {scores.model.precision}, {scores.data} {scores.split}"
    comparisons = [(label, colour, *pairs) for label, colour, pairs in _ef_pairs(scores) if len(pairs[0]) > 1]
    if comparisons:
        yield "bland_altman.png", _png(_bland_altman(comparisons, title))
        yield "ef_scatter.png", _png(_scatter(comparisons, title))
    by_quality = _dice_by_quality(scores)
    if by_quality:
        yield "dice_by_quality.png", _png(_boxes(by_quality, title))


def _ef_pairs(scores: Scores) -> Iterator[tuple[str, str, Pairs]]:
    """Pair the EF of the model with that of the reference masks, and both with the clinical EF."""
    kinds = [
        ("model", "reference masks", MODEL, [(p.model.ef_percent, p.reference.ef_percent) for p in scores.patients]),
        ("model", "clinical", MODEL, [(p.model.ef_percent, p.clinical_ef_percent) for p in scores.patients]),
        (
            "model, found beats",
            "clinical",
            MODEL,
            [(p.beats_ef_percent, p.clinical_ef_percent) for p in scores.patients],
        ),
        (
            "reference masks",
            "clinical",
            FLOOR,
            [(p.reference.ef_percent, p.clinical_ef_percent) for p in scores.patients],
        ),
    ]
    both_views = [(p.model.ef_percent, p.clinical_ef_percent) for p in scores.biplane]
    kinds.append(("model, biplane", "clinical", MODEL, both_views))
    for predicted, reference, colour, values in kinds:
        both = np.array([(p, r) for p, r in values if p is not None and r is not None], float).reshape(-1, 2)
        yield f"{predicted} - {reference}", colour, (both[:, 0], both[:, 1])


def _bland_altman(comparisons: list[tuple[str, str, np.ndarray, np.ndarray]], title: str) -> Plot:
    figure, axes = _panels(len(comparisons), title)
    limit = max(float(np.abs(p - r).max()) for _, _, p, r in comparisons) * 1.15 + 1
    for axis, (label, colour, predicted, reference) in zip(axes, comparisons, strict=True):
        found = agreement(predicted, reference)
        axis.scatter((predicted + reference) / 2, predicted - reference, s=16, color=colour, alpha=0.7, linewidths=0)
        axis.axhline(0, color=GREY, linewidth=0.6)
        for value, style in ((found.bias, "-"), (found.loa_low, "--"), (found.loa_high, "--")):
            axis.axhline(value, color=colour, linestyle=style, linewidth=1.1)
            axis.annotate(
                f"{value:+.1f}", (1, value), xycoords=("axes fraction", "data"), xytext=(-3, 3),
                textcoords="offset points", ha="right", fontsize=8,
            )  # fmt: skip
        axis.set_ylim(-limit, limit)
        axis.set_title(f"{label} (n = {found.n})", fontsize=9)
        axis.set_xlabel("mean of both, EF %")
    axes[0].set_ylabel("difference, EF points")
    return figure


def _scatter(comparisons: list[tuple[str, str, np.ndarray, np.ndarray]], title: str) -> Plot:
    figure, axes = _panels(len(comparisons), title)
    every = np.concatenate([np.concatenate([p, r]) for _, _, p, r in comparisons])
    low, high = float(every.min()) - 3, float(every.max()) + 3
    for axis, (label, colour, predicted, reference) in zip(axes, comparisons, strict=True):
        found, (of, against) = agreement(predicted, reference), label.split(" - ")
        axis.plot([low, high], [low, high], color=GREY, linewidth=0.8)
        axis.scatter(reference, predicted, s=16, color=colour, alpha=0.7, linewidths=0)
        axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axis.set_title(f"r = {found.pearson_r:.3f}, MAE = {found.mae:.1f}, bias = {found.bias:+.1f}", fontsize=9)
        axis.set_xlabel(f"EF %, {against}")
        axis.set_ylabel(f"EF %, {of}")
    return figure


def _dice_by_quality(scores: Scores) -> dict[str, np.ndarray]:
    """Collect the Dice of labelled frames by image quality; best quality first if the names are CAMUS's."""
    found: dict[str, list[float]] = {}
    for video in scores.videos:
        values = [f.overlap.dice for f in video.labelled if f.overlap.union_px]
        if video.quality is not None and values:
            found.setdefault(video.quality, []).extend(values)
    order = {"good": 0, "medium": 1, "poor": 2}
    return {q: np.array(found[q]) for q in sorted(found, key=lambda q: (order.get(q.lower(), 3), q))}


def _boxes(by_quality: dict[str, np.ndarray], title: str) -> Plot:
    figure, (axis,) = _panels(1, title)
    names = [f"{quality}\n(n = {len(values)})" for quality, values in by_quality.items()]
    axis.boxplot(list(by_quality.values()), widths=0.5, showfliers=False, medianprops={"color": MODEL})
    random = np.random.default_rng(0)
    for place, values in enumerate(by_quality.values(), start=1):
        axis.scatter(
            place + random.uniform(-0.18, 0.18, len(values)), values, s=10, color=MODEL, alpha=0.5, linewidths=0
        )
    axis.set_xticks(range(1, len(names) + 1), names)
    axis.set_ylabel("Dice of a labelled frame")
    axis.set_xlabel("image quality")
    return figure


def _panels(count: int, title: str) -> tuple[Plot, list[Axes]]:
    figure = figure_class()(figsize=(max(4.5, 3.8 * count), 4.2), layout="constrained")
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    figure.suptitle(title, fontsize=10)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    return figure, axes


def _png(figure: Plot) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, dpi=DPI, format="png", metadata={"Software": None})
    return picture.getvalue()
