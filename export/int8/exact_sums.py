"""Exact sums: scales of int8 additions and multiplications that every processor rounds alike.

ONNX Runtime computes an int8 `Add` or `Mul` in float32, y = a ra + b rb or y = a b r, with or without fused
multiply-add, in an order that depends on the processor. The results differ by some 1e-4 of a level at most, and matter
only where y lies that close to the middle between two levels, where one processor rounds up and another down.

So scales are chosen such that y never lies there: all tensors of a sum are multiples of one power of two, the result
an odd multiple k of at most 1023. Then y is a multiple of 1/k, and with k odd at least 1/(2 k), 5e-4 of a level, away
from every middle. A scale becomes at most 0.4% coarser by that (more where the tensors of one sum have very different
ranges). For the product with a constant, the constant's scale is chosen such that y is a multiple of 1/q, q odd.
"""

import math
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.export.int8.moves import joins, root_of
from edgeecho.export.int8.ranges import Ranges

MARGIN = 4e-4
"""Least distance of any result from a middle, in levels; the error of float32 sums of numbers below 512 is smaller."""
MAX_MULTIPLE = 1023
"""Largest multiple of the power of two; twice its reciprocal is the distance from a middle."""
Parameters = dict[str, tuple[float, int]]
"""Scale and zero point of each tensor, by its name."""


def exact_parameters(model: onnx.ModelProto, ranges: Ranges, weight_bits: int) -> Parameters:
    """Choose scales and zero points of the tensors that an fp32 clip graph adds and multiplies.

    Args:
        model: The fp32 clip graph.
        ranges: Ranges of its tensors.
        weight_bits: Bits of constants, the same as of the weights of convolutions.

    Returns:
        Parameters of the tensors in sums and of the constants in products. A product of two tensors that are no
        constants keeps the scales of its ranges; `nearest_middle` measures the effect.
    """
    sums = _Sums(model, ranges)
    found = dict(sums.parameters())
    for name, values, read, result in sums.products():
        found[name] = _constant(values, weight_bits, sums.scale(read, found), sums.scale(result, found))
    return found


class _Sums:
    """Additions of a graph, and the groups of tensors that they join."""

    def __init__(self, model: onnx.ModelProto, ranges: Ranges) -> None:
        self.nodes, self.ranges = list(model.graph.node), ranges
        self.constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.producer = {name: node for node in self.nodes for name in node.output}
        self.leader: dict[str, str] = {}
        self.results: set[str] = set()
        self.passed: dict[str, str] = {}  # input of an addition, or join of frames, to the tensor whose scale it has
        for node in (node for node in self.nodes if node.op_type == "Add"):
            results = self._results(node.output[0])
            tensors = [self._root(name) for name in node.input if name not in self.constants] + results
            self.passed.update((name, self._root(name)) for name in node.input if name not in self.constants)
            self.results.update(results)
            for name in tensors:
                self._join(tensors[0], name)
        self.passed.update(joins(model))

    def _results(self, name: str) -> list[str]:
        """Return a sum and the outputs of its ReLUs, which may be quantized in its place."""
        readers = [node for node in self.nodes if name in node.input]
        return [name, *(node.output[0] for node in readers if node.op_type == "Relu")]

    def _root(self, name: str) -> str:
        return root_of(name, self.producer)

    def _find(self, name: str) -> str:
        while self.leader.setdefault(name, name) != name:
            name = self.leader[name]
        return name

    def _join(self, a: str, b: str) -> None:
        self.leader[self._find(b)] = self._find(a)

    def _range(self, name: str) -> tuple[float, float]:
        low, high = self.ranges.of.get(name, (0.0, 0.0))
        return min(low, 0.0), max(high, 0.0)

    def parameters(self) -> Iterator[tuple[str, tuple[float, int]]]:
        """Yield scale and zero point of every tensor in a sum."""
        groups: dict[str, list[str]] = {}
        for name in sorted(self.leader):
            groups.setdefault(self._find(name), []).append(name)
        for group in groups.values():
            plain = {name: (high - low) / 255 for name, (low, high) in ((n, self._range(n)) for n in group)}
            largest = max(plain.values())
            if largest <= 0:
                continue
            exponent = math.ceil(math.log2(largest / MAX_MULTIPLE))
            for name, scale in plain.items():
                multiple = max(1, math.ceil(scale / 2.0**exponent))
                if name in self.results and multiple % 2 == 0:
                    multiple += 1
                exact = multiple * 2.0**exponent
                parameters = exact, min(255, round(-self._range(name)[0] / exact))
                yield name, parameters
                # Behind a convolution in float, the operator that passes its result on is quantized by itself.
                yield from ((other, parameters) for other, root in self.passed.items() if root == name != other)

    def scale(self, name: str, found: Parameters) -> float:
        """Return the scale that a tensor will have."""
        root = self._root(name)
        low, high = self._range(root)
        return found[root][0] if root in found else float(np.float32((high - low) / 255))

    def products(self) -> Iterator[tuple[str, np.ndarray, str, str]]:
        """Yield each `Mul` with a constant: name and values of the constant, the other input, and the result."""
        for node in self.nodes:
            if node.op_type != "Mul" or self._is_scaling(node):
                continue
            constants = [name for name in node.input if name in self.constants]
            if len(constants) != 1:
                continue
            read = next(name for name in node.input if name not in self.constants)
            yield constants[0], self.constants[constants[0]], read, node.output[0]

    def _is_scaling(self, node: onnx.NodeProto) -> bool:
        """Whether a `Mul` is one at the ends of the graph, by 1/255 or 255, which an int8 graph does not have."""
        return any(name in self.constants and self.constants[name].ndim == 0 for name in node.input)


def _constant(values: np.ndarray, bits: int, read: float, result: float) -> tuple[float, int]:
    """Return the scale and zero point of a constant for which all products are multiples of 1/q of a level, q odd."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    least = (high - low) / ((1 << bits) - 1)
    if least <= 0 or read <= 0 or result <= 0:
        return 1.0, 0
    levels = result / (read * least)  # of the product of two steps, that make one level of the result
    factor = 2.0 ** max(0, math.floor(math.log2(MAX_MULTIPLE / levels)))
    divisor = max(1, math.floor(levels * factor))
    divisor -= divisor % 2 == 0
    scale = result * factor / (divisor * read)
    return scale, min((1 << bits) - 1, round(-low / scale))


def nearest_middle(int8: onnx.ModelProto) -> float:
    """Return the least distance of an int8 sum or product, over all pairs of bytes, from the middle between two levels.

    Args:
        int8: A quantized graph; additions and multiplications in float are left out.

    Returns:
        The distance in levels, at most 0.5; at least `MARGIN` if every processor rounds alike.
    """
    constants = {t.name: numpy_helper.to_array(t) for t in int8.graph.initializer}
    producer = {name: node for node in int8.graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in int8.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    nearest = 0.5
    for node in (node for node in int8.graph.node if node.op_type in ("Add", "Mul")):
        entries = [producer.get(name) for name in node.input]
        after = readers[node.output[0]][0]
        after = readers[after.output[0]][0] if after.op_type == "Relu" else after
        if after.op_type != "QuantizeLinear" or any(e is None or e.op_type != "DequantizeLinear" for e in entries):
            continue
        scales = [[constants[name] for name in n.input[1:3]] for n in (*entries, after) if n is not None]
        nearest = min(nearest, _distance(node.op_type, *((float(s), int(z)) for s, z in scales)))
    return nearest


def _distance(kind: str, a: tuple[float, int], b: tuple[float, int], result: tuple[float, int]) -> float:
    """Return the least distance of the results of all 65,536 pairs from a middle; clipped results do not count."""
    left, right = np.arange(256.0)[:, None] - a[1], np.arange(256.0) - b[1]
    level = (left * a[0] + right * b[0] if kind == "Add" else left * right * (a[0] * b[0])) / result[0] + result[1]
    level = level[(level > -1) & (level < 256)]
    return float(np.abs(level - np.floor(level) - 0.5).min(initial=0.5))
