"""How much does each part of the training recipe contribute? The figures are in docs/model.md.

    python -m studies.ablations camus:DIR --out DIR [--rows NAME,NAME] [--seeds 1,2,3] [--set KEY=VALUE]

Every row is a short training run of the released recipe with the settings of `--set` and then the changes of `ROWS`:
the same number of steps and the same clips in each step. A killed run is resumed; a finished row is not run again. Each
network is then evaluated on CAMUS's validation stills, on CAMUS cines of the same patients and on phantoms of the test
split, which have a true mask on every frame. The standard 3D U-Net, which pools along time, is evaluated on the stills
alone. No row was chosen on these data: with `--choose`, which is for finding settings, they are patients split off the
training list and phantoms of the validation split. The study writes `ablations.json` and `ablations.png`, and prints a
table.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.cine import Cine
from edgeecho.data import Item, open_data
from edgeecho.errors import ConfigError
from edgeecho.evaluate import evaluate_items
from edgeecho.files import atomic
from edgeecho.nn.banded import SHARES
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.runtime import load
from edgeecho.train.config import TrainConfig, load_config
from edgeecho.train.loop import train
from edgeecho.train.training_data import labelled_cines, split_patients
from edgeecho.train.validation import Validation
from studies.ablation_plot import draw

TWO_LABELS = {"clips.stills": 0.0}
"""Settings without moved stills, so that labels are at ED and ES alone, as in the paper."""
TERMS = ("cycle", "interpolation", "smooth", "beats")
"""Terms of the temporal consistency loss."""


def _without(*terms: str) -> dict[str, Any]:
    return {f"loss.{term}": 0.0 for term in terms}


def _banded(**overrides: Any) -> dict[str, Any]:
    return {"model.family": "cl_unet", "model.overrides": overrides}


def _branches_without(*left_out: str) -> dict[str, Any]:
    return _banded(branches=[name for name in SHARES if name not in left_out])


ROWS: dict[str, dict[str, Any]] = {
    "released recipe": {},
    "without TCL": _without(*TERMS),
    "two labels": TWO_LABELS,
    "two labels: without TCL": TWO_LABELS | _without(*TERMS),
    **{f"two labels: {term} alone": TWO_LABELS | _without(*(t for t in TERMS if t != term)) for term in TERMS},
    "causal": {"model.overrides": {"causal": True}},
    "without CAMUS cines": {"clips.cines": 0.0},
    "without phantom": {"clips.phantom": 0.0},
    "stills alone": {"clips.cines": 0.0, "clips.phantom": 0.0},
    "banded": _banded(),
    **{f"banded: without {name}": _branches_without(name) for name in SHARES},
    "banded: pointwise alone": _branches_without("cube", "band_t", "band_h", "band_w"),
    "banded: cube and pointwise alone": _branches_without("band_t", "band_h", "band_w"),
    "banded: pointwise decoder": _banded(banded_decoder=False),
    "banded: causal": _banded(causal=True),
    "standard 3D U-Net": {"model.family": "unet3d"},
    "light 2D U-Net": {"model.family": "unet2d"},
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
"""(data, topic, metric, phase) of `edgeecho.evaluate` by printed name."""


def run_row(base: TrainConfig, name: str, seed: int, out: Path, init: Path | None) -> Path:
    """Train one row with one seed, or resume it, and return the checkpoint.

    Raises:
        ConfigError: If the row changes the network, and first weights are given.
    """
    if init and any(key.startswith("model.") for key in ROWS[name]):
        raise ConfigError(f"{name}: another network cannot start from {init.name}; leave --init or this row out")
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

    return train(config, init=init, resume=last.exists(), report=report)


@dataclass(frozen=True, eq=False)
class Hearts:
    """Cines that networks are measured on, read once."""

    stills: list[Cine]
    cines: dict[str, list[Item]]
    """Items with a mask on every frame, by kind of data."""


def read_hearts(camus: str, cines: int, choosing: tuple[int, int] | None) -> Hearts:
    """Read the cines of the validation patients, or of those held out by `choosing` = (number, seed)."""
    made = f"camus-cines:{camus.partition(':')[2]}"
    found = []
    for data in (camus, made):
        items = open_data(data).items("train" if choosing else "val")
        found.append(split_patients(items, *choosing)[1] if choosing else items)
    drawn = open_data("phantom:").items("val" if choosing else "test")
    dense = {"camus-cines": found[1][:cines], "phantom": drawn[:cines]}
    kept = {kind: [replace(item, read=lru_cache(1)(item.read)) for item in items] for kind, items in dense.items()}
    return Hearts(list(labelled_cines(found[0], lambda text: None)), kept)


def score(checkpoint: Path, hearts: Hearts, threads: int) -> dict[str, float]:
    """Measure the figures of one network."""
    network, spec = load_checkpoint(checkpoint)
    pooled = spec.pooled_frames > 1  # a whole cine cannot be run in windows: stills alone
    validation = Validation(hearts.stills, spec.size_px, spec.context_frames, spec.pooled_frames)
    found = {
        ("camus", "overlap", "dice_mean", phase): dice for phase, dice in validation.dice_by_phase(network).items()
    }
    for kind, items in ({} if pooled else hearts.cines).items():
        scores = evaluate_items(load(checkpoint, runtime="torch", threads=threads), items, kind, "")
        found |= {(kind, f.topic, f.metric, f.phase): f.value for f in scores.figures if f.value is not None}
    return {name: found.get(key, float("nan")) for name, key in FIGURES.items()}


def print_rows(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print the mean over seeds and their standard deviation."""
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
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("camus", help="camus:DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("configs/camus.toml"))
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--init", help="Checkpoint that every row starts from; {seed} in it is the row's.")
    parser.add_argument("--set", action="append", default=["optim.steps=800"], help="key=value, for every row.")
    parser.add_argument("--choose", action="store_true", help="Measure on held-out training patients.")
    parser.add_argument("--cines", type=int, default=20, help="Cines of each dense set.")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    base = load_config(options.config, ["run.save_every=1000000", *options.set]).with_value(
        "data.source", options.camus
    )
    options.out.mkdir(parents=True, exist_ok=True)
    index = options.out / "ablations.json"
    results: dict[str, dict[str, dict[str, float]]] = json.loads(index.read_text()) if index.is_file() else {}
    hearts = None if options.choose else read_hearts(options.camus, options.cines, None)
    for seed in options.seeds.split(","):
        held_out = base.data.held_out, int(seed)  # another seed holds out others
        found = hearts or read_hearts(options.camus, options.cines, held_out)
        for name in options.rows.split(","):
            if seed in results.get(name, {}):
                continue
            init = Path(options.init.format(seed=seed)) if options.init else None
            checkpoint = run_row(base, name, int(seed), options.out / f"{name.replace(' ', '_')}.{seed}", init)
            results.setdefault(name, {})[seed] = score(checkpoint, found, options.threads)
            with atomic(index) as path:
                path.write_text(json.dumps(results, indent=1) + "\n")
    print_rows(results)
    draw(results, list(FIGURES), options.out / "ablations.png")


if __name__ == "__main__":
    main()
