"""Distillation: a smaller network is trained on the predictions of a larger one, also on frames without a label."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from edgeecho.errors import ConfigError
from edgeecho.model.registry import locate
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.train.compute import Compute


class Teacher:
    """A trained network with fixed weights, whose predictions are a target of the training."""

    def __init__(self, model: str, compute: Compute) -> None:
        """Load a checkpoint.

        Args:
            model: Path of a checkpoint, or name of a packaged model.
            compute: Device and precision.

        Raises:
            ModelFileError: If the checkpoint does not exist or is damaged.
            ConfigError: If the network is the standard 3D U-Net, which pools along time.
        """
        self.network, self.spec = load_checkpoint(locate(model, "torch").path)
        if self.spec.pooled_frames > 1:
            raise ConfigError(f"data.teacher: {model}: unet3d cannot teach; give a CL-UNet")
        self.network = self.network.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.compute = compute

    def probabilities(self, frames: Tensor) -> Tensor:
        """Return the teacher's probabilities of frames uint8 (B, T, H, W), float of the same shape, on the device."""
        with torch.inference_mode(), self.compute.autocast():
            logits: Tensor = self.network(self.compute.put(frames)[:, None] / 255.0)
        return torch.sigmoid(logits.float()).squeeze(1).clone()

    def answer(self, batches: Iterator[dict[str, Tensor]]) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        """Yield batches with the probabilities of their `clean` frames, which a thread computes one batch ahead.

        So a second core is used while the network is trained. The probabilities are those of the batches one by one.
        """
        with ThreadPoolExecutor(1, "teacher") as thread:
            waiting: tuple[dict[str, Tensor], Future[Tensor]] | None = None
            for batch in batches:
                following = batch, thread.submit(self.probabilities, batch["clean"])
                if waiting:
                    yield waiting[0], waiting[1].result()
                waiting = following
            if waiting:
                yield waiting[0], waiting[1].result()
