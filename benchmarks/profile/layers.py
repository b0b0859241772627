"""Layers of an ONNX clip or stream graph, with the MACs and the bytes moved of each.

A layer is what an engine runs as one kernel: a convolution with the activation and the normalisation behind it.
Quantizing and dequantizing count as no layer (a tensor between them counts as 8-bit integers), and neither do operators
that only rename axes.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeecho.benchmarks.profile.counting import COUNTED, infer, node_macs, shapes_of

ABSORBED = ("Relu", "Clip", "LeakyRelu", "BatchNormalization")
"""Operators that are fused into a convolution where nothing else reads its output."""
VIEWS = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze")
PICKERS = ("Slice", "Gather")
"""Operators that read no more than they write."""
QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")
ELEMENT_BYTES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}
"""Bytes of an element, by ONNX's number of its type: float, uint8, int8, int32, int64, bool, float16, double."""
PARAMETER = re.compile(r"(?:^|\.)network\.(.+?)\.(?:weight|bias)")


@dataclass
class Layer:
    """One layer of a graph, for one run."""

    name: str
    """Name of the module in the network if the weights contain it, else of the node."""
    op: str
    precision: str
    """`int8` or `fp32`, the type that it multiplies or moves. ONNX Runtime has no integer ConvTranspose."""
    macs: int
    bytes_moved: int
    """Bytes of inputs, weights and outputs, each once, as without caches."""
    aliases: set[str] = field(default_factory=set)
    """Names of its nodes and tensors, by which an engine's kernel is matched."""


def module_name(tensors: Iterable[str], otherwise: str) -> str:
    """Return the module of a parameter among tensors, such as `encoder.1.0.temporal.0`."""
    found = (PARAMETER.search(name) for name in tensors)
    return next((match[1] for match in found if match), otherwise)


def graph_layers(model: Any, frames: int, shapes: Mapping[str, Sequence[int]] | None = None) -> list[Layer]:
    """Return the layers of a graph in the order of its nodes.

    Args:
        model: `onnx.ModelProto`, the path of one, or the bytes of a file without external data.
        frames: T to put in where the graph's first axis is free.
        shapes: Shapes of inputs by name, which take precedence over `frames`.

    Raises:
        ExportError: If a shape of a convolution cannot be inferred.
        MissingExtraError: If onnx is not installed.
    """
    return _GraphReader(infer(model, frames, shapes)).layers()


class _GraphReader:
    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.shapes = shapes_of(graph)
        values = (*graph.input, *graph.value_info, *graph.output)
        self.types = {v.name: v.type.tensor_type.elem_type for v in values}
        self.types |= {t.name: t.data_type for t in graph.initializer}
        self.constants = {t.name for t in graph.initializer}
        self.readers: dict[str, list[Any]] = defaultdict(list)
        self.source: dict[str, Any] = {}
        for node in graph.node:
            for name in node.input:
                self.readers[name].append(node)
            for name in node.output:
                self.source[name] = node
                if node.op_type == "Constant":
                    self.constants.add(name)

    def layers(self) -> list[Layer]:
        """Return all layers. Nodes that read constants alone are left out, since every engine folds them."""
        found: list[Layer] = []
        taken: set[int] = set()
        for node in self.graph.node:
            if node.op_type in (*VIEWS, *QUANTIZERS, "Constant") or id(node) in taken:
                if self.is_constant(node.input):
                    self.constants.update(node.output)
                continue
            if self.is_constant(node.input):
                self.constants.update(node.output)
                continue
            chain = self.chain(node)
            taken |= {id(member) for member in chain}
            found.append(self.layer(node, chain))
        return found

    def is_constant(self, names: Iterable[str]) -> bool:
        return all(name in self.constants for name in names if name)

    def chain(self, node: Any) -> list[Any]:
        """Return a convolution and the nodes fused into it, quantizers between them included."""
        chain = [node]
        while node.op_type in COUNTED and len(after := self.readers[chain[-1].output[0]]) == 1:
            rest = chain[-1].op_type == "QuantizeLinear" and after[0].op_type == "DequantizeLinear"
            if not rest and after[0].op_type not in (*ABSORBED, "QuantizeLinear"):
                break
            chain.append(after[0])
        while chain[-1].op_type in QUANTIZERS:
            chain.pop()
        return chain

    def layer(self, node: Any, chain: list[Any]) -> Layer:
        inside = {name for member in chain for name in member.output}
        read = {name for member in chain for name in member.input if name and name not in inside}
        written = sum(self.bytes_written(name) for name in chain[-1].output)
        moved = written + (written if node.op_type in PICKERS else sum(self.bytes_read(name) for name in read))
        integer = self.element_bytes(node.input[0]) == 1 and node.op_type != "ConvTranspose"
        if node.op_type in COUNTED:
            integer = integer and self.element_bytes(node.input[1]) == 1
        return Layer(
            name=module_name(read, node.name or node.output[0]),
            op=node.op_type,
            precision="int8" if integer else "fp32",
            macs=node_macs(node, self.shapes),
            bytes_moved=moved,
            aliases={name for member in chain for name in (member.name, *member.output) if name},
        )

    def stored(self, name: str) -> str:
        """Return the tensor in memory behind a tensor that is read, before dequantization and change of axes."""
        while (node := self.source.get(name)) is not None and node.op_type in (*VIEWS, "DequantizeLinear"):
            name = node.input[0]
        return name

    def element_bytes(self, name: str) -> int:
        return ELEMENT_BYTES.get(self.types.get(self.stored(name), 1), 4)

    def bytes_read(self, name: str) -> int:
        return self.elements(self.stored(name)) * self.element_bytes(name)

    def bytes_written(self, name: str) -> int:
        readers = self.readers[name]
        quantized = bool(readers) and all(reader.op_type == "QuantizeLinear" for reader in readers)
        return self.elements(name) * (1 if quantized else self.element_bytes(name))

    def elements(self, name: str) -> int:
        return math.prod(self.shapes.get(name, [0]))
