"""Operators that only move the values of a tensor, whose results have the scale of that tensor."""

from collections.abc import Mapping

import onnx

PASS_ON = ("Slice", "Resize", "DepthToSpace", "MaxPool", "Transpose", "Squeeze", "Unsqueeze", "Gather")
"""Operators whose result has the scale of their input."""


def root_of(name: str, producer: Mapping[str, onnx.NodeProto]) -> str:
    """Return the tensor whose scale a tensor has: itself, if its operator does more than to move values.

    A join along T repeats the first and the last frame of a tensor. With a scale of its own, which a sum behind it
    would give it, the join would round its values again, and a stream has no join.

    Args:
        name: The tensor.
        producer: Operator that makes each tensor.
    """
    while name in producer:
        node = producer[name]
        if node.op_type not in PASS_ON and not (node.op_type == "Concat" and node.attribute[0].i == 0):
            break
        name = node.input[0]
    return name


def joins(model: onnx.ModelProto) -> dict[str, str]:
    """Return each join of frames of one tensor, on the channel axis or along T, and that tensor."""
    producer = {name: node for node in model.graph.node for name in node.output}
    found = {}
    for node in (node for node in model.graph.node if node.op_type == "Concat"):
        roots = {root_of(name, producer) for name in node.input}
        if len(roots) == 1:
            found[node.output[0]] = roots.pop()
    return found
