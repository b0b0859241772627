"""Rewrites for OpenVINO, which would refuse or miscompute some int8 graphs as they are.

`restated` is for ARM. OpenVINO 2026.4 there learns the kind of integers that a convolution reads from the quantization
before it. Frames and state come in as integers, with none before, and it refuses such a graph ("Convolution input
precision should be single"). Quantizing a value that has just been dequantized by the same scale gives the same
integer, so every answer stays as it is. On x86 OpenVINO fuses the pair away, but for two element-wise layers in the
stream of a banded network.
"""

import onnx
from onnx import helper


def restated(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph; a Dequantize of what came in, however moved, is followed by Quantize and Dequantize."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    came_in = {value.name for value in model.graph.input}
    for node in model.graph.node:
        reads = came_in & set(node.input)
        if reads and node.op_type == "DequantizeLinear":
            result.graph.node.extend(_twice(node))
            continue
        if reads and node.op_type not in ("Cast", "QuantizeLinear"):
            came_in.update(node.output)
        result.graph.node.append(node)
    return result


def _twice(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Dequantize, quantize, dequantize, all by the same scale."""
    (integers, *scale), real = node.input, node.output[0]
    return [
        helper.make_node("DequantizeLinear", [integers, *scale], [f"{real}_once"]),
        helper.make_node("QuantizeLinear", [f"{real}_once", *scale], [f"{real}_again"]),
        helper.make_node("DequantizeLinear", [f"{real}_again", *scale], [real]),
    ]


def without_rounded_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """Leave out the quantization of a product with a constant, which OpenVINO 2026.4 then computes wrongly.

    Of the banded `cl_unet` the answers were off by up to 193 of 255 levels on x86; with the product left in float they
    are off by at most 27. A graph without such a product stays as it is.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    producer = {name: node for node in model.graph.node for name in node.output}
    stored = {tensor.name for tensor in model.graph.initializer}
    constants = {n.output[0] for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0] in stored}
    plain: dict[str, str] = {}
    for node in model.graph.node:
        before = producer.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        if before is not None and before.op_type == "QuantizeLinear":
            product = producer.get(before.input[0])
            if product is not None and product.op_type == "Mul" and any(name in constants for name in product.input):
                plain[node.output[0]] = before.input[0]
    del result.graph.node[:]
    result.graph.node.extend(node for node in model.graph.node if node.output[0] not in plain)
    for node in result.graph.node:
        node.input[:] = [plain.get(name, name) for name in node.input]
    return result
