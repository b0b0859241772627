"""Count of the multiply-accumulates (MACs) of an ONNX graph, by shape inference, for all networks.

Counted: Conv, ConvTranspose (over input positions), MatMul and Gemm. Not counted: bias, activations, pooling,
resizing, quantization. FLOPs = 2 x MACs.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeecho.errors import ExportError, require
from edgeecho.model.external_data import read_onnx

COUNTER = "edgeecho.benchmarks.profile.counting (Conv, ConvTranspose, MatMul, Gemm of the ONNX graph; FLOPs = 2 x MACs)"
COUNTED = ("Conv", "ConvTranspose", "MatMul", "Gemm")


def count_macs(model: Any, frames: int, shapes: Mapping[str, Sequence[int]] | None = None) -> int:
    """Count the MACs of one run.

    Args:
        model: `onnx.ModelProto`, or the path of one.
        frames: T to put in where the graph's first axis is free.
        shapes: Shapes of inputs by name, which take precedence over `frames`.

    Raises:
        ExportError: If a shape cannot be inferred.
        ModelFileError: If it is a path and no ONNX file is there, or its external data are not.
        MissingExtraError: If onnx is not installed.
    """
    graph = infer(model, frames, shapes)
    tensor_shapes = shapes_of(graph)
    return sum(node_macs(node, tensor_shapes) for node in graph.node)


def infer(model: Any, frames: int, shapes: Mapping[str, Sequence[int]] | None = None) -> Any:
    """Return a copy of a model's graph with the shapes and types of its tensors, for `frames` frames.

    Args:
        model: `onnx.ModelProto`, the path of one, or the bytes of a file without external data.
        frames: T to put in where the graph's first axis is free.
        shapes: Shapes of inputs by name, which take precedence over `frames`.

    Raises:
        ModelFileError: If it is a path and no ONNX file is there, or its external data are not.
        MissingExtraError: If onnx is not installed.
    """
    onnx = require("onnx", "export")
    if isinstance(model, str | Path):
        model = onnx.load_from_string(read_onnx(Path(model)).data)
    elif isinstance(model, bytes):
        model = onnx.load_from_string(model)
    else:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        model = copy
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        for axis, size in zip(dims, (shapes or {}).get(value.name, [frames]), strict=False):
            if not axis.HasField("dim_value"):
                axis.dim_value = size
    # Shapes written at export have a free T; they are inferred anew.
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, check_type=False, strict_mode=False, data_prop=True).graph


def shapes_of(graph: Any) -> dict[str, list[int]]:
    """Return the shapes of tensors that have fixed ones, by name."""
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if all(d.HasField("dim_value") for d in dims):
            shapes[value.name] = [d.dim_value for d in dims]
    return shapes


def node_macs(node: Any, shapes: dict[str, list[int]]) -> int:
    """Count the MACs of an ONNX node; 0 for operators other than `COUNTED`.

    Raises:
        ExportError: If a shape of it is unknown.
    """
    if node.op_type not in COUNTED:
        return 0
    try:
        x, w, y = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
    except KeyError as error:
        raise ExportError(
            f"{node.op_type} {node.name!r}: shape of {error} is unknown, its MACs cannot be counted"
        ) from None
    if node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute):
        x = x[::-1]
    return macs_of(node.op_type, x, w, y)


def macs_of(op: str, x: Sequence[int], w: Sequence[int], y: Sequence[int]) -> int:
    """Return the MACs from the shapes of input, weights and output.

    Args:
        op: One of `COUNTED`.
        x: The first input; of MatMul and Gemm its last axis is the one that is summed over.
        w: Weights: (out, in / groups, kernel...) of a Conv, (in, out / groups, kernel...) of a ConvTranspose.
        y: The output.
    """
    if op == "Conv":
        return math.prod(y) * math.prod(w[1:])
    if op == "ConvTranspose":
        return math.prod(x) * math.prod(w[1:])
    return math.prod(y) * x[-1]
