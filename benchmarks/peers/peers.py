"""Networks that ours are compared with.

None of them has weights that may be distributed. They are built with random weights (`SEED`) and exported with our own
exporter when they are needed, so they are compared in speed and size alone. A trained `unet2d` is exported with
`edgeecho export`, and its folder is benchmarked like any model. docs/peers.md has sources, counts, and the operators
that each engine leaves in float.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any

from edgeecho.errors import MissingExtraError

YARDSTICK = "unet3d"
SEED = 0
TORCHVISION_REQUIREMENT = "torchvision==0.28.0"
"""Version for torch 2.13.0; `--no-deps` keeps the installed torch."""
STORED_PRECISIONS = ("fp32", "int8")
"""Precisions in which a peer is exported."""
FRAMEWISE_FORMS = ("clip", "stream")
"""Forms of a network that treats every frame alone: its stream is its clip graph, run with one frame."""


@dataclass(frozen=True)
class Peer:
    """A network with random weights."""

    name: str
    """Name in the table, and family in the spec."""
    config: dict[str, Any] = field(default_factory=dict)
    """Arguments of its builder, as JSON values; a folder with another configuration is exported again."""
    about: str = ""
    """Description in one line, with the source."""
    network: str = ""
    """Function of peer_networks.py that builds it; empty if it has the peer's name."""
    needs: tuple[str, ...] = ()
    """Packages that it needs beside those of the exporter."""
    forms: tuple[str, ...] = ("clip",)
    """Forms of the network: `clip`, or `FRAMEWISE_FORMS`."""

    def frames(self, t: int) -> int | None:
        """Return T of its graphs for clips of `t` frames: None, a free T, if it treats every frame alone."""
        return None if "stream" in self.forms else t

    def build(self) -> Any:
        """Build the network, an `nn.Module` in eval mode, with the same weights each time.

        Its `forward_frames` takes float frames (T, 1, S, S) from 0 to 1 and returns logits of the same shape.

        Raises:
            MissingExtraError: If a package is missing; the message has the command that installs it.
        """
        import torch

        networks = importlib.import_module("edgeecho.benchmarks.peers.peer_networks")
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(SEED)
                return getattr(networks, self.network or self.name)(**self.config).eval()
        except ImportError as error:
            if not self.needs:
                raise
            line = f"{self.name} needs {error.name}: pip install --no-deps {' '.join(self.needs)}"
            raise MissingExtraError(line) from error


_ALL = (
    Peer(
        "unet3d",
        {"in_channels": 1, "classes": 1, "base_channels": 32},
        "standard 3D U-Net (Cicek et al., MICCAI 2016), the yardstick",
    ),
    Peer(
        "unet2d",
        {"widths": [32, 32, 64, 128, 128, 128], "decoder_widths": [16, 32, 64, 128, 128]},
        "light 2D U-Net (U-Net 1 of Leclerc et al., TMI 2019; Kjelsrud et al., arXiv 2509.03631), with BatchNorm",
        forms=FRAMEWISE_FORMS,
    ),
    Peer(
        "deeplabv3",
        {},
        "DeepLabV3-ResNet50 of torchvision, the network of EchoNet-Dynamic (Ouyang et al., Nature 2020)",
        needs=(TORCHVISION_REQUIREMENT, "pillow"),
        forms=FRAMEWISE_FORMS,
    ),
    Peer(
        "lraspp",
        {},
        "LR-ASPP on MobileNetV3-Large of torchvision (Howard et al., ICCV 2019), made for phones",
        needs=(TORCHVISION_REQUIREMENT, "pillow"),
        forms=FRAMEWISE_FORMS,
    ),
    Peer(
        "dynunet",
        {"filters": [32, 64, 128, 256, 320], "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]},
        "MONAI's DynUNet as nnU-Net (Isensee et al., Nature Methods 2021) plans a 3D one for 32 x 112 x 112",
        needs=("monai",),
    ),
    Peer(
        "dynunet2d",
        {"filters": [32, 64, 128, 256, 480], "strides": [[1, 1], [2, 2], [2, 2], [2, 2], [2, 2]]},
        "MONAI's DynUNet as nnU-Net plans a 2D one: the count of the nnU-Net in SimLVSeg's table",
        network="dynunet",
        needs=("monai",),
        forms=FRAMEWISE_FORMS,
    ),
    Peer(
        "simlvseg",
        {"in_channels": 3, "widths": [16, 32, 64, 128, 256], "units": [2, 3, 4, 6, 3]},
        "SimLVSeg-3D (Maani et al., arXiv 2310.00454), built from its description out of MONAI's residual units",
        needs=("monai",),
    ),
)
PEERS = {peer.name: peer for peer in _ALL}
"""Name to peer."""
