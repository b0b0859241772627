"""CLUNet: a light 3D U-Net over echo clips, of dense convolutions.

The paper behind the name is unpublished; this is EdgeEcho's own reading of what is public, in the form that int8
engines run fastest. `BandedUNet` is the one with the paper's parallel banded branches.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from edgeecho.errors import ConfigError
from edgeecho.nn.blocks import ConvBN, DenseBlock, DenseTimeBlock, DepthwiseBandedBlock
from edgeecho.nn.folded_unet import FoldedUNet


@dataclass(frozen=True, kw_only=True)
class CLUNetConfig:
    """Configuration of a CLUNet."""

    widths: tuple[int, ...] = (24, 48, 96, 192)
    """Numbers of channels at 1/2, 1/4, 1/8 ... of the input's size."""
    encoder: str = "dense"
    """Kind of the encoder's blocks: `dense`, or `banded` for the weights of `cl_unet` that are packaged now."""
    encoder_time: tuple[bool, ...] = (False, True, True, True)
    """Whether each encoder level uses neighbouring frames."""
    decoder_time: tuple[bool, ...] = (False, False, True)
    """Whether each decoder level uses neighbouring frames, finest first."""
    repeats: int = 1
    """Number of blocks per encoder level after its stride-2 convolution."""
    causal: bool = False
    """Whether blocks use t-2, t-1, t (no delay) instead of t-1, t, t+1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "encoder_time", tuple(self.encoder_time))
        object.__setattr__(self, "decoder_time", tuple(self.decoder_time))
        levels = len(self.widths)
        if not 2 <= levels <= 6 or any(not 8 <= w <= 1024 or w % 8 for w in self.widths):
            raise ConfigError(f"widths must be 2 to 6 multiples of 8 up to 1024, got {self.widths}")
        if not 1 <= self.repeats <= 8:
            raise ConfigError(f"repeats must be from 1 to 8, got {self.repeats}")
        if self.encoder not in ("dense", "banded"):
            raise ConfigError(f"encoder must be dense or banded, got {self.encoder!r}")
        if len(self.encoder_time) != levels or len(self.decoder_time) != levels - 1:
            raise ConfigError(f"encoder_time needs {levels} values and decoder_time {levels - 1}")
        if self.encoder == "banded" and not all(self.encoder_time):
            raise ConfigError("a banded encoder sees neighbouring frames at every level: encoder_time must be all true")


class CLUNet(FoldedUNet):
    """CL-UNet of dense convolutions, factorised into (1, 3, 3) and (3, 1, 1)."""

    def __init__(self, config: CLUNetConfig) -> None:
        widths, pairs = config.widths, list(pairwise(config.widths))
        super().__init__(
            stem=ConvBN(1, widths[0], stride=2),
            down=[ConvBN(a, b, stride=2) for a, b in pairs],
            encoder=[
                [_encoder_block(w, time, config) for _ in range(config.repeats)]
                for w, time in zip(widths, config.encoder_time, strict=True)
            ],
            up=[ConvBN(b, a, kernel=1) for a, b in pairs],
            decoder=[
                DenseTimeBlock(w, config.causal) if time else DenseBlock(w)
                for w, time in zip(widths[:-1], config.decoder_time, strict=True)
            ],
            head=nn.Conv2d(widths[0], 4, 1),
            causal=config.causal,
        )
        self.config = config


def _encoder_block(channels: int, time: bool, config: CLUNetConfig) -> nn.Module:
    if config.encoder == "banded":
        return DepthwiseBandedBlock(channels, config.causal)
    return DenseTimeBlock(channels, config.causal) if time else DenseBlock(channels)
