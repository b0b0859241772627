"""Plot of `studies.ablations`: one panel for each figure, one dot for each seed."""

from pathlib import Path

import numpy as np


def draw(results: dict[str, dict[str, dict[str, float]]], figures: list[str], path: Path) -> None:
    """Draw the plot.

    Args:
        results: Values by row, seed and figure; a figure that a row does not have is left out.
        figures: Names of the figures to draw.
        path: PNG file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(results)
    columns = min(4, len(figures))
    height = -(-len(figures) // columns)
    canvas, axes = pyplot.subplots(
        height, columns, figsize=(3.4 * columns, (0.32 * len(rows) + 1) * height), squeeze=False, sharey=True
    )
    for axis, figure in zip(axes.flat, figures, strict=False):
        for y, row in enumerate(rows):
            values = [scores.get(figure, np.nan) for scores in results[row].values()]
            axis.plot(values, [y] * len(values), "o", color="0.6", markersize=4)
            axis.plot([float(np.mean(values))], [y], "|", color="black", markersize=14)
        axis.set_title(figure, fontsize=9)
        axis.set_yticks(range(len(rows)), rows)
        axis.grid(axis="x", alpha=0.3)
    axes[0, 0].invert_yaxis()
    for axis in list(axes.flat)[len(figures) :]:
        axis.set_visible(False)
    canvas.tight_layout()
    canvas.savefig(path, dpi=110)
    pyplot.close(canvas)
