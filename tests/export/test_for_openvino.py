"""int8 graphs for OpenVINO: inputs are quantized once more, so that ARM accepts them, without a change of results."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ov = pytest.importorskip("openvino")
pytest.importorskip("onnxsim")

import onnxruntime as ort  # noqa: E402

from edgeecho.export.graph.for_openvino import keep_products_float, requantize_inputs  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.runtime.engines.openvino_engine import openvino_core  # noqa: E402
from tests.helpers import TINY_SIZE_PX, network_frames  # noqa: E402

FORMS = ["clip", "stream"]


def inputs_of(path: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random inputs of a graph: a cine or a frame, and a state."""
    spec = read_verified(path).spec
    clip = network_frames(9)[:, None]
    state = {t.name: rng.integers(0, 256, t.shape).astype(t.dtype) for t in spec.state}
    return {"frame": clip[:1], **state} if spec.form == "stream" else {"frames": clip}


def outputs_of(model: object) -> list[str]:
    return [value.name for value in model.graph.output]  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMS)
def test_every_integer_is_quantized_in_the_graph(graphs: Path, form: str) -> None:
    model = onnx.load(graphs / f"{form}.int8.onnx")
    once = requantize_inputs(model)
    quantized = {node.output[0] for node in once.graph.node if node.op_type == "QuantizeLinear"}
    readers = {name: node.op_type for node in once.graph.node for name in node.input}
    came_in, outside = {value.name for value in once.graph.input}, 0
    for node in once.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in came_in:
            assert readers[node.output[0]] == "QuantizeLinear"
            outside += 1
        elif came_in & set(node.input):  # integers that are only moved
            came_in.update(node.output)
    assert not came_in & quantized
    assert outside >= 1
    assert len(once.graph.node) == len(model.graph.node) + 2 * outside
    onnx.checker.check_model(once)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_changes_in_onnx_runtime(graphs: Path, form: str, rng: np.random.Generator) -> None:
    path = graphs / f"{form}.int8.onnx"
    model, inputs = onnx.load(path), inputs_of(path, rng)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    sessions = [ort.InferenceSession(m.SerializeToString(), options) for m in (model, requantize_inputs(model))]
    for before, after in zip(*(session.run(outputs_of(model), inputs) for session in sessions), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_changes_in_openvino(graphs: Path, form: str, rng: np.random.Generator, tmp_path: Path) -> None:
    """On x86 OpenVINO also opens the graph without the rewrite; on ARM it refuses it (docs/processors.md)."""
    path = graphs / f"{form}.int8.onnx"
    model, inputs = onnx.load(path), inputs_of(path, rng)
    del model.metadata_props[:]
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    core, found, layers = openvino_core(), [], []
    for each in (model, requantize_inputs(model)):
        onnx.save(each, tmp_path / "graph.onnx")
        compiled = core.compile_model(core.read_model(tmp_path / "graph.onnx"), "CPU", settings)
        found.append(compiled(inputs))
        layers.append(
            Counter(op.get_rt_info()["layerType"].astype(str) for op in compiled.get_runtime_model().get_ops())
        )
    for name in outputs_of(model):
        np.testing.assert_array_equal(found[1][name], found[0][name])
    assert found[0]["prob"].shape[-1] == TINY_SIZE_PX
    assert set(layers[1] - layers[0]) <= {"Subgraph"}  # fused away, but for an element-wise layer in banded streams
    assert (layers[1] - layers[0]).total() <= 2


@pytest.mark.parametrize("form", FORMS)
def test_fp32_stays_as_it_is(graphs: Path, form: str) -> None:
    model = onnx.load(graphs / f"{form}.fp32.onnx")
    assert requantize_inputs(model) == model


def test_a_graph_without_products_stays_as_it_is(graphs: Path) -> None:
    model = onnx.load(graphs / "clip.int8.onnx")
    assert not [node for node in model.graph.node if node.op_type == "Mul"]
    assert keep_products_float(model).SerializeToString() == model.SerializeToString()


def test_products_stay_in_float_for_openvino() -> None:
    """OpenVINO computes quantized products wrongly. The network of the packaged `cl_unet` has some."""
    torch = pytest.importorskip("torch")
    from edgeecho.export.graph.clip import clip_graph
    from edgeecho.export.int8.quantize import quantize
    from edgeecho.export.int8.ranges import find_ranges
    from edgeecho.nn import CLUNet, CLUNetConfig

    torch.manual_seed(6)
    levels = {"widths": (8, 16), "encoder_time": (True, True), "decoder_time": (True,)}
    graph = clip_graph(CLUNet(CLUNetConfig(encoder="banded", **levels)), TINY_SIZE_PX)
    model = keep_products_float(quantize(graph, find_ranges(graph, [network_frames(8)])))
    products = [node.output[0] for node in model.graph.node if node.op_type == "Mul"]
    quantized = {n.output[0] for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] in products}
    assert products
    assert not quantized & {name for node in model.graph.node for name in node.input}
