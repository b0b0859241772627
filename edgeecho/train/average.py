"""Mean of the weights of several checkpoints: of runs that started from the same weights, or of the end of one run.

    python -m edgeecho.train.average A.safetensors B.safetensors ... --out MEAN.safetensors
    python -m edgeecho.train.average RUN --last 5 --out MEAN.safetensors

Runs that start from the same weights with other settings mostly end in one basin of the loss; their mean is often
better than each of them, at the cost of one (Wortsman et al., "Model soups", arXiv 2203.05482). A checkpoint that is
named twice counts twice. The mean of the last checkpoints of one run is stochastic weight averaging (Izmailov et al.,
arXiv 1803.05407); a run keeps them with the setting `run.keep`.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint
from edgeecho.train.provenance import MEAN, join_steps, provenance_fields

_KEPT = re.compile(r".+\.step(\d+)\.safetensors")


def average_checkpoints(paths: Sequence[Path], out: Path, name: str | None = None) -> None:
    """Write the mean of checkpoints, with the provenance of all.

    Args:
        paths: Two or more checkpoints.
        out: Checkpoint to write.
        name: Name of the mean; None means the name of the first checkpoint.

    Raises:
        ConfigError: If there are fewer than two, or their networks differ.
        ModelFileError: If one is no checkpoint or is damaged.
    """
    if len(paths) < 2:
        raise ConfigError(f"expected two or more checkpoints, got {len(paths)}")
    networks, specs = zip(*map(load_checkpoint, paths), strict=True)
    for path, spec in zip(paths, specs, strict=True):
        if (spec.family, spec.config, spec.size_px) != (specs[0].family, specs[0].config, specs[0].size_px):
            raise ConfigError(
                f"{path}: is another network than {paths[0]}; only checkpoints of one network have a mean"
            )
    trained_on = MEAN + join_steps(*(spec.trained_on for spec in specs))
    provenance = provenance_fields([spec.licence for spec in specs], trained_on)
    states = [network.state_dict() for network in networks]
    mean = {
        key: torch.stack([state[key] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for key, value in states[0].items()
    }
    networks[0].load_state_dict(mean)
    save_checkpoint(out, networks[0], replace(specs[0], name=name or specs[0].name, recipe="", **provenance))


def last_checkpoints(run: Path, count: int) -> list[Path]:
    """Return the last checkpoints that a run kept, `<name>.step<k>.safetensors`, in the order of their steps.

    Args:
        run: Folder of the run.
        count: Number of checkpoints, 1 or more.

    Raises:
        ConfigError: If the folder holds fewer.
    """
    if count < 1:
        raise ConfigError(f"the number of last checkpoints must be at least 1, got {count}")
    steps = {int(match[1]): path for path in run.glob("*") if (match := _KEPT.fullmatch(path.name))}
    if len(steps) < count:
        raise ConfigError(
            f"{run}: holds {len(steps)} kept checkpoints, expected {count}; train with run.keep = {count}"
        )
    return [steps[step] for step in sorted(steps)[-count:]]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", type=Path, help="checkpoints, or folders of runs with --last")
    parser.add_argument("--last", type=int, help="take the last LAST checkpoints that each run kept")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    options = parser.parse_args()
    try:
        paths: list[Path] = []
        for path in options.checkpoints:
            if path.is_dir() and options.last is None:
                raise ConfigError(f"{path}: is the folder of a run; add --last N to take its last N checkpoints")
            paths += last_checkpoints(path, options.last) if path.is_dir() else [path]
        average_checkpoints(paths, options.out)
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
