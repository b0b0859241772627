"""How often the acceptance test accepts good int8 graphs and refuses broken ones, over many draws of its cines.

    python -m edgeecho.benchmarks.acceptance_power cl_unet_edge cl_unet_nano --seeds 20

Every graph is tested with every seed. `parameters` is the check of a graph's numbers against its calibration, which
needs no cine; it does not see a calibration on the wrong frames, since such a graph holds what it was told to hold.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from edgeecho.errors import ExportError
from edgeecho.export.acceptance import Limits, assess, make_reference
from edgeecho.export.acceptance_cines import acceptance_cines
from edgeecho.export.bundle import find_source
from edgeecho.export.calibrate import gather
from edgeecho.export.proof import open_graph
from edgeecho.export.quantization_proof import parameters_verdict
from edgeecho.export.quantize import quantize
from edgeecho.export.ranges import Ranges, find_ranges
from edgeecho.modelfile import check

Edit = Callable[[onnx.ModelProto], None]


def good(graph: onnx.ModelProto, clips: list[np.ndarray]) -> Iterator[tuple[str, onnx.ModelProto, Ranges, int]]:
    """int8 graphs as an export writes them: name, graph, ranges and bits of weights."""
    minmax, percentile = find_ranges(graph, clips), find_ranges(graph, clips, "percentile")
    for name, ranges, bits in (("minmax", minmax, 7), ("percentile", percentile, 7), ("8-bit weights", minmax, 8)):
        yield name, quantize(graph, ranges, weight_bits=bits), ranges, bits


def broken(graph: onnx.ModelProto, clips: list[np.ndarray]) -> Iterator[tuple[str, onnx.ModelProto, Ranges, int]]:
    """int8 graphs with a fault, and what calibration on the wrong frames gives."""
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
    """int8 weights of convolutions, in the graph's order."""
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
    """Let the middle activation be read by another zero point and scale than it was stored by."""
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


def power(model: str, seeds: range) -> dict[str, dict[str, object]]:
    """Test every graph of a model with every seed."""
    data, spec, *_ = check(find_source(model).parent / "clip.fp32.onnx")
    graph = onnx.load_from_string(data)
    clips = gather(None, spec.size_px).calibration
    graphs = [(True, *found) for found in good(graph, clips)] + [(False, *found) for found in broken(graph, clips)]
    fp32 = open_graph(graph, spec).probabilities
    runs = {name: open_graph(int8, spec).probabilities for _, name, int8, *_ in graphs}
    table: dict[str, dict[str, object]] = {}
    for is_good, name, int8, ranges, bits in graphs:
        holds = parameters_verdict(int8, graph, bits, ranges).holds
        table[name] = {"good": is_good, "parameters": holds, "accepted": 0, "seeds": len(seeds), "failed": {}}
    for seed in seeds:
        reference = make_reference(fp32, acceptance_cines(None, (), spec.size_px, seed), spec.threshold)
        for name, run in runs.items():
            figures = assess(name, run, reference, Limits())
            failed = [figure.figure for figure in figures if not figure.holds]
            row = table[name]
            row["accepted"] = int(str(row["accepted"])) + (not failed)
            counts = row["failed"]
            assert isinstance(counts, dict)
            for figure in failed:
                counts[figure] = counts.get(figure, 0) + 1
            values = {f.figure: [f.value, f.low, f.high] for f in figures}
            row.setdefault("values", []).append(values)  # type: ignore[attr-defined]
        print(f"{model}: seed {seed} done", flush=True)  # noqa: T201
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="packaged models")
    parser.add_argument("--seeds", type=int, default=20, help="draws of the acceptance cines")
    parser.add_argument("--out", type=Path, help="JSON of every figure")
    asked = parser.parse_args()
    found = {}
    for model in asked.models:
        try:
            found[model] = power(model, range(asked.seeds))
        except ExportError as error:
            parser.error(str(error))
        print("| model | graph | should be | parameters | accepted | figures that failed |")  # noqa: T201
        print("|---|---|---|---|---|---|")  # noqa: T201
        for name, row in found[model].items():
            wanted, held = "accepted" if row["good"] else "refused", "hold" if row["parameters"] else "differ"
            failed = row["failed"]
            assert isinstance(failed, dict)
            why = ", ".join(f"{k} {v}" for k, v in failed.items())
            print(f"| {model} | {name} | {wanted} | {held} | {row['accepted']} of {row['seeds']} | {why} |")  # noqa: T201
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
