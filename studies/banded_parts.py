"""Where are the parameters and operations of the banded CL-UNet? The figures are in docs/model.md.

    python -m studies.banded_parts [--frames 32]

A row is a network: the packaged `cl_unet`, the preset, the preset without each part (the rows of `studies.ablations`
whose name begins with "banded"), and `cl_unet_edge` for comparison. Columns: parameters; the percentage of them in the
cubes, in the bands along T, H and W, in the pointwise branches, and elsewhere; million multiply-accumulates a frame of
112x112 in a clip of `--frames` frames, counted in the exported graph; and frames that a prediction depends on before
and after its own. A centred network computes the frames at both ends of a clip that it repeats, so that a frame costs
less in a longer clip.
"""

import argparse
from collections import Counter
from collections.abc import Iterator

from rich.table import Table
from torch import nn

from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.cli.console import table_console
from edgeecho.export.graph.clip import clip_graph
from edgeecho.model.registry import locate
from edgeecho.nn import Network, build, count_parameters, new_spec
from edgeecho.nn.banded import SHARES
from edgeecho.nn.checkpoint import load_checkpoint
from studies.ablations import rows_of

SIZE_PX = 112


def networks() -> Iterator[tuple[str, Network]]:
    """Yield each network with the name of its row."""
    yield "packaged cl_unet", load_checkpoint(locate("cl_unet", runtime="torch").path)[0]
    for name, row in rows_of("camus").items():
        if name.startswith("banded"):
            yield name, build(new_spec(row["model.family"], **row["model.overrides"]))
    yield "cl_unet_edge", build(new_spec("cl_unet_edge"))


def parameters_by_branch(network: nn.Module) -> Counter[str]:
    """Count the parameters of each kind of parallel branch, in all blocks together."""
    found: Counter[str] = Counter()
    for path, parameter in network.named_parameters():
        for name in set(path.split(".")) & set(SHARES):
            found[name] += parameter.numel()
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=32)
    frames = parser.parse_args().frames
    table = Table("network", "parameters", *(f"{name} %" for name in SHARES), "elsewhere %", "MMAC a frame", "context")
    for name, network in networks():
        total, found = count_parameters(network), parameters_by_branch(network)
        percents = [100 * found[branch] / total for branch in SHARES]
        macs = count_macs(clip_graph(network, SIZE_PX), frames) / frames / 1e6
        before, after = network.context_frames
        shares = [f"{value:.1f}" for value in (*percents, 100 - sum(percents))]
        table.add_row(name, f"{total:,}", *shares, f"{macs:.0f}", f"-{before} +{after}")
    table_console().print(table)


if __name__ == "__main__":
    main()
