"""Tables, curves and file of `studies.claim`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.files import atomic
from edgeecho.metrics.interval import bootstrap_interval
from studies.claim_networks import REFERENCE, ROWS

Results = list[dict[str, Any]]
PHASES = ("ED", "ES")
MIN_SHOWN_DICE = 0.8
"""Least Dice in the picture of the curves."""


def of(results: Results, row: str, kind: str) -> Results:
    """Return the runs of a row of one kind, `rate` or `full`, by rate and seed."""
    found = [r for r in results if r["row"] == row and r["kind"] == kind]
    return sorted(found, key=lambda r: (r["rate"], r["seed"]))


def full_runs(results: Results, row: str) -> Results:
    """Return the full runs of a row, by seed; they have one learning rate."""
    return of(results, row, "full")


def patient_dice(runs: Results, phase: str) -> dict[str, float]:
    """Return the mean Dice over the seeds by patient; a Dice without a value counts as 0."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for patient, scores in run["validation"].items():
            if phase in scores:
                found.setdefault(patient, []).append(float(np.nan_to_num(scores[phase])))
    return {patient: float(np.mean(values)) for patient, values in found.items()}


def paired_difference(runs: Results, reference: Results, phase: str) -> tuple[float, float, float]:
    """Compare two networks by patient.

    Args:
        runs: Full runs of a network.
        reference: Full runs of the network that it is compared with.
        phase: `ED` or `ES`.

    Returns:
        The mean over patients of the difference of Dice (each the mean over the seeds), and the two ends of its 95%
        bootstrap interval over patients.
    """
    one, other = patient_dice(runs, phase), patient_dice(reference, phase)
    difference = np.array([one[patient] - other[patient] for patient in sorted(one.keys() & other.keys())])
    totals = np.stack([difference, np.ones_like(difference)], axis=1)
    low, high = bootstrap_interval(totals, lambda sums: np.asarray(sums[..., 0] / sums[..., 1]))
    return float(difference.mean()), low, high


def mean_and_spread(values: list[float]) -> str:
    """Return the mean of some values, and their standard deviation where there are two or more."""
    spread = f" ({np.std(values, ddof=1):.4f})" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{spread}"


def last_dice(run: dict[str, Any]) -> float:
    """Return Dice on the held-out patients at the end of a run, the mean of ED and ES."""
    return float(np.mean(list(run["curve"][-1]["held_out"].values())))


def gain(results: Results, row: str) -> str:
    """Return by how much a full run is better on the held-out patients than the run of fewer clips at its rate."""
    full = full_runs(results, row)[0]
    short = [r for r in of(results, row, "rate") if (r["rate"], r["seed"]) == (full["rate"], full["seed"])]
    return f"{last_dice(full) - last_dice(short[0]):+.4f}" if short else ""


def measured(results: Results, rows: list[str]) -> Iterator[str]:
    """Yield the lines of the table of the full runs."""
    heads = ["network", "parameters", "MACs a frame", "learning rate", "seeds", "Dice at ED", "Dice at ES"]
    heads += [f"{phase} less that of {ROWS[REFERENCE].title}" for phase in PHASES]
    heads += ["gained by the last three quarters", "CPU hours a run"]
    yield f"| {' | '.join(heads)} |"
    yield "|---|---:|---:|---:|---:|---|---|---|---|---:|---:|"
    reference = full_runs(results, REFERENCE)
    for row in rows:
        runs = full_runs(results, row)
        if not runs:
            continue
        cells = [ROWS[row].title, f"{runs[0]['network']['parameters']:,}", f"{runs[0]['macs_a_frame'] / 1e9:.3f} G"]
        cells += [f"{runs[0]['rate']:g}", ", ".join(str(run["seed"]) for run in runs)]
        cells += [mean_and_spread([float(np.mean(list(patient_dice([r], p).values()))) for r in runs]) for p in PHASES]
        for phase in PHASES:
            compared = reference and row != REFERENCE
            values = paired_difference(runs, reference, phase) if compared else ()
            cells.append("{:+.4f} ({:+.4f} to {:+.4f})".format(*values) if values else "")
        cells += [gain(results, row), f"{np.mean([run['curve'][-1]['cpu_s'] for run in runs]) / 3600:.2f}"]
        yield f"| {' | '.join(cells)} |"


def rates(results: Results, rows: list[str]) -> Iterator[str]:
    """Yield the lines of the table of the learning rates."""
    yield "| network | learning rate | clips | held-out Dice at ED | at ES | mean |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        runs = of(results, row, "rate")
        best = max(map(last_dice, runs), default=0.0)
        for run in runs:
            scores, mean = run["curve"][-1]["held_out"], last_dice(run)
            values = " | ".join(f"{scores[phase]:.4f}" for phase in PHASES)
            marked = f"**{mean:.4f}**" if mean == best else f"{mean:.4f}"
            yield f"| {ROWS[row].title} | {run['rate']:g} | {run['clips']} | {values} | {marked} |"


def draw(results: Results, rows: list[str], path: Path) -> None:
    """Draw held-out Dice, the mean of ED and ES, by the clips seen: a line a full run, dashed the chosen rate run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    canvas, axis = pyplot.subplots(figsize=(7, 4.5))
    for number, row in enumerate(rows):
        full, rate_runs = full_runs(results, row), of(results, row, "rate")
        shown = [(run, "-") for run in full]
        if rate_runs:
            shown.append((max(rate_runs, key=last_dice), "--"))
        for k, (run, style) in enumerate(shown):
            dice = [np.mean(list(point["held_out"].values())) for point in run["curve"]]
            clips = [point["clips"] for point in run["curve"]]
            label = ROWS[row].title if k == 0 else None
            axis.plot(clips, dice, style, color=f"C{number}", linewidth=1.2, label=label)
    axis.set_ylim(bottom=MIN_SHOWN_DICE)
    axis.set_xlabel("clips seen")
    axis.set_ylabel("Dice of held-out patients, mean of ED and ES")
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right", fontsize=8)
    canvas.tight_layout()
    with atomic(path) as temporary:
        pyplot.savefig(temporary, dpi=110)
    pyplot.close(canvas)


def report(results: Results, rows: list[str], out: Path) -> None:
    """Print the tables, and write `claim.json` with all runs, one a line, and `claim.png`."""
    print("\n".join([*measured(results, rows), "", *rates(results, rows)]), flush=True)
    with atomic(out / "claim.json") as path:
        path.write_text("[\n" + ",\n".join(json.dumps(result) for result in results) + "\n]\n")
    if results:
        draw(results, rows, out / "claim.png")
