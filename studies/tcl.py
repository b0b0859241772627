"""What is the temporal consistency loss worth on hearts whose motion is no mix of two stills? (docs/ablations.md)

    python -m studies.tcl --out DIR [--rows NAME,NAME] [--seeds 1,2,3] [--split test] [--set KEY=VALUE]

Networks are trained on the training split of `phantom-motion:0`, of which each cine has one ED and one ES label, and
measured on another split, which has a mask on every frame. Every row starts from the network of its seed that was
trained on the labels alone (`labels`), or from random weights (`random: ...`). A killed run is resumed; a finished row
is not run again, and its figures are in `score.SPLIT.json` of its folder, so that rows and seeds may run side by side.
Results are written to `tcl.json` and printed.
"""

import argparse
import csv
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.cine import Cine
from edgeecho.data import SPLITS, Item
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.evaluate import evaluate_items
from edgeecho.files import atomic
from edgeecho.runtime import load
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import MOVING
from edgeecho.train.config import TrainConfig
from edgeecho.train.loop import train
from edgeecho.train.start import STATE

REGION_PX = 128
"""Side of the drawn cines in pixels."""
TERMS = ("cycle", "interpolation", "smooth", "beats")
"""Terms of the temporal consistency loss."""
BASE = "labels"
"""Row that the others start from."""
NONE: dict[str, Any] = {f"loss.{term}": 0.0 for term in TERMS}
ROWS: dict[str, dict[str, Any]] = {
    BASE: NONE | {"optim.steps": 600, "optim.learning_rate": 2e-3, "run.save_every": 200},
    "without TCL": NONE,
    "TCL": {},
    **{f"{term} alone": {key: value for key, value in NONE.items() if key != f"loss.{term}"} for term in TERMS},
    **{f"no {term}": {f"loss.{term}": 0.0} for term in TERMS},
    "smooth 5": {"loss.smooth": 5.0},
    "random: without TCL": NONE | {"optim.learning_rate": 2e-3},
    "random: TCL": {"optim.learning_rate": 2e-3},
}
"""Changes of the settings by row."""
COMMON: dict[str, Any] = {
    "model.family": "cl_unet_nano",
    "model.name": "nano",
    "model.size_px": 64,
    "data.held_out": 12,
    "clips.stills": 0.0,
    "clips.cines": 1.0,
    "clips.phantom": 0.0,
    "clips.augment": 0.5,
    "loss.smooth": 20.0,
    "optim.steps": 300,
    "optim.learning_rate": 1e-3,
    "optim.ema": 0.99,
    "run.threads": 1,
    "run.workers": 0,
}
FIGURES = {
    "Dice, unlabelled": ("overlap", "dice_mean", "other"),
    "Dice, ED": ("overlap", "dice_mean", "ED"),
    "Dice, ES": ("overlap", "dice_mean", "ES"),
    "roughness / truth's": ("time", "roughness_over_reference", "all"),
    "area r": ("time", "area_pearson_r", "all"),
    "EF error": ("ef_beats_masks", "mae", "all"),
    "EF bias": ("ef_beats_masks", "bias", "all"),
    "EF error, marked frames": ("ef_masks", "mae", "all"),
}
"""(topic, metric, phase) of `edgeecho.evaluate` by printed name."""


def draw(split: str, number: int) -> ItemCine:
    """Draw a cine of `phantom-motion:0` in the square around its sector, with a mask on every frame."""
    heart = PhantomHeart((0, SPLITS.index(split), number), REGION_PX, population=MOVING)
    return ItemCine.of(heart.cine(f"{split}{number}"))


def two_labels(cine: Cine) -> list[int]:
    """Return the first ED and the ES nearest to it, as far as the cine has them."""
    ed = [k for k, phase in sorted(cine.phases.items()) if phase == "ED"][:1]
    es = [k for k, phase in cine.phases.items() if phase == "ES"]
    return ed + sorted(es, key=lambda k: abs(k - ed[0]) if ed else k)[:1]


def write_cines(folder: Path, count: int) -> None:
    """Write training cines in the format of own data, with a label at one ED and one ES."""
    if (folder / "labels.csv").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        cine = draw("train", number)
        name, spacing = f"{number:04d}", cine.spacing_mm or (1.0, 1.0)
        np.savez(folder / f"{name}.npz", frames=cine.frames, fps=cine.fps or 0.0)
        for k in two_labels(cine):
            cv2.imwrite(str(folder / f"{name}_{k}.png"), cine.labels[k] * 255)
            about = {"file": f"{name}.npz", "frame": k, "phase": cine.phases[k], "mask": f"{name}_{k}.png"}
            place = {"row_mm": spacing[0], "column_mm": spacing[1], "fps": cine.fps}
            rows.append({**about, **place, "split": "train", "view": "A4C", "patient": name})
    with atomic(folder / "labels.csv") as path, path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def run_row(base: TrainConfig, name: str, seed: int, out: Path) -> Path:
    """Train one row with one seed, or resume it, and return the checkpoint."""
    folder = out / f"{name.replace(' ', '_').replace(':', '')}.{seed}"
    config = base.with_value("run.seed", seed).with_value("run.out", str(folder))
    for key, value in ROWS[name].items():
        config = config.with_value(key, value)
    init = None
    if name != BASE and not name.startswith("random"):
        init = run_row(base, BASE, seed, out)

    def report(step: int, steps: int, text: str) -> None:
        if step % 100 == 0:
            sys.stderr.write(f"{name}, seed {seed}: step {step}/{steps}: {text}\n")

    return train(config, init=init, resume=(folder / STATE).exists(), report=report)


def score(checkpoint: Path, items: list[Item], split: str) -> dict[str, float]:
    """Measure the figures of one network, once."""
    stored = checkpoint.with_name(f"score.{split}.json")
    if stored.is_file():
        return dict(json.loads(stored.read_text()))
    scores = evaluate_items(load(checkpoint, runtime="torch", threads=1), items, "phantom-motion", "")
    found = {(f.topic, f.metric, f.phase): f.value for f in scores.figures if f.value is not None}
    figures = {name: found.get(key, float("nan")) for name, key in FIGURES.items()}
    with atomic(stored) as path:
        path.write_text(json.dumps(figures))
    return figures


def print_rows(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print the mean over seeds, and the value of each seed."""
    table = Table(title="mean (seeds)")
    for heading in ("row", *FIGURES):
        table.add_column(heading, overflow="fold")
    for name, by_seed in results.items():
        cells = []
        for figure in FIGURES:
            values = [scores[figure] for _, scores in sorted(by_seed.items())]
            digits = 1 if figure.startswith("EF") else 4 if figure.startswith("Dice") else 3
            each = ", ".join(f"{value:.{digits}f}" for value in values)
            cells.append(f"{np.mean(values):.{digits}f} ({each})")
        table.add_row(name, *cells)
    Console(width=200).print(table)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", default="without TCL,TCL,cycle alone")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--split", default="test", help="val for finding settings, test for results.")
    parser.add_argument("--cines", type=int, default=24, help="Cines to measure on.")
    parser.add_argument("--train", type=int, default=120, help="Cines to train on.")
    parser.add_argument("--set", action="append", default=[], help="key=value, for every row.")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    write_cines(options.out / "cines", options.train)
    base = TrainConfig().with_value("data.source", f"cine:{options.out / 'cines'}")
    for key, value in COMMON.items():
        base = base.with_value(key, value)
    for setting in options.set:
        key, _, text = setting.partition("=")
        base = base.with_value(key, json.loads(text))
    base = base.with_value("run.save_every", min(100, base.optim.steps))
    cines = [draw(options.split, k) for k in range(options.cines)]
    items = [Item(c.name, c.name, options.split, "4CH", partial(_given, c), {"fps": c.fps}) for c in cines]
    results: dict[str, dict[str, dict[str, float]]] = {name: {} for name in options.rows.split(",")}
    for seed in options.seeds.split(","):
        for name, by_seed in results.items():
            by_seed[seed] = score(run_row(base, name, int(seed), options.out), items, options.split)
    with atomic(options.out / "tcl.json") as path:
        path.write_text(json.dumps(results, indent=1) + "\n")
    print_rows(results)


def _given(cine: ItemCine) -> ItemCine:
    return cine


if __name__ == "__main__":
    main()
