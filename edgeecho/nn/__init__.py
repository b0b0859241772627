"""Networks and their checkpoints; this package needs torch."""

from dataclasses import asdict

from torch import nn

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.spec import ModelSpec
from edgeecho.nn.banded import BandedUNet, BandedUNetConfig
from edgeecho.nn.clunet import CLUNet, CLUNetConfig
from edgeecho.nn.strided import StridedUNet, StridedUNetConfig
from edgeecho.nn.unet2d import UNet2D, UNet2DConfig
from edgeecho.nn.unet3d import UNet3D, UNet3DConfig

__all__ = ["PRESETS", "BandedUNet", "BandedUNetConfig", "CLUNet", "CLUNetConfig", "Network", "StridedUNet"]
__all__ += ["StridedUNetConfig", "UNet2D", "UNet2DConfig", "UNet3D", "UNet3DConfig", "build", "count_parameters"]
__all__ += ["new_spec"]

Config = BandedUNetConfig | CLUNetConfig | StridedUNetConfig | UNet2DConfig | UNet3DConfig
Network = BandedUNet | CLUNet | StridedUNet | UNet2D | UNet3D

PRESETS: dict[str, Config] = {
    "cl_unet": BandedUNetConfig(),
    "cl_unet_edge": CLUNetConfig(),
    "cl_unet_nano": CLUNetConfig(widths=(16, 24, 48, 96)),
    "strided": StridedUNetConfig(),
    "strided_nano": StridedUNetConfig(widths=(32, 64, 128), blocks=(1, 1, 1)),
    "unet2d": UNet2DConfig(),
    "unet3d": UNet3DConfig(),
}
"""Configuration of each family, by the name of the family."""


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def new_spec(family: str, **overrides: object) -> ModelSpec:
    """Return the specification of a new network of a family.

    Args:
        family: Key of `PRESETS`.
        overrides: Configuration fields that differ from the preset.

    Raises:
        ConfigError: If the family is unknown or a field does not fit.
    """
    if family not in PRESETS:
        raise ConfigError(f"unknown family {family!r}; known: {', '.join(PRESETS)}")
    preset = PRESETS[family]
    try:
        config = type(preset)(**{**asdict(preset), **overrides})
    except TypeError as error:
        raise ConfigError(f"{family}: bad configuration: {error}") from error
    network = _network(config)
    return ModelSpec(
        name=family,
        family=family,
        config=asdict(config),
        params=count_parameters(network),
        context_frames=network.context_frames,
    )


def _network(config: Config) -> Network:
    match config:
        case BandedUNetConfig():
            return BandedUNet(config)
        case StridedUNetConfig():
            return StridedUNet(config)
        case UNet2DConfig():
            return UNet2D(config)
        case UNet3DConfig():
            return UNet3D(config)
        case CLUNetConfig():
            return CLUNet(config)


def build(spec: ModelSpec) -> Network:
    """Build the network that a specification describes, with random weights.

    Raises:
        ModelFileError: If the family is unknown or its configuration does not fit.
    """
    if spec.family not in PRESETS:
        raise ModelFileError(f"unknown family {spec.family!r}; known: {', '.join(PRESETS)}")
    # The weights of cl_unet that are packaged now are a CLUNet with an encoder of depthwise bands.
    kind = CLUNetConfig if "encoder" in spec.config else type(PRESETS[spec.family])
    try:
        return _network(kind(**spec.config))
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{spec.name}: its network cannot be rebuilt: {error}") from error
