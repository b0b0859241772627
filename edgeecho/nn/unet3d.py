"""UNet3D: the standard 3D U-Net, the yardstick of the benchmark.

Cicek et al., MICCAI 2016 (doi 10.1007/978-3-319-46723-8_49), with "same" padding: 19,069,955 parameters for three
channels in and three out, reproduced to the digit. Channels double before each pooling, up-convolutions keep theirs,
convolutions have a bias, and BatchNorm has no affine part, as in the published count.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class UNet3DConfig:
    """Configuration of a UNet3D."""

    in_channels: int = 1
    classes: int = 1
    base_channels: int = 32


class FoldedConv3d(nn.Conv3d):
    """A 3x3x3 convolution, padded by 1, that is trained as a 2D one on three frames joined on the channel axis.

    Its products and sums are the same. On a processor with AMX, PyTorch 2.13's gradient of the 3D form in bfloat16 is
    NaN from the first step on, at a quarter of 112 x 112 with 256 channels; that of the 2D form is not.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, C, T, H, W) to (B, O, T, H, W)."""
        if not torch.is_grad_enabled():
            return super().forward(x)
        frames = F.pad(x.transpose(1, 2), (0, 0, 0, 0, 0, 0, 1, 1))  # (B, T + 2, C, H, W)
        beside = torch.cat([frames[:, :-2], frames[:, 1:-1], frames[:, 2:]], dim=2)
        beside = beside.flatten(0, 1).contiguous(memory_format=torch.channels_last)  # (B * T, 3 * C, H, W)
        kernel = self.weight.transpose(1, 2).flatten(1, 2)  # (O, 3 * C, 3, 3)
        out = F.conv2d(beside, kernel, self.bias, padding=1)
        return out.reshape(x.shape[0], x.shape[2], *out.shape[1:]).transpose(1, 2)


class ExactUp(nn.ConvTranspose3d):
    """An up-convolution that is trained in float32 wherever the rest is, for the reason that `FoldedConv3d` gives."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve (B, C, T, H, W) to (B, O, 2 T, 2 H, 2 W)."""
        if not torch.is_grad_enabled():
            return super().forward(x, output_size)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float(), output_size)


def _double(in_channels: int, middle: int, out_channels: int, kind: type[nn.Conv3d] = nn.Conv3d) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in ((in_channels, middle), (middle, out_channels)):
        layers += [kind(a, b, 3, padding=1), nn.BatchNorm3d(b, affine=False), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet3D(nn.Module):
    """The standard 3D U-Net. T, H and W must be multiples of 8: it pools along time, so it cannot be streamed."""

    def __init__(self, config: UNet3DConfig | None = None) -> None:
        super().__init__()
        self.config = config or UNet3DConfig()
        c = self.config.base_channels
        self.encoder = nn.ModuleList(
            [
                _double(self.config.in_channels, c, 2 * c),
                _double(2 * c, 2 * c, 4 * c),
                _double(4 * c, 4 * c, 8 * c, FoldedConv3d),
                _double(8 * c, 8 * c, 16 * c),
            ]
        )
        self.pool = nn.MaxPool3d(2)
        self.up = nn.ModuleList(ExactUp(k * c, k * c, 2, 2, bias=False) for k in (16, 8, 4))
        self.decoder = nn.ModuleList(
            _double(k * c + k * c // 2, k * c // 2, k * c // 2, FoldedConv3d if k == 16 else nn.Conv3d)
            for k in (16, 8, 4)
        )
        self.head = nn.Conv3d(2 * c, self.config.classes, 1)

    @property
    def context_frames(self) -> tuple[int, int]:
        """Zeros, which are not used: a clip has no neighbouring frames."""
        return (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, K, T, H, W) of a clip (B, C, T, H, W).

        Raises:
            ShapeError: If T, H or W is not a multiple of 8.
        """
        if x.ndim != 5 or any(int(n) % 8 for n in x.shape[2:]):
            raise ShapeError(f"expected (B, C, T, H, W) with T, H, W multiples of 8, got {tuple(x.shape)}")
        skips = []
        for stage in self.encoder[:-1]:
            x = stage(x)
            skips.append(x)
            x = self.pool(x)
        x = self.encoder[-1](x)  # (B, 16c, T/8, H/8, W/8)
        for up, stage in zip(self.up, self.decoder, strict=True):
            x = stage(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits

    def forward_frames(self, x: Tensor, batch: int = 1) -> Tensor:
        """Return the logits of one clip of folded frames (T, 1, H, W), of the same shape."""
        return self.forward(x.permute(1, 0, 2, 3).unsqueeze(0))[0].permute(1, 0, 2, 3)
