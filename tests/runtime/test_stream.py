"""Stream graphs: equality with the clip graph, resets and ends, the graph's form and state, refusals."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

import onnxruntime as ort  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402

import edgeecho  # noqa: E402
import edgeecho.export.write.stream_files as stream_files  # noqa: E402
from edgeecho.errors import ConfigError, ExportError, ModelFileError  # noqa: E402
from edgeecho.export.bundle import export  # noqa: E402
from edgeecho.export.graph.stream import StreamGraph, stream_graph  # noqa: E402
from edgeecho.export.int8.quantize import quantize  # noqa: E402
from edgeecho.export.int8.ranges import find_ranges  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.metrics import dice  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.model.spec import ModelSpec, StateTensor  # noqa: E402
from edgeecho.runtime.engines.engine import LoadedModel  # noqa: E402
from edgeecho.runtime.frame_stream import FrameStream  # noqa: E402
from tests.helpers import TINY_SIZE_PX, network_frames  # noqa: E402

FILES = [f"stream.{precision}.{suffix}" for precision in ("fp32", "int8") for suffix in ("onnx", "xml")]


def frames_of(path: Path) -> FrameStream:
    predictor = edgeecho.stream(path, threads=1)
    return FrameStream(predictor.engine, predictor.spec)


def answer_of_clip(path: Path, clip: np.ndarray) -> np.ndarray:
    return edgeecho.load(path.with_name(path.name.replace("stream", "clip")), threads=1).probabilities(clip)


def one_by_one(stream: FrameStream, clip: np.ndarray) -> np.ndarray:
    answers = [stream.push(frame) for frame in clip]
    due = min(stream.delay_frames, len(clip))
    assert all(answer is None for answer in answers[:due])
    return np.stack([answer for answer in answers[due:] if answer is not None] + stream.flush())


# Streams and clips give equal results


@pytest.mark.parametrize("name", FILES)
def test_stream_equals_clip(graphs: Path, name: str) -> None:
    stream = frames_of(graphs / name)
    for t in (1, 2, 3, 5, 14):  # the delay is 4 frames at most: fewer, as many, more
        clip = network_frames(t, seed=t)
        expected = answer_of_clip(graphs / name, clip)
        found = one_by_one(stream, clip)
        assert found.shape == clip.shape
        if name == "stream.int8.onnx":
            np.testing.assert_array_equal(found, expected)
        elif "fp32" in name:
            assert np.abs(found.astype(int) - expected).max() <= 1
        else:
            assert dice(found >= 128, expected >= 128) > 0.99
    assert expected.std() > 10  # an empty answer would be equal to itself
    assert (expected[0] != expected[7]).any()


def test_on_noise_to_the_bit(graphs: Path, rng: np.random.Generator) -> None:
    clip = rng.integers(0, 256, (9, TINY_SIZE_PX, TINY_SIZE_PX), dtype=np.uint8)
    path = graphs / "stream.int8.onnx"
    np.testing.assert_array_equal(frames_of(path).whole(clip), answer_of_clip(path, clip))


@pytest.mark.parametrize("pushed", [1, 2, 4, 9])
def test_a_reset_anywhere_leaves_no_trace(graphs: Path, pushed: int) -> None:
    stream, clip = frames_of(graphs / "stream.int8.onnx"), network_frames(6)
    fresh = one_by_one(stream, clip)
    for frame in network_frames(pushed, seed=1):
        stream.push(255 - frame)
    stream.reset()
    assert stream.flush() == []
    np.testing.assert_array_equal(one_by_one(stream, clip), fresh)


def test_the_delay_is_the_spec_s(graphs: Path) -> None:
    spec = read_verified(graphs / "stream.int8.onnx").spec
    is_causal = spec.config["causal"]
    assert (spec.context_frames[1] == 0) == is_causal
    stream = frames_of(graphs / "stream.int8.onnx")
    answers = [stream.push(frame) for frame in network_frames(9)]
    assert [answer is None for answer in answers] == [i < spec.context_frames[1] for i in range(9)]


# The graph


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_state_is_as_the_metadata_says(graphs: Path, precision: str) -> None:
    path = graphs / f"stream.{precision}.onnx"
    spec, model = read_verified(path).spec, onnx.load(path)
    kinds = {TensorProto.UINT8: "uint8", TensorProto.FLOAT: "float32"}
    for values, names in (
        (model.graph.input, ["frame", *(t.name for t in spec.state)]),
        (model.graph.output, ["prob", *(f"next_{t.name}" for t in spec.state)]),
    ):
        assert [value.name for value in values] == names
        for value, tensor in zip(values[1:], spec.state, strict=True):
            kind = value.type.tensor_type
            assert tuple(d.dim_value for d in kind.shape.dim) == tensor.shape
            assert kinds[kind.elem_type] == tensor.dtype == {"fp32": "float32", "int8": "uint8"}[precision]
    assert all(len(t.shape) <= 4 and t.shape[0] == 1 for t in spec.state)
    assert spec.state
    assert read_verified(path.with_suffix(".xml")).spec == spec


def test_a_frame_costs_a_frame(graphs: Path) -> None:
    """A stream runs the convolutions of the clip on one frame, and little else."""
    counts = []
    for form in ("clip", "stream"):
        model = onnx.load(graphs / f"{form}.int8.onnx")
        counts.append(Counter(node.op_type for node in model.graph.node))
    clip, stream = counts
    for kind in ("Conv", "Add", "Mul", "Resize", "DepthToSpace", "Sigmoid"):
        assert clip[kind] == stream[kind], kind
    assert stream["QuantizeLinear"] <= clip["QuantizeLinear"]


def graph_of(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """Graph from `frames` to `prob` by a chain of nodes."""
    shape = ["T", 1, 16, 16]
    for i, node in enumerate(nodes):
        node.input.insert(0, f"x{i}")
        node.output.append(f"x{i + 1}")
    nodes[0].input[0], nodes[-1].output[0] = "frames", "prob"
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name in ("frames", "prob")]
    axis = onnx.numpy_helper.from_array(np.array([0], np.int64), "axis")
    graph = helper.make_graph(nodes, "clip", ends[:1], ends[1:], [axis])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


@pytest.mark.parametrize("kind", ["ReduceMax", "CumSum", "Transpose"])
def test_what_mixes_all_frames_cannot_be_streamed(kind: str) -> None:
    node = helper.make_node(kind, ["axis"] if kind == "CumSum" else [], [])
    with pytest.raises(ExportError, match=f"operator {kind} may mix frames; this graph cannot be streamed"):
        stream_graph(graph_of(node))


def test_delays_by_hand() -> None:
    """x[t - 2] / 2 + x[t - 3], of a line that is read as a window too, the past held."""
    numbers = {"zero": 0, "one": 1, "two": 2, "three": 3, "end": np.iinfo(np.int64).max}
    numbers |= {f"less_{n}": -n for n in (1, 2, 3)}
    tensors = [onnx.numpy_helper.from_array(np.array([value], np.int64), name) for name, value in numbers.items()]
    tensors.append(onnx.numpy_helper.from_array(np.float32(0.5), "half"))
    chain = """Cast frames > x; Slice x zero one zero > first; Concat first first first x > held
        Slice held zero less_3 zero > x3; Slice held one less_2 zero > x2; Slice held two less_1 zero > x1
        Slice held three end zero > x0; Concat x2 x1 x0 > wide; Slice wide zero one one > x2_again
        Mul x2_again half > b; Add x3 b > sum; Cast sum > prob"""
    attributes = {"x": {"to": TensorProto.FLOAT}, "prob": {"to": TensorProto.UINT8}, "held": {"axis": 0}}
    attributes["wide"] = {"axis": 1}
    nodes = []
    for step in chain.replace("\n", ";").split(";"):
        (kind, *inputs), output = step.split(">")[0].split(), step.split(">")[1].strip()
        nodes.append(helper.make_node(kind, inputs, [output], **attributes.get(output, {})))
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, ["T", 1, 16, 16]) for name in ("frames", "prob")]
    clip = helper.make_model(
        helper.make_graph(nodes, "clip", ends[:1], ends[1:], tensors),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    streamed = stream_graph(clip)
    assert streamed.state == (StateTensor("state_0", (1, 3, 16, 16), "float32", 0),)
    assert streamed.delay_frames == 0
    session = ort.InferenceSession(streamed.model.SerializeToString(), providers=["CPUExecutionProvider"])
    state = np.zeros((1, 3, 16, 16), np.float32)
    values = [0, 0, 0, 40, 80, 120, 160]
    answers = []
    for value in values:
        prob, state = session.run(None, {"frame": np.full((1, 1, 16, 16), value, np.uint8), "state_0": state})
        answers.append(int(prob[0, 0, 3, 5]))
    assert answers == [0, 0, 0, 0, 0, 20, 80]


def test_a_stream_that_says_something_else_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(clip: onnx.ModelProto) -> StreamGraph:
        """One delay line passes on what it was given, and never takes in the present."""
        streamed = stream_graph(clip)
        node = next(n for n in streamed.model.graph.node if n.output[0] == "next_state_0")
        node.CopyFrom(helper.make_node("Identity", ["state_0"], ["next_state_0"]))
        return streamed

    monkeypatch.setattr(stream_files, "stream_graph", forgetful)
    source, settings = str(tiny_bundle / "clip.fp32.onnx"), {"precision": "fp32", "formats": ("onnx",)}
    with pytest.raises(ExportError, match=r"stream\.fp32 graph differs from its clip: logits [\d.]+, limit 0.0001"):
        export(source, tmp_path / "out", Options(calib=f"camus:{camus}", **settings))
    assert list(tmp_path.iterdir()) == []


def test_an_int8_stream_of_other_scales_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fp32 = onnx.load(tiny_bundle / "clip.fp32.onnx")
    other = quantize(fp32, find_ranges(fp32, [network_frames(2, seed=3)]))
    quantized = lambda clip: any(node.op_type == "QuantizeLinear" for node in clip.graph.node)  # noqa: E731
    monkeypatch.setattr(stream_files, "stream_graph", lambda clip: stream_graph(other if quantized(clip) else clip))
    source = str(tiny_bundle / "clip.fp32.onnx")
    with pytest.raises(ExportError, match=r"stream\.int8\.onnx differs from clip\.int8\.onnx: levels \d+, limit 0"):
        export(source, tmp_path / "out", Options(formats=("onnx",), calib=f"camus:{camus}"))
    assert list(tmp_path.iterdir()) == []


def test_forms_are_chosen(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    source, settings = str(tiny_bundle / "clip.fp32.onnx"), {"precision": "fp32", "formats": ("onnx",)}
    export(source, tmp_path / "s", Options(forms=("stream",), calib=f"camus:{camus}", **settings))
    graphs = ["stream.fp32.edgeecho", "stream.fp32.onnx"]
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["CARD.md", "bundle.json", *graphs]
    assert list(json.loads((tmp_path / "s" / "bundle.json").read_text())["files"]) == ["CARD.md", *graphs]
    with pytest.raises(ConfigError, match="unknown form 'clip,film'; known: clip, stream"):
        export(source, tmp_path / "x", Options(forms=("clip", "film")))


# What is refused


@pytest.mark.parametrize(
    "tensor",
    [
        ["s", [1, 2, 3, 4], "int8", 0],
        ["s", [1, 2, 3, 4, 5], "uint8", 0],
        ["s", [1, -2], "uint8", 0],
        ["s", [1], "uint8", 256],
        ["s", [1], "uint8"],
        ["s", 7, "uint8", 0],
    ],
)
def test_state_that_makes_no_sense(tensor: list[object]) -> None:
    values = json.loads(ModelSpec(name="a", family="cl_unet_edge", form="stream").to_json())
    with pytest.raises(ModelFileError, match="state"):
        ModelSpec.from_json(json.dumps({**values, "state": [tensor]}))


def test_state_in_json() -> None:
    plain = ModelSpec(name="a", family="cl_unet_edge")
    assert "state" not in json.loads(plain.to_json())  # files of other forms are as they were
    spec = replace(plain, form="stream", state=(StateTensor("state_0", (1, 2, 3, 4), "uint8", 7),))
    assert json.loads(spec.to_json())["state"] == [["state_0", [1, 2, 3, 4], "uint8", 7]]
    assert ModelSpec.from_json(spec.to_json()) == spec
    with pytest.raises(ConfigError, match="more than the 268435456 allowed"):
        replace(spec, state=(StateTensor("s", (1, 1024, 1024, 512), "uint8", 0),))


def test_an_engine_for_clips_alone_is_no_stream_engine() -> None:
    class ClipsAlone:
        runtime, version = "torch", "1"

        def infer(self, frames: np.ndarray) -> np.ndarray:
            return frames

    loaded = LoadedModel(ClipsAlone(), ModelSpec(name="a", family="cl_unet"), b"")
    with pytest.raises(ModelFileError, match="torch runs no stream graphs"):
        _ = loaded.stream_engine


def test_a_predictor_is_freed_when_it_is_forgotten() -> None:
    import gc
    import weakref

    gc.collect()
    gc.disable()  # 10,000 openings must not wait for the collector
    try:
        predictor = edgeecho.stream("cl_unet_nano", threads=1)
        predictor.push(np.full((64, 64), 90, np.uint8))
        engine = weakref.ref(predictor.engine)
        del predictor
        assert engine() is None
    finally:
        gc.enable()
