"""Profiles and estimates: MACs of fused kernels, the peak throughput, the roofline."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

from onnx import TensorProto, helper  # noqa: E402

from edgeecho.benchmarks.profile import estimate, peak_throughput, profile  # noqa: E402
from edgeecho.benchmarks.profile.boards import BOARDS, find_boards  # noqa: E402
from edgeecho.benchmarks.profile.counting import count_macs  # noqa: E402
from edgeecho.benchmarks.profile.estimate import calibrate, roofline  # noqa: E402
from edgeecho.benchmarks.profile.kernels import Kernel  # noqa: E402
from edgeecho.benchmarks.profile.layers import Layer, graph_layers  # noqa: E402
from edgeecho.benchmarks.profile.matching import Multiplier, assign  # noqa: E402
from edgeecho.benchmarks.profile.profile import profile_model  # noqa: E402
from edgeecho.benchmarks.render.table import render_table  # noqa: E402
from edgeecho.benchmarks.run.clip import speckle_clip  # noqa: E402
from edgeecho.errors import ConfigError, ExportError, ModelFileError  # noqa: E402
from edgeecho.export.graph.clip import clip_graph  # noqa: E402
from edgeecho.export.graph.stream import stream_graph  # noqa: E402
from edgeecho.export.int8.quantize import quantize  # noqa: E402
from edgeecho.export.int8.ranges import find_ranges  # noqa: E402
from edgeecho.export.write.sealed import write_onnx, write_openvino  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn import build, new_spec  # noqa: E402
from edgeecho.runtime.engines.openvino_engine import openvino_core  # noqa: E402
from edgeecho.runtime.frame_stream import empty_state  # noqa: E402
from tests.benchmarks.made_results import made_result  # noqa: E402
from tests.benchmarks.printed import printed  # noqa: E402
from tests.helpers import MakeOnce  # noqa: E402

T, SIZE_PX = 8, 32
CLIP = speckle_clip(T, SIZE_PX)
SUFFIX = {"ort": ".onnx", "openvino": ".xml"}
EDGE = {"widths": (8, 16), "encoder_time": (False, True), "decoder_time": (True,)}
NETWORKS = {
    "cl_unet_edge": EDGE,
    "cl_unet": {"widths": (8, 16), "encoder_time": (True, True), "decoder_time": (True,)},
    "unet3d": {"in_channels": 1, "classes": 1, "base_channels": 4},
}


@pytest.fixture(scope="module")
def models(make_once: MakeOnce) -> Path:
    return make_once("profiled", write_models)


def write_models(folder: Path) -> None:
    """Write clip graphs of each family, and streams of one."""
    for family, config in NETWORKS.items():
        torch.manual_seed(0)
        spec = new_spec(family, **config)
        clip = clip_graph(build(spec), SIZE_PX, frames=T if family == "unet3d" else None)
        for precision in ("fp32", "int8"):
            graph = quantize(clip, find_ranges(clip, [CLIP[:, 0]])) if precision == "int8" else clip
            sealed = replace(spec, form="clip", size_px=SIZE_PX, precision=precision)
            graphs = {"clip": (graph, sealed)}
            if family == "cl_unet_edge":
                streamed = stream_graph(graph)
                graphs["stream"] = streamed.model, replace(sealed, form="stream", state=streamed.state)
            for form, (model, its_spec) in graphs.items():
                stem = folder / f"{family}.{form}.{precision}"
                write_onnx(stem.with_name(f"{stem.name}.onnx"), model, its_spec)
                write_openvino(stem.with_name(f"{stem.name}.xml"), model, its_spec)


@pytest.fixture
def _no_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "measure_peak_gmac_per_s", lambda runtime, precision, threads: 100.0)


def profiled(models: Path, name: str, runtime: str) -> dict:
    path = models / (name + SUFFIX[runtime])
    data, spec, weights, *_ = read_verified(path)
    inputs = {"frame": CLIP[:1], **empty_state(spec)} if spec.form == "stream" else {"frames": CLIP}
    return profile_model(data, weights, runtime, spec.precision, inputs, 1, 3)


CASES = [f"{family}.clip.{precision}" for family in NETWORKS for precision in ("fp32", "int8")]
CASES += ["cl_unet_edge.stream.fp32", "cl_unet_edge.stream.int8"]


@pytest.mark.usefixtures("_no_ceiling")
@pytest.mark.parametrize("runtime", ["ort", "openvino"])
@pytest.mark.parametrize("name", CASES)
def test_fused_layers_have_all_macs_of_the_graph(models: Path, name: str, runtime: str) -> None:
    found = profiled(models, name, runtime)
    assert sum(layer["macs"] for layer in found["layers"]) == found["macs"] == count_macs(models / f"{name}.onnx", T)
    assert found["runs"] == 3
    assert found["total_ms"] == pytest.approx(sum(layer["ms"] for layer in found["layers"]), abs=0.01)
    assert 0 < found["conv_ms"] <= found["total_ms"]
    json.dumps(found)
    multiplying = [layer for layer in found["layers"] if layer["macs"]]
    if "unet3d" not in name:  # ONNX Runtime has no integer ConvTranspose
        assert {layer["precision"] for layer in multiplying} == {name.rpartition(".")[2]}
    for layer in multiplying:
        if layer["ms"] > 0.01:  # they are rounded
            assert layer["gmac_per_s"] == pytest.approx(layer["macs"] / layer["ms"] / 1e6, rel=0.05, abs=0.02)
            assert layer["of_ceiling"] == pytest.approx(layer["gmac_per_s"] / 100, rel=0.05, abs=0.001)
    assert sum(layer.macs for layer in graph_layers(models / f"{name}.onnx", T)) == found["macs"]


@pytest.mark.usefixtures("_no_ceiling")
def test_layers_are_named_by_the_network_in_both_engines(models: Path) -> None:
    names = {
        runtime: [layer["name"] for layer in profiled(models, "cl_unet_edge.clip.int8", runtime)["layers"]]
        for runtime in SUFFIX
    }
    for found in names.values():
        assert {"encoder.0.0.spatial.0", "encoder.1.0.temporal.0", "decoder.0.spatial.0", "head"} <= set(found)


@pytest.mark.usefixtures("_no_ceiling")
def test_mixed_precision_has_a_ceiling_of_each(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"int8": 400.0, "fp32": 100.0}
    monkeypatch.setattr(profile, "measure_peak_gmac_per_s", lambda runtime, precision, threads: rates[precision])
    found = profiled(models, "unet3d.clip.int8", "ort")
    assert found["ceilings"] == rates
    assert found["ceiling_gmac_per_s"] == 400.0  # most of its MACs
    ideal_ms = sum(layer["macs"] / rates[layer["precision"]] / 1e6 for layer in found["layers"])
    assert found["of_ceiling"] == pytest.approx(ideal_ms / found["total_ms"], abs=0.001)


def test_layers_by_hand() -> None:
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], name="conv"),
        node("Relu", ["c"], ["r"], name="relu"),
        node("Slice", ["r", "from", "to", "axis"], ["s"], name="slice"),
        node("Concat", ["s", "r"], ["y"], axis=0, name="concat"),
    ]
    weights = {
        "w": np.zeros((3, 2, 3, 3), np.float32),
        "from": np.array([0]),
        "to": np.array([1]),
        "axis": np.array([0]),
    }
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", 2, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "hand", [x], [y], tensors)
    layers = graph_layers(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), 5)
    assert [(layer.name, layer.op) for layer in layers] == [("conv", "Conv"), ("slice", "Slice"), ("concat", "Concat")]
    a_frame = 3 * 4 * 4
    assert [layer.macs for layer in layers] == [5 * a_frame * 18, 0, 0]
    # 4 bytes each: 5 frames of 2 channels in, 54 weights, 5 of 3 out; one frame read and written; 6 read and 6 written
    assert [layer.bytes_moved for layer in layers] == [
        4 * (5 * 32 + 54 + 5 * a_frame),
        4 * 2 * a_frame,
        4 * 12 * a_frame,
    ]
    assert {"conv", "c", "relu", "r"} == layers[0].aliases


def test_a_graph_that_is_not_ours_is_given_its_own_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "measure_peak_gmac_per_s", lambda runtime, precision, threads: 100.0)
    conv = helper.make_node("Conv", ["image", "w"], ["y"])
    w = onnx.numpy_helper.from_array(np.ones((3, 2, 1, 1), np.float32), "w")
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 2, "H", "W"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([conv], "foreign", [image], [y], [w])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    inputs = {"image": np.ones((2, 2, 16, 16), np.float32)}
    for runtime in SUFFIX:
        found = profile_model(model.SerializeToString(), b"", runtime, "fp32", inputs, 1, 3)
        assert found["macs"] == 2 * 3 * 2 * 16 * 16


def test_sixteen_bits_are_asked_for(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "measure_peak_gmac_per_s", lambda runtime, precision, threads: 100.0)
    data, _, weights, *_ = read_verified(models / "cl_unet_edge.clip.fp32.xml")
    found = profile_model(data, weights, "openvino", "bf16", {"frames": CLIP}, 1, 3)
    can = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    ran = "bf16" if "BF16" in can else "fp16" if "FP16" in can else "fp32"
    assert ran in {layer["precision"] for layer in found["layers"] if layer["macs"]}


def test_int8_moves_a_quarter(models: Path) -> None:
    moved = {
        precision: {layer.name: layer for layer in graph_layers(models / f"cl_unet_edge.clip.{precision}.onnx", T)}
        for precision in ("fp32", "int8")
    }
    whole, quarter = (moved[p]["encoder.0.0.spatial.0"] for p in ("fp32", "int8"))
    assert (whole.precision, quarter.precision) == ("fp32", "int8")
    assert 3.5 < whole.bytes_moved / quarter.bytes_moved <= 4.0
    assert whole.macs == quarter.macs


def test_every_multiplier_is_in_one_kernel_or_it_is_said() -> None:
    a, b = Multiplier("a", 7, {"a", "a_out"}), Multiplier("b", 9, {"b"})
    kernels = [
        Kernel("x", ("a_out",), "FusedConv", "fp32", 1.0),
        Kernel("y", ("b",), "Add", "fp32", 1.0),
        Kernel("z", ("renamed",), "Conv", "fp32", 1.0),
    ]
    assert assign([a, b], kernels) == [[a], [], [b]]  # an addition holds no convolution; the rest goes by order
    with pytest.raises(ExportError, match="1 convolutions of the file are in none"):
        assign([a, b], kernels[:2])


def test_ceiling_runs_in_the_precision_that_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"channels": 32, "size_px": 16}
    assert count_macs(peak_throughput.peak_convolution("int8", **small), 1) == 32 * 32 * 9 * 16 * 16
    for runtime in SUFFIX:
        for precision in ("int8", "fp32"):
            assert peak_throughput.measure_peak_gmac_per_s(runtime, precision, 1, runs=3, **small) > 0
    monkeypatch.setattr(peak_throughput, "FILE_PRECISION", {"bf16": "fp32"})  # an engine that does otherwise
    with pytest.raises(ExportError, match="ran in fp32, not in bf16"):
        peak_throughput.measure_peak_gmac_per_s("openvino", "bf16", 1, runs=3, **small)


def layer(macs: int, moved: int, precision: str = "int8") -> Layer:
    return Layer("layer", "Conv", precision, macs, moved)


def test_roofline_by_hand() -> None:
    layers = [layer(10_000_000, 1_000), layer(0, 4_000_000), layer(1_000_000, 500_000, "fp32")]
    # 10 MMAC at 100 GMAC/s is 0.1 ms; 4 MB at 10 GB/s is 0.4 ms; 1 MMAC at 50 GMAC/s 0.02, its 0.5 MB 0.05 ms
    total_ms, compute_ms = roofline(layers, {"int8": 100.0, "fp32": 50.0}, 10.0)
    assert total_ms == pytest.approx(0.55)
    assert compute_ms == pytest.approx(0.1)


def test_estimate_by_hand() -> None:
    layers = [layer(12_000_000, 1_000), layer(0, 5_500_000)]
    calibration = calibrate(layers, 4.0, 2, 1, {"int8": 120.0}, 5.5)
    assert calibration["roofline_ms"] == pytest.approx(0.1 + 1.0)
    assert calibration["ratio"] == pytest.approx(4 / 1.1, abs=1e-3)
    (board,) = find_boards(["rpi4"])
    found = estimate.estimate(layers, board, 1, calibration)
    # 1.5 GHz: 12 GMAC/s by the best instructions, 6 as the kernel multiplies; copies at 5.5 GB/s
    assert found["low_ms"] == pytest.approx((1.0 + 1.0) / 2)
    assert found["ms_per_frame"] == pytest.approx((2.0 + 1.0) * calibration["ratio"] / 2, abs=2e-3)
    assert found["high_ms"] == pytest.approx(estimate.HIGH_FACTOR * found["ms_per_frame"], abs=2e-3)
    assert found["bound_by"] == {"compute": pytest.approx(2 / 3, abs=1e-3), "memory": pytest.approx(1 / 3, abs=1e-3)}
    assert "not a measurement" in found["label"]
    four = estimate.estimate(layers, board, 8, calibration)
    assert four["threads"] == 4
    assert four["low_ms"] == pytest.approx((0.25 + 1.0) / 2)
    json.dumps(found)


def test_a_network_faster_than_its_roofline_lowers_the_low_end() -> None:
    layers = [layer(0, 5_500_000)]
    calibration = calibrate(layers, 0.5, 1, 1, {}, 5.5)  # caches: half of its roofline
    found = estimate.estimate(layers, find_boards(["rpi4"])[0], 1, calibration)
    assert found["low_ms"] == found["ms_per_frame"] == 0.5


def test_boards_are_sourced_and_slower_without_dot_products() -> None:
    for board in BOARDS:
        facts = board.facts()
        assert len(facts) == 5
        assert all(fact.value > 0 and (fact.source.count("http") or not fact.is_verified) for fact in facts.values())
        best, usual = (board.peak_gmac_per_s("int8", 1, as_kernels_run=flag) for flag in (False, True))
        assert usual <= best
    page = (Path(__file__).parents[2] / "docs/profile.md").read_text()
    assert all(fact.source in page for board in BOARDS for fact in board.facts().values())
    peaks = {board.name: board.int8_macs_per_cycle.value for board in BOARDS}
    assert max(peaks["rpi4"], peaks["imx8mp"]) < peaks["rpi5"]
    assert BOARDS[0].peak_gmac_per_s("int8", 99, as_kernels_run=False) == 4 * 1.5 * 8
    with pytest.raises(ConfigError, match="unknown board 'pi'; known: rpi4"):
        find_boards(["rpi4", "pi"])


def test_copy_is_sane() -> None:
    assert 0.01 < estimate.copy_gb_per_s(1, copy_bytes=1 << 20) < 10_000


@pytest.mark.usefixtures("_no_ceiling")
def test_bad_input_is_one_line(models: Path) -> None:
    data, *_ = read_verified(models / "cl_unet_edge.clip.int8.onnx")
    good = {"weights": b"", "runtime": "ort", "precision": "int8", "inputs": {"frames": CLIP}, "threads": 1}
    cases = [
        ({"runtime": "torch"}, ConfigError, "no profile of 'torch'"),
        ({"threads": 0}, ConfigError, "at least 1"),
        ({"runs": 0}, ConfigError, "at least 1"),
        ({"data": b"nothing"}, ModelFileError, "ONNX Runtime refuses it"),
    ]
    for changes, kind, message in cases:
        with pytest.raises(kind, match=message) as caught:
            profile_model(**{"data": data, **good, **changes})
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="must be positive"):
        calibrate([layer(1, 1)], 0.0, 1, 1, {"int8": 1.0}, 1.0)


def test_one_profiled_row_is_shown_layer_by_layer() -> None:
    layers = [{"name": "a[b]", "op": "QLinearConv", "precision": None, "macs": 0, "ms": 0.25}]
    layers[0] |= {"gmac_per_s": None, "of_ceiling": None}
    found = {"layers": layers, "total_ms": 0.25, "conv_ms": 0.0, "of_ceiling": None, "ceilings": {}, "macs": 0}
    calibration = calibrate([layer(10**6, 10**6)], 1.0, 1, 1, {"int8": 10.0}, 10.0)
    boards = [estimate.estimate([layer(10**6, 10**6)], board, 1, calibration) for board in BOARDS[:2]]
    result = made_result()
    rows = [replace(row, profile=None, estimates=None) for row in result.rows]
    rows[0].profile, rows[0].estimates = found | {"run_ms": 0.1, "runs": 3}, boards
    text = printed(render_table, replace(result, rows=rows), 100)
    for words in ("a[b]", "QLinearConv", "ESTIMATES", "rpi4", "Estimates: unverified of rpi5: int8_macs_per_cycle"):
        assert words in text
    assert "…" not in text
    rows[1].profile = rows[0].profile
    assert "QLinearConv" not in printed(render_table, replace(result, rows=rows), 100)
