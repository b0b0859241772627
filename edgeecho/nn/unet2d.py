"""UNet2D: the light U-Net of the echocardiography papers, one frame at a time.

The layout is "U-Net 1" of Leclerc et al., IEEE TMI 2019 (doi 10.1109/TMI.2019.2900516), which the light U-Net of
Kjelsrud et al. (arXiv 2509.03631) keeps: 32-32-64-128-128-128 down by max pooling, 128-128-64-32-16 up by repeating
pixels, skips joined on the channel axis, two 3x3 convolutions a level; about 2 M parameters. Ours are the BatchNorm
and ReLU after each convolution, in place of no norm (Leclerc) or InstanceNorm and Mish (Kjelsrud): they fold into an
int8 convolution. It has no convolution along time, so its stream is the same graph on one frame, without state.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.errors import ConfigError
from edgeecho.nn.blocks import ConvBN, fold, unfold


@dataclass(frozen=True, kw_only=True)
class UNet2DConfig:
    """Configuration of a UNet2D."""

    widths: tuple[int, ...] = (32, 32, 64, 128, 128, 128)
    """Numbers of channels at 1, 1/2, 1/4 ... of the input's size."""
    decoder_widths: tuple[int, ...] = (16, 32, 64, 128, 128)
    """Numbers of channels of the decoder, finest first."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "decoder_widths", tuple(self.decoder_widths))
        for name, values in (("widths", self.widths), ("decoder_widths", self.decoder_widths)):
            if any(not 8 <= w <= 1024 or w % 8 for w in values):
                raise ConfigError(f"{name} must be multiples of 8 up to 1024, got {values}")
        levels = len(self.widths)
        if not 2 <= levels <= 8:
            raise ConfigError(f"widths must be 2 to 8 levels, got {levels}")
        if len(self.decoder_widths) != levels - 1:
            raise ConfigError(f"decoder_widths needs {levels - 1} values, got {len(self.decoder_widths)}")


def _double(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(ConvBN(in_channels, out_channels), ConvBN(out_channels, out_channels))


class UNet2D(nn.Module):
    """Light 2D U-Net. A size that does not halve evenly is rounded up on the way down and cut on the way up."""

    context_frames = (0, 0)
    """Numbers of frames before and after that an output frame depends on."""

    def __init__(self, config: UNet2DConfig | None = None) -> None:
        super().__init__()
        self.config = config or UNet2DConfig()
        widths, decoder_widths = self.config.widths, self.config.decoder_widths
        self.encoder = nn.ModuleList(_double(a, b) for a, b in pairwise((1, *widths)))
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        below = (*decoder_widths[1:], widths[-1])
        self.decoder = nn.ModuleList(
            _double(w + skip, out) for w, skip, out in zip(below, widths[:-1], decoder_widths, strict=True)
        )
        self.head = nn.Conv2d(decoder_widths[0], 1, 1)

    def forward(self, clip: Tensor) -> Tensor:
        """Return the logits of a clip float (B, 1, T, H, W), grey / 255, of the same shape.

        Raises:
            ShapeError: If the clip does not have five axes and one channel.
        """
        return unfold(self.forward_frames(fold(clip)), len(clip))

    def forward_frames(self, x: Tensor, batch: int = 1) -> Tensor:
        """Return the logits of folded frames (T*B, 1, H, W), of the same shape, each frame by itself."""
        skips: list[Tensor] = []
        for level, stage in enumerate(self.encoder):
            x = stage(self.pool(x) if level else x)
            skips.append(x)
        skips.pop()
        for level in reversed(range(len(self.decoder))):
            skip = skips.pop()  # (N, w, H / 2^level, W / 2^level)
            x = F.interpolate(x, scale_factor=2, mode="nearest")[..., : skip.shape[2], : skip.shape[3]]
            x = self.decoder[level](torch.cat([skip, x], dim=1))
        logits: Tensor = self.head(x)
        return logits
