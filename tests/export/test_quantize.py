"""Quantization of a graph whose scales, zero points and weights are worked out on paper."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import helper  # noqa: E402

from edgeecho.export.int8.parameters import bits_of, check_parameters, check_sums  # noqa: E402
from edgeecho.export.int8.quantize import count_int8, given_parameters, quantize  # noqa: E402
from edgeecho.export.int8.ranges import Ranges  # noqa: E402
from tests.export.small_graph import BIASES, RANGES, SIDE, WEIGHTS, constant, edited, quantizer, small_graph  # noqa: E402

EXACT = {"ar": 1 / 255, "b": 2.55 / 255, "s": 3.3 / 255, "sr": 2.9 / 255}
"""Scales of the tensors of the sum by their ranges alone; the chosen ones are at most 0.4% coarser."""


@pytest.fixture(scope="module")
def int8() -> onnx.ModelProto:
    return quantize(small_graph(), RANGES)


def run(model: onnx.ModelProto, frames: np.ndarray) -> np.ndarray:
    import onnxruntime as ort

    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["prob"], {"frames": frames})[0])


def test_the_ends_are_bytes_and_logits_have_a_range_of_their_own(int8: onnx.ModelProto) -> None:
    kinds = [node.op_type for node in int8.graph.node]
    assert not {"Cast", "Mul", "Round"} & set(kinds)
    first = next(node for node in int8.graph.node if "frames" in node.input)
    assert first.op_type == "DequantizeLinear"
    assert (float(constant(int8, first.input[1])), int(constant(int8, first.input[2]))) == (np.float32(1 / 255), 0)
    last = int8.graph.node[-1]
    assert (last.op_type, list(last.output)) == ("QuantizeLinear", ["prob"])
    assert quantizer(int8, "p") == (np.float32(1 / 255), 0)
    assert quantizer(int8, "y") == (1 / 16, 128)  # from -8 to 8, whatever the range of the logits
    used = {name for node in int8.graph.node for name in node.input}
    assert {tensor.name for tensor in int8.graph.initializer} <= used
    assert not int8.metadata_props


def test_the_scales_that_are_given() -> None:
    ends = {"x": (1 / 255, 0), "p": (1 / 255, 0), "y": (8 / 128, 128)}
    assert given_parameters(small_graph(), None, 7) == ends
    given = given_parameters(small_graph(), RANGES, 7)
    assert given.keys() == {*ends, *EXACT}
    for name, scale in EXACT.items():
        assert 1 <= given[name][0] / scale < 1.004
    assert [given[name][1] for name in ("ar", "b", "s")] == [0, 51, 31]


@pytest.mark.parametrize(("bits", "largest"), [(7, 64), (8, 127)])
def test_weights_and_biases(bits: int, largest: int) -> None:
    model = quantize(small_graph(), RANGES, weight_bits=bits)
    for name, values in WEIGHTS.items():
        stored, scale = constant(model, f"{name}_quantized").astype(int), constant(model, f"{name}_scale")
        most = np.abs(values).max(axis=(1, 2, 3))
        np.testing.assert_allclose(scale, most / largest, rtol=1e-6)
        assert np.abs(stored).max() == largest
        np.testing.assert_array_equal(stored, np.rint(values / scale.reshape(-1, 1, 1, 1)))
    step = constant(model, "w1_scale") / 255
    np.testing.assert_array_equal(constant(model, "b1_quantized"), np.rint(BIASES["b1"] / step))
    assert bits_of(model) == bits


def test_the_numbers_are_those_of_fp32(int8: onnx.ModelProto) -> None:
    frames = np.arange(0, 256, dtype=np.uint8).reshape(-1, 1, SIDE, SIDE)
    off = np.abs(run(int8, frames).astype(int) - run(small_graph(), frames))
    assert off.max() <= 6
    assert off.mean() < 2


def test_a_convolution_that_stays_in_float(int8: onnx.ModelProto) -> None:
    assert count_int8(int8) == (3, 3)
    kept = quantize(small_graph(), RANGES, keep_float=["second"])
    assert count_int8(kept) == (2, 3)
    assert check_parameters(kept, small_graph(), 7, RANGES).holds
    plain = quantize(small_graph(), RANGES, exact_sums=False)
    assert quantizer(plain, "sr")[0] == np.float32(2.9 / 255)
    assert quantizer(int8, "sr")[0] != np.float32(2.9 / 255)


def test_frames_that_are_moved_first_and_scaled_in_the_weights() -> None:
    """The simplifier may move 1/255 into the weights; a native graph moves its frames and logits into place."""
    model = small_graph()
    nodes = {node.name: node for node in model.graph.node}
    model.graph.node.remove(nodes["scaling"])
    model.graph.node.insert(1, helper.make_node("Transpose", ["cast"], ["x"], "moved", perm=[0, 1, 3, 2]))
    at = list(model.graph.node).index(nodes["sigmoid"])
    model.graph.node.insert(at, helper.make_node("Transpose", ["y"], ["turned"], "turned", perm=[0, 1, 3, 2]))
    nodes["sigmoid"].input[0] = "turned"
    ends = {"x": (1.0, 0), "p": (1 / 255, 0), "y": (8 / 128, 128), "turned": (8 / 128, 128)}
    assert given_parameters(model, None, 7) == ends
    quantized = quantize(edited(model, "w1", WEIGHTS["w1"] / 255), RANGES)
    mover = next(node for node in quantized.graph.node if node.name == "moved")
    assert list(mover.input) == ["frames"]  # the bytes themselves are moved
    frames = np.arange(0, 256, dtype=np.uint8).reshape(-1, 1, SIDE, SIDE)
    assert np.abs(run(quantized, frames).astype(int) - run(small_graph(), frames)).max() <= 6


# The check of the parameters


def holds(model: onnx.ModelProto, ranges: Ranges | None = RANGES, bits: int = 7) -> bool:
    return check_parameters(model, small_graph(), bits, ranges).holds


def test_what_was_quantized_holds(int8: onnx.ModelProto) -> None:
    found = check_parameters(int8, small_graph(), 7, RANGES)
    assert (found.holds, found.figure) == (True, "parameters, steps")
    assert found.limit == 0.51
    assert found.worst <= 0.51
    assert check_parameters(int8, small_graph(), 7, None).holds
    assert check_sums(int8).holds


@pytest.mark.parametrize(
    ("part", "change", "expected"),
    [
        ("scale", 1 + 0.9e-3, True),
        ("scale", 1 + 1.1e-3, False),
        ("scale", 1 - 1.1e-3, False),
        ("zero_point", 1, True),
        ("zero_point", 2, False),
    ],
)
def test_an_activation_may_differ_by_rounding_alone(
    int8: onnx.ModelProto, part: str, change: float, expected: bool
) -> None:
    name = f"b_{part}"
    values = constant(int8, name)
    model = edited(int8, name, values * np.float32(change) if part == "scale" else values + int(change))
    assert holds(model) is expected
    assert holds(model, None)  # without ranges no activation is compared but those that are given


@pytest.mark.parametrize("name", ["w1", "w2", "w3"])
def test_one_step_of_one_weight_or_bias_is_found(int8: onnx.ModelProto, name: str) -> None:
    stored = constant(int8, f"{name}_quantized")
    for at in range(stored.size):
        wrong = stored.copy()
        wrong.flat[at] -= np.sign(wrong.flat[at]) or 1
        result = check_parameters(edited(int8, f"{name}_quantized", wrong), small_graph(), 7, None)
        assert not result.holds
        assert "(first)" in result.figure or "(second)" in result.figure or "(third)" in result.figure
    bias = name.replace("w", "b")
    stored = constant(int8, f"{bias}_quantized")
    for at in range(stored.size):
        wrong = stored.copy()
        wrong[at] += 1
        result = check_parameters(edited(int8, f"{bias}_quantized", wrong), small_graph(), 7, None)
        assert not result.holds
        assert "bias of" in result.figure


def test_the_scale_of_a_bias_is_that_of_its_products(int8: onnx.ModelProto) -> None:
    name = next(t.name for t in int8.graph.initializer if t.name.startswith("b2") and "scale" in t.name)
    assert not holds(edited(int8, name, constant(int8, name) * np.float32(1.002)), None)


def test_other_bits_and_other_convolutions(int8: onnx.ModelProto) -> None:
    assert not holds(int8, bits=8)
    other = small_graph()
    next(node for node in other.graph.node if node.name == "second").name = "unknown"
    assert check_parameters(int8, other, 7, RANGES).worst == np.inf
    for name, values in WEIGHTS.items():
        wider = edited(small_graph(), name, np.concatenate([values, values], axis=2))
        assert check_parameters(int8, wider, 7, RANGES).worst == np.inf


def test_both_sides_of_a_tensor_have_one_scale(int8: onnx.ModelProto) -> None:
    """Quantized with one scale and read with another, a tensor would be stretched."""
    model = onnx.ModelProto()
    model.CopyFrom(int8)
    reader = next(
        n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0].startswith("b_Quantize")
    )
    values = constant(model, reader.input[1]) * np.float32(1.01)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(values, np.float32), "stretched"))
    reader.input[1] = "stretched"
    assert not check_parameters(model, small_graph(), 7, None).holds


@pytest.mark.parametrize(("largest", "bits"), [(0, 7), (64, 7), (65, 8), (-65, 8), (127, 8)])
def test_bits_of_a_graph(int8: onnx.ModelProto, largest: int, bits: int) -> None:
    values = np.full_like(constant(int8, "w1_quantized"), largest)
    assert bits_of(edited(int8, "w1_quantized", values)) == bits


def test_a_bias_at_the_end_of_its_type_is_not_compared(int8: onnx.ModelProto) -> None:
    """It was clipped, so that its error says nothing."""
    stored = constant(int8, "b1_quantized")
    for value, expected in ((2**31 - 1, True), (-(2**31), True), (2**31 - 2, False)):
        wrong = stored.copy()
        wrong[0] = value
        assert holds(edited(int8, "b1_quantized", wrong), None) is expected


@pytest.mark.parametrize(("operator", "expected"), [("MaxPool", True), ("Sigmoid", False)])
def test_what_only_moves_values_may_keep_their_scale(operator: str, expected: bool) -> None:
    """The pooled tensor has the scale of its input, not that of a range of its own."""
    model = small_graph()
    third = next(node for node in model.graph.node if node.name == "third")
    given = {"kernel_shape": [1, 1]} if operator == "MaxPool" else {}
    model.graph.node.insert(7, helper.make_node(operator, ["sr"], ["pooled"], "pool", **given))
    third.input[0] = "pooled"
    ranges = Ranges({**RANGES.of, "pooled": (0.0, 2.9)}, "minmax", 2)
    quantized = quantize(model, ranges)
    assert check_parameters(quantized, model, 7, ranges).holds
    other = Ranges({**RANGES.of, "pooled": (0.0, 29.0)}, "minmax", 2)
    assert check_parameters(quantized, model, 7, other).holds is expected


@pytest.mark.parametrize("name", ["b", "p", "y"])
def test_without_ranges_the_scale_of_an_activation_is_not_compared(int8: onnx.ModelProto, name: str) -> None:
    other = edited(int8, f"{name}_scale", constant(int8, f"{name}_scale") * np.float32(1.1))
    assert not holds(other)
    assert holds(other, None)
