"""A lowering: frames in the batch and time on the channels, back to native 3D convolutions.

The networks are written in 2D, (T, C, H, W), with three frames side by side on the channel axis where a 3D convolution
would look along time. This pass turns a finished clip graph, fp32 or int8, into one of five axes, (1, C, T, H, W):
three slices, a `Concat` and a 1x1 convolution become one convolution of kernel (3, 1, 1), every other convolution gets
a kernel of one frame. Weights are only laid out anew and scales stay as they are, so int8 gives the same integers.
"""

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.graph.writer import GraphWriter, Value

ALIKE = ("Cast", "Relu", "Round", "Sigmoid", "QuantizeLinear", "DequantizeLinear")
"""Operators that do not care for the number of axes."""
TAPS = [(0, -2), (1, -1), (2, np.iinfo(np.int64).max)]
"""Start and end of the slices along T that three frames side by side are made of."""


def native_graph(clip: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite a clip graph of any number of frames.

    Raises:
        ExportError: If it has an operator that this pass does not know.
    """
    return _Native(clip).graph()


class _Native:
    def __init__(self, clip: onnx.ModelProto) -> None:
        self.clip = clip
        self.writer = GraphWriter(clip)
        self.producer = {name: node for node in clip.graph.node for name in node.output}
        self.tensors: dict[str, str] = {}  # of the clip graph to those of this one
        self.folded = False  # once the head has brought the frames back into the batch

    def graph(self) -> onnx.ModelProto:
        (frames,), (prob,) = self.clip.graph.input, self.clip.graph.output
        front = self.writer.emit("Transpose", ["frames"], "frames_across", perm=[1, 0, 2, 3])
        self.tensors["frames"] = self.writer.emit("Unsqueeze", [front, self.writer.constant([0])], "clip")
        for node in self.writer.moving():
            self.tensors[node.output[0]] = self._translate(node)
        values: list[Value] = [
            (v.name, v.type.tensor_type.elem_type, [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim])
            for v in (frames, prob)
        ]
        self.writer.rename(self.tensors["prob"], "prob")
        return self.writer.model("clip", values[:1], values[1:])

    def _translate(self, node: onnx.NodeProto) -> str:
        """Emit a node on five axes; returns its output's name."""
        inputs = [self.tensors.get(name, name) for name in node.input]
        if self.folded or node.op_type in ALIKE:
            return self.writer.emit(node, inputs, node.output[0])
        if node.op_type in ("Add", "Mul"):
            return self.writer.emit(node, [self._widened(name) for name in inputs], node.output[0])
        if node.op_type == "Slice":
            axes = self.writer.constants[node.input[3]]
            inputs[3] = self.writer.constant(np.where(axes == 0, 2, axes))
            return self.writer.emit(node, inputs, node.output[0])
        if node.op_type == "Concat":
            axis = next(a.i for a in node.attribute if a.name == "axis")
            return self.writer.emit("Concat", inputs, node.output[0], axis=2 if axis == 0 else axis)
        if node.op_type == "Resize":
            scales = self.writer.constants[node.input[2]]
            inputs[2] = self.writer.array(np.insert(scales, 2, 1), "scales")
            return self.writer.emit(node, inputs, node.output[0])
        if node.op_type == "DepthToSpace":
            return self._fold(node)
        if node.op_type == "Conv":
            return self._convolution(node, inputs)
        raise ExportError(f"operator {node.op_type} has no native 3D form here; export with --lower 2d")

    def _convolution(self, node: onnx.NodeProto, inputs: list[str]) -> str:
        root = self._taps(node.input[0])
        weight = self._initializer(node.input[1])
        if root:
            inputs[0] = self.tensors[root]
            self.writer.replace(weight, _across_time(self.writer.constants[weight]))
        else:
            self.writer.replace(weight, self.writer.constants[weight][:, :, None])
        kernel = self.writer.constants[weight].shape[2:]
        wide = {a.name: list(a.ints) for a in node.attribute if a.ints}
        group = next((a.i for a in node.attribute if a.name == "group"), 1)
        pads = wide.get("pads", [0, 0, 0, 0])
        return self.writer.emit(
            "Conv",
            inputs,
            node.output[0],
            group=group,
            kernel_shape=list(kernel),
            strides=[1, *wide.get("strides", [1, 1])],
            dilations=[1, *wide.get("dilations", [1, 1])],
            pads=[0, *pads[:2], 0, *pads[2:]],
        )

    def _taps(self, name: str) -> str | None:
        """The tensor whose frames t-1, t, t+1 are side by side in this one, if that is what it is."""
        joined = self.producer.get(self._behind(name))
        if joined is None or joined.op_type != "Concat" or len(joined.input) != 3:
            return None
        slices = [self.producer.get(self._behind(part)) for part in joined.input]
        if any(s is None or s.op_type != "Slice" for s in slices):
            return None
        bounds = [[self.writer.constants[n].tolist() for n in s.input[1:4]] for s in slices if s]
        roots = {self._behind(s.input[0]) for s in slices if s}
        if len(roots) != 1 or bounds != [[[start], [end], [0]] for start, end in TAPS]:
            return None
        read = {s.input[0] for s in slices if s}
        return read.pop() if len(read) == 1 and self._same_scale(name, next(s.input[0] for s in slices if s)) else None

    def _behind(self, name: str) -> str:
        """The tensor before a pair of QuantizeLinear and DequantizeLinear."""
        node = self.producer.get(name)
        if node is not None and node.op_type == "DequantizeLinear":
            before = self.producer.get(node.input[0])
            if before is not None and before.op_type == "QuantizeLinear":
                return str(before.input[0])
        return name

    def _same_scale(self, a: str, b: str) -> bool:
        """Whether two tensors are held in the same integers, or both are floats."""
        pairs = []
        for name in (a, b):
            node = self.producer.get(name)
            quantized = node is not None and node.op_type == "DequantizeLinear"
            pairs.append([self.writer.constants[n] for n in node.input[1:]] if node and quantized else [])
        return len(pairs[0]) == len(pairs[1]) and all(np.array_equal(x, y) for x, y in zip(*pairs, strict=True))

    def _fold(self, node: onnx.NodeProto) -> str:
        """Frames back into the batch, on the integers where there are some, and the last reshuffle of pixels."""
        name = node.input[0]
        source = self.producer.get(name)
        integers = source is not None and source.op_type == "DequantizeLinear"
        held = source.input[0] if source is not None and integers else name
        flat = self.writer.emit("Squeeze", [self.tensors[held], self.writer.constant([0])], f"{name}_across")
        flat = self.writer.emit("Transpose", [flat], f"{name}_frames", perm=[1, 0, 2, 3])
        if source is not None and integers:
            flat = self.writer.emit("DequantizeLinear", [flat, *source.input[1:]], f"{name}_real")
        self.folded = True
        return self.writer.emit(node, [flat], node.output[0])

    def _widened(self, name: str) -> str:
        """A constant with an axis for T, anything else as it is."""
        if name not in self.writer.fixed:
            return name
        source = self._initializer(name)
        values = self.writer.constants[source]
        if values.ndim >= 3:
            self.writer.replace(source, np.expand_dims(values, -3))
        return name

    def _initializer(self, name: str) -> str:
        """The stored array behind a constant, which may be dequantized."""
        while name not in self.writer.constants:
            name = self.producer[name].input[0]
        return name


def _across_time(weight: np.ndarray) -> np.ndarray:
    """(O, 3 C, 1, 1), three frames on the channels, to (O, C, 3, 1, 1)."""
    out, taps = weight.shape[:2]
    return np.ascontiguousarray(weight.reshape(out, 3, taps // 3, 1, 1).transpose(0, 2, 1, 3, 4))
