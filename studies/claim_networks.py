"""Networks of `studies.claim`: a table of rows, and the builder of a row's network."""

import json
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from edgeecho.benchmarks.peers import peer_networks
from edgeecho.benchmarks.peers.peers import PEERS
from edgeecho.nn import PRESETS, Network, build, count_parameters, new_spec

FRAMES = 8
"""Frames of a clip, in training and in validation; also the multiple of frames that a pooling network needs."""
LIGHT_RATES = (1e-3, 3e-3, 1e-2)
"""Learning rates of the networks that EdgeEcho's recipes train at 3e-3."""
HEAVY_RATES = (3e-4, 1e-3, 3e-3)
"""Learning rates of the other networks."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Network of the study, and its first three learning rates."""

    title: str
    """Name in the table."""
    family: str = ""
    """Preset of `edgeecho.nn`; empty for a network of `edgeecho.benchmarks.peers`."""
    peer: str = ""
    """Key of `PEERS`; empty for a preset."""
    config: dict[str, Any] = field(default_factory=dict)
    """Fields that differ from the preset or from the peer's configuration."""
    multiple: int = 1
    """Number that the frames of a peer's clip must be a multiple of."""
    rates: tuple[float, ...] = HEAVY_RATES
    light: bool = False
    """Whether its runs come before those of the other networks."""
    pools: bool = True
    """Whether it pools along time, so that a still must be repeated to a clip."""


ROWS = {
    "cl_unet_edge": Row(title="cl_unet_edge", family="cl_unet_edge", rates=LIGHT_RATES, light=True, pools=False),
    "banded": Row(title="cl_unet, banded", family="cl_unet", rates=LIGHT_RATES, light=True, pools=False),
    "without_bands": Row(
        title="cl_unet without bands",
        family="cl_unet",
        config={"branches": ["cube", "point"]},
        rates=LIGHT_RATES,
        light=True,
        pools=False,
    ),
    "without_bands_wider": Row(
        title="cl_unet without bands, wider",
        family="cl_unet",
        config={"branches": ["cube", "point"], "widths": [40, 80, 248, 488]},
        rates=LIGHT_RATES,
        light=True,
        pools=False,
    ),
    "unet3d": Row(title="standard 3D U-Net", family="unet3d"),
    "simlvseg": Row(title="SimLVSeg-3D", peer="simlvseg", multiple=16),
    "dynunet": Row(
        title="nnU-Net-like 3D (DynUNet)",
        peer="dynunet",
        config={"strides": [[1, 1, 1], [2, 2, 2], [1, 2, 2], [1, 2, 2], [1, 2, 2]]},
        multiple=2,
    ),
}
"""Rows of the table by name. The strides of `dynunet` are those that nnU-Net plans for 8 x 64 x 64: it halves an axis
while at least 4 pixels remain."""
REFERENCE = "unet3d"
"""Row that the others are compared with."""


class ClipNetwork(nn.Module):
    """A peer's 3D network with the input and output of EdgeEcho's: one grey channel, any number of frames.

    A clip that is too short is made longer by repeating its first and its last frame, half of the lacking frames each;
    the results of the repeated frames are dropped.
    """

    def __init__(self, network: nn.Module, in_channels: int, multiple: int) -> None:
        """
        Args:
            network: Network from (B, C, T, H, W) to logits (B, 1, T, H, W).
            in_channels: C; the grey channel is repeated.
            multiple: Number that T must be a multiple of.
        """
        super().__init__()
        self.network, self.in_channels, self.multiple = network, in_channels, multiple

    def forward(self, clip: Tensor) -> Tensor:
        """Return the logits of a clip float (B, 1, T, H, W), grey / 255, of the same shape."""
        frames = clip.shape[2]
        lacking = -frames % self.multiple
        first = lacking // 2
        ends = clip[:, :, :1].expand(-1, -1, first, -1, -1), clip[:, :, -1:].expand(-1, -1, lacking - first, -1, -1)
        x = torch.cat([ends[0], clip, ends[1]], dim=2).expand(-1, self.in_channels, -1, -1, -1)
        logits: Tensor = self.network(x)[:, :, first : first + frames]
        return logits

    def forward_frames(self, x: Tensor, batch: int = 1) -> Tensor:
        """Return the logits of one clip of folded frames (T, 1, H, W), of the same shape."""
        return self.forward(x.permute(1, 0, 2, 3).unsqueeze(0))[0].permute(1, 0, 2, 3)


def build_row(row: Row, seed: int) -> Network | ClipNetwork:
    """Build the network of a row with the random weights of a seed.

    Raises:
        ImportError: If MONAI is not installed: pip install 'edgeecho[peers]'.
    """
    torch.manual_seed(seed)
    if row.family:
        return build(new_spec(row.family, **row.config))
    peer = PEERS[row.peer]
    config = peer.config | row.config
    volume = getattr(peer_networks, peer.network or row.peer)(**config)
    return ClipNetwork(volume.network, config.get("in_channels", 1), row.multiple)


@cache
def definition(name: str) -> dict[str, Any]:
    """Return what tells the network of a row from another one under the same name, as JSON values."""
    row = ROWS[name]
    whole = asdict(PRESETS[row.family]) if row.family else PEERS[row.peer].config
    values: dict[str, Any] = json.loads(json.dumps({"config": whole | row.config}))
    parameters = count_parameters(build_row(row, 0))
    return values | {"family": row.family, "peer": row.peer, "parameters": parameters}
