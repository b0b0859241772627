"""Proof that the parameters of an int8 graph are those of its calibration.

The acceptance test measures what quantization does to masks; this check needs no picture. It recomputes every weight,
bias, scale and zero point from the fp32 graph and the calibrated ranges. So a parameter that is wrong, but hurts little
on the acceptance cines, is found all the same.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.export.check.proof import CheckResult
from edgeecho.export.int8.exact_sums import MARGIN, nearest_middle
from edgeecho.export.int8.moves import PASS_ON
from edgeecho.export.int8.quantize import given_parameters
from edgeecho.export.int8.ranges import Ranges

MAX_STEPS = 0.51
"""Largest difference of a weight or bias from fp32, in its quantization steps: half a step and rounding of floats."""
MAX_ZERO_POINT_STEPS, MAX_SCALE_DEVIATION = 1.01, 1e-3
"""Largest differences of a zero point (in steps) and of a scale (relative) from those of the ranges."""
MAY_PASS_ON = (*PASS_ON, "Relu")
"""Operators whose result may have the scale of their input."""


@dataclass(frozen=True)
class _Quantizer:
    """Scale and zero point of one tensor."""

    scale: float
    zero_point: int


def check_parameters(int8: onnx.ModelProto, fp32: onnx.ModelProto, bits: int, ranges: Ranges | None) -> CheckResult:
    """Compare the parameters of an int8 clip graph with those of its calibration.

    Args:
        int8: Graph that `quantize` returned.
        fp32: Graph that it was made from.
        bits: Bits of the weights.
        ranges: Ranges of the fp32 graph's tensors; with None, scales of activations are checked for consistency alone.
    """
    checker = _Checker(int8, fp32, bits, ranges)
    worst, where = max(checker.errors(), default=(0.0, "nothing"))
    against = "its calibration" if ranges else "clip.fp32.onnx"
    figure = f"parameters, steps ({where})" if worst > 1 else "parameters, steps"
    return CheckResult("clip.int8 graph", against, figure, worst * MAX_STEPS, worst * MAX_STEPS, MAX_STEPS, worst <= 1)


def check_sums(int8: onnx.ModelProto) -> CheckResult:
    """Prove that no int8 sum or product is so near the middle of two levels that processors round it differently."""
    found = nearest_middle(int8)
    figure = "sums, levels from a middle"
    return CheckResult("clip.int8 graph", "every processor", figure, found, found, MARGIN, found >= MARGIN)


def bits_of(int8: onnx.ModelProto) -> int:
    """Return the number of bits of the weights of an int8 graph: 7 if none is beyond 64, else 8."""
    arrays = (numpy_helper.to_array(t) for t in int8.graph.initializer if t.data_type == onnx.TensorProto.INT8)
    return 7 if max((int(np.abs(a.astype(int)).max(initial=0)) for a in arrays), default=0) <= 64 else 8


class _Checker:
    def __init__(self, int8: onnx.ModelProto, fp32: onnx.ModelProto, bits: int, ranges: Ranges | None) -> None:
        self.int8, self.fp32, self.ranges = int8, fp32, ranges
        self.levels = 1 << (bits - 1)
        self.constants = {t.name: numpy_helper.to_array(t) for t in int8.graph.initializer}
        self.producer = {name: node for node in int8.graph.node for name in node.output}
        self.originals = {t.name: numpy_helper.to_array(t) for t in fp32.graph.initializer}
        self.given = {name: _Quantizer(*values) for name, values in given_parameters(fp32, ranges, bits).items()}
        self.convolutions = {n.name: n for n in fp32.graph.node if n.op_type in ("Conv", "ConvTranspose")}

    def errors(self) -> list[tuple[float, str]]:
        """Return all errors, as parts of the largest allowed ones, each with the name of its tensor."""
        found = [(0.0, "nothing")]
        for node in self.int8.graph.node:
            if node.op_type in ("Conv", "ConvTranspose"):
                found += self._convolution(node)
            if node.op_type == "QuantizeLinear":
                found += self._activation(node)
            if node.op_type == "DequantizeLinear":
                source = self.producer.get(node.input[0])
                if source is not None and source.op_type == "QuantizeLinear":
                    found.append(self._apart(self._quantizer(node), self._quantizer(source), node.name))
        return found

    def _quantizer(self, node: onnx.NodeProto) -> _Quantizer:
        return _Quantizer(float(self.constants[node.input[1]]), int(self.constants[node.input[2]]))

    def _apart(self, a: _Quantizer, b: _Quantizer, name: str) -> tuple[float, str]:
        scale = abs(a.scale / b.scale - 1) / MAX_SCALE_DEVIATION if b.scale else float(a.scale != b.scale)
        return max(scale, abs(a.zero_point - b.zero_point) / MAX_ZERO_POINT_STEPS), name

    def _convolution(self, node: onnx.NodeProto) -> list[tuple[float, str]]:
        """Compare weights and bias with those of fp32, in steps of the requested number of bits."""
        original = self.convolutions.get(node.name)
        source = self.producer.get(node.input[1])
        if original is None:
            return [(float("inf"), node.name)]  # no convolution of the fp32 graph
        if source is None or source.op_type != "DequantizeLinear":
            return []  # a convolution in float
        stored, scale = (self.constants[name] for name in source.input[:2])
        expected = self.originals[original.input[1]]
        if stored.shape != expected.shape:
            return [(float("inf"), node.name)]
        axis = next((a.i for a in source.attribute if a.name == "axis"), 1)
        column = [1] * stored.ndim
        column[axis] = -1
        steps = scale.reshape(column) if scale.ndim else scale
        others = tuple(k for k in range(stored.ndim) if k != axis)
        step = np.abs(expected).max(axis=others, keepdims=True) / self.levels
        weights = np.abs(stored * steps - expected) / np.maximum(step, 1e-12)
        used = np.broadcast_to(step > 1e-9, weights.shape)  # a channel of zeros has no step
        found = [(float(weights[used].max(initial=0)) / MAX_STEPS, node.name)]
        return [*found, *self._bias(node, original, np.ravel(scale))]

    def _bias(
        self, node: onnx.NodeProto, original: onnx.NodeProto, weight_scale: np.ndarray
    ) -> list[tuple[float, str]]:
        if len(node.input) < 3 or not node.input[2] or node.input[2] not in self.producer:
            return []
        source, entry = self.producer[node.input[2]], self.producer.get(node.input[0])
        if source.op_type != "DequantizeLinear" or entry is None or entry.op_type != "DequantizeLinear":
            return []
        stored, scale = (self.constants[name] for name in source.input[:2])
        step = weight_scale * float(self.constants[entry.input[1]])
        error = np.abs(stored * step - np.ravel(self.originals[original.input[2]])) / np.maximum(step, 1e-30)
        clipped = np.abs(stored.astype(np.int64)) >= 2**31 - 1
        consistent = float(np.abs(np.ravel(scale) / step - 1).max()) / MAX_SCALE_DEVIATION
        rounding = np.maximum(MAX_STEPS, 1e-6 * np.abs(stored))  # rounding of float32, for large biases
        return [(max(consistent, float((error / rounding)[~clipped].max(initial=0))), f"bias of {node.name}")]

    def _activation(self, node: onnx.NodeProto) -> list[tuple[float, str]]:
        """Compare scale and zero point with those of the calibrated range, or with those of the operator's input."""
        here = self._quantizer(node)
        allowed = self._expected(node.input[0])
        if self.ranges is None or not allowed:
            return []
        return [min(self._apart(here, other, node.name) for other in allowed)]

    def _expected(self, tensor: str) -> list[_Quantizer]:
        """Return the allowed quantizers of a tensor: the given one, or those of its range and of the tensor before."""
        if tensor in self.given:
            return [self.given[tensor]]
        found = []
        before = self.producer.get(tensor)
        if before is not None and before.op_type in MAY_PASS_ON:
            source = self.producer.get(before.input[0])
            if source is not None and source.op_type == "DequantizeLinear":
                found.append(self._quantizer(source))
        if self.ranges is not None and tensor in self.ranges.of:
            low, high = (min(self.ranges.of[tensor][0], 0.0), max(self.ranges.of[tensor][1], 0.0))
            scale = (high - low) / 255
            found.append(_Quantizer(scale, round(-low / scale)) if scale > 1e-30 else _Quantizer(1.0, 0))
        return found
