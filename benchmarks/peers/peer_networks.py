"""Builders of the peers: each function takes a peer's configuration and returns a module with `forward_frames`.

MONAI and torchvision are imported here and in simlvseg.py alone, when one of their networks is built.
"""

import contextlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgeecho.nn import Network, new_spec
from edgeecho.nn import build as build_own


class EachFrame(nn.Module):
    """A 2D network with the frames as its batch; the grey channel is repeated for networks with several channels."""

    def __init__(self, network: nn.Module, in_channels: int = 1) -> None:
        super().__init__()
        self.network, self.in_channels = network, in_channels

    def forward_frames(self, x: Tensor) -> Tensor:
        """Return logits (T, 1, S, S) of frames (T, 1, S, S)."""
        logits = self.network(torch.cat([x] * self.in_channels, dim=1))
        out: Tensor = logits["out"] if isinstance(logits, dict) else logits  # torchvision's have a name
        return out


class Volume(nn.Module):
    """A 3D network with the frames as the first axis of a volume."""

    def __init__(self, network: nn.Module, in_channels: int = 1) -> None:
        super().__init__()
        self.network, self.in_channels = network, in_channels

    def forward_frames(self, x: Tensor) -> Tensor:
        """Return logits (T, 1, S, S) of frames (T, 1, S, S)."""
        volume = torch.cat([x] * self.in_channels, dim=1).permute(1, 0, 2, 3).unsqueeze(0)  # (1, C, T, S, S)
        out: Tensor = self.network(volume)[0].permute(1, 0, 2, 3)
        return out


def unet3d(**config: Any) -> Network:
    """Build the 3D U-Net of `edgeecho.nn`."""
    return build_own(new_spec("unet3d", **config))


def unet2d(**config: Any) -> Network:
    """Build the 2D U-Net of `edgeecho.nn`."""
    return build_own(new_spec("unet2d", **config))


def deeplabv3() -> EachFrame:
    """Build DeepLabV3 on ResNet50, 39.6 M parameters, without its auxiliary head."""
    models = _torchvision().models.segmentation
    return EachFrame(models.deeplabv3_resnet50(weights=None, weights_backbone=None, aux_loss=False, num_classes=1), 3)


def lraspp() -> EachFrame:
    """Build LR-ASPP on MobileNetV3-Large, 3.2 M parameters."""
    models = _torchvision().models.segmentation
    return EachFrame(models.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=1), 3)


def dynunet(filters: Sequence[int], strides: Sequence[Sequence[int]]) -> EachFrame | Volume:
    """Build a plain nnU-Net: two 3^n convolutions a level, InstanceNorm, leaky ReLU, transposed convolutions, one
    output.

    nnU-Net halves each axis while at least 4 pixels remain (7 of 112, 4 of 32) and doubles the channels from 32 up to
    320 in 3D (480 in 2D, in its first version).

    Args:
        filters: Channels of each level.
        strides: Strides of each level's first convolution, two numbers (rows, columns) or three (time before them).
    """
    from monai.networks.nets import DynUNet  # type: ignore[attr-defined]  # monai re-exports it without `__all__`

    dims = len(strides[0])
    network = DynUNet(
        spatial_dims=dims,
        in_channels=1,
        out_channels=1,
        kernel_size=[[3] * dims for _ in filters],
        strides=strides,
        upsample_kernel_size=strides[1:],
        filters=filters,
        norm_name=("INSTANCE", {"affine": True}),
    )
    return EachFrame(network) if dims == 2 else Volume(network)


def simlvseg(in_channels: int, widths: Sequence[int], units: Sequence[int]) -> Volume:
    """Build SimLVSeg-3D (simlvseg.py)."""
    from edgeecho.benchmarks.peers.simlvseg import SimLVSeg3D

    return Volume(SimLVSeg3D(in_channels, widths, units), in_channels)


def _torchvision() -> Any:
    """Import torchvision beside any build of torch.

    Its compiled half loads only beside the torch that it was built with, and without it the import fails on two
    operators that segmentation does not use; they are declared here, empty, if they are missing.
    """
    found = importlib.util.find_spec("torchvision")
    for path in Path(found.origin).parent.glob("_C*") if found and found.origin else ():
        with contextlib.suppress(OSError):
            torch.ops.load_library(path)
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return torchvision
