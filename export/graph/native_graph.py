"""What the native engine runs: tensors of bytes, and steps that read and write them."""

from dataclasses import dataclass, field

import numpy as np
import onnx

from edgeecho.errors import ExportError


@dataclass
class Tensor:
    """Quantized tensor of one frame, uint8 (H, W, C)."""

    name: str
    height: int
    width: int
    channels: int
    scale: float
    zero_point: int
    halo: int = 0
    """Pixels of `zero_point` on every side, which a convolution reads."""
    ages: int = 0
    """Largest number of frames ago that a step reads."""


@dataclass(frozen=True)
class Step:
    """One step: its kind, what it reads (tensor, frames ago), what it writes, and its parameters."""

    kind: str
    name: str
    sources: tuple[tuple[str, int], ...]
    output: str
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    """int8 (output channels, input channels, kernel, kernel)."""
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    scale: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """Scale of the sum of each output channel; of an addition, those of its two sources."""
    factor: int = 1
    """Of an addition, the factor by which its first source is enlarged; of the head, the side of its blocks."""
    table: bytes = b""
    """Of the head: `prob` of each of the 256 values."""


@dataclass(frozen=True)
class NativeGraph:
    """Tensors by name, and steps in order."""

    tensors: dict[str, Tensor]
    steps: tuple[Step, ...]
    states: dict[str, tuple[str, int]]
    """State input of the ONNX graph to the tensor that it holds, and the number of frames."""


def refusal(node: onnx.NodeProto, why: str) -> ExportError:
    """Return the error of an operator that the engine has no kernel for."""
    return ExportError(f"the native engine cannot run {node.op_type} {node.output[0]!r}: {why}; take the ONNX graph")
