"""CLUNet: a light 3D U-Net over echo clips, in two families.

The paper behind the name is unpublished; this is EdgeEcho's own reading of what is public: parallel banded branches,
about 7x fewer parameters than the standard 3D U-Net, every frame of a cine from two labels.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.errors import ConfigError
from edgeecho.nn.blocks import BandedBlock, ConvBN, DenseBlock, DenseTimeBlock, TimeMixing, fold, hold_ends, unfold


@dataclass(frozen=True, kw_only=True)
class CLUNetConfig:
    """Configuration of a CLUNet."""

    widths: tuple[int, ...] = (24, 48, 96, 192)
    """Numbers of channels at 1/2, 1/4, 1/8 ... of the input's size."""
    encoder: str = "dense"
    """Kind of the encoder's blocks: `dense` (family `cl_unet_edge`) or `banded` (family `cl_unet`)."""
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


class CLUNet(nn.Module):
    """Light 3D U-Net: stride-2 stem, half-resolution trunk, full resolution only in the last reshuffle of pixels.

    There is no stride, pooling or normalisation along time, so predictions do not depend on how a cine is cut.
    """

    def __init__(self, config: CLUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = ConvBN(1, widths[0], stride=2)
        self.down = nn.ModuleList(ConvBN(a, b, stride=2) for a, b in pairwise(widths))
        self.encoder = nn.ModuleList(
            nn.ModuleList(self._encoder_block(w, time) for _ in range(config.repeats))
            for w, time in zip(widths, config.encoder_time, strict=True)
        )
        self.up = nn.ModuleList(ConvBN(b, a, kernel=1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(
            DenseTimeBlock(w, config.causal) if time else DenseBlock(w)
            for w, time in zip(widths[:-1], config.decoder_time, strict=True)
        )
        self.head = nn.Conv2d(widths[0], 4, 1)
        self.time_layers = sum(isinstance(block, TimeMixing) for block in self.modules())

    def _encoder_block(self, channels: int, time: bool) -> nn.Module:
        if self.config.encoder == "banded":
            return BandedBlock(channels, self.config.causal)
        return DenseTimeBlock(channels, self.config.causal) if time else DenseBlock(channels)

    @property
    def context_frames(self) -> tuple[int, int]:
        """Numbers of frames before and after that an output frame depends on."""
        return (2 * self.time_layers, 0) if self.config.causal else (self.time_layers, self.time_layers)

    def forward(self, clip: Tensor) -> Tensor:
        """Return the logits of a clip float (B, 1, T, H, W), grey / 255, of the same shape.

        H and W must be multiples of 2^levels.

        Raises:
            ShapeError: If the clip does not have five axes and one channel.
        """
        return unfold(self.forward_frames(fold(clip), len(clip)), len(clip))

    def forward_frames(self, x: Tensor, batch: int = 1) -> Tensor:
        """Return the logits of folded frames (T*B, 1, H, W), time first, of the same shape."""
        margin = 0  # number of repeated frames at each end
        started = self.config.causal
        skips: list[tuple[Tensor, int]] = []
        x = self.stem(x)  # (N, w0, H/2, W/2)
        for level, stage in enumerate(self.encoder):
            if level:
                x = self.down[level - 1](x)
            for block in stage.children():
                if isinstance(block, TimeMixing) and not started:
                    x, margin, started = hold_ends(x, batch, self.time_layers, self.time_layers), self.time_layers, True
                x = block(x, batch)
                margin -= self._shrinks(block)
            skips.append((x, margin))
        skips.pop()
        for level in reversed(range(len(self.decoder))):
            x = F.interpolate(self.up[level](x), scale_factor=2, mode="nearest")
            skip, skip_margin = skips.pop()
            # A skip from before the repetition has as few frames as the output; its ends are repeated here.
            x = x + self._fit(skip, skip_margin, margin, batch)
            block = self.decoder[level]
            x = block(x, batch)
            margin -= self._shrinks(block)
        return F.pixel_shuffle(self.head(x), 2)  # (N, 1, H, W)

    def _shrinks(self, block: nn.Module) -> int:
        return int(isinstance(block, TimeMixing) and not self.config.causal)

    @staticmethod
    def _fit(skip: Tensor, skip_margin: int, margin: int, batch: int) -> Tensor:
        """Cut or repeat the ends of a skip connection to match features with `margin` more frames at each end."""
        extra = (skip_margin - margin) * batch
        if extra > 0:
            return skip[extra:-extra]
        return hold_ends(skip, batch, margin - skip_margin, margin - skip_margin)
