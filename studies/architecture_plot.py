"""Plot of `studies.architecture`: Dice after a short training over the time of an int8 clip."""

from pathlib import Path
from typing import Any

from edgeecho.errors import ConfigError


def pareto(points: dict[str, tuple[float, float]]) -> list[str]:
    """Return the names of the points (time, Dice) that no other is both faster and better than, the fastest first."""
    front: list[str] = []
    for name in sorted(points, key=lambda n: (points[n][0], -points[n][1])):
        if not front or points[name][1] > points[front[-1]][1]:
            front.append(name)
    return front


def draw(results: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw the plot of the networks that were timed and trained.

    Args:
        results: Measured values by network and name.
        path: PNG file to write.

    Raises:
        ConfigError: If no network was both timed and trained.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    both = {name: row for name, row in results.items() if "ort clip" in row and "dice" in row}
    if not both:
        raise ConfigError("no network has both its times and its Dice; run speed and train first")
    points = {name: (row["ort clip"], sum(row["dice"].values()) / len(row["dice"])) for name, row in both.items()}
    front = pareto(points)
    canvas, axis = pyplot.subplots(figsize=(8, 4.6))
    axis.plot(*zip(*(points[name] for name in front), strict=True), color="0.7", zorder=1)
    for k, (name, (ms, dice)) in enumerate(sorted(points.items(), key=lambda point: point[1])):
        axis.scatter(ms, dice, color="black" if name in front else "0.6", s=22, zorder=2)
        axis.annotate(name, (ms, dice), xytext=(4, -11 if k % 2 else 4), textcoords="offset points", fontsize=8)
    axis.set_xlabel("int8 clip of 32 frames in ONNX Runtime, ms of one core")
    axis.set_ylabel("mean Dice of ED and ES, held-out patients")
    axis.margins(x=0.2, y=0.12)
    axis.grid(alpha=0.3)
    canvas.tight_layout()
    canvas.savefig(path, dpi=110)
    pyplot.close(canvas)
