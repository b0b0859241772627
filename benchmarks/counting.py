"""Multiply-accumulates of an ONNX graph, by shape inference: the one counter for all networks.

Counted: Conv, ConvTranspose (over input positions), MatMul and Gemm. Not counted: bias, activations, pooling,
resizing, quantization. FLOPs = 2 x MACs.
"""

import math
from pathlib import Path
from typing import Any

from edgeecho.errors import ExportError, require

COUNTER = "edgeecho.benchmarks.counting (Conv, ConvTranspose, MatMul, Gemm of the ONNX graph; FLOPs = 2 x MACs)"


def count_macs(model: Any, frames: int) -> int:
    """MACs of one run.

    Args:
        model: `onnx.ModelProto`, or the path of one.
        frames: T to put in where the graph's first axis is free.

    Raises:
        ExportError: If a shape cannot be inferred.
        MissingExtraError: If onnx is not installed.
    """
    onnx = require("onnx", "export")
    if isinstance(model, str | Path):
        model = onnx.load(model)
    else:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        model = copy
    for value in model.graph.input:
        axis = value.type.tensor_type.shape.dim[0]
        if not axis.HasField("dim_value"):
            axis.dim_value = frames
    # Shapes written at export speak of a free T; they are inferred anew.
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(model, check_type=False, strict_mode=False, data_prop=True).graph
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if all(d.HasField("dim_value") for d in dims):
            shapes[value.name] = [d.dim_value for d in dims]
    return sum(_node_macs(node, shapes) for node in graph.node)


def _node_macs(node: Any, shapes: dict[str, list[int]]) -> int:
    if node.op_type not in ("Conv", "ConvTranspose", "MatMul", "Gemm"):
        return 0
    try:
        x, w, y = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
    except KeyError as error:
        raise ExportError(
            f"{node.op_type} {node.name!r}: shape of {error} is unknown, its MACs cannot be counted"
        ) from None
    if node.op_type == "Conv":  # w: (out, in / groups, kernel...)
        return math.prod(y) * math.prod(w[1:])
    if node.op_type == "ConvTranspose":  # w: (in, out / groups, kernel...)
        return math.prod(x) * math.prod(w[1:])
    if node.op_type == "Gemm":
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return math.prod(y) * x[0 if transposed else 1]
    return math.prod(y) * x[-1]
