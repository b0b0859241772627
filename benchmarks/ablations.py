"""What each idea is worth: short training runs of one budget that differ in one thing, measured alike.

    python -m edgeecho.benchmarks.ablations camus:DIR --out DIR [--rows NAME,NAME] [--seeds 1,2,3] [--steps N]

Every row is the released recipe with the changes of `ROWS`, for `--steps` steps and the same clips a step. A killed run
is taken up where it was; a finished row is not run again. Each network is then evaluated, as trained, on CAMUS's
validation stills, on CAMUS cines of the same patients and on phantoms of the validation split, whose masks are known on
every frame; the standard 3D U-Net, which pools along time, on the stills alone. No row was chosen on these. Written are
`ablations.json` and `ablations.png`; a table is printed.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.benchmarks.ablation_plot import draw
from edgeecho.data import open_data
from edgeecho.evaluate import evaluate_items
from edgeecho.files import atomic
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.runtime import load
from edgeecho.train.choose import Chooser
from edgeecho.train.config import TrainConfig, load_config
from edgeecho.train.loop import POOLED, train
from edgeecho.train.prepare import labelled_cines

NO_TCL = {"loss.cycle": 0.0, "loss.smooth": 0.0, "loss.beats": 0.0}
ROWS: dict[str, dict[str, Any]] = {
    "released recipe": {},
    "without TCL": NO_TCL,
    "cycle alone": NO_TCL | {"loss.cycle": 0.1},
    "smooth alone": NO_TCL | {"loss.smooth": 10.0},
    "beats alone": NO_TCL | {"loss.beats": 0.5},
    "causal": {"model.overrides": {"causal": True}},
    "without CAMUS cines": {"clips.cines": 0.0},
    "without phantom": {"clips.phantom": 0.0},
    "stills alone": {"clips.cines": 0.0, "clips.phantom": 0.0},
    "banded": {"model.family": "cl_unet"},
    "standard 3D U-Net": {"model.family": "unet3d"},
}
FIGURES = {
    "ED Dice": ("camus", "overlap", "dice_mean", "ED"),
    "ES Dice": ("camus", "overlap", "dice_mean", "ES"),
    "unlabelled Dice": ("camus-cines", "overlap", "dice_mean", "other"),
    "roughness ratio": ("camus-cines", "time", "roughness_over_reference", "all"),
    "EF error": ("camus-cines", "ef_beats_masks", "mae", "all"),
    "phantom unlabelled Dice": ("phantom", "overlap", "dice_mean", "other"),
    "phantom roughness ratio": ("phantom", "time", "roughness_over_reference", "all"),
    "phantom EF error": ("phantom", "ef_beats_masks", "mae", "all"),
}
"""Printed name to (data, topic, metric, phase) of `edgeecho.evaluate`."""


def run_row(base: TrainConfig, name: str, seed: int, out: Path) -> Path:
    """Train one row with one seed, or take up what is there; returns the checkpoint."""
    config = base.with_value("run.seed", seed).with_value("run.out", str(out))
    for key, value in ROWS[name].items():
        config = config.with_value(key, value)
    last, done = out / "last.pt", out / f"{config.model.name}.safetensors"
    log = out / "log.jsonl"
    if done.is_file() and log.is_file() and json.loads(log.read_text().splitlines()[-1])["step"] == config.optim.steps:
        return done

    def report(step: int, steps: int, text: str) -> None:
        if step % 50 == 0:
            sys.stderr.write(f"{name}, seed {seed}: step {step}/{steps}: {text}\n")

    return train(config, resume=last.exists(), report=report)


def score(checkpoint: Path, camus: str, cines: int, threads: int) -> dict[str, float]:
    """The figures of one network."""
    network, spec = load_checkpoint(checkpoint)
    pooled = spec.family == "unet3d"  # a whole cine cannot be run in windows: stills alone
    stills = labelled_cines(open_data(camus).items("val"), lambda text: None)
    of_stills = Chooser(stills, spec.size_px, spec.context_frames, POOLED if pooled else 1).dice_by_phase(network)
    found = {("camus", "overlap", "dice_mean", phase): dice for phase, dice in of_stills.items()}
    for data in () if pooled else (f"camus-cines:{camus.partition(':')[2]}", "phantom:"):
        kind, model = data.partition(":")[0], load(checkpoint, runtime="torch", threads=threads)
        scores = evaluate_items(model, open_data(data).items("val")[:cines], kind, "val")
        found |= {(kind, f.topic, f.metric, f.phase): f.value for f in scores.figures if f.value is not None}
    return {name: found.get(key, float("nan")) for name, key in FIGURES.items()}


def print_rows(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Mean over seeds, and their standard deviation."""
    table = Table(title="Same budget in every row; mean (deviation over seeds)")
    for heading in ("row", "seeds", *FIGURES):
        table.add_column(heading, justify="left" if heading == "row" else "right", overflow="fold")
    for name, by_seed in results.items():
        cells = []
        for figure in FIGURES:
            values = [scores[figure] for scores in by_seed.values()]
            spread = f" ({np.std(values, ddof=1):.4f})" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}")
        table.add_row(name, str(len(by_seed)), *cells)
    Console().print(table)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("camus", help="camus:DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("models/cl_unet_edge/train.toml"))
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--cines", type=int, default=20, help="Cines of each dense set.")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    base = load_config(asked.config)
    settings = {"data.source": asked.camus, "optim.steps": asked.steps, "run.save_every": 200}
    for key, value in settings.items():
        base = base.with_value(key, value)
    asked.out.mkdir(parents=True, exist_ok=True)
    index = asked.out / "ablations.json"
    results: dict[str, dict[str, dict[str, float]]] = json.loads(index.read_text()) if index.is_file() else {}
    for seed in asked.seeds.split(","):
        for name in asked.rows.split(","):
            if seed in results.get(name, {}):
                continue
            checkpoint = run_row(base, name, int(seed), asked.out / f"{name.replace(' ', '_')}.{seed}")
            results.setdefault(name, {})[seed] = score(checkpoint, asked.camus, asked.cines, asked.threads)
            with atomic(index) as path:
                path.write_text(json.dumps(results, indent=1) + "\n")
    print_rows(results)
    draw(results, list(FIGURES), asked.out / "ablations.png")


if __name__ == "__main__":
    main()
