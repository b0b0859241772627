"""Writer of an ONNX graph, node by node, with the constants of another graph; it orders nodes and drops duplicates."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Value = tuple[str, int, Sequence[int | str]]
"""Name, ONNX type number and shape of an input or output; a free size is a name."""


class GraphWriter:
    """Nodes and constants of a new graph that is made from another one."""

    def __init__(self, source: onnx.ModelProto) -> None:
        self.source = source
        self.constants = {t.name: numpy_helper.to_array(t) for t in source.graph.initializer}
        """Constants of the source, and those that `constant` adds."""
        self.fixed = set(self.constants)
        """Names of constants, and of tensors that are computed from constants alone."""
        self.nodes: list[onnx.NodeProto] = []
        self._stored = {t.name: t for t in source.graph.initializer}
        self._made: dict[tuple[str, ...], str] = {}

    def moving(self) -> Iterator[onnx.NodeProto]:
        """Yield the nodes of the source that depend on its inputs, in order; the others are copied."""
        for node in self.source.graph.node:
            if all(not name or name in self.fixed for name in node.input):
                self.nodes.append(node)
                self.fixed.update(node.output)
            else:
                yield node

    def emit(self, like: onnx.NodeProto | str, inputs: list[str], output: str, **attributes: int | list[int]) -> str:
        """Add a node of an operator, or like another node, unless an equal one exists.

        Returns:
            The name of its output: `output`, or that of the equal node.
        """
        kind = like if isinstance(like, str) else like.op_type
        given: dict[str, Any] = {**attributes}
        node = helper.make_node(kind, inputs, [output], name=output, **given)
        node.attribute.extend(() if isinstance(like, str) else like.attribute)
        key = (kind, *inputs, *sorted(str(a) for a in node.attribute))
        if key not in self._made:
            self.nodes.append(node)
            self._made[key] = output
        return self._made[key]

    def constant(self, values: Iterable[int]) -> str:
        """Return the name of a constant vector of int64."""
        return self.array(np.array(list(values), np.int64), "bounds")

    def array(self, values: np.ndarray, kind: str) -> str:
        """Return the name of a small constant, which consists of its kind and its values."""
        name = f"{kind}_{'_'.join(f'{value:g}' for value in values.tolist())}"
        if name not in self.constants:
            self.replace(name, values)
        return name

    def replace(self, name: str, values: np.ndarray) -> None:
        """Give a constant other values."""
        self.constants[name], self._stored[name] = values, numpy_helper.from_array(values, name)

    def rename(self, tensor: str, name: str) -> None:
        """Give the output of a node another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [name if found == tensor else found for found in names]

    def channels(self, tensor: str, start: int, end: int, output: str) -> str:
        """Slice channels of a tensor; the result has exactly the name `output`."""
        found = self.emit("Slice", [tensor, *(self.constant([v]) for v in (start, end, 1))], output)
        return output if found == output else self.emit("Identity", [found], output)

    def model(self, name: str, inputs: list[Value], outputs: list[Value]) -> onnx.ModelProto:
        """Return a checked model of those nodes and constants that the outputs depend on."""
        nodes = self._in_order({*self.constants, *(name for name, *_ in inputs)}, [name for name, *_ in outputs])
        read = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info(*value) for value in inputs],
            [helper.make_tensor_value_info(*value) for value in outputs],
            [t for t in self._stored.values() if t.name in read],
        )
        model = helper.make_model(graph, opset_imports=self.source.opset_import, ir_version=self.source.ir_version)
        onnx.checker.check_model(model)
        return model

    def _in_order(self, computed: set[str], wanted: list[str]) -> list[onnx.NodeProto]:
        """Return the nodes that the wanted tensors depend on, in topological order."""
        producer = {name: node for node in self.nodes for name in node.output}
        ordered: list[onnx.NodeProto] = []
        stack = wanted[::-1]
        while stack:
            if stack[-1] in computed:
                stack.pop()
                continue
            node = producer[stack[-1]]
            missing = [name for name in node.input if name and name not in computed]
            stack += missing
            if not missing:
                ordered.append(node)
                computed.update(node.output)
        return ordered
