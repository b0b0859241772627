"""Steps of an int8 stream graph for the native engine: convolutions, additions and the head, in order.

The graph's quantized operators become steps on bytes. Slices and concatenations of frames vanish: a step reads tensors
of this frame and of earlier ones, which the engine keeps in rings. Whatever the engine has no kernel for is refused here
by its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.errors import ExportError
from edgeecho.export.int8.exact_sums import MARGIN, nearest_middle
from edgeecho.model.native_file import MAX_SOURCES, MAX_WEIGHT

OPERATORS = ("QuantizeLinear", "DequantizeLinear", "Slice", "Concat", "Identity")
OPERATORS += ("Conv", "Add", "Resize", "DepthToSpace", "Sigmoid")
"""Operators that become steps of the engine, or that only move integers."""


@dataclass
class Tensor:
    """Quantized tensor of one frame, uint8 (H, W, C)."""

    name: str
    height: int
    width: int
    channels: int
    scale: float
    zero_point: int
    halo: int = 0
    """Pixels of `zero_point` on every side, which a convolution reads."""
    ages: int = 0
    """Largest number of frames ago that a step reads."""


@dataclass(frozen=True)
class Step:
    """One step: its kind, what it reads (tensor, frames ago), what it writes, and its parameters."""

    kind: str
    name: str
    sources: tuple[tuple[str, int], ...]
    output: str
    kernel: int = 0
    stride: int = 1
    pad: int = 0
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    """int8 (output channels, input channels, kernel, kernel)."""
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    scale: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """Scale of the sum of each output channel; of an addition, those of its two sources."""
    factor: int = 1
    """Of an addition, the factor by which its first source is enlarged; of the head, the side of its blocks."""
    table: bytes = b""
    """Of the head: `prob` of each of the 256 values."""


@dataclass(frozen=True)
class Part:
    """Channels of a tensor or of a state input, in a concatenation."""

    source: str
    first: int
    last: int


@dataclass(frozen=True)
class NativeGraph:
    """Tensors by name, and steps in order."""

    tensors: dict[str, Tensor]
    steps: tuple[Step, ...]
    states: dict[str, tuple[str, int]]
    """State input of the ONNX graph to the tensor that it holds, and the number of frames."""


def native_steps(model: onnx.ModelProto) -> NativeGraph:
    """Read an int8 stream graph.

    Args:
        model: Stream graph as `stream_graph` returned or a bundle has it.

    Raises:
        ExportError: If the native engine has no kernel for an operator or its shape; it is named.
    """
    return _Reader(model).read()


def _refuse(node: onnx.NodeProto, why: str) -> ExportError:
    return ExportError(f"the native engine cannot run {node.op_type} {node.output[0]!r}: {why}; take the ONNX graph")


class _Reader:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = onnx.shape_inference.infer_shapes(model)
        graph = self.model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output}
        values = (*graph.value_info, *graph.input, *graph.output)
        self.shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}
        self.parts: dict[str, tuple[Part, ...]] = {}  # of tensors of integers
        self.rings: dict[str, tuple[str, int]] = {}  # state input to the tensor that it holds, and frames held
        self.enlarged: dict[str, str] = {}  # result of a Resize to what it enlarges
        self.tensors: dict[str, Tensor] = {}
        self.steps: list[Step] = []

    def read(self) -> NativeGraph:
        margin = nearest_middle(self.model)
        if margin < MARGIN:
            raise ExportError(
                f"an int8 addition comes within {margin:.1e} of the middle between two levels, where engines round "
                "differently; export the model again with this EdgeEcho"
            )
        if unknown := next((node for node in self.model.graph.node if node.op_type not in OPERATORS), None):
            raise _refuse(unknown, "it has no kernel for this operator")
        for name, shape in ((i.name, self.shapes[i.name]) for i in self.model.graph.input):
            if name != "frame":
                self.parts[name] = (Part(name, 0, shape[1]),)
        self._move()
        self._find_rings()
        self._frame()
        for node in self.model.graph.node:
            if node.op_type == "QuantizeLinear":
                self._step(node)
        self._find_halos()
        return NativeGraph(self.tensors, tuple(self.steps), self.rings)

    def _move(self) -> None:
        """Follow slices and concatenations of integers along the channels."""
        for node in self.model.graph.node:
            if node.op_type == "QuantizeLinear":
                self.parts[node.output[0]] = (Part(node.output[0], 0, self._channels(node.output[0])),)
            elif node.op_type in ("Slice", "Concat", "Identity"):
                if any(name not in self.parts for name in self._moved(node)):
                    raise _refuse(node, "it moves values that are no integers of a convolution or of the state")
                self.parts[node.output[0]] = tuple(self._select(node))

    def _channels(self, name: str) -> int:
        return self.shapes[name][1] if name in self.shapes else self.shapes[self.producer[name].input[0]][1]

    def _moved(self, node: onnx.NodeProto) -> list[str]:
        return list(node.input) if node.op_type == "Concat" else [node.input[0]]

    def _select(self, node: onnx.NodeProto) -> Iterator[Part]:
        """Yield the parts that a slice, a concatenation or an identity has."""
        whole = [part for name in self._moved(node) for part in self.parts[name]]
        if node.op_type != "Slice":
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            if axis != 1:
                raise _refuse(node, f"its axis is {axis}, and the channels are axis 1")
            yield from whole
            return
        start, end, axes, *steps = (self.constants[name].tolist() for name in node.input[1:])
        if axes != [1] or (steps and steps[0] != [1]):
            raise _refuse(node, "it is no slice of channels")
        at = 0
        for part in whole:
            low, high = max(start[0] - at, 0), min(end[0] - at, part.last - part.first)
            at += part.last - part.first
            if low < high:
                yield Part(part.source, part.first + low, part.first + high)

    def _find_rings(self) -> None:
        """Find which tensor each state input holds, and how many frames of it: next = all but the oldest, and it."""
        for name in [i.name for i in self.model.graph.input if i.name != "frame"]:
            *kept, newest = self.parts[f"next_{name}"]
            total, channels = self.shapes[name][1], newest.last
            wanted = [Part(name, channels, total)] if total > channels else []
            if newest.first or newest.source == name or total % channels or _joined(kept) != wanted:
                raise ExportError(f"the native engine cannot keep {name!r}: it is no line of the latest frames")
            self.rings[name] = (newest.source, total // channels)

    def _sources(self, node: onnx.NodeProto, name: str) -> tuple[tuple[str, int], ...]:
        """Return the tensors and their ages that an integer tensor consists of."""
        found = []
        for part in self.parts[name]:
            root, depth = self.rings.get(part.source, (part.source, 0))
            channels = self._channels(root)
            if part.first % channels or part.last % channels:
                raise _refuse(node, f"it reads channels {part.first} to {part.last} of {part.source!r}")
            for k in range(part.first // channels, part.last // channels):
                found.append((root, depth - k if depth else 0))
        return tuple(found)

    def _frame(self) -> None:
        size = self.shapes["frame"][2]
        self.tensors["frame"] = Tensor("frame", size, size, 1, 1.0, 0)
        self.parts["frame"] = (Part("frame", 0, 1),)
        self.shapes["frame"] = (1, 1, size, size)
        self.steps.append(Step("frame", "frame", (), "frame"))

    def _step(self, quantizer: onnx.NodeProto) -> None:
        """Add the step of an operator whose result is quantized."""
        node = self.producer[quantizer.input[0]]
        output, scale, zero = quantizer.output[0], *(self.constants[name] for name in quantizer.input[1:3])
        build = {
            "Conv": self._convolution,
            "Add": self._addition,
            "Resize": self._resize,
            "DepthToSpace": self._shuffle,
            "Sigmoid": self._sigmoid,
        }.get(node.op_type)
        if build is None:
            raise _refuse(node, "it has no kernel for this operator")
        shape = self.shapes[node.output[0]]
        self.shapes[output] = shape
        tensor = Tensor(output, shape[2], shape[3], shape[1], float(scale), int(zero))
        build(node, tensor)

    def _dequantized(self, node: onnx.NodeProto, name: str) -> tuple[str, float, int]:
        """Return the integers behind a real tensor, their scale and zero point."""
        dequantizer = self.producer.get(name)
        if dequantizer is None or dequantizer.op_type != "DequantizeLinear":
            raise _refuse(node, f"its input {name!r} is no int8 tensor")
        scale, zero = (self.constants[value] for value in dequantizer.input[1:3])
        return dequantizer.input[0], float(scale), int(zero)

    def _convolution(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        kernel, strides, pads = attributes["kernel_shape"], attributes["strides"], attributes["pads"]
        if attributes.get("group", 1) != 1:
            raise _refuse(node, f"it has {attributes['group']} groups, and the engine has dense convolutions alone")
        if len(set(kernel)) != 1 or len(set(strides)) != 1 or len(set(pads)) != 1 or set(attributes["dilations"]) != {1}:
            raise _refuse(node, f"kernel {kernel}, strides {strides}, pads {pads} are not the same along both axes")
        integers, in_scale, in_zero = self._dequantized(node, node.input[0])
        sources = self._sources(node, integers)
        weights = self.producer[node.input[1]]
        weight, weight_scale = (self.constants[name] for name in weights.input[:2])
        bias = self.constants[self.producer[node.input[2]].input[0]] if len(node.input) > 2 else np.zeros(len(weight))
        if weight.dtype != np.int8 or np.abs(weight.astype(int)).max() > MAX_WEIGHT:
            raise _refuse(node, "its weights are not of 7 bits; export without --weight-bits 8")
        if len(sources) > MAX_SOURCES or (len(sources) > 1 and kernel[0] != 1):
            raise _refuse(node, f"it reads {len(sources)} frames with a kernel of {kernel[0]}")
        if out.channels % 4 or any(self.tensors[name].zero_point != in_zero for name, _ in sources):
            raise _refuse(node, f"{out.channels} channels, or the zero points of what it reads differ")
        one = np.float32(in_scale) * np.broadcast_to(weight_scale.astype(np.float32), len(weight))
        self._add(
            Step(
                "convolution", node.output[0], sources, out.name, kernel[0], strides[0], pads[0],
                weight, bias.astype(np.int32), one / np.float32(out.scale),
            ),
            out,
        )  # fmt: skip

    def _addition(self, node: onnx.NodeProto, out: Tensor) -> None:
        read = [self._dequantized(node, name) for name in node.input]
        read.sort(key=lambda each: each[0] not in self.enlarged)  # the enlarged one first
        factor = 2 if read[0][0] in self.enlarged else 1
        sources = []
        for integers, _, zero in read:
            found = self._sources(node, self.enlarged.get(integers, integers))
            if len(found) != 1 or self.tensors[found[0][0]].zero_point != zero:
                raise _refuse(node, "it adds something else than two tensors of one frame each")
            sources.append(found[0])
        if any(integers in self.enlarged for integers, *_ in read[1:]) or out.channels % 4:
            raise _refuse(node, f"it adds two enlarged tensors, or {out.channels} channels")
        ratios = np.array([np.float32(scale) / np.float32(out.scale) for _, scale, _ in read], np.float32)
        self._add(Step("addition", node.output[0], tuple(sources), out.name, scale=ratios, factor=factor), out)

    def _same(self, node: onnx.NodeProto, out: Tensor) -> str:
        """Return the integers that an operator moves, which keep their scale and zero point."""
        integers, scale, zero = self._dequantized(node, node.input[0])
        if (scale, zero) != (out.scale, out.zero_point):
            raise _refuse(node, "it changes the scale")
        return integers

    def _resize(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        scales = self.constants[node.input[2]].tolist() if len(node.input) > 2 and node.input[2] else None
        asked = [attributes.get(key, b"") for key in ("mode", "nearest_mode", "coordinate_transformation_mode")]
        if scales != [1.0, 1.0, 2.0, 2.0] or asked != [b"nearest", b"floor", b"asymmetric"]:
            raise _refuse(node, "it enlarges otherwise than by 2 with the nearest pixel")
        self.enlarged[out.name] = self._same(node, out)

    def _shuffle(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if attributes.get("mode") != b"CRD" or out.channels != 1:
            raise _refuse(node, "it is no shuffle of pixels into one channel")
        found = self._sources(node, self._same(node, out))
        self.enlarged[out.name] = found[0][0]
        self.shuffle = attributes["blocksize"]

    def _sigmoid(self, node: onnx.NodeProto, out: Tensor) -> None:
        integers, scale, zero = self._dequantized(node, node.input[0])
        if out.name != "prob" or integers not in self.enlarged:
            raise _refuse(node, "it is not that of the head, behind a shuffle of pixels")
        table = _sigmoid_table(scale, zero, out)
        name = self.enlarged[integers]
        self.steps.append(Step("head", node.output[0], ((name, 0),), "prob", factor=self.shuffle, table=table))
        self.tensors["prob"] = out

    def _add(self, step: Step, out: Tensor) -> None:
        for name, age in step.sources:
            self.tensors[name].ages = max(self.tensors[name].ages, age)
        self.tensors[out.name] = out
        self.steps.append(step)

    def _find_halos(self) -> None:
        """Give each tensor the halo that the convolutions reading it need."""
        for step in self.steps:
            for name, _ in step.sources:
                self.tensors[name].halo = max(self.tensors[name].halo, step.pad)


def _joined(parts: list[Part]) -> list[Part]:
    """Join neighbouring parts of one source."""
    found: list[Part] = []
    for part in parts:
        if found and (found[-1].source, found[-1].last) == (part.source, part.first):
            found[-1] = Part(part.source, found[-1].first, part.last)
        else:
            found.append(part)
    return found


def _sigmoid_table(scale: float, zero: int, out: Tensor) -> bytes:
    """Return `prob` of each of the 256 logits, as ONNX Runtime computes it."""
    from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

    helper, kind = onnx.helper, onnx.TensorProto.UINT8
    given = {"scale": np.float32(scale), "zero": np.uint8(zero), "to": np.float32(out.scale), "at": np.uint8(out.zero_point)}
    nodes = [
        helper.make_node("DequantizeLinear", ["logits", "scale", "zero"], ["real"]),
        helper.make_node("Sigmoid", ["real"], ["p"]),
        helper.make_node("QuantizeLinear", ["p", "to", "at"], ["prob"]),
    ]
    ends = [[helper.make_tensor_value_info(name, kind, [256])] for name in ("logits", "prob")]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in given.items()]
    graph = helper.make_graph(nodes, "table", *ends, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    engine = OrtEngine(model.SerializeToString(), "sigmoid", 1)
    return engine.run(["prob"], {"logits": np.arange(256, dtype=np.uint8)})[0].tobytes()
