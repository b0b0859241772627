"""How much does each part of the training recipe contribute? The figures are in docs/ablations.md.

    python -m studies.ablations KIND:DIR --out DIR [--rows NAME,NAME] [--seeds 1,2,3] [--set KEY=VALUE]

KIND is any kind of data set, such as camus. Every row is a short training run of its recipe (`--config`; by default
that of the kind in `configs/`) with the settings of `--set` and then the changes of `rows_of`: the same number
of steps and the same clips in each step. A killed run is resumed; a finished row is not run again. Each network is then
evaluated on the labelled frames of the validation list, on cines of the same patients (those that are made of CAMUS's
stills, else the data set's own) and on phantoms of the test split, which have a true mask on every frame. The standard
3D U-Net, which pools along time, is evaluated on labelled frames alone. No row was chosen on these data: with
`--choose`, which is for finding settings, they are patients split off the training list and phantoms of the validation
split. The study writes `ablations.json` and `ablations.png`, and prints a table. It can be started in any folder if
PYTHONPATH names the checkout.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.files import atomic
from edgeecho.nn.banded import SHARES
from edgeecho.train.config import TrainConfig, load_config
from edgeecho.train.loop import train
from edgeecho.train.start import STATE
from studies.ablation_figures import FIGURES, read_hearts, score
from studies.ablation_plot import draw

CONFIGS = {
    "camus": "camus",
    "camus-cines": "camus",
    "cine": "own",
    "echonet-dynamic": "echonet_dynamic",
    "echonet-pediatric": "echonet_pediatric",
    "phantom": "phantom",
}
"""Configuration of each kind of data, a file of `configs/`."""
TWO_LABELS = {"clips.stills": 0.0}
"""Settings without moved stills, so that labels are at ED and ES alone, as in the paper."""
TERMS = ("cycle", "interpolation", "smooth", "beats")
"""Terms of the temporal consistency loss."""
Results = dict[str, dict[str, dict[str, float]]]
"""Values by row, seed and figure."""


def _without(*terms: str) -> dict[str, Any]:
    return {f"loss.{term}": 0.0 for term in terms}


def _banded(**overrides: Any) -> dict[str, Any]:
    return {"model.family": "cl_unet", "model.overrides": overrides}


def _branches_without(*left_out: str) -> dict[str, Any]:
    return _banded(branches=[name for name in SHARES if name not in left_out])


def rows_of(kind: str) -> dict[str, dict[str, Any]]:
    """Return the settings that each row changes, by its name, for a kind of data."""
    cines = "CAMUS cines" if kind == "camus" else "cines"
    return {
        "released recipe": {},
        "without TCL": _without(*TERMS),
        "two labels": TWO_LABELS,
        "two labels: without TCL": TWO_LABELS | _without(*TERMS),
        **{f"two labels: {term} alone": TWO_LABELS | _without(*(t for t in TERMS if t != term)) for term in TERMS},
        "causal": {"model.overrides": {"causal": True}},
        f"without {cines}": {"clips.cines": 0.0},
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


def run_row(base: TrainConfig, name: str, changes: dict[str, Any], out: Path, init: Path | None) -> Path:
    """Train one row, or resume it, and return the checkpoint.

    Args:
        base: Settings of every row, with the seed.
        name: Name of the row.
        changes: Settings that the row changes.
        out: Folder of the run.
        init: Checkpoint to start from; None for random weights.

    Raises:
        ConfigError: If the row changes the network, and first weights are given.
    """
    if init and any(key.startswith("model.") for key in changes):
        raise ConfigError(f"{name}: another network cannot start from {init.name}; leave --init or this row out")
    config = base.with_value("run.out", str(out))
    for key, value in changes.items():
        merged = {**config.model.overrides, **value} if key == "model.overrides" else value
        config = config.with_value(key, merged)

    def report(step: int, steps: int, text: str) -> None:
        if step % 50 == 0:
            sys.stderr.write(f"{name}, seed {config.run.seed}: step {step}/{steps}: {text}\n")

    return train(config, init=init, resume=(out / STATE).exists(), report=report)


def figures_of(results: Results) -> list[str]:
    """Return the figures that any row has, in the order of `FIGURES`."""
    scores = [values for by_seed in results.values() for values in by_seed.values()]
    return [name for name in FIGURES if any(name in values for values in scores)]


def print_rows(results: Results) -> None:
    """Print the mean over seeds and their standard deviation; `-` where a row does not have a figure."""
    table = Table(title="Same budget in every row; mean (deviation over seeds)")
    figures = figures_of(results)
    for heading in ("row", "seeds", *figures):
        table.add_column(heading, justify="left" if heading == "row" else "right", overflow="fold")
    for name, by_seed in results.items():
        cells = []
        for figure in figures:
            values = [scores.get(figure, math.nan) for scores in by_seed.values()]
            spread = f" ({np.std(values, ddof=1):.4f})" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if all(map(math.isfinite, values)) else "-")
        table.add_row(name, str(len(by_seed)), *cells)
    Console().print(table)


def run(options: argparse.Namespace) -> None:
    """Run the rows that are not in `ablations.json` yet, and print all of them.

    Raises:
        ConfigError: If a row or a setting makes no sense.
        DataError: If the data set is missing, or has nothing to measure on.
    """
    kind = options.data.partition(":")[0]
    rows = rows_of(kind)
    chosen = options.rows.split(",") if options.rows else list(rows)
    if unknown := [name for name in chosen if name not in rows]:
        raise ConfigError(f"unknown row {unknown[0]!r}; known: {', '.join(rows)}")
    if not options.config and kind not in CONFIGS:
        raise ConfigError(f"no configuration of {kind!r}; give --config, or KIND:DIR of {', '.join(CONFIGS)}")
    config = options.config or Path(__file__).parents[1] / "configs" / f"{CONFIGS[kind]}.toml"
    base = load_config(config, ["run.save_every=1000000", *options.set]).with_value("data.source", options.data)
    options.out.mkdir(parents=True, exist_ok=True)
    index = options.out / "ablations.json"
    results: Results = json.loads(index.read_text()) if index.is_file() else {}
    hearts = None if options.choose else read_hearts(options.data, options.cines, None)
    for seed in options.seeds.split(","):
        held_out = base.data.held_out, int(seed)  # another seed holds out others
        found = hearts or read_hearts(options.data, options.cines, held_out)
        for name in chosen:
            if seed in results.get(name, {}):
                continue
            init = Path(options.init.format(seed=seed)) if options.init else None
            out = options.out / f"{name.replace(' ', '_')}.{seed}"
            checkpoint = run_row(base.with_value("run.seed", int(seed)), name, rows[name], out, init)
            results.setdefault(name, {})[seed] = score(checkpoint, found, options.threads)
            with atomic(index) as path:
                path.write_text(json.dumps(results, indent=1) + "\n")
    print_rows(results)
    draw(results, figures_of(results), options.out / "ablations.png")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="KIND:DIR, such as camus:DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="Recipe; by default that of the kind of data in configs/.")
    parser.add_argument("--rows", help="Names of rows, separated by commas; all if not given.")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--init", help="Checkpoint that every row starts from; {seed} in it is the row's.")
    parser.add_argument("--set", action="append", default=["optim.steps=800"], help="key=value, for every row.")
    parser.add_argument("--choose", action="store_true", help="Measure on held-out training patients.")
    parser.add_argument("--cines", type=int, default=20, help="Most cines of the data set, and of phantoms.")
    parser.add_argument("--threads", type=int, default=2)
    try:
        run(parser.parse_args())
    except EdgeEchoError as error:
        parser.exit(1, f"error: {error}\n")


if __name__ == "__main__":
    main()
