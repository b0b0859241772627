"""Assignment of the file's convolutions to an engine's kernels, so that a fused kernel has their name and MACs."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edgeecho.benchmarks.profile.counting import macs_of
from edgeecho.benchmarks.profile.kernels import Kernel, read_openvino
from edgeecho.benchmarks.profile.layers import graph_layers, module_name
from edgeecho.benchmarks.profile.readback import ORT_OPERATORS
from edgeecho.errors import ExportError

MULTIPLYING_KERNELS = {
    *ORT_OPERATORS,
    *("MatMul", "FusedMatMul", "QLinearMatMul", "Gemm", "FusedGemm", "QGemm"),
    *("Convolution", "Deconvolution", "FullyConnected"),
    *("GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"),
}
"""Kernels that can contain a convolution or a matrix product."""
ONNX_OPERATORS = {
    "Convolution": "Conv",
    "GroupConvolution": "Conv",
    "ConvolutionBackpropData": "ConvTranspose",
    "GroupConvolutionBackpropData": "ConvTranspose",
    "MatMul": "MatMul",
}


class Multiplier(NamedTuple):
    """A convolution or matrix product of the file's graph."""

    name: str
    macs: int
    aliases: set[str]


def onnx_multipliers(data: bytes, shapes: Mapping[str, Sequence[int]]) -> list[Multiplier]:
    """Return the multipliers of an ONNX file.

    Args:
        data: Bytes of the file.
        shapes: Shapes of the inputs, by name.
    """
    return [Multiplier(layer.name, layer.macs, layer.aliases) for layer in graph_layers(data, 1, shapes) if layer.macs]


def openvino_multipliers(data: bytes, weights: bytes, shapes: Mapping[str, Sequence[int]]) -> list[Multiplier]:
    """Return the multipliers of OpenVINO's .xml and .bin for the given shapes of inputs, by name."""
    model = read_openvino(data, weights)
    if model.is_dynamic():
        model.reshape({name: list(shape) for name, shape in shapes.items()})
    found = []
    for op in model.get_ordered_ops():
        kind = ONNX_OPERATORS.get(op.get_type_name())
        if kind is None:
            continue
        x, w, y = list(op.input(0).get_shape()), list(op.input(1).get_shape()), list(op.output(0).get_shape())
        if op.get_type_name().startswith("Group"):  # (groups, out, in, kernel...) or (groups, in, out, kernel...)
            w = [w[0] * w[1], *w[2:]]
        name = op.get_friendly_name()
        label = module_name(_sources(op.input_value(1).get_node()), name.removesuffix("/WithoutBiases"))
        found.append(Multiplier(label, macs_of(kind, x, w, y), {name}))
    return found


def _sources(node: Any) -> list[str]:
    """Return the names of the nodes from weights back to their constant."""
    names = [node.get_friendly_name()]
    while node.get_input_size() and node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
        names.append(node.get_friendly_name())
    return names


def assign(multipliers: Sequence[Multiplier], kernels: Sequence[Kernel]) -> list[list[Multiplier]]:
    """Return the multipliers that each kernel contains; every multiplier is in exactly one kernel.

    Multipliers whose names the engine does not report are assigned in their order.

    Raises:
        ExportError: If some cannot be found again.
    """
    held: list[list[Multiplier]] = [[] for _ in kernels]
    able = [i for i, kernel in enumerate(kernels) if kernel.op in MULTIPLYING_KERNELS]
    missing = []
    for multiplier in multipliers:
        found = next((i for i in able if multiplier.aliases & set(kernels[i].originals)), None)
        if found is None:
            missing.append(multiplier)
        else:
            held[found].append(multiplier)
    idle = [i for i in able if not held[i]]
    if len(idle) != len(missing):
        raise ExportError(
            f"{len(missing)} convolutions of the file are in none of the engine's kernels "
            f"({len(idle)} of its kernels are unknown), so no profile can be given; such as {missing[:1]}"
        )
    for i, multiplier in zip(idle, missing, strict=True):
        held[i].append(multiplier)
    return held
