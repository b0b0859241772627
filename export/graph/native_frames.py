"""Tensors of earlier frames in a stream graph: which tensor, and how many frames ago, a slice of the state is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from edgeecho.errors import ExportError
from edgeecho.export.graph.native_graph import refusal

Source = tuple[str, int]
"""A tensor, and how many frames ago."""


@dataclass(frozen=True)
class Part:
    """Channels of a tensor or of a state input, in a concatenation."""

    source: str
    first: int
    last: int


class Frames:
    """Slices and concatenations of a stream graph's integers along the channels, followed to the tensors of frames."""

    def __init__(
        self,
        model: onnx.ModelProto,
        constants: Mapping[str, np.ndarray],
        producer: Mapping[str, onnx.NodeProto],
        shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        """
        Args:
            model: The stream graph.
            constants: Its constants by name.
            producer: Its nodes by the names of their outputs.
            shapes: Shapes of its tensors by name.

        Raises:
            ExportError: If an operator moves something else than channels, or a state is no line of frames.
        """
        self.model, self.constants, self.producer, self.shapes = model, constants, producer, shapes
        states = [i.name for i in model.graph.input if i.name != "frame"]
        self.parts: dict[str, tuple[Part, ...]] = {name: (Part(name, 0, shapes[name][1]),) for name in states}
        self.parts["frame"] = (Part("frame", 0, 1),)
        self.rings: dict[str, Source] = {}  # state input to the tensor that it holds, and frames held
        self._move()
        self._find_rings(states)

    def _move(self) -> None:
        """Follow slices and concatenations of integers along the channels."""
        for node in self.model.graph.node:
            if node.op_type == "QuantizeLinear":
                self.parts[node.output[0]] = (Part(node.output[0], 0, self._channels(node.output[0])),)
            elif node.op_type in ("Slice", "Concat", "Identity"):
                if any(name not in self.parts for name in self._moved(node)):
                    raise refusal(node, "it moves values that are no integers of a convolution or of the state")
                self.parts[node.output[0]] = tuple(self._select(node))

    def _channels(self, name: str) -> int:
        """Return the channels of integers, or of the tensor that they were quantized from."""
        return self.shapes[name][1] if name in self.shapes else self.shapes[self.producer[name].input[0]][1]

    def _moved(self, node: onnx.NodeProto) -> list[str]:
        return list(node.input) if node.op_type == "Concat" else [node.input[0]]

    def _select(self, node: onnx.NodeProto) -> Iterator[Part]:
        """Yield the parts that a slice, a concatenation or an identity has."""
        whole = [part for name in self._moved(node) for part in self.parts[name]]
        if node.op_type != "Slice":
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            if axis != 1:
                raise refusal(node, f"its axis is {axis}, and the channels are axis 1")
            yield from whole
            return
        start, end, axes, *steps = (self.constants[name].tolist() for name in node.input[1:])
        if axes != [1] or (steps and steps[0] != [1]):
            raise refusal(node, "it is no slice of channels")
        at = 0
        for part in whole:
            low, high = max(start[0] - at, 0), min(end[0] - at, part.last - part.first)
            at += part.last - part.first
            if low < high:
                yield Part(part.source, part.first + low, part.first + high)

    def _find_rings(self, states: list[str]) -> None:
        """Find which tensor each state input holds, and how many frames of it: next = all but the oldest, and it."""
        for name in states:
            parts = self.parts[f"next_{name}"]
            kept, newest = list(parts[:-1]), parts[-1]
            total, channels = self.shapes[name][1], newest.last
            wanted = [Part(name, channels, total)] if total > channels else []
            if newest.first or newest.source == name or total % channels or _joined(kept) != wanted:
                raise ExportError(f"the native engine cannot keep {name!r}: it is no line of the latest frames")
            self.rings[name] = (newest.source, total // channels)

    def sources(self, node: onnx.NodeProto, name: str) -> tuple[Source, ...]:
        """Return the tensors and their ages that an integer tensor consists of."""
        found = []
        for part in self.parts[name]:
            root, depth = self.rings.get(part.source, (part.source, 0))
            channels = self._channels(root)
            if part.first % channels or part.last % channels:
                raise refusal(node, f"it reads channels {part.first} to {part.last} of {part.source!r}")
            for k in range(part.first // channels, part.last // channels):
                found.append((root, depth - k if depth else 0))
        return tuple(found)


def _joined(parts: list[Part]) -> list[Part]:
    """Join neighbouring parts of one source."""
    found: list[Part] = []
    for part in parts:
        if found and (found[-1].source, found[-1].last) == (part.source, part.first):
            found[-1] = Part(part.source, found[-1].first, part.last)
        else:
            found.append(part)
    return found
