"""The native engine against ONNX Runtime: equal bytes of answers and states, refusals by name, and its plan."""

import ctypes
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeecho.errors import ConfigError, ExportError, MissingExtraError, ModelFileError
from edgeecho.model.device_file import pack, unpack
from edgeecho.model.registry import runtime_of
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import StateTensor
from edgeecho.runtime import load
from edgeecho.runtime.engines import native_engine
from edgeecho.runtime.engines.native_engine import NativeEngine, is_built, usable_kernels
from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine
from edgeecho.runtime.frame_stream import FrameStream, empty_state
from tests.helpers import MakeOnce, the_error

onnx = pytest.importorskip("onnx")

from edgeecho.export.graph.native_graph import NativeGraph  # noqa: E402
from edgeecho.export.graph.native_steps import native_steps  # noqa: E402
from edgeecho.export.write.native_device_file import native_bytes, write_native_device_file  # noqa: E402
from edgeecho.export.write.native_plan import make_plan, pack_weights, slot_bytes  # noqa: E402

MODELS = Path(__file__).parents[2] / "models"
NANO = MODELS / "cl_unet_nano" / "stream.int8.onnx"
needs_engine = pytest.mark.skipif(not is_built(), reason="the native engine is not built: make native")


@pytest.fixture(scope="module")
def native_nano(make_once: MakeOnce) -> Path:
    """The native device file of the packaged nano."""

    def write(folder: Path) -> None:
        write_native_device_file(NANO, folder / "stream.int8.native.edgeecho")

    return make_once("native", write) / "stream.int8.native.edgeecho"


@pytest.fixture(scope="module")
def strided_stream() -> bytes:
    """An int8 stream of the strided network at 48 x 48, with residuals of other zero points; random weights."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxsim")
    from edgeecho.export.graph.clip import clip_graph
    from edgeecho.export.graph.stream import stream_graph
    from edgeecho.export.int8.quantize import quantize
    from edgeecho.export.int8.ranges import find_ranges
    from edgeecho.nn import build, new_spec

    torch.manual_seed(0)
    spec = replace(new_spec("strided", widths=(8, 16, 24), entry_kernel=12), size_px=48)
    graph = clip_graph(build(spec).eval(), 48)
    noise = np.random.default_rng(0).integers(0, 256, (4, 48, 48), dtype=np.uint8)
    return stream_graph(quantize(graph, find_ranges(graph, [noise]))).model.SerializeToString()


def onnx_states(graph: NativeGraph, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the state of the ONNX graph that the rings of the native engine hold."""
    rings = [name for name, tensor in graph.tensors.items() if tensor.ages]
    found = {}
    for name, (held, frames) in graph.states.items():
        tensor, ring = graph.tensors[held], rings.index(held)
        side, newest, lines = 2 * tensor.halo, int(state["next_clock"][ring]), state[f"next_ring_{ring}"]
        shape = tensor.height + side, tensor.width + side, tensor.channels
        inside = slice(tensor.halo, shape[0] - tensor.halo)
        parts = [lines[(newest - age) % len(lines)][: np.prod(shape)] for age in range(frames - 1, -1, -1)]
        pictures = [part.reshape(shape)[inside, inside].transpose(2, 0, 1) for part in parts]
        found[f"next_{name}"] = np.concatenate(pictures)[None]
    return found


@needs_engine
@pytest.mark.slow
@pytest.mark.parametrize("kernels", usable_kernels() if is_built() else [])
def test_answers_and_states_are_those_of_onnx_runtime(kernels: str, native_nano: Path) -> None:
    source, file = read_verified(NANO), read_verified(native_nano)
    graph = native_steps(onnx.load_from_string(source.data))
    ort, native = OrtEngine(source.data, "nano", 1), NativeEngine(file, "nano", kernels)
    states = [empty_state(source.spec), empty_state(file.spec)]
    names = [["prob", *(f"next_{tensor.name}" for tensor in spec.state)] for spec in (source.spec, file.spec)]
    rng = np.random.default_rng(1)
    for _ in range(7):  # more than the slots of any ring
        frame = rng.integers(0, 256, (1, 1, 112, 112), dtype=np.uint8)
        wanted, found = (
            dict(zip(outputs, engine.run(outputs, {"frame": frame, **state}), strict=True))
            for engine, outputs, state in zip((ort, native), names, states, strict=True)
        )
        np.testing.assert_array_equal(found["prob"], wanted["prob"])
        for name, value in onnx_states(graph, found).items():
            np.testing.assert_array_equal(value, wanted[name])
        states = [{name.removeprefix("next_"): v for name, v in r.items() if name != "prob"} for r in (wanted, found)]


@needs_engine
@pytest.mark.slow
def test_strided_networks_run_too(strided_stream: bytes) -> None:
    source = read_verified(NANO)
    stream = onnx.load_from_string(strided_stream)
    plan = make_plan(native_steps(stream))
    inputs = [i for i in stream.graph.input if i.name != "frame"]
    state = tuple(
        StateTensor(i.name, tuple(d.dim_value for d in i.type.tensor_type.shape.dim), "uint8", 0) for i in inputs
    )
    spec = replace(source.spec, size_px=48, state=state)
    ours = replace(spec, state=plan.state)
    data, _ = native_bytes(source._replace(data=strided_stream, spec=spec, selftest=None))
    noise = np.random.default_rng(2).integers(0, 256, (12, 48, 48), dtype=np.uint8)
    wanted = FrameStream(OrtEngine(strided_stream, "strided", 1), spec).whole(noise)
    assert len(np.unique(wanted)) > 20
    for kernels in usable_kernels():
        engine = NativeEngine(source._replace(data=data, spec=ours, selftest=None), "strided", kernels)
        np.testing.assert_array_equal(FrameStream(engine, ours).whole(noise), wanted)


@needs_engine
@pytest.mark.slow
def test_a_native_file_is_a_model(native_nano: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(3).integers(0, 256, (70, 112, 112), dtype=np.uint8)
    opened = load(native_nano)
    assert (runtime_of(native_nano), opened.engine.runtime) == ("native", "native")
    np.testing.assert_array_equal(opened.probabilities(frames), load("cl_unet_nano").probabilities(frames))
    with pytest.raises(ConfigError, match=r"opened by native, not by ort"):
        load(native_nano, runtime="ort")
    with pytest.raises(ModelFileError, match=r"device-file cl_unet_nano --format native"):
        load("cl_unet_nano", runtime="native")
    with pytest.raises(ModelFileError, match=r"the native engine refuses it: this processor has not the kernels 'x'"):
        NativeEngine(read_verified(native_nano), "nano", "x")


@needs_engine
@pytest.mark.slow
def test_a_changed_plan_is_refused_by_its_step(native_nano: Path) -> None:
    file = read_verified(native_nano)
    data = bytearray(file.data)
    steps = int.from_bytes(data[28:32], "little")
    data[steps + 96 + 44 : steps + 96 + 48] = (7).to_bytes(4, "little")  # the kernel of the first convolution
    assert unpack(pack(bytes(data), file.spec, file.selftest)) == data
    with pytest.raises(ModelFileError, match=r"step 1 of the plan"):
        NativeEngine(file._replace(data=bytes(data)), "nano")


def test_an_engine_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_engine, "find_spec", lambda name: SimpleNamespace(origin="_native.so"))
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())  # a library without our functions
    monkeypatch.setattr(native_engine, "native_library", native_engine.native_library.__wrapped__)
    with pytest.raises(MissingExtraError, match=r"that of another EdgeEcho; run `make native` again"):
        NativeEngine(read_verified(NANO), "nano")


@needs_engine
def test_a_network_without_kernels_is_refused_by_name(command: object, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused = the_error(command("device-file", "cl_unet", "--format", "native", "--out", out), out)  # type: ignore[operator]
    assert (
        "the native engine cannot run Mul 'mul_60': it has no kernel for this operator; take the ONNX graph" in refused
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("groups", "it has 8 groups"),
        ("weights", "its weights are not of 7 bits"),
        ("mode", "it enlarges otherwise than by 2"),
        ("margin", "an int8 addition comes within"),
    ],
)
def test_shapes_without_kernels_are_refused(change: str, says: str) -> None:
    model = onnx.load_from_string(read_verified(NANO).data)
    node = next(n for n in model.graph.node if n.op_type == ("Resize" if change == "mode" else "Conv"))
    if change == "groups":
        next(a for a in node.attribute if a.name == "group").i = 8
    elif change == "mode":
        next(a for a in node.attribute if a.name == "nearest_mode").s = b"ceil"
    else:
        name = "add_326_scale" if change == "margin" else "_v_123_quantized"
        tensor = next(t for t in model.graph.initializer if t.name == name)
        value = onnx.numpy_helper.to_array(tensor).copy()
        value[...] = 2.0**-5 if change == "margin" else 100
        tensor.CopyFrom(onnx.numpy_helper.from_array(value, name))
    with pytest.raises(ExportError, match=says):
        native_steps(model)


def test_weights_are_packed_by_block_run_and_quad() -> None:
    weight = np.arange(2 * 3 * 2 * 2, dtype=np.int8).reshape(2, 3, 2, 2)  # 2 outputs of 3 inputs, 2 x 2
    packed, quads = pack_weights(weight, 1)
    assert quads == 2  # a row of the kernel is 6 bytes
    found = np.frombuffer(packed, np.int8).reshape(1, 2, 2, 16, 4)
    assert found[0, 0, 0, 0].tolist() == [0, 4, 8, 1]  # the first pixel's 3 channels, then the next pixel
    assert found[0, 0, 1, 0].tolist() == [5, 9, 0, 0]
    assert found[0, 1, 0, 1].tolist() == [14, 18, 22, 15]
    assert not found[:, :, :, 2:].any()


def test_tensors_of_the_same_time_do_not_share_memory() -> None:
    graph = native_steps(onnx.load_from_string(read_verified(NANO).data))
    plan = make_plan(graph)
    kept = [t for t in graph.tensors.values() if not t.ages and t.name != "prob"]
    assert plan.arena_bytes < sum(map(slot_bytes, kept))
    records = np.frombuffer(plan.data, "<u4", 8 * len(graph.tensors), 64).reshape(-1, 8)
    names = list(graph.tensors)
    for k, step in enumerate(graph.steps):
        alive = {name for name, _ in step.sources} | {step.output}
        for later in graph.steps[k + 1 :]:
            alive |= {n for n, _ in later.sources if any(s.output == n for s in graph.steps[:k])}
        spans = sorted(
            (int(records[names.index(n)][1]), slot_bytes(graph.tensors[n])) for n in alive if graph.tensors[n] in kept
        )
        assert all(a + size <= b for (a, size), (b, _) in pairwise(spans))
