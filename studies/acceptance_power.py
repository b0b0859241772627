"""How often does the acceptance test accept good int8 graphs and refuse broken ones? The figures are in docs/export.md.

    python -m studies.acceptance_power cl_unet_edge cl_unet_nano --seeds 20 --calib camus:DIR

Every graph is tested with every seed, on the cines that an export would take: drawn ones, and those of held-out
patients of the data that the graph was calibrated on. The column `parameters` is the comparison of a graph's parameters
with its calibration, which needs no cine. It cannot find a calibration on the wrong frames, since the parameters of
such a graph are those of its calibration.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.export.bundle import find_source
from edgeecho.export.check.acceptance import Reference, Run, assess, make_reference
from edgeecho.export.check.acceptance_cines import MAX_HELD_OUT_CINES, acceptance_cines, held_out_cines
from edgeecho.export.check.figures import Figure, Limits
from edgeecho.export.check.proof import open_graph
from edgeecho.export.int8.calibrate import gather
from edgeecho.export.int8.parameters import check_parameters
from edgeecho.export.int8.quantize import quantize
from edgeecho.export.int8.ranges import METHODS, Ranges, find_ranges
from edgeecho.model.sealed_file import read_verified

Edit = Callable[[onnx.ModelProto], None]
BOUNDED = ("disagreement", "area_spread")
"""Names of figures whose upper bounds the table lists, as a range over the draws."""


def good(graph: onnx.ModelProto, clips: list[np.ndarray]) -> Iterator[tuple[str, onnx.ModelProto, Ranges, int]]:
    """Yield int8 graphs as an export writes them: name, graph, ranges and bits of weights."""
    for method in METHODS:
        ranges = find_ranges(graph, clips, method)
        yield method, quantize(graph, ranges), ranges, 7


def broken(graph: onnx.ModelProto, clips: list[np.ndarray]) -> Iterator[tuple[str, onnx.ModelProto, Ranges, int]]:
    """Yield int8 graphs with a fault, and graphs of a calibration on wrong frames."""
    ranges = find_ranges(graph, clips)
    whole = quantize(graph, ranges)
    edits: list[tuple[str, Edit]] = [
        ("5-bit weights", lambda m: _coarser(m, 5)),
        ("4-bit weights", lambda m: _coarser(m, 4)),
        ("zero point of a middle layer +4", lambda m: _requantize(m, 4, 1.0)),
        ("scale of a middle layer x 1.5", lambda m: _requantize(m, 0, 1.5)),
        ("an eighth of a layer's channels 0", _silence),
        ("a layer's biases 0", _without_bias),
        ("past and future swapped", _swap_time),
    ]
    for name, edit in edits:
        model = onnx.ModelProto()
        model.CopyFrom(whole)
        edit(model)
        yield name, model, ranges, 7
    for name, frames in (
        ("calibrated on frames / 8", [clip // 8 for clip in clips]),
        ("calibrated on black frames", [clip * 0 for clip in clips]),
    ):
        found = find_ranges(graph, frames)
        yield name, quantize(graph, found), found, 7


def _weights(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Return the int8 weights of convolutions, in the graph's order."""
    producer = {name: node for node in model.graph.node for name in node.output}
    stored = {t.name: t for t in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return [stored[producer[node.input[1]].input[0]] for node in convolutions if node.input[1] in producer]


def _replace(tensor: onnx.TensorProto, values: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _coarser(model: onnx.ModelProto, bits: int) -> None:
    step, most = 2 ** (7 - bits), 2 ** (bits - 1) - 1
    for tensor in _weights(model):
        values = np.clip(np.rint(numpy_helper.to_array(tensor) / step), -most, most) * step
        _replace(tensor, values.astype(np.int8))


def _requantize(model: onnx.ModelProto, zero_point: int, factor: float) -> None:
    """Dequantize the middle activation by another zero point and scale than it was quantized by."""
    stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    quantized = {name for node in model.graph.node if node.op_type == "QuantizeLinear" for name in node.output}
    convolved = {name for node in model.graph.node if node.op_type == "Conv" for name in node.input[:1]}
    readers = [
        node
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in quantized and node.output[0] in convolved
    ]
    node = readers[len(readers) // 2]
    scale = np.array(stored[node.input[1]] * np.float32(factor), np.float32)
    zero = np.array(np.clip(int(stored[node.input[2]]) + zero_point, 0, 255), np.uint8)
    for place, name, values in ((1, "other_scale", scale), (2, "other_zero_point", zero)):
        model.graph.initializer.append(numpy_helper.from_array(values, name))
        node.input[place] = name


def _silence(model: onnx.ModelProto) -> None:
    tensor = _weights(model)[len(_weights(model)) // 2]
    values = numpy_helper.to_array(tensor).copy()
    values[: max(1, len(values) // 8)] = 0
    _replace(tensor, values)


def _without_bias(model: onnx.ModelProto) -> None:
    producer = {name: node for node in model.graph.node for name in node.output}
    nodes = [n for n in model.graph.node if n.op_type == "Conv" and len(n.input) > 2 and n.input[2] in producer]
    name = producer[nodes[len(nodes) // 2].input[2]].input[0]
    tensor = next(t for t in model.graph.initializer if t.name == name)
    _replace(tensor, numpy_helper.to_array(tensor) * 0)


def _swap_time(model: onnx.ModelProto) -> None:
    """Reverse the order of frames in every temporal convolution (three frames on the channels)."""
    nodes = [n for n in model.graph.node if n.op_type == "Concat" and len(n.input) == 3]
    for node in nodes:
        node.input[:] = list(node.input)[::-1]


class ModelTests:
    """Acceptance tests of int8 graphs of one model, each on the cines that an export would take."""

    def __init__(self, model: str, data: list[str], with_broken: bool) -> None:
        source = read_verified(find_source(model).parent / "clip.fp32.onnx")
        self.spec, self.graph = source.spec, onnx.load_from_string(source.data)
        self.fp32 = open_graph(self.graph, self.spec, threads=1).probabilities
        self.rows: list[Row] = []
        self.of_data: list[Reference] = []
        drawn = gather(None, self.spec.size_px).calibration
        for found in good(self.graph, drawn):
            self._add(True, None, *found)
        for found in broken(self.graph, drawn) if with_broken else ():
            self._add(False, None, *found)
        for number, where in enumerate(data):
            frames = gather(where, self.spec.size_px)
            cines = held_out_cines(where, frames.held_out_groups, self.spec.size_px)
            self.of_data.append(make_reference(self.fp32, cines, self.spec.threshold))
            for name, int8, ranges, bits in good(self.graph, frames.calibration):
                self._add(True, number, f"{name}, {where.partition(':')[0]}", int8, ranges, bits)

    def _add(
        self, is_good: bool, data: int | None, name: str, int8: onnx.ModelProto, ranges: Ranges, bits: int
    ) -> None:
        holds = check_parameters(int8, self.graph, bits, ranges).holds
        self.rows.append(Row(name, is_good, data, holds, open_graph(int8, self.spec, threads=1).probabilities))

    def run(self, seed: int) -> None:
        """Test every graph with one draw of the acceptance cines."""
        drawn = make_reference(self.fp32, acceptance_cines(None, (), self.spec.size_px, seed), self.spec.threshold)
        for row in self.rows:
            reference = drawn
            if row.data is not None:
                whole = self.of_data[row.data]
                order = np.random.default_rng(seed).permutation(len(whole.cines))[:MAX_HELD_OUT_CINES]
                reference = drawn.joined(whole.subset(order.tolist()))
            row.found.append(assess(row.name, row.run, reference, Limits()))


@dataclass
class Row:
    """An int8 graph with the figures of the acceptance test for each seed."""

    name: str
    is_good: bool
    data: int | None
    """Index of the data set that it was calibrated on; None for drawn hearts."""
    parameters: bool
    run: Run
    found: list[list[Figure]] = field(default_factory=list)

    def cells(self, model: str) -> str:
        """Return a line of the table."""
        accepted = sum(all(f.holds for f in figures) for figures in self.found)
        wanted, held = "accepted" if self.is_good else "refused", "holds" if self.parameters else "refuses"
        bounds = [[f.high for figures in self.found for f in figures if f.figure == name] for name in BOUNDED]
        ranges = " | ".join(f"{min(values):.2f} to {max(values):.2f}" for values in bounds)
        return f"| `{model}` | {self.name} | {wanted} | {accepted} of {len(self.found)} | {held} | {ranges} |"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="packaged models")
    parser.add_argument("--seeds", type=int, default=20, help="draws of the acceptance cines")
    parser.add_argument("--calib", action="append", default=[], help="KIND:DIR to calibrate on too; may be repeated")
    parser.add_argument("--good", action="store_true", help="good graphs alone")
    parser.add_argument("--out", type=Path, help="JSON of every figure")
    options = parser.parse_args()
    record: dict[str, dict[str, list[list[dict[str, object]]]]] = {}
    lines = ["| model | int8 graph | should be | figures held | parameters | disagreement | area spread |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for model in options.models:
        tests = ModelTests(model, options.calib, not options.good)
        for seed in range(options.seeds):
            tests.run(seed)
            sys.stderr.write(f"{model}: seed {seed} of {options.seeds} done\n")
            if options.out:
                record[model] = {
                    row.name: [[asdict(f) for f in figures] for figures in row.found] for row in tests.rows
                }
                options.out.write_text(json.dumps(record) + "\n")
        lines += [row.cells(model) for row in tests.rows]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
