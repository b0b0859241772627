"""Steps of an int8 stream graph for the native engine: convolutions, additions and the head, in order.

The graph's quantized operators become steps on bytes. Slices and concatenations of frames vanish: a step reads tensors
of this frame and of earlier ones, which the engine keeps in rings. What the engine has no kernel for is refused here by
its name.
"""

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.errors import ExportError
from edgeecho.export.graph.native_frames import Frames
from edgeecho.export.graph.native_graph import NativeGraph, Step, Tensor, refusal
from edgeecho.export.int8.exact_sums import MARGIN, nearest_middle
from edgeecho.model.native_file import MAX_SOURCES, MAX_WEIGHT

_MOVING = ("QuantizeLinear", "DequantizeLinear", "Slice", "Concat", "Identity")
OPERATORS = frozenset({*_MOVING, "Conv", "Add", "Resize", "DepthToSpace", "Sigmoid"})
"""Operators that become steps of the engine, or that only move integers."""


def native_steps(model: onnx.ModelProto) -> NativeGraph:
    """Read an int8 stream graph.

    Args:
        model: Stream graph as `stream_graph` returned or a bundle has it.

    Raises:
        ExportError: If the native engine has no kernel for an operator or its shape; it is named.
    """
    return _Reader(model).read()


class _Reader:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = onnx.shape_inference.infer_shapes(model)
        graph = self.model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output}
        values = (*graph.value_info, *graph.input, *graph.output)
        self.shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}
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
            raise refusal(unknown, "it has no kernel for this operator")
        self.frames = Frames(self.model, self.constants, self.producer, self.shapes)
        self._frame()
        for node in self.model.graph.node:
            if node.op_type == "QuantizeLinear":
                self._step(node)
        self._find_halos()
        return NativeGraph(self.tensors, tuple(self.steps), self.frames.rings)

    def _frame(self) -> None:
        size = self.shapes["frame"][2]
        self.tensors["frame"] = Tensor("frame", size, size, 1, 1.0, 0)
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
            raise refusal(node, "it has no kernel for this operator")
        shape = self.shapes[node.output[0]]
        self.shapes[output] = shape
        tensor = Tensor(output, shape[2], shape[3], shape[1], float(scale), int(zero))
        build(node, tensor)

    def _dequantized(self, node: onnx.NodeProto, name: str) -> tuple[str, float, int]:
        """Return the integers behind a real tensor, their scale and zero point."""
        dequantizer = self.producer.get(name)
        if dequantizer is None or dequantizer.op_type != "DequantizeLinear":
            raise refusal(node, f"its input {name!r} is no int8 tensor")
        scale, zero = (self.constants[value] for value in dequantizer.input[1:3])
        return dequantizer.input[0], float(scale), int(zero)

    def _convolution(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        kernel, strides, pads = attributes["kernel_shape"], attributes["strides"], attributes["pads"]
        if attributes.get("group", 1) != 1:
            raise refusal(node, f"it has {attributes['group']} groups, and the engine has dense convolutions alone")
        if (
            len(set(kernel)) != 1
            or len(set(strides)) != 1
            or len(set(pads)) != 1
            or set(attributes["dilations"]) != {1}
        ):
            raise refusal(node, f"kernel {kernel}, strides {strides}, pads {pads} are not the same along both axes")
        integers, in_scale, in_zero = self._dequantized(node, node.input[0])
        sources = self.frames.sources(node, integers)
        weights = self.producer[node.input[1]]
        weight, weight_scale = (self.constants[name] for name in weights.input[:2])
        bias = self.constants[self.producer[node.input[2]].input[0]] if len(node.input) > 2 else np.zeros(len(weight))
        if weight.dtype != np.int8 or np.abs(weight.astype(int)).max() > MAX_WEIGHT:
            raise refusal(node, "its weights are not of 7 bits; export without --weight-bits 8")
        if len(sources) > MAX_SOURCES or (len(sources) > 1 and kernel[0] != 1):
            raise refusal(node, f"it reads {len(sources)} frames with a kernel of {kernel[0]}")
        if out.channels % 4 or any(self.tensors[name].zero_point != in_zero for name, _ in sources):
            raise refusal(node, f"{out.channels} channels, or the zero points of what it reads differ")
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
            found = self.frames.sources(node, self.enlarged.get(integers, integers))
            if len(found) != 1 or self.tensors[found[0][0]].zero_point != zero:
                raise refusal(node, "it adds something else than two tensors of one frame each")
            sources.append(found[0])
        if any(integers in self.enlarged for integers, *_ in read[1:]) or out.channels % 4:
            raise refusal(node, f"it adds two enlarged tensors, or {out.channels} channels")
        ratios = np.array([np.float32(scale) / np.float32(out.scale) for _, scale, _ in read], np.float32)
        self._add(Step("addition", node.output[0], tuple(sources), out.name, scale=ratios, factor=factor), out)

    def _same(self, node: onnx.NodeProto, out: Tensor) -> str:
        """Return the integers that an operator moves, which keep their scale and zero point."""
        integers, scale, zero = self._dequantized(node, node.input[0])
        if (scale, zero) != (out.scale, out.zero_point):
            raise refusal(node, "it changes the scale")
        return integers

    def _resize(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        scales = self.constants[node.input[2]].tolist() if len(node.input) > 2 and node.input[2] else None
        asked = [attributes.get(key, b"") for key in ("mode", "nearest_mode", "coordinate_transformation_mode")]
        if scales != [1.0, 1.0, 2.0, 2.0] or asked != [b"nearest", b"floor", b"asymmetric"]:
            raise refusal(node, "it enlarges otherwise than by 2 with the nearest pixel")
        self.enlarged[out.name] = self._same(node, out)

    def _shuffle(self, node: onnx.NodeProto, out: Tensor) -> None:
        attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if attributes.get("mode") != b"CRD" or out.channels != 1:
            raise refusal(node, "it is no shuffle of pixels into one channel")
        found = self.frames.sources(node, self._same(node, out))
        self.enlarged[out.name] = found[0][0]
        self.shuffle = attributes["blocksize"]

    def _sigmoid(self, node: onnx.NodeProto, out: Tensor) -> None:
        integers, scale, zero = self._dequantized(node, node.input[0])
        if out.name != "prob" or integers not in self.enlarged:
            raise refusal(node, "it is not that of the head, behind a shuffle of pixels")
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


def _sigmoid_table(scale: float, zero: int, out: Tensor) -> bytes:
    """Return `prob` of each of the 256 logits, as ONNX Runtime computes it."""
    from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

    helper, kind = onnx.helper, onnx.TensorProto.UINT8
    given = {
        "scale": np.float32(scale),
        "zero": np.uint8(zero),
        "to": np.float32(out.scale),
        "at": np.uint8(out.zero_point),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["logits", "scale", "zero"], ["real"]),
        helper.make_node("Sigmoid", ["real"], ["p"]),
        helper.make_node("QuantizeLinear", ["p", "to", "at"], ["prob"]),
    ]
    read, written = ([helper.make_tensor_value_info(name, kind, [256])] for name in ("logits", "prob"))
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in given.items()]
    graph = helper.make_graph(nodes, "table", read, written, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    engine = OrtEngine(model.SerializeToString(), "sigmoid", 1)
    return engine.run(["prob"], {"logits": np.arange(256, dtype=np.uint8)})[0].tobytes()
