"""BandedUNet: CL-UNet with parallel banded branches, which hold most of its parameters.

Of the paper's network only this is public: a light 3D U-Net with parallel banded convolutional branches and about seven
times fewer parameters than the standard 3D U-Net. The division of the channels (an eighth each for a cube and three
bands, half for a pointwise branch) is that of 3D InceptionNeXt (arXiv 2303.16900). That each branch reads all channels,
as in GoogLeNet's Inception (arXiv 1409.4842), is ours: InceptionNeXt's depthwise branches hold 0.3% of the parameters
of a network of this size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.errors import ConfigError
from edgeecho.nn.blocks import ConvBN, TimeMixing
from edgeecho.nn.folded_unet import FoldedUNet

SHARES = {"cube": 1, "band_t": 1, "band_h": 1, "band_w": 1, "point": 4}
"""Eighths of the channels that each branch returns."""


@dataclass(frozen=True, kw_only=True)
class BandedUNetConfig:
    """Configuration of a BandedUNet."""

    widths: tuple[int, ...] = (32, 64, 192, 384)
    """Numbers of channels at 1/2, 1/4, 1/8 ... of the input's size."""
    repeats: int = 2
    """Number of blocks per encoder level; the decoder has one."""
    branches: tuple[str, ...] = tuple(SHARES)
    """Parallel branches of each block, keys of `SHARES`; one that is left out is an ablation."""
    banded_decoder: bool = True
    """Whether the decoder's blocks have all branches; if not, the pointwise one alone."""
    encoder_time: tuple[bool, ...] = (False, False, True, True)
    """Whether the last block of each encoder level uses neighbouring frames."""
    decoder_time: tuple[bool, ...] = (False, False, True)
    """Whether each decoder level uses neighbouring frames, finest first."""
    band_px: int = 7
    """Length of the bands along H and W in pixels of their level, odd."""
    band_frames: int = 5
    """Length of the band along T in frames, odd; the cube is 3 long."""
    causal: bool = False
    """Whether blocks use past frames alone (no delay) instead of as many before as after."""

    def __post_init__(self) -> None:
        for name in ("widths", "branches", "encoder_time", "decoder_time"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        levels = len(self.widths)
        if not 2 <= levels <= 6 or any(not 8 <= w <= 1024 or w % 8 for w in self.widths):
            raise ConfigError(f"widths must be 2 to 6 multiples of 8 up to 1024, got {self.widths}")
        if not 1 <= self.repeats <= 8:
            raise ConfigError(f"repeats must be from 1 to 8, got {self.repeats}")
        if not self.branches or set(self.branches) - set(SHARES) or len(set(self.branches)) < len(self.branches):
            raise ConfigError(f"branches must be one or more of {', '.join(SHARES)}, once each, got {self.branches}")
        if self.branches == ("band_t",):
            raise ConfigError("branches must have one beside band_t, which blocks of a single frame lack")
        for name, longest in (("band_px", 31), ("band_frames", 9)):
            length = getattr(self, name)
            if not 3 <= length <= longest or length % 2 == 0:
                raise ConfigError(f"{name} must be an odd number from 3 to {longest}, got {length}")
        if len(self.encoder_time) != levels or len(self.decoder_time) != levels - 1:
            raise ConfigError(f"encoder_time needs {levels} values and decoder_time {levels - 1}")


class BandedBlock(TimeMixing):
    """Parallel branches, each from all channels to its share, mixed by a 1x1x1 convolution, with a residual.

    The branches are a cube 3x3x3, bands along T, H and W, and a pointwise one. A block without time has no band along T
    and a square of one frame in place of the cube. Frames (N, C, H, W) to the same; a centred block with time returns
    `reach` frames less at each end.
    """

    def __init__(self, channels: int, config: BandedUNetConfig, branches: Sequence[str], time: bool) -> None:
        frames = {"cube": 3, "band_t": config.band_frames} if time else {}
        super().__init__(config.causal, max(frames.get(name, 1) // 2 for name in branches))
        self.frames = {name: frames.get(name, 1) for name in branches if time or name != "band_t"}
        kernels = {"cube": (3, 3), "band_h": (config.band_px, 1), "band_w": (1, config.band_px)}
        outputs = {name: channels // 8 * SHARES[name] for name in self.frames}
        self.parallel = nn.ModuleDict(
            {
                name: _branch(count * channels, outputs[name], kernels.get(name, (1, 1)))
                for name, count in self.frames.items()
            }
        )
        self.mix = nn.Sequential(nn.Conv2d(sum(outputs.values()), channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor, batch: int) -> Tensor:
        held = self.hold(x, batch)
        (now,) = self.windows(held, batch, 1)
        parts = []
        for name, branch in self.parallel.items():
            frames = self.frames[name]
            parts.append(branch(now if frames == 1 else torch.cat(self.windows(held, batch, frames), dim=1)))
        if torch.is_grad_enabled():  # the same numbers, with a faster gradient
            joined = F.relu(torch.cat(parts, dim=1))
        else:  # engines fuse a convolution with the ReLU behind it
            joined = torch.cat([F.relu(part) for part in parts], dim=1)
        return F.relu(now + self.mix(joined))


def _branch(in_channels: int, out_channels: int, kernel: tuple[int, int]) -> nn.Sequential:
    padding = kernel[0] // 2, kernel[1] // 2
    convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels))


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    """Halve H and W by a depthwise convolution, then change the number of channels by a pointwise one."""
    halve = nn.Conv2d(in_channels, in_channels, 3, stride=2, padding=1, groups=in_channels, bias=False)
    return nn.Sequential(halve, ConvBN(in_channels, out_channels, kernel=1))


class BandedUNet(FoldedUNet):
    """U-Net of banded blocks in encoder and decoder, with light changes of size between its levels."""

    def __init__(self, config: BandedUNetConfig) -> None:
        widths, pairs = config.widths, list(pairwise(config.widths))
        last = config.repeats - 1
        in_decoder = config.branches if config.banded_decoder else ("point",)
        super().__init__(
            stem=ConvBN(1, widths[0], stride=2),
            down=[_down(a, b) for a, b in pairs],
            encoder=[
                [BandedBlock(w, config, config.branches, time and k == last) for k in range(config.repeats)]
                for w, time in zip(widths, config.encoder_time, strict=True)
            ],
            up=[ConvBN(b, a, kernel=1) for a, b in pairs],
            decoder=[
                BandedBlock(w, config, in_decoder, time)
                for w, time in zip(widths[:-1], config.decoder_time, strict=True)
            ],
            head=nn.Conv2d(widths[0], 4, 1),
            causal=config.causal,
        )
        self.config = config
