"""A larger network whose answers a smaller one learns, on frames that nobody labelled too (distillation)."""

import torch
from torch import Tensor

from edgeecho.errors import ConfigError
from edgeecho.model.registry import locate
from edgeecho.nn.checkpoint import load_checkpoint


class Teacher:
    """A trained network that is asked and does not learn."""

    def __init__(self, model: str, bf16: bool) -> None:
        """
        Args:
            model: A checkpoint's path, or a packaged model's name.
            bf16: Run it in bfloat16.

        Raises:
            ModelFileError: If there is no such checkpoint, or it is damaged.
            ConfigError: If it is the standard 3D U-Net, which pools along time and needs clips of its own length.
        """
        self.network, self.spec = load_checkpoint(locate(model, "torch").path)
        if self.spec.pooled_frames > 1:
            raise ConfigError(f"data.teacher: {model}: unet3d cannot teach; give a CL-UNet")
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bf16 = bf16

    def probabilities(self, frames: Tensor) -> Tensor:
        """Frames uint8 (B, T, H, W) to the teacher's probabilities, float of the same shape."""
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits: Tensor = self.network(frames[:, None] / 255.0)
        return torch.sigmoid(logits.float()).squeeze(1).clone()
