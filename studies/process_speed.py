"""Do two processes of one thread train as fast as one of two threads? The figures are in docs/training.md.

    python -m studies.process_speed KIND:DIR [--family cl_unet_edge] [--precision auto] [--steps 40] [--rounds 2]

Each round trains once in either way, in turn, with the same settings. The figure is clips a second from the rows of
`log.csv` after the first, so that neither the start nor the reading of the data set counts; the losses are compared row
by row.
"""

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.table import Table

from edgeecho.cli.console import table_console
from edgeecho.train.logs import TABLE
from edgeecho.train.loop import REPORT_STEPS

WAYS = {
    "one process, two threads": [sys.executable, "-m"],
    "two processes of one thread": [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")
    ],
}


def rows(folder: Path) -> list[dict[str, float]]:
    """Return the numbers of a run's table."""
    with (folder / TABLE).open() as file:
        return [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(file)]


def train(way: str, options: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    """Train once, and return the rows of its table."""
    settings = {
        "model.family": options.family,
        "data.source": options.data,
        "data.held_out": "2",
        "clips.per_step": "8",
        "optim.steps": str(options.steps),
        "run.save_every": str(options.steps),
        "run.precision": options.precision,
        "run.threads": "2",
        "run.out": str(folder),
    }
    given = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    empty = folder.with_suffix(".toml")
    empty.write_text("")
    command = [*WAYS[way], "edgeecho", "train", str(empty), *given]
    environment = os.environ | {"OMP_NUM_THREADS": "1" if "processes" in way else "2"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {way}: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")
    return rows(folder)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="KIND:DIR")
    parser.add_argument("--family", default="cl_unet_edge")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    if options.steps < 3 * REPORT_STEPS:
        parser.error(f"--steps must be at least {3 * REPORT_STEPS}, got {options.steps}")
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    losses: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        for turn in range(options.rounds):
            for k, way in enumerate(WAYS):
                found = train(way, options, Path(folder) / f"{turn}-{k}")
                first, last = found[0], found[-2]  # the last row counts the validation too
                speeds[way].append((last["clips"] - first["clips"]) / (last["seconds"] - first["seconds"]))
                losses[way] = [row["labels"] for row in found]
    table = Table("how", "clips/s", "of the first", "largest difference of the loss")
    one = next(iter(WAYS))
    for way, values in speeds.items():
        apart = float(np.abs(np.subtract(losses[way], losses[one])).max())
        ratio = np.mean(values) / np.mean(speeds[one])
        table.add_row(way, " ".join(f"{value:.2f}" for value in values), f"{ratio:.2f}x", f"{apart:.5f}")
    table_console().print(table)


if __name__ == "__main__":
    main()
