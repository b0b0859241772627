"""SimLVSeg-3D, a 3D U-Net published for EchoNet-Dynamic, built from its description.

Maani et al., "SimLVSeg: Simplifying Left Ventricular Segmentation in 2D+Time Echocardiograms with Self- and
Weakly-Supervised Learning" (arXiv 2310.00454): a residual 3D U-Net of five levels, 16 to 256 channels, with 2, 3, 4, 6
and 3 residual units; max pooling by 2 along time too; transposed convolutions of kernel 3 back up, one residual unit a
level, InstanceNorm and PReLU. 18.83 M parameters and 1.13 G a frame are published: at 32 frames of 112 x 112, three
channels in, counted as multiply-accumulates.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from monai.networks.blocks.convolutions import Convolution, ResidualUnit
from torch import Tensor, nn

from edgeecho.errors import ShapeError


def _unit(in_channels: int, out_channels: int, **options: Any) -> ResidualUnit:
    """Build two 3x3x3 convolutions, each with InstanceNorm and PReLU, around a residual."""
    return ResidualUnit(3, in_channels, out_channels, subunits=2, act="PRELU", norm="INSTANCE", **options)


class SimLVSeg3D(nn.Module):
    """Network from a clip (B, C, T, H, W) to logits (B, 1, T, H, W)."""

    def __init__(self, in_channels: int, widths: Sequence[int], units: Sequence[int]) -> None:
        """
        Args:
            in_channels: C.
            widths: Channels of each level, finest first.
            units: Residual units of each level on the way down.
        """
        super().__init__()
        self.encoder = nn.ModuleList(
            nn.Sequential(_unit(a, b), *(_unit(b, b) for _ in range(n - 1)))
            for (a, b), n in zip(pairwise((in_channels, *widths)), units, strict=True)
        )
        self.pool = nn.MaxPool3d(2)
        self.up = nn.ModuleList(
            Convolution(3, b, a, strides=2, act="PRELU", norm="INSTANCE", is_transposed=True)
            for a, b in pairwise(widths)
        )
        finest, *others = widths[:-1]
        self.decoder = nn.ModuleList([_unit(2 * finest, 1, last_conv_only=True), *(_unit(2 * w, w) for w in others)])

    def forward(self, x: Tensor) -> Tensor:
        """
        Raises:
            ShapeError: If T, H or W cannot be halved at every level.
        """
        multiple = 2 ** len(self.up)
        if any(int(n) % multiple for n in x.shape[2:]):
            raise ShapeError(f"expected T, H, W multiples of {multiple}, got {tuple(x.shape[2:])}")
        skips: list[Tensor] = []
        for level, stage in enumerate(self.encoder):
            x = stage(self.pool(x) if level else x)  # (B, w, T / 2^level, H / 2^level, W / 2^level)
            skips.append(x)
        skips.pop()
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](torch.cat([self.up[level](x), skips.pop()], dim=1))
        return x
