"""Net2WiderNet: a wider network with the predictions of a narrower one, to start a training from.

Net2Net (Chen, Goodfellow and Shlens, arXiv 1511.05641): every channel is repeated, and the weights that read it are
divided among the copies, unevenly, so that the copies learn different features.
"""

from dataclasses import asdict, replace

import torch
from torch import Tensor, nn

from edgeecho.errors import ConfigError
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import CLUNet, Network, build, new_spec

MAX_SHARE_DEVIATION = 0.2
"""Largest deviation of a copy's share from an even one, as a part of the even share."""


def net2wider(network: nn.Module, spec: ModelSpec, times: int, seed: int) -> tuple[Network, ModelSpec]:
    """Return a network with `times` as many channels in every layer, and its specification.

    Args:
        network: CLUNet with a dense encoder.
        spec: Specification of `network`.
        times: Factor of the channels, 2 or more.
        seed: Seed of the shares.

    Raises:
        ConfigError: If the network is of another kind.
    """
    if not isinstance(network, CLUNet) or network.config.encoder != "dense":
        raise ConfigError(f"model.widen: only dense CL-UNets can be widened, got {spec.family}")
    values = asdict(network.config) | {"widths": tuple(times * width for width in network.config.widths)}
    fresh = new_spec(spec.family, **values)
    wide = build(fresh)
    generator = torch.Generator().manual_seed(seed)
    narrow = network.state_dict()
    shares = {name: _spread(name, narrow[name], value, generator) for name, value in wide.state_dict().items()}
    wide.load_state_dict(shares)
    return wide, replace(spec, config=fresh.config, params=fresh.params)


def _spread(name: str, narrow: Tensor, wide: Tensor, generator: torch.Generator) -> Tensor:
    """Repeat weights (O, I, h, w), or the values (O,) of a norm, for more channels."""
    if narrow.ndim < 4:
        return narrow.repeat(wide.numel() // narrow.numel()) if narrow.ndim else narrow
    times = wide.shape[1] // narrow.shape[1]
    if times > 1:
        frames = 3 if ".temporal." in name else 1  # three frames are joined on the channel axis
        o, i, h, w = narrow.shape
        parts = narrow.reshape(o, frames, 1, i // frames, h, w)
        share = 1 + MAX_SHARE_DEVIATION * (2 * torch.rand(1, frames, times, i // frames, 1, 1, generator=generator) - 1)
        narrow = (parts * share / share.sum(2, keepdim=True)).reshape(o, times * i, h, w)
    return narrow.repeat(wide.shape[0] // narrow.shape[0], 1, 1, 1)
