"""Sums and products of int8 that every processor rounds alike: never near the middle between two levels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def sums(*nodes: Any, spans: dict[str, tuple[float, float]], **constants: np.ndarray) -> dict[str, Scale]:
    """Chosen parameters of a graph of a few nodes with these ranges."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in spans]
    tensors = [numpy_helper.from_array(values.astype(np.float32), name) for name, values in constants.items()]
    graph = helper.make_graph(list(nodes), "sums", ends[:1], ends[-1:], tensors)
    return exact_parameters(helper.make_model(graph), Ranges(spans, "minmax", 1), 7)


def test_scales_of_a_sum_worked_out_on_paper() -> None:
    """1.5 is the coarsest scale, so the unit is 2^-9: 512, 256 and 768 units, the result odd."""
    spans = {"a": (0.0, 255.0), "b": (-63.75, 63.75), "sum": (0.0, 382.5)}
    found = sums(helper.make_node("Add", ["a", "b"], ["sum"]), spans=spans)
    assert found == {"a": (1.0, 0), "b": (0.5, 128), "sum": (769 / 512, 0)}


def test_a_tensor_that_is_always_0_has_the_finest_scale() -> None:
    spans = {"a": (0.0, 255.0), "b": (0.0, 0.0), "sum": (0.0, 255.0)}
    found = sums(helper.make_node("Add", ["a", "b"], ["sum"]), spans=spans)
    assert found["b"] == (1 / 512, 0)


def test_a_relu_and_what_is_only_moved_have_the_scale_of_their_tensor() -> None:
    """The slice of `a` is read by the sum, whose ReLU is quantized in its place."""
    spans = {"a": (0.0, 255.0), "part": (0.0, 99.0), "b": (0.0, 255.0), "sum": (-1.0, 510.0), "lit": (0.0, 510.0)}
    nodes = [
        helper.make_node("Slice", ["a"], ["part"]),
        helper.make_node("Add", ["part", "b"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["lit"]),
    ]
    found = sums(*nodes, spans=spans)
    assert found["a"] == found["part"] == found["b"] == (1.0, 0)
    assert found["lit"] == (513 / 256, 0)
    assert found["sum"] == (515 / 256, 0)


@pytest.mark.parametrize(("axis", "second", "joined"), [(0, "a", True), (1, "a", True), (1, "b", False)])
def test_frames_of_one_tensor_that_are_joined_keep_its_scale(axis: int, second: str, joined: bool) -> None:
    spans = dict.fromkeys(("a", "b", "two"), (0.0, 255.0)) | {"sum": (0.0, 510.0)}
    nodes = [
        helper.make_node("Concat", ["a", second], ["two"], axis=axis),
        helper.make_node("Add", ["a", "b"], ["sum"]),
    ]
    assert ("two" in sums(*nodes, spans=spans)) is joined


def test_tensors_that_are_always_zero_keep_no_scale() -> None:
    spans = dict.fromkeys(("a", "b", "sum"), (0.0, 0.0))
    assert sums(helper.make_node("Add", ["a", "b"], ["sum"]), spans=spans) == {}


def test_the_scale_of_a_constant_worked_out_on_paper() -> None:
    """The least scale is 2/127; the product of two steps makes 1/508 of a level, of which 2 and then 1015 are taken."""
    spans = {"c": (0.0, 255 / 64), "y": (0.0, 255 / 8)}
    node = helper.make_node("Mul", ["weights", "c"], ["y"])
    scale, zero = sums(node, spans=spans, weights=np.array([-0.5, 1.5]))["weights"]
    assert scale == pytest.approx(16 / 1015, rel=1e-6)
    assert zero == 32
    flat = np.array([0.0, 0.0])
    assert sums(node, spans=spans, weights=flat)["weights"] == (1.0, 0)
    assert sums(node, spans={"c": (0.0, 0.0), "y": (0.0, 1.0)}, weights=flat + 1)["weights"] == (1.0, 0)
    assert sums(helper.make_node("Mul", ["c", "by"], ["y"]), spans=spans, by=np.array(255.0)) == {}


def int8_operator(kind: str, a: Scale, b: Scale, y: Scale, *behind: str) -> Any:
    """An int8 graph of one operator, its inputs and its result quantized so."""
    constants = {f"{n}_{part}": v for n, q in (("a", a), ("b", b), ("y", y)) for part, v in zip("sz", q, strict=True)}
    tensors = [
        numpy_helper.from_array(np.array(value, np.float32 if name.endswith("s") else np.uint8), name)
        for name, value in constants.items()
    ]
    nodes = [helper.make_node("DequantizeLinear", [f"q{n}", f"{n}_s", f"{n}_z"], [n]) for n in "ab"]
    nodes.append(helper.make_node(kind, ["a", "b"], ["t0"]))
    for at, name in enumerate(behind):
        nodes.append(helper.make_node(name, [f"t{at}"], [f"t{at + 1}"]))
    nodes.append(helper.make_node("QuantizeLinear", [f"t{len(behind)}", "y_s", "y_z"], ["y"]))
    return helper.make_model(helper.make_graph(nodes, "one", [], [], tensors))


@pytest.mark.parametrize(
    ("kind", "scales", "behind", "distance"),
    [
        ("Add", (1.0, 1.0, 2.0), (), 0),
        ("Add", (1.0, 1.0, 3.0), (), 1 / 6),
        ("Add", (1.0, 2.0, 5.0), ("Relu",), 1 / 10),
        ("Mul", (1.0, 1.0, 3.0), (), 1 / 6),
        ("Mul", (3.0, 2.0, 7.0), ("Relu",), 1 / 14),
        ("Mul", (1.0, 1.0, 2.0), (), 0),
        ("Add", (1.0, 1.0, 2.0), ("Abs",), 0.5),  # no operator in int8: the result is not quantized
    ],
)
def test_distance_from_a_middle_worked_out_on_paper(
    kind: str, scales: tuple[float, float, float], behind: tuple[str, ...], distance: float
) -> None:
    a, b, y = ((scale, zero) for scale, zero in zip(scales, (3, 0, 9), strict=True))
    assert nearest_middle(int8_operator(kind, a, b, y, *behind)) == pytest.approx(distance, abs=1e-9)


def test_results_that_are_clipped_have_no_middle() -> None:
    """Sums of 255 and more are all written as 255; only the lowest one lies between two levels."""
    assert nearest_middle(int8_operator("Add", (512.0, 0), (512.0, 0), (1.0, 0))) == 0.5
    assert nearest_middle(int8_operator("Add", (0.5, 0), (512.0, 0), (1.0, 0))) == 0
    assert nearest_middle(int8_operator("Add", (512.0, 1), (512.0, 0), (1024.0, 0))) == 0


def test_a_product_of_two_tensors_keeps_its_scales() -> None:
    """Peers have such products; `nearest_middle` then shows that processors may round differently."""
    spans = dict.fromkeys("abp", (-1.0, 1.0))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "abp"]
    graph = helper.make_graph([helper.make_node("Mul", ["a", "b"], ["p"])], "gated", values[:2], values[2:])
    assert exact_parameters(helper.make_model(graph), Ranges(spans, "minmax", 1), 7) == {}
