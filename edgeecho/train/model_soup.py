"""Model soup: mean of the weights of runs that started from the same weights.

    python -m edgeecho.train.model_soup A.safetensors B.safetensors ... --out MEAN.safetensors

Runs that start from the same weights with other settings mostly end in one basin of the loss; their mean is often
better than each of them, at the cost of one (Wortsman et al., "Model soups", arXiv 2203.05482).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint
from edgeecho.train.provenance import MEAN, join_steps, provenance_fields


def average_checkpoints(paths: list[Path], out: Path) -> None:
    """Write the mean of checkpoints, with the name of the first and the provenance of all.

    Args:
        paths: Two or more checkpoints.
        out: Checkpoint to write.

    Raises:
        ConfigError: If there are fewer than two, or their networks differ.
        ModelFileError: If one is no checkpoint or is damaged.
    """
    if len(paths) < 2:
        raise ConfigError(f"expected two or more checkpoints, got {len(paths)}")
    networks, specs = zip(*map(load_checkpoint, paths), strict=True)
    for path, spec in zip(paths, specs, strict=True):
        if (spec.family, spec.config, spec.size_px) != (specs[0].family, specs[0].config, specs[0].size_px):
            raise ConfigError(f"{path}: is another network than {paths[0]}; only runs of one network have a mean")
    trained_on = MEAN + join_steps(*(spec.trained_on for spec in specs))
    provenance = provenance_fields([spec.licence for spec in specs], trained_on)
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in states[0].items()
    }
    networks[0].load_state_dict(mean)
    save_checkpoint(out, networks[0], replace(specs[0], **provenance))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    try:
        average_checkpoints(options.checkpoints, options.out)
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
