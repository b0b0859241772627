"""Blocks of CL-UNet, on frames folded into the batch.

Axis letters: N = T * B frames, time first (frame t of clip b stands at t * B + b); C channels; H rows; W columns.
A shift in time is then a slice of the batch axis, and every convolution is 2D: the form that int8 engines run fastest.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.errors import ShapeError


def fold(clip: Tensor) -> Tensor:
    """Fold the frames of a clip into the batch, time first: (B, 1, T, H, W) to (T*B, 1, H, W).

    Raises:
        ShapeError: If the clip does not have five axes and one channel.
    """
    if clip.ndim != 5 or clip.shape[1] != 1:
        raise ShapeError(f"expected a clip (B, 1, T, H, W), got {tuple(clip.shape)}")
    b, _, t, h, w = clip.shape
    frames = clip.permute(2, 0, 1, 3, 4).reshape(t * b, 1, h, w)
    return frames.contiguous(memory_format=torch.channels_last) if clip.device.type == "cpu" else frames


def unfold(frames: Tensor, batch: int) -> Tensor:
    """Unfold frames to clips: (T*B, 1, H, W) to (B, 1, T, H, W)."""
    return frames.reshape(-1, batch, 1, *frames.shape[2:]).permute(1, 2, 0, 3, 4)


class ConvBN(nn.Sequential):
    """Convolution, BatchNorm, ReLU; the norm folds into the convolution at export.

    The zeros about the picture are such that a side that is a multiple of `stride` becomes exactly 1/`stride` of it.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, stride, padding=(kernel - stride + 1) // 2, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class ResidualConvBN(ConvBN):
    """Convolution and BatchNorm, then the input is added, then ReLU: (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        convolution, norm, relu = self
        out: Tensor = relu(x + norm(convolution(x)))
        return out


def hold_ends(x: Tensor, batch: int, before: int, after: int) -> Tensor:
    """Repeat the first frame `before` times and the last `after` times: (N, ...) to (N + ..., ...)."""
    return torch.cat([x[:batch]] * before + [x] + [x[-batch:]] * after) if before or after else x


def cut_channels(x: Tensor, sizes: list[int]) -> Sequence[Tensor]:
    """Cut the channels into consecutive slices.

    The gradient of each slice is a whole tensor with zeros, that of a split is one concatenation, which is faster. An
    exported graph gets slices, from which it can be read that they mix no frames.
    """
    if torch.is_grad_enabled():
        return torch.split(x, sizes, dim=1)
    ends = list(accumulate(sizes))
    return [x[:, end - size : end] for end, size in zip(ends, sizes, strict=True)]


class TimeMixing(nn.Module):
    """Base class of blocks over the neighbouring frames of a frame, 2 `reach` + 1 in all.

    A causal block takes t - 2 reach to t: the first frame is repeated before it, and T stays. A centred block takes
    t - reach to t + reach: T shrinks by `reach` at each end, and the network repeats both ends once, before its first
    such block. Repeating at each block instead would differ from a cine that stands still, since the output there
    already mixes later frames.
    """

    def __init__(self, causal: bool, reach: int = 1) -> None:
        super().__init__()
        self.causal, self.reach = causal, reach

    def hold(self, x: Tensor, batch: int) -> Tensor:
        """Return the input, with its first frame repeated before it if the block is causal."""
        return hold_ends(x, batch, 2 * self.reach, 0) if self.causal else x

    def windows(self, held: Tensor, batch: int, frames: int) -> list[Tensor]:
        """Return the `frames` latest frames (causal) or those about the present one, oldest first: T to T - 2 reach.

        Of a single frame, which stands still, every one of them is that frame.
        """
        if held.shape[0] == batch:  # `len` would fix T in an exported graph
            return [held] * frames
        last = 2 * self.reach
        first = last + 1 - frames if self.causal else self.reach - frames // 2
        return [held[k * batch : (k - last) * batch or None] for k in range(first, first + frames)]


class DenseBlock(nn.Module):
    """Dense spatial convolution (1, 3, 3): (N, C, H, W) to the same."""

    def __init__(self, channels: int, residual: bool = False) -> None:
        super().__init__()
        self.spatial = ResidualConvBN(channels) if residual else ConvBN(channels, channels)

    def forward(self, x: Tensor, batch: int) -> Tensor:
        out: Tensor = self.spatial(x)
        return out


class DenseTimeBlock(TimeMixing):
    """Dense factorised 3D convolution: (1, 3, 3), then (3, 1, 1) as three frames on the channel axis and 1x1."""

    def __init__(self, channels: int, causal: bool, residual: bool = False) -> None:
        super().__init__(causal)
        self.spatial = ResidualConvBN(channels) if residual else ConvBN(channels, channels)
        self.temporal = ConvBN(3 * channels, channels, kernel=1)

    def forward(self, x: Tensor, batch: int) -> Tensor:
        x = self.hold(self.spatial(x), batch)
        out: Tensor = self.temporal(torch.cat(self.windows(x, batch, 3), dim=1))
        return out


class DepthwiseBandedBlock(TimeMixing):
    """Depthwise banded branches on slices of the channels, mixed by a 1x1x1 convolution, with a residual.

    The block of the `cl_unet` weights that are packaged now; it goes when they are replaced.

    An eighth of the channels each for a depthwise 3x3x3 cube and for depthwise bands along T, H and W; the other half
    for a pointwise branch, as in InceptionNeXt (arXiv 2303.16900).
    """

    def __init__(self, channels: int, causal: bool, band: int = 7) -> None:
        super().__init__(causal)
        if channels % 8:
            raise ValueError(f"channels must be a multiple of 8, got {channels}")
        g = channels // 8
        self.splits = [2 * g, g, g, 4 * g]
        self.cube = nn.ModuleList(nn.Conv2d(g, g, 3, padding=1, groups=g, bias=False) for _ in range(3))
        self.band_t = nn.Parameter(torch.randn(3, g, 1, 1) / 3**0.5)
        self.band_h = nn.Conv2d(g, g, (band, 1), padding=(band // 2, 0), groups=g, bias=False)
        self.band_w = nn.Conv2d(g, g, (1, band), padding=(0, band // 2), groups=g, bias=False)
        self.point = nn.Conv2d(4 * g, 4 * g, 1, bias=False)
        self.mix = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor, batch: int) -> Tensor:
        now = x if self.causal or x.shape[0] == batch else x[batch:-batch]  # (N', C, H, W)
        g = self.splits[1]
        cubes, bands, _ = cut_channels(x, [g, g, 6 * g])  # only these use other frames
        _, rows, columns, point = cut_channels(now, self.splits)
        cube_taps, band_taps = (self.windows(self.hold(part, batch), batch, 3) for part in (cubes, bands))
        cube = [conv(tap) for conv, tap in zip(self.cube, cube_taps, strict=True)]
        band = [w * tap for w, tap in zip(self.band_t, band_taps, strict=True)]
        parallel = [
            cube[0] + cube[1] + cube[2],
            band[0] + band[1] + band[2],
            self.band_h(rows),
            self.band_w(columns),
            self.point(point),
        ]
        return F.relu(now + self.mix(torch.cat(parallel, dim=1)))
