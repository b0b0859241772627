"""Quantization of an fp32 clip graph to static int8: QDQ, unsigned 8-bit activations, signed 7-bit weights by channel.

Processors with AVX2 but without VNNI add two products of an activation and a weight in 16 bits. With weights of 8 bits
that sum saturates and changes the result; with weights of 7 bits it cannot, so every processor computes the same bits
(docs/processors.md).
"""

from collections.abc import Collection

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static, save_tensors_data
from onnxruntime.quantization.calibrate import TensorData, TensorsData

from edgeecho.export.int8.exact_sums import Parameters, exact_parameters
from edgeecho.export.int8.ranges import Ranges
from edgeecho.export.quiet import quiet
from edgeecho.files import scratch_folder

OPERATORS = ["Conv", "Concat", "Add", "Resize", "DepthToSpace", "Sigmoid", "MaxPool", "Mul", "Relu", "Slice"]
OPERATORS += ["ConvTranspose", "Transpose", "Unsqueeze", "Squeeze", "Gather"]  # of native 3D graphs
MOVERS = ("DepthToSpace", "Transpose", "Squeeze", "Unsqueeze", "Gather")
"""Operators that move values without changing them."""
LOGIT_RANGE = 8.0
"""Bound of the stored logits, from -8 to 8 in steps of 1/16: finer near the mask's edge than their own range."""
WEIGHT_BITS = (7, 8)
"""Bits of a weight: 7 for equal results on every processor, 8 for processors that add in 32 bits."""
PROCESSORS = {
    7: "every processor",
    8: "processors that add products of 8 bits without saturation: x86 with VNNI or AMX, x86 without AVX2, 64-bit ARM",
}
"""Processors on which a file gives the proven results, by the bits of its weights."""


def quantize(
    model: onnx.ModelProto,
    ranges: Ranges,
    *,
    keep_float: Collection[str] = (),
    weight_bits: int = WEIGHT_BITS[0],
    exact_sums: bool = True,
) -> onnx.ModelProto:
    """Quantize a clip graph so that it runs in integers from `frames` to `prob`.

    Args:
        model: Graph that `clip_graph` returned, uint8 in and out.
        ranges: Ranges of its tensors.
        keep_float: Names of convolutions that stay in float.
        weight_bits: Bits of the weights, one of `WEIGHT_BITS`.
        exact_sums: Whether to choose scales of sums that every processor rounds alike; not used for peers.
    """
    boundary = _Boundary(model)
    given = given_parameters(model, ranges if exact_sums else None, weight_bits)
    overrides = {name: _fixed(scale, zero_point) for name, (scale, zero_point) in given.items()}
    found = {n: TensorData(lowest=np.float32(low), highest=np.float32(high)) for n, (low, high) in ranges.of.items()}
    with scratch_folder() as folder, quiet("onnxruntime"):
        source, target, table = (folder / name for name in ("fp32.onnx", "int8.onnx", "ranges.json"))
        onnx.save(model, source)
        save_tensors_data(TensorsData(CalibrationMethod.MinMax, found), table)
        quantize_static(
            source,
            target,
            calibration_cache_path=table,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            nodes_to_exclude=[*boundary.float_nodes, *keep_float],
            per_channel=True,
            reduce_range=weight_bits == WEIGHT_BITS[0],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"TensorQuantOverrides": overrides},
        )
        quantized = onnx.load(target)
    return _integers_outside(quantized, boundary)


def _fixed(scale: float, zero_point: int) -> list[dict[str, object]]:
    """Return a given quantization of a tensor, in place of a calibrated one."""
    return [
        {
            "quant_type": QuantType.QUInt8,
            "scale": np.array(scale, np.float32),
            "zero_point": np.array(zero_point, np.uint8),
        }
    ]


class _Boundary:
    """Tensors at which the float operators at both ends of the graph begin and end."""

    def __init__(self, model: onnx.ModelProto) -> None:
        producer = {name: node for node in model.graph.node for name in node.output}
        cast = next(n for n in model.graph.node if n.op_type == "Cast" and "frames" in n.input)
        mul = next((n for n in model.graph.node if n.op_type == "Mul" and cast.output[0] in n.input), cast)
        self.scaled: str = mul.output[0]
        # The simplifier may have moved 1/255 into the first convolution's weights.
        self.scale = 1.0 if mul is cast else 1 / 255
        # Where the network begins, behind the ops that only move the frames into place.
        self.entry = self.scaled
        while (reader := _readers(model, self.entry)[0]).op_type in MOVERS:
            self.entry = reader.output[0]
        sigmoid = next(n for n in reversed(model.graph.node) if n.op_type == "Sigmoid")  # others are the network's
        self.probability: str = sigmoid.output[0]
        # The logits, from the last convolution through the ops that only move them.
        self.logits: list[str] = [sigmoid.input[0]]
        while (mover := producer[self.logits[-1]]).op_type in MOVERS:
            self.logits.append(mover.input[0])
        self.fixed: dict[str, tuple[float, int]] = {
            self.entry: (self.scale, 0),
            self.probability: (1 / 255, 0),
            **dict.fromkeys(self.logits, (LOGIT_RANGE / 128, 128)),
        }
        # The multiplications at both ends.
        self.float_nodes = [n.name for n in (mul, *_readers(model, self.probability)) if n.op_type == "Mul"]


def given_parameters(model: onnx.ModelProto, ranges: Ranges | None, weight_bits: int) -> Parameters:
    """Return the scales and zero points in an fp32 clip graph that are given: at its ends, and in sums.

    Args:
        model: The graph.
        ranges: Ranges of its tensors; with None, those at the ends alone are returned.
        weight_bits: Bits of constants.
    """
    return {**(exact_parameters(model, ranges, weight_bits) if ranges else {}), **_Boundary(model).fixed}


def _readers(model: onnx.ModelProto, tensor: str) -> list[onnx.NodeProto]:
    return [n for n in model.graph.node if tensor in n.input]


def _integers_outside(model: onnx.ModelProto, boundary: _Boundary) -> onnx.ModelProto:
    """Remove the float operators at both ends, since uint8 frames and `prob` are quantized already.

    Before: frames, Cast, Quantize(1, 0), Dequantize ... Sigmoid, Quantize(1/255, 0), Dequantize, Mul 255, Round,
    Cast, prob. After: frames, Dequantize ... Sigmoid, Quantize(1/255, 0), prob. The numbers are the same. Operators
    that only move the frames before the first Quantize then move integers.
    """
    nodes = list(model.graph.node)
    first = _quantizer(nodes, boundary.entry)
    last = _quantizer(nodes, boundary.probability)
    dead: set[str] = {first.output[0]}
    moved = {boundary.scaled: "frames"}
    moved[first.output[0]] = moved.get(boundary.entry, boundary.entry)
    for node in nodes:
        for i, name in enumerate(node.input):
            node.input[i] = moved.get(name, name)
    last.output[0] = "prob"
    keep = [n for n in nodes if not (set(n.output) & dead)]
    keep = [n for n in keep if n.output[0] != "prob" or n is last]
    while True:  # nodes whose outputs are not read
        read = {name for node in keep for name in node.input} | {"prob"}
        alive = [n for n in keep if set(n.output) & read]
        if len(alive) == len(keep):
            break
        keep = alive
    read = {name for node in keep for name in node.input}
    tensors = [t for t in model.graph.initializer if t.name in read]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(keep)
    model.graph.initializer.extend(tensors)
    del model.metadata_props[:]
    return model


def _quantizer(nodes: list[onnx.NodeProto], tensor: str) -> onnx.NodeProto:
    return next(n for n in nodes if n.op_type == "QuantizeLinear" and n.input[0] == tensor)


def count_int8(model: onnx.ModelProto) -> tuple[int, int]:
    """Return the number of convolutions with int8 weights, and that of all convolutions."""
    int8 = {
        n.output[0]
        for n in model.graph.node
        if n.op_type == "DequantizeLinear"
        and any(t.name == n.input[0] and numpy_helper.to_array(t).dtype == np.int8 for t in model.graph.initializer)
    }
    convolutions = [n for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    return sum(n.input[1] in int8 for n in convolutions), len(convolutions)
