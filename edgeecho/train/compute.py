"""Device and precision of a training run."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeecho.errors import ConfigError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Compute:
    """Device and precision that a run computes with."""

    device: torch.device
    precision: str
    """`fp32`, `bf16` or `fp16`."""

    @classmethod
    def choose(cls, device: str, precision: str, index: int = 0) -> "Compute":
        """Choose by the settings `run.device` and `run.precision`.

        Args:
            device: `auto`, `cpu`, `cuda` or `mps`.
            precision: `auto`, `fp32`, `bf16` or `fp16`.
            index: Number of the CUDA device, for one of several processes on a machine.

        Raises:
            ConfigError: If the device is not there, or does not compute in that precision.
        """
        kind = _kind(device)
        if kind == "cuda" and index >= torch.cuda.device_count():
            raise ConfigError(
                f"run.device: process {index + 1} needs a CUDA device of its own, found {torch.cuda.device_count()}; "
                "start as many processes as there are devices"
            )
        if precision == "auto":
            precision = _native_precision(kind)
        if precision == "fp16" and kind != "cuda":
            raise ConfigError(f"run.precision: fp16 is for cuda, the device is {kind}; set it to bf16, fp32 or auto")
        return cls(torch.device(kind, index) if kind == "cuda" else torch.device(kind), precision)

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which a network computes."""
        mixed = self.precision != "fp32"
        return torch.autocast(self.device.type, DTYPES[self.precision] if mixed else None, enabled=mixed)

    def put(self, tensor: Tensor) -> Tensor:
        """Return the tensor on the device."""
        return tensor.to(self.device, non_blocking=True)

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        return f"{name}, {self.precision}"


def _kind(device: str) -> str:
    """Return the type of the device that a setting names.

    Raises:
        ConfigError: If it is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(kind for kind, found in there.items() if found)
    if not there[device]:
        found = ", ".join(kind for kind, present in there.items() if present)
        raise ConfigError(
            f"run.device: {device} is not there, found {found}; set run.device to one of these or to auto"
        )
    return device


def _native_precision(kind: str) -> str:
    """Return the lowest precision that a device computes in by itself and that needs no scaling of the loss, or `fp16`
    on a CUDA device without it."""
    if kind == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if kind == "cpu":
        can = torch.cpu.get_capabilities()
        return "bf16" if can.get("avx512_bf16") or can.get("amx_bf16") else "fp32"
    return "fp32"
