"""Rewrites of int8 graphs for OpenVINO, which otherwise refuses or miscomputes some of them.

`requantize_inputs` is for ARM. There OpenVINO 2026.4 takes the type of the integers that a convolution reads from the
quantization before it. Frames and state are inputs of type integer, without a quantization before them, and OpenVINO
refuses such a graph ("Convolution input precision should be single"). Quantizing a value that has just been dequantized
by the same scale gives the same integer, so the results do not change. On x86 OpenVINO removes the pair by fusion,
except at two element-wise layers in the stream of a banded network.
"""

import onnx
from onnx import helper


def requantize_inputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """Add Quantize and Dequantize behind each Dequantize of an input, also of one that was sliced or moved before."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    inputs = {value.name for value in model.graph.input}
    for node in model.graph.node:
        reads = inputs & set(node.input)
        if reads and node.op_type == "DequantizeLinear":
            result.graph.node.extend(_twice(node))
            continue
        if reads and node.op_type not in ("Cast", "QuantizeLinear"):
            inputs.update(node.output)
        result.graph.node.append(node)
    return result


def _twice(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Return Dequantize, Quantize and Dequantize by the same scale, in place of one Dequantize."""
    (integers, *scale), real = node.input, node.output[0]
    return [
        helper.make_node("DequantizeLinear", [integers, *scale], [f"{real}_once"]),
        helper.make_node("QuantizeLinear", [f"{real}_once", *scale], [f"{real}_again"]),
        helper.make_node("DequantizeLinear", [f"{real}_again", *scale], [real]),
    ]


def keep_products_float(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the quantization behind a product with a constant, which OpenVINO 2026.4 computes wrongly.

    With the banded `cl_unet` on x86 `prob` was wrong by up to 193 of 255 levels; with the product in float it differs
    from ONNX Runtime by at most 27. A graph without such a product is returned as it is.
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
