"""StridedUNet: a light 3D U-Net whose trunk begins at a quarter of the picture's size.

At half size a picture has four times as many pixels as at a quarter, and layers of few channels use little of what an
int8 unit can do. So one convolution of stride 4 reads the picture, wide layers follow at 1/4, 1/8 and 1/16 of its size,
and the head returns the 16 logits of each pixel of the trunk. A convolution of kernel 12 and stride 4 computes what
pixels unshuffled by 4 and a convolution of kernel 3 compute. docs/architecture-search.md has the networks that were
compared.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from edgeecho.errors import ConfigError
from edgeecho.nn.blocks import ConvBN, DenseBlock, DenseTimeBlock
from edgeecho.nn.folded_unet import FoldedUNet


@dataclass(frozen=True, kw_only=True)
class StridedUNetConfig:
    """Configuration of a StridedUNet."""

    widths: tuple[int, ...] = (48, 96, 128)
    """Channels of each level, finest first; with a stride of 4 at 1/4, 1/8 and 1/16 of the picture's size."""
    entry_stride: int = 4
    """Factor between the picture and the finest level, 2 or 4."""
    entry_kernel: int = 8
    """Side of the window of the picture that a pixel of the finest level reads first, a multiple of the stride."""
    blocks: tuple[int, ...] = (1, 1, 2)
    """Number of blocks of each encoder level after its strided convolution; the first one is that of `encoder_time`."""
    encoder_time: tuple[bool, ...] = (False, True, True)
    """Whether each encoder level uses neighbouring frames."""
    decoder_time: tuple[bool, ...] = (False, True)
    """Whether each decoder level uses neighbouring frames, finest first."""
    residual: bool = True
    """Whether a block adds its input to the result of its spatial convolution."""
    head_kernel: int = 3
    """Side of the head's convolution, 1 or 3."""
    causal: bool = False
    """Whether blocks use t-2, t-1, t (no delay) instead of t-1, t, t+1."""

    def __post_init__(self) -> None:
        for name in ("widths", "blocks", "encoder_time", "decoder_time"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        levels = len(self.widths)
        if not 2 <= levels <= 5 or any(not 8 <= w <= 1024 or w % 8 for w in self.widths):
            raise ConfigError(f"widths must be 2 to 5 multiples of 8 up to 1024, got {self.widths}")
        if self.entry_stride not in (2, 4):
            raise ConfigError(f"entry_stride must be 2 or 4, got {self.entry_stride}")
        if not self.entry_stride <= self.entry_kernel <= 32 or self.entry_kernel % self.entry_stride:
            raise ConfigError(
                f"entry_kernel must be a multiple of entry_stride = {self.entry_stride} up to 32, got "
                f"{self.entry_kernel}"
            )
        if len(self.blocks) != levels or any(not 0 <= n <= 8 for n in self.blocks):
            raise ConfigError(f"blocks must be {levels} numbers from 0 to 8, got {self.blocks}")
        if len(self.encoder_time) != levels or len(self.decoder_time) != levels - 1:
            raise ConfigError(f"encoder_time needs {levels} values and decoder_time {levels - 1}")
        if self.head_kernel not in (1, 3):
            raise ConfigError(f"head_kernel must be 1 or 3, got {self.head_kernel}")


class StridedUNet(FoldedUNet):
    """U-Net of dense convolutions, factorised into (1, 3, 3) and (3, 1, 1), behind a strided entry."""

    def __init__(self, config: StridedUNetConfig) -> None:
        widths, pairs = config.widths, list(pairwise(config.widths))
        super().__init__(
            stem=ConvBN(1, widths[0], kernel=config.entry_kernel, stride=config.entry_stride),
            down=[ConvBN(a, b, stride=2) for a, b in pairs],
            encoder=[
                [_block(width, time and not k, config) for k in range(count)]
                for width, time, count in zip(widths, config.encoder_time, config.blocks, strict=True)
            ],
            up=[ConvBN(b, a, kernel=1) for a, b in pairs],
            decoder=[_block(w, time, config) for w, time in zip(widths[:-1], config.decoder_time, strict=True)],
            head=nn.Conv2d(widths[0], config.entry_stride**2, config.head_kernel, padding=config.head_kernel // 2),
            causal=config.causal,
            stride=config.entry_stride,
        )
        self.config = config


def _block(channels: int, time: bool, config: StridedUNetConfig) -> nn.Module:
    if time:
        return DenseTimeBlock(channels, config.causal, config.residual)
    return DenseBlock(channels, config.residual)
