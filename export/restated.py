"""A rewrite for OpenVINO on ARM: integers that come in from outside are quantized once more, to what they are.

OpenVINO 2026.4 on ARM asks of every convolution which kind of integers it reads, and learns it from the quantization
before. Frames and state come in as integers, with none before, and it refuses such a graph ("Convolution input
precision should be single"). Quantizing a value that has just been dequantized by the same scale gives the same
integer, so every answer stays as it is, and on x86 OpenVINO fuses the pair away.
"""

import onnx
from onnx import helper


def restated(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph; where neither Quantize nor a constant feeds a Dequantize, the two follow it once more."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    known = {tensor.name for tensor in model.graph.initializer}
    known.update(node.output[0] for node in model.graph.node if node.op_type == "QuantizeLinear")
    del result.graph.node[:]
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] in known:
            result.graph.node.append(node)
            continue
        integers, *scale = node.input
        real = node.output[0]
        result.graph.node.extend(
            [
                helper.make_node("DequantizeLinear", [integers, *scale], [f"{real}_once"]),
                helper.make_node("QuantizeLinear", [f"{real}_once", *scale], [f"{real}_again"]),
                helper.make_node("DequantizeLinear", [f"{real}_again", *scale], [real]),
            ]
        )
    return result
