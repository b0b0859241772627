"""FoldedUNet: the U-Net of CL-UNet's families, over clips whose frames are folded into the batch.

The families differ in their blocks; what is common is here: the way through the levels, and the frames at the ends of a
clip that centred blocks need.
"""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from edgeecho.nn.blocks import TimeMixing, fold, hold_ends, unfold


class FoldedUNet(nn.Module):
    """Light U-Net: strided stem, trunk of reduced resolution, full resolution only in the last reshuffle of pixels.

    There is no stride, pooling or normalisation along time, so predictions do not depend on how a cine is cut.
    """

    def __init__(
        self,
        *,
        stem: nn.Module,
        down: Iterable[nn.Module],
        encoder: Iterable[Iterable[nn.Module]],
        up: Iterable[nn.Module],
        decoder: Iterable[nn.Module],
        head: nn.Module,
        causal: bool,
        stride: int = 2,
    ) -> None:
        """Join the parts of a network.

        Args:
            stem: Layer (N, 1, H, W) to (N, w0, H/s, W/s), s being `stride`.
            down: Layers between the encoder's levels, each halving H and W.
            encoder: Blocks of each encoder level, finest first, called as block(frames, clips of the batch).
            up: Layers (N, w1, h, w) to (N, w0, h, w) before the repetition of pixels, finest first.
            decoder: Block of each decoder level, finest first.
            head: Layer (N, w0, H/s, W/s) to (N, s^2, H/s, W/s).
            causal: Whether the blocks are causal (`TimeMixing`).
            stride: Factor by which the stem reduces a picture's sides.
        """
        super().__init__()
        self.causal, self.stride = causal, stride
        self.stem = stem
        self.down = nn.ModuleList(down)
        self.encoder = nn.ModuleList(nn.ModuleList(blocks) for blocks in encoder)
        self.up = nn.ModuleList(up)
        self.decoder = nn.ModuleList(decoder)
        self.head = head
        self.reach = sum(_reach(block) for block in self.modules())

    @property
    def context_frames(self) -> tuple[int, int]:
        """Numbers of frames before and after that an output frame depends on."""
        return (2 * self.reach, 0) if self.causal else (self.reach, self.reach)

    def forward(self, clip: Tensor) -> Tensor:
        """Return the logits of a clip float (B, 1, T, H, W), grey / 255, of the same shape.

        H and W must be multiples of the stem's stride times 2^(levels - 1).

        Raises:
            ShapeError: If the clip does not have five axes and one channel.
        """
        return unfold(self.forward_frames(fold(clip), len(clip)), len(clip))

    def forward_frames(self, x: Tensor, batch: int = 1) -> Tensor:
        """Return the logits of folded frames (T*B, 1, H, W), time first, of the same shape.

        In a training step on clips of one frame, which stands still, all repeated frames would be equal: one is enough.
        """
        margin = 0  # number of repeated frames at each end
        is_still = self.training and len(x) == batch
        started = self.causal or is_still
        skips: list[tuple[Tensor, int]] = []
        x = self.stem(x)  # (N, w0, H/s, W/s)
        for level, stage in enumerate(self.encoder):
            if level:
                x = self.down[level - 1](x)
            for block in stage.children():
                if _reach(block) and not started:
                    x, margin, started = hold_ends(x, batch, self.reach, self.reach), self.reach, True
                x = block(x, batch)
                margin -= 0 if is_still else self._shrinkage(block)
            skips.append((x, margin))
        skips.pop()
        for level in reversed(range(len(self.decoder))):
            x = F.interpolate(self.up[level](x), scale_factor=2, mode="nearest")
            skip, skip_margin = skips.pop()
            # A skip from before the repetition has as few frames as the output; its ends are repeated here.
            x = x + self._fit(skip, skip_margin, margin, batch)
            block = self.decoder[level]
            if _reach(block) and not started:
                x, margin, started = hold_ends(x, batch, self.reach, self.reach), self.reach, True
            x = block(x, batch)
            margin -= 0 if is_still else self._shrinkage(block)
        return F.pixel_shuffle(self.head(x), self.stride)  # (N, 1, H, W)

    def _shrinkage(self, block: nn.Module) -> int:
        """Return the number of frames by which a block shortens a clip at each end."""
        return 0 if self.causal else _reach(block)

    @staticmethod
    def _fit(skip: Tensor, skip_margin: int, margin: int, batch: int) -> Tensor:
        """Cut or repeat the ends of a skip connection to match features with `margin` more frames at each end."""
        extra = (skip_margin - margin) * batch
        if extra > 0:
            return skip[extra:-extra]
        return hold_ends(skip, batch, margin - skip_margin, margin - skip_margin)


def _reach(block: nn.Module) -> int:
    return block.reach if isinstance(block, TimeMixing) else 0
