"""Lowering to native 3D convolutions, from frames in the batch and neighbouring frames on the channel axis.

The networks are written in 2D, (T, C, H, W), with consecutive frames joined on the channel axis in place of a 3D
convolution along time. This pass turns a finished clip graph, fp32 or int8, into one of five axes, (1, C, T, H, W):
the slices of n frames, their `Concat` and a convolution of kernel (h, w) become one convolution of kernel (n, h, w),
every other convolution gets a kernel of one frame. Weights are only reordered and scales stay as they are, so int8
gives the same integers.
"""

from dataclasses import dataclass

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.graph.writer import GraphWriter, Value

ANY_AXES = ("Cast", "Relu", "Round", "Sigmoid", "QuantizeLinear", "DequantizeLinear")
"""Operators that work for any number of axes."""
END = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class _Join:
    """Consecutive frames of one tensor, joined on the channel axis."""

    root: str
    """Name of the tensor."""
    frames: int
    """Number of frames that are joined."""
    first: int
    """Number of frames at the tensor's start that no join reads."""
    last: int
    """End of the frames that joins read, as a slice has it: `END`, or a negative number."""


def conv3d_graph(clip: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite a clip graph of free T to native 3D convolutions.

    Raises:
        ExportError: If the graph has an operator that this pass cannot rewrite.
    """
    return _Conv3dPass(clip).graph()


class _Conv3dPass:
    def __init__(self, clip: onnx.ModelProto) -> None:
        self.clip = clip
        self.writer = GraphWriter(clip)
        self.producer = {name: node for node in clip.graph.node for name in node.output}
        self.tensors: dict[str, str] = {}  # from names in the clip graph to names in the new one
        self.folded = False  # true once the frames are in the batch again, at the head

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
        """Emit a node on five axes, and return the name of its output."""
        inputs = [self.tensors.get(name, name) for name in node.input]
        if self.folded or node.op_type in ANY_AXES:
            return self.writer.emit(node, inputs, node.output[0])
        if node.op_type in ("Add", "Mul"):
            return self.writer.emit(node, [self._with_time_axis(name) for name in inputs], node.output[0])
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
        join = self._join(node.input[0])
        weight = self._initializer(node.input[1])
        if join:
            inputs[0] = self._between(self.tensors[join.root], join.first, join.last)
            self.writer.replace(weight, _across_time(self.writer.constants[weight], join.frames))
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

    def _join(self, name: str) -> _Join | None:
        """Return the consecutive frames that are joined in this tensor; None if it is not such a join."""
        joined = self.producer.get(self._behind(name))
        if joined is None or joined.op_type != "Concat" or joined.attribute[0].i != 1:
            return None
        n = len(joined.input)
        slices = [self.producer.get(self._behind(part)) for part in joined.input]
        bounds = [frames for frames in map(self._frames, slices) if frames]
        roots = {node.input[0] for node in slices if node is not None}
        if len(bounds) < n or len(roots) > 1:
            return None
        root, first, last = roots.pop(), bounds[0][0], bounds[-1][1]
        beyond = 0 if last == END else last
        consecutive = bounds == [(first + k, beyond + k - n + 1 or END) for k in range(n)]
        return _Join(root, n, first, last) if consecutive and self._same_scale(name, root) else None

    def _frames(self, node: onnx.NodeProto | None) -> tuple[int, int] | None:
        """Return start and end of a slice of frames without the last ones; None for another node or slice."""
        if node is None or node.op_type != "Slice":
            return None
        start, end, axes, *steps = (self.writer.constants[name].tolist() for name in node.input[1:])
        fits = axes == [0] and start[0] >= 0 and (end[0] < 0 or end[0] == END) and all(step == [1] for step in steps)
        return (start[0], end[0]) if fits else None

    def _between(self, name: str, first: int, last: int) -> str:
        """Cut frames off both ends of a tensor of five axes."""
        if (first, last) == (0, END):
            return name
        bounds = [self.writer.constant([value]) for value in (first, last, 2)]
        return self.writer.emit("Slice", [name, *bounds], f"{name}_from_{first}_to_{last}")

    def _behind(self, name: str) -> str:
        """Return the tensor before a pair of QuantizeLinear and DequantizeLinear, or the tensor itself."""
        node = self.producer.get(name)
        if node is not None and node.op_type == "DequantizeLinear":
            before = self.producer.get(node.input[0])
            if before is not None and before.op_type == "QuantizeLinear":
                return str(before.input[0])
        return name

    def _same_scale(self, a: str, b: str) -> bool:
        """Whether two tensors have the same scale and zero point, or are both float."""
        pairs = []
        for name in (a, b):
            node = self.producer.get(name)
            quantized = node is not None and node.op_type == "DequantizeLinear"
            pairs.append([self.writer.constants[n] for n in node.input[1:]] if node and quantized else [])
        return len(pairs[0]) == len(pairs[1]) and all(np.array_equal(x, y) for x, y in zip(*pairs, strict=True))

    def _fold(self, node: onnx.NodeProto) -> str:
        """Move the frames back into the batch, in integers where the tensor is quantized, and emit the DepthToSpace."""
        name = node.input[0]
        source = self.producer.get(name)
        integers = source is not None and source.op_type == "DequantizeLinear"
        stored = source.input[0] if source is not None and integers else name
        flat = self.writer.emit("Squeeze", [self.tensors[stored], self.writer.constant([0])], f"{name}_across")
        flat = self.writer.emit("Transpose", [flat], f"{name}_frames", perm=[1, 0, 2, 3])
        if source is not None and integers:
            flat = self.writer.emit("DequantizeLinear", [flat, *source.input[1:]], f"{name}_real")
        self.folded = True
        return self.writer.emit(node, [flat], node.output[0])

    def _with_time_axis(self, name: str) -> str:
        """Add an axis for T to a constant; other tensors are returned as they are."""
        if name not in self.writer.fixed:
            return name
        source = self._initializer(name)
        values = self.writer.constants[source]
        if values.ndim >= 3:
            self.writer.replace(source, np.expand_dims(values, -3))
        return name

    def _initializer(self, name: str) -> str:
        """Return the name of the stored array of a constant, which may be dequantized in the graph."""
        while name not in self.writer.constants:
            name = self.producer[name].input[0]
        return name


def _across_time(weight: np.ndarray, frames: int) -> np.ndarray:
    """Reorder weights from (O, frames * C, h, w), frames joined on the channel axis, to (O, C, frames, h, w)."""
    out, joined, *kernel = weight.shape
    return np.ascontiguousarray(weight.reshape(out, frames, joined // frames, *kernel).swapaxes(1, 2))
