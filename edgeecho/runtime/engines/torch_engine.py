"""Engine of PyTorch, which runs checkpoints and is the reference for the other engines."""

import threading

import numpy as np

from edgeecho.errors import ModelFileError, require
from edgeecho.model.spec import ModelSpec

_LOCK = threading.Lock()
"""Held during a run: PyTorch's number of threads is one setting of the whole process."""


class TorchEngine:
    """A checkpoint in PyTorch, fp32."""

    runtime = "torch"

    def __init__(self, data: bytes, spec: ModelSpec, name: str, threads: int) -> None:
        require("torch", "train")
        require("safetensors.torch", "train")
        import torch

        from edgeecho.nn.checkpoint import network_from_bytes

        if spec.form != "checkpoint":
            raise ModelFileError(f"{name}: holds a {spec.form} graph, PyTorch opens checkpoints")
        self._torch, self._threads = torch, threads
        self.network = network_from_bytes(data, spec, name)
        self.version = str(torch.__version__)

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip: frames uint8 (T, 1, S, S) to `prob` of the same shape and type."""
        from edgeecho.nn.threads import torch_threads

        torch = self._torch
        with _LOCK, torch_threads(self._threads), torch.inference_mode():
            logits = self.network.forward_frames(torch.from_numpy(frames).float() * (1.0 / 255.0))
            return np.asarray(torch.round(torch.sigmoid(logits) * 255.0).to(torch.uint8).numpy())
