"""Several runs that differ in their seed alone, and the spread of their scores."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgeecho.errors import ConfigError
from edgeecho.train.config import TrainConfig
from edgeecho.train.logs import LOG


def train_seeds(config: TrainConfig, seeds: str, train: Callable[[TrainConfig], Path]) -> str:
    """Train once for each seed, in `run.out/seed<N>`, and return a table of the best validation of each run.

    Args:
        config: Settings of the runs.
        seeds: Whole numbers, separated by commas.
        train: Function that trains one run and returns its checkpoint.

    Raises:
        ConfigError: If the seeds are no different whole numbers.
    """
    numbers = seeds.split(",")
    if not all(number.strip().isdecimal() for number in numbers) or len(set(map(int, numbers))) < len(numbers):
        raise ConfigError(f"--seeds takes different whole numbers separated by commas, such as 1,2,3, got {seeds!r}")
    lines, found = [], []
    for seed in map(int, numbers):
        out = Path(config.run.out) / f"seed{seed}"
        path = train(config.with_value("run.seed", seed).with_value("run.out", str(out)))
        scores = best_validation(out)
        found.append(scores)
        text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
        lines.append(f"seed {seed}: {text + ', ' if text else ''}{path}")
    for phase in found[0]:
        values = [scores[phase] for scores in found if phase in scores]
        spread = f", deviation {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
        lines.append(f"Dice {phase}: mean {np.mean(values):.4f}{spread}, {len(values)} seeds")
    return "\n".join(lines)


def best_validation(folder: Path) -> dict[str, float]:
    """Return the Dice of each phase of the chosen checkpoint of a run; empty if it chose on nobody."""
    entries = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    chosen: list[dict[str, float]] = [entry["held_out_dice"] for entry in entries if entry["chosen"]]
    return chosen[-1] if chosen else {}
