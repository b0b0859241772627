"""Rewrite of a clip graph to a stream graph: the same operators on one frame, with the state as inputs and outputs.

Most operators of a clip graph work on each frame by itself. The others are slices and repetitions along T (a tap, a cut
skip connection, a first or last frame that is repeated). They only select *which* frame: entry j of a tensor can be
computed once frame j + `late` has arrived. While the graph is walked with that number, slices and repetitions vanish.
Where two inputs of an operator differ in it, the earlier one is kept in a delay line, which is the state. The stream
computes nothing else than the clip graph, by the same operators with the same scales: an int8 stream equals its int8
clip to the bit. Repeated frames at the ends of a cine equal a cine that stands still there, and the host repeats them
(`edgeecho.runtime`).
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper

from edgeecho.errors import ExportError
from edgeecho.export.graph.writer import GraphWriter
from edgeecho.model.spec import StateTensor

FRAMEWISE: tuple[str, ...] = ("Add", "Cast", "Concat", "Conv", "DepthToSpace", "MaxPool", "Mul", "Relu", "Resize")
FRAMEWISE += ("Round", "Sigmoid", "Slice")
"""Operators that work on each frame by itself unless their axis is T, besides QuantizeLinear and DequantizeLinear."""
END = np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Signal:
    """Counterpart of a clip tensor in the stream graph."""

    tensor: str
    """Name of a tensor of the stream graph, (1, C, H, W)."""
    late: int = 0
    """Delay: entry j of the clip tensor is available once frame j + late has arrived."""
    held: str = ""
    """`first` or `last` if the clip tensor is that frame alone, sliced to be repeated; else empty."""
    scale: str = ""
    """Name of a scale if `tensor` contains integers that are still to be dequantized by it; else empty."""
    zero: str = ""


@dataclass(frozen=True)
class _Kind:
    """Type and sizes of a tensor."""

    element: int
    """ONNX number of the element type."""
    sizes: tuple[int, ...]
    """Sizes C, H, W."""
    zero: int = 0
    """Integer that represents 0."""

    @classmethod
    def of(cls, tensor: onnx.TypeProto.Tensor) -> "_Kind":
        return cls(tensor.elem_type, tuple(d.dim_value for d in tensor.shape.dim)[1:])


@dataclass(frozen=True)
class StreamGraph:
    """Graph from one frame and the state to one probability map and the new state."""

    model: onnx.ModelProto
    state: tuple[StateTensor, ...]
    delay_frames: int
    """Number of frames by which the prediction of a frame is delayed."""


def stream_graph(clip: onnx.ModelProto) -> StreamGraph:
    """Rewrite a clip graph, fp32 or int8, to its stream graph.

    Raises:
        ExportError: If an operator mixes frames in another way than slices and holds.
    """
    return _Rewrite(clip).graph()


class _Rewrite:
    def __init__(self, clip: onnx.ModelProto) -> None:
        self.clip = onnx.shape_inference.infer_shapes(clip)
        self.writer = GraphWriter(clip)
        values = (*self.clip.graph.value_info, *self.clip.graph.input, *self.clip.graph.output)
        self.kinds = {v.name: _Kind.of(v.type.tensor_type) for v in values}  # of clip and stream tensors
        self.kinds["frame"] = self.kinds["frames"]
        self.signals: dict[str, _Signal] = {"frames": _Signal("frame")}
        self.taps: dict[str, tuple[str, int]] = {}  # tensor to the one it is a delayed copy of, and by how much
        self.depth: Counter[str] = Counter()  # frames that a tensor's delay line holds
        self.windows: dict[str, tuple[str, int]] = {}  # a tensor's last frames side by side, oldest first, and how many

    def graph(self) -> StreamGraph:
        for node in self.writer.moving():
            self.signals[node.output[0]] = self._translate(node)
        state = tuple(self._line(f"state_{i}", root, depth) for i, (root, depth) in enumerate(self.depth.items()))
        return StreamGraph(self._model(state), state, self.signals["prob"].late)

    def _translate(self, node: onnx.NodeProto) -> _Signal:
        """Emit the counterpart of a node of the clip graph on one frame."""
        first = self.signals.get(node.input[0], _Signal(""))
        if node.op_type == "Slice":
            return self._slice(node, first)
        if node.op_type == "DequantizeLinear":
            return replace(first, scale=node.input[1], zero=node.input[2])
        if node.op_type == "QuantizeLinear":
            if first.scale and self._same(first, _Signal("", scale=node.input[1], zero=node.input[2])):
                return replace(first, scale="", zero="")  # exact: the same integers as before dequantization
            tensor = self.writer.emit(node, [self._real(first), *node.input[1:]], node.output[0])
            self.kinds[tensor] = replace(self.kinds[node.output[0]], zero=int(self.writer.constants[node.input[2]]))
            return replace(first, tensor=tensor, scale="", zero="")
        axis = next((a.i for a in node.attribute if a.name == "axis"), None)
        if node.op_type == "Concat" and axis == 0:
            return self._hold(node)
        if node.op_type not in FRAMEWISE:
            raise ExportError(f"operator {node.op_type} may mix frames; this graph cannot be streamed")
        moving = {name: self.signals[name] for name in node.input if name in self.signals}
        if any(s.held for s in moving.values()):
            raise ExportError(f"operator {node.op_type} on a frame that is held; this graph cannot be streamed")
        late = max(s.late for s in moving.values())
        waited = {name: self._wait(s, late) for name, s in moving.items()}
        if node.op_type == "Concat" and len(waited) == len(set(node.input)):
            parts = [waited[name] for name in node.input]
            if all(s.scale and self._same(s, parts[0]) for s in parts) or not any(s.scale for s in parts):
                return replace(parts[0], tensor=self._concat(node, [s.tensor for s in parts]))
        real = [self._real(waited[name]) if name in waited else name for name in node.input]
        return _Signal(self.writer.emit(node, real, node.output[0]), late)

    def _slice(self, node: onnx.NodeProto, x: _Signal) -> _Signal:
        """Turn a slice along T into a delay; along other axes it stays a slice."""
        bounds = [self.writer.constants[name].tolist() for name in node.input[1:]]
        bounds += [[1] * len(bounds[0])] * (4 - len(bounds))  # steps may be left out
        parts = list(zip(*bounds, strict=True))
        for start, end, _, step in (part for part in parts if part[2] == 0):
            if (start, end) in ((0, 1), (-1, END)):
                x = replace(x, held="last" if start else "first")
            elif start >= 0 and (end < 0 or end == END) and step == 1:
                x = replace(x, late=x.late + start)
            else:
                raise ExportError(f"a slice from {start} to {end} along T; this graph cannot be streamed")
        parts = [part for part in parts if part[2] != 0]
        if not parts:
            return x
        kept = [self.writer.constant(column) for column in zip(*parts, strict=True)]
        return replace(x, tensor=self.writer.emit(node, [self._real(x), *kept], node.output[0]), scale="", zero="")

    def _hold(self, node: onnx.NodeProto) -> _Signal:
        """Remove the repetitions of the first and the last frame from a concatenation along T."""
        parts = [self.signals[name] for name in node.input]
        held = [part.held for part in parts]
        at = held.index("") if "" in held else 0
        if held != ["first"] * at + [""] + ["last"] * (len(held) - at - 1):
            raise ExportError(f"{node.name} joins frames out of order; this graph cannot be streamed")
        return replace(parts[at], late=parts[at].late - at)

    def _wait(self, x: _Signal, late: int) -> _Signal:
        """Return the signal, from a delay line if it is earlier than the other inputs of its operator."""
        if x.late == late:
            return x
        root, ago = self.taps.get(x.tensor, (x.tensor, 0))
        ago += late - x.late
        tap = f"{root}_ago_{ago}"
        self.taps[tap], self.kinds[tap] = (root, ago), self.kinds[root]
        self.depth[root] = max(self.depth[root], ago)
        return replace(x, tensor=tap, late=late)

    def _concat(self, node: onnx.NodeProto, tensors: list[str]) -> str:
        """Concatenate channels; consecutive frames of one delay line up to the present one are the line itself."""
        lines = [self.taps.get(tensor, (tensor, 0)) for tensor in tensors]
        root = lines[0][0]
        window = ""
        if len(lines) > 1 and lines == [(root, ago) for ago in reversed(range(len(lines)))]:
            window = f"{root}_window_{len(lines)}"
            self.windows[window] = root, len(lines)
        joined = window or self.writer.emit(node, tensors, node.output[0])
        self.kinds[joined] = replace(self.kinds[tensors[0]], sizes=self.kinds[node.output[0]].sizes)
        return joined

    def _same(self, a: _Signal, b: _Signal) -> bool:
        pairs = ((a.scale, b.scale), (a.zero, b.zero))
        return all(np.array_equal(self.writer.constants[x], self.writer.constants[y]) for x, y in pairs)

    def _real(self, x: _Signal) -> str:
        """Return the tensor of a signal's value, dequantized if it is stored in integers."""
        if not x.scale:
            return x.tensor
        return self.writer.emit("DequantizeLinear", [x.tensor, x.scale, x.zero], f"{x.tensor}_real")

    def _line(self, name: str, root: str, depth: int) -> StateTensor:
        """Emit the delay line of a tensor, (1, depth * C, H, W), oldest frame first, and return its state."""
        kind = self.kinds[root]
        channels, height, width = kind.sizes
        used = {name for node in self.writer.nodes for name in node.input}
        for tap, (of, ago) in self.taps.items():
            if of == root and tap in used:
                self.writer.channels(name, (depth - ago) * channels, (depth - ago + 1) * channels, tap)
        windows = {window: frames for window, (of, frames) in self.windows.items() if of == root}
        if windows:
            whole = self.writer.emit("Concat", [name, root], f"{root}_window_{depth + 1}", axis=1)
            self.writer.channels(whole, channels, END, f"next_{name}")
            for window, frames in windows.items():
                if frames <= depth:
                    self.writer.channels(whole, (depth + 1 - frames) * channels, END, window)
        elif depth > 1:
            rest = self.writer.channels(name, channels, END, f"{name}_rest")
            self.writer.emit("Concat", [rest, root], f"next_{name}", axis=1)
        else:
            self.writer.emit("Identity", [root], f"next_{name}")
        dtype = helper.tensor_dtype_to_np_dtype(kind.element)
        return StateTensor(name, (1, depth * channels, height, width), dtype.name, kind.zero)

    def _model(self, state: tuple[StateTensor, ...]) -> onnx.ModelProto:
        """Return the model from frame and state to prob and the new state."""
        frame = self.kinds["frame"]
        picture = frame.element, (1, *frame.sizes)
        carried = [(s.name, helper.np_dtype_to_tensor_dtype(np.dtype(s.dtype)), s.shape) for s in state]
        following = [(f"next_{name}", kind, shape) for name, kind, shape in carried]
        return self.writer.model("stream", [("frame", *picture), *carried], [("prob", *picture), *following])
