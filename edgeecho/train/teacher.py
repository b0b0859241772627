"""Distillation: a smaller network is trained on the predictions of a larger one, also on frames without a label."""

import torch
from torch import Tensor

from edgeecho.errors import ConfigError
from edgeecho.model.registry import locate
from edgeecho.nn.checkpoint import load_checkpoint


class Teacher:
    """A trained network with fixed weights, whose predictions are a target of the training."""

    def __init__(self, model: str, bf16: bool) -> None:
        """Load a checkpoint.

        Args:
            model: Path of a checkpoint, or name of a packaged model.
            bf16: Whether to compute in bfloat16.

        Raises:
            ModelFileError: If the checkpoint does not exist or is damaged.
            ConfigError: If the network is the standard 3D U-Net, which pools along time.
        """
        self.network, self.spec = load_checkpoint(locate(model, "torch").path)
        if self.spec.pooled_frames > 1:
            raise ConfigError(f"data.teacher: {model}: unet3d cannot teach; give a CL-UNet")
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bf16 = bf16

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return the teacher's probabilities of frames uint8 (B, T, H, W), float of the same shape."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits: Tensor = self.network(frames[:, None] / 255.0)
        return torch.sigmoid(logits.float()).squeeze(1).clone()
