"""Sums and products of int8 that every processor rounds alike: never near the middle between two levels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from edgeecho.export.int8.exact_sums import MARGIN, MAX_MULTIPLE, exact_parameters, nearest_middle  # noqa: E402
from edgeecho.export.int8.ranges import Ranges, find_ranges  # noqa: E402
from tests.helpers import network_frames  # noqa: E402

Scale = tuple[float, int]


def operators(model: onnx.ModelProto) -> Iterator[tuple[str, Scale, Scale, Scale]]:
    """Operator, scales and zero points of both inputs and the result of each int8 `Add` and `Mul`."""
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    producer = {name: node for node in model.graph.node for name in node.output}
    readers = {name: node for node in model.graph.node for name in node.input}
    for node in model.graph.node:
        if node.op_type in ("Add", "Mul"):
            after = readers[node.output[0]]
            after = readers[after.output[0]] if after.op_type == "Relu" else after
            nodes = [*(producer[name] for name in node.input), after]
            a, b, y = ((float(constants[n.input[1]]), int(constants[n.input[2]])) for n in nodes)
            yield node.op_type, a, b, y


def nearest(kind: str, a: Scale, b: Scale, y: Scale) -> float:
    """Least distance of an unclipped result, over all pairs of bytes, from the middle between two levels."""
    left, right = (np.arange(256.0) - zero for _, zero in (a, b))
    if kind == "Add":
        level = (left[:, None] * a[0] + right * b[0]) / y[0] + y[1]
    else:
        level = left[:, None] * right * (a[0] * b[0] / y[0]) + y[1]
    level = level[(level > -1) & (level < 256)]
    return float(np.abs(np.abs(level - np.floor(level)) - 0.5).min())


def test_no_pair_of_bytes_comes_near_a_middle(graphs: Path) -> None:
    model = onnx.load(graphs / "clip.int8.onnx")
    found = list(operators(model))
    assert len(found) >= 1
    for kind, a, b, y in found:
        assert nearest(kind, a, b, y) > MARGIN, (kind, a, b, y)
    assert nearest_middle(model) == pytest.approx(min(nearest(*each) for each in found))


def test_calibrated_scales_would(graphs: Path) -> None:
    """Without the choice of scales some pairs are nearer, so the test above can fail."""
    model = onnx.load(graphs / "clip.fp32.onnx")
    ranges = find_ranges(model, [network_frames(8)])

    def plain(name: str) -> Scale:
        low, high = min(0.0, ranges.of[name][0]), max(0.0, ranges.of[name][1])
        scale = (high - low) / 255
        return scale, round(-low / scale)

    alive = {name for name, (low, high) in ranges.of.items() if low < high}
    adds = [node for node in model.graph.node if node.op_type == "Add" and {*node.input, *node.output} <= alive]
    distances = [nearest("Add", *(plain(name) for name in (*node.input, node.output[0]))) for node in adds]
    assert min(distances) < MARGIN


@pytest.mark.parametrize("seed", range(20))
def test_any_ranges(seed: int) -> None:
    """A chain of sums with a product by a constant, of ranges up to a hundred times apart."""
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c", "weighted", "sum", "total"]
    spans = {name: (-float(10 ** rng.uniform(-2, 0)), float(10 ** rng.uniform(-2, 0))) for name in names}
    weights = rng.normal(0, 1, (4, 1, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Mul", ["weights", "c"], ["weighted"]),
        helper.make_node("Add", ["sum", "weighted"], ["total"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 8, 8]) for name in (*"abc", "total")]
    graph = helper.make_graph(nodes, "sums", values[:3], values[3:], [numpy_helper.from_array(weights, "weights")])
    found = exact_parameters(helper.make_model(graph), Ranges(spans, "minmax", 1), 7)
    for name in ("a", "b", "sum", "weighted", "total"):
        scale, zero = found[name]
        low, high = spans[name]
        assert scale * (255 - zero) >= high - scale  # nothing that was seen is clipped by more than a rounding
        assert -scale * zero <= low + scale
        assert scale >= (high - low) / 255
    c = ((spans["c"][1] - spans["c"][0]) / 255, round(-spans["c"][0] / ((spans["c"][1] - spans["c"][0]) / 255)))
    assert nearest("Add", found["a"], found["b"], found["sum"]) > MARGIN
    assert nearest("Add", found["sum"], found["weighted"], found["total"]) > MARGIN
    product = nearest("Mul", found["weights"], (float(np.float32(c[0])), c[1]), found["weighted"])
    assert product > MARGIN
    assert np.abs(weights).max() <= found["weights"][0] * 128


def test_a_scale_is_little_coarser() -> None:
    spans = dict.fromkeys(("a", "b", "sum"), (-1.0, 1.0))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("a", "b", "sum")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["sum"])], "sum", values[:2], values[2:])
    found = exact_parameters(helper.make_model(graph), Ranges(spans, "minmax", 1), 7)
    for scale, _ in found.values():
        assert 1 <= scale / (2 / 255) < 1 + 4 / MAX_MULTIPLE


def test_a_product_of_two_tensors_keeps_its_scales() -> None:
    """Peers have such products; `nearest_middle` then shows that processors may round differently."""
    spans = dict.fromkeys("abp", (-1.0, 1.0))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "abp"]
    graph = helper.make_graph([helper.make_node("Mul", ["a", "b"], ["p"])], "gated", values[:2], values[2:])
    assert exact_parameters(helper.make_model(graph), Ranges(spans, "minmax", 1), 7) == {}
