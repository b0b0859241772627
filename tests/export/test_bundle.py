"""Export: written files predict what the checkpoint predicts, in any windows."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

import onnxruntime as ort  # noqa: E402

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.export.int8.quantize import count_int8  # noqa: E402
from edgeecho.metrics import dice  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.preprocess import find_roi, whole_frame  # noqa: E402
from edgeecho.runtime import Predictor, load  # noqa: E402
from edgeecho.runtime.engines.native_engine import is_built, usable_kernels  # noqa: E402
from tests.helpers import TINY_SIZE_PX, draw_heart, export, network_frames  # noqa: E402

FILES = [
    "bundle.json",
    "clip.fp32.bin",
    "clip.fp32.edgeecho",
    "clip.fp32.onnx",
    "clip.fp32.xml",
    "clip.int8.bin",
    "clip.int8.edgeecho",
    "clip.int8.onnx",
    "clip.int8.xml",
    "stream.fp32.bin",
    "stream.fp32.edgeecho",
    "stream.fp32.onnx",
    "stream.fp32.xml",
    "stream.int8.bin",
    "stream.int8.edgeecho",
    "stream.int8.onnx",
    "stream.int8.xml",
    "tiny.safetensors",
]
FILES = sorted(["CARD.md", "card.png", *FILES, *(["stream.int8.native.edgeecho"] if is_built() else [])])


def opened(path: Path, window_frames: int = 10_000) -> Predictor:
    predictor = load(path, threads=1)
    predictor.window_frames = window_frames
    return predictor


def predictions_in_windows(path: Path, clip: np.ndarray) -> list[np.ndarray]:
    """Predictions in windows of several lengths, and of every cut in two."""
    predictor = opened(path)
    before, after = predictor.spec.context_frames
    answers = []
    for window in (1, 2, 3, 5, 7, 16, 32):
        predictor.window_frames = window
        answers.append(predictor.probabilities(clip))
    predictor.window_frames = 10_000
    for cut in range(1, len(clip)):
        first = predictor.probabilities(clip[: min(cut + after, len(clip))])[:cut]
        low = max(0, cut - before)
        answers.append(np.concatenate([first, predictor.probabilities(clip[low:])[cut - low :]]))
    return answers


# Graphs


def test_every_supported_onnxruntime_reads_the_files(tiny_bundle: Path) -> None:
    """ONNX Runtime 1.17, the oldest that the C library takes, refuses a container of a version above 9."""
    assert {onnx.load(path).ir_version for path in tiny_bundle.glob("*.onnx")} == {9}


def test_bytes_in_and_bytes_out(graphs: Path) -> None:
    for name in ("clip.fp32.onnx", "clip.int8.onnx"):
        graph = onnx.load(graphs / name).graph
        (frames,), (prob,) = graph.input, graph.output
        assert (frames.name, prob.name) == ("frames", "prob")
        for value in (frames, prob):
            tensor = value.type.tensor_type
            assert tensor.elem_type == onnx.TensorProto.UINT8
            assert [d.dim_value for d in tensor.shape.dim][1:] == [1, TINY_SIZE_PX, TINY_SIZE_PX]
            assert not tensor.shape.dim[0].HasField("dim_value")  # T is free


def test_any_cut_gives_the_same_to_the_bit_in_int8(graphs: Path) -> None:
    clip = network_frames(21)
    whole = opened(graphs / "clip.int8.onnx").probabilities(clip)
    assert len(np.unique(whole)) > 10  # an empty answer would be equal to itself
    assert (whole[0] != whole[10]).any()
    for answer in predictions_in_windows(graphs / "clip.int8.onnx", clip):
        np.testing.assert_array_equal(answer, whole)


def test_any_cut_gives_the_same_in_fp32(graphs: Path) -> None:
    clip = network_frames(21)
    whole = opened(graphs / "clip.fp32.onnx").probabilities(clip)
    for answer in predictions_in_windows(graphs / "clip.fp32.onnx", clip):
        assert np.abs(answer.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("t", [1, 2, 3, 4, 8, 9, 33, 70])
def test_any_number_of_frames(graphs: Path, t: int) -> None:
    clip = network_frames(t)
    reference = opened(graphs / "clip.fp32.onnx").probabilities(clip)
    in_openvino = opened(graphs / "clip.fp32.xml").probabilities(clip)
    int8 = opened(graphs / "clip.int8.onnx").probabilities(clip)
    assert reference.shape == int8.shape == clip.shape
    assert np.abs(in_openvino.astype(int) - reference).max() <= 1
    assert np.abs(int8.astype(int) - reference).mean() < 12  # levels of 255


def test_int8_is_int8(graphs: Path, tmp_path: Path) -> None:
    model = onnx.load(graphs / "clip.int8.onnx")
    done, convolutions = count_int8(model)
    assert done == convolutions > 5
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    ort.InferenceSession(graphs / "clip.int8.onnx", options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert kinds.count("QLinearConv") + kinds.count("QConv") == convolutions
    assert not {"Conv", "FusedConv", "NhwcFusedConv", "ConvInteger"} & set(kinds)


def test_counting_sees_a_float_convolution(graphs: Path) -> None:
    done, convolutions = count_int8(onnx.load(graphs / "clip.fp32.onnx"))
    assert (done, convolutions > 5) == (0, True)


# Bundles


def test_a_bundle_is_whole(tiny_bundle: Path, tiny_checkpoint: Path) -> None:
    assert sorted(p.name for p in tiny_bundle.iterdir()) == FILES
    index = json.loads((tiny_bundle / "bundle.json").read_text())
    assert sorted(index["files"]) == [name for name in FILES if name != "bundle.json"]
    assert index["licence"] == "CC0-1.0"
    assert all(result["holds"] for result in index["proof"])
    by_kernels = [v["file"] for v in index["proof"] if v["file"].startswith("the native engine")]
    kernels = usable_kernels() if is_built() else ()
    assert by_kernels == [f"the native engine with kernels {name}" for name in kernels]
    proof = [v for v in index["proof"] if not v["figure"].startswith("self-test") and v["file"] not in by_kernels]
    files = ["clip.fp32 graph", "clip.int8 graph", "clip.int8 graph"]
    files += ["clip.fp32 native", "clip.fp32.onnx", "clip.fp32.xml"]
    files += ["clip.fp32.onnx", "stream.fp32 graph", "stream.fp32.onnx", "stream.fp32.xml"]  # cut, and streamed
    files += ["clip.int8 native", "clip.int8.onnx", "stream.int8.onnx", "stream.int8.xml"]
    assert [result["file"] for result in proof] == files
    exact = {v["file"]: v["limit"] for v in proof if v["limit"] == 0}
    assert exact == {"clip.int8 native": 0, "clip.int8.onnx": 0, "stream.int8.onnx": 0}
    tested = [v["file"] for v in index["proof"] if v["figure"].startswith("self-test")]
    assert sorted(tested) == sorted(name for name in FILES if name.endswith((".edgeecho", ".onnx", ".xml")))
    assert index["gate"]["accepted"]
    source = read_verified(tiny_checkpoint)[1]
    for name in FILES:
        if name.endswith((".onnx", ".xml", ".safetensors")):
            spec = read_verified(tiny_bundle / name)[1]
            precision = "int8" if "int8" in name else "fp32"
            form = "checkpoint" if name.endswith(".safetensors") else name.partition(".")[0]
            lowering = "none" if form == "clip" and name.endswith(".xml") else "2d"
            assert replace(spec, state=()) == replace(source, form=form, precision=precision, lowering=lowering)
            assert bool(spec.state) == (form == "stream")
    assert (tiny_bundle / "tiny.safetensors").read_bytes() == tiny_checkpoint.read_bytes()


def test_int8_masks_are_those_of_the_checkpoint(tiny_bundle: Path) -> None:
    frames, truth = draw_heart(np.random.default_rng(77), frames=12)
    whole = whole_frame(*frames.shape[1:])
    masks = {
        name: load(tiny_bundle / name, threads=1).segment(frames, roi=whole, flip="none").mask
        for name in ("tiny.safetensors", "clip.fp32.onnx", "clip.fp32.xml", "clip.int8.onnx", "clip.int8.xml")
    }
    reference = masks["tiny.safetensors"]
    assert dice(reference, truth) > 0.85  # it does find the ellipse
    for name, mask in masks.items():
        assert dice(mask, reference) > (0.98 if "int8" in name else 0.999), name


def test_exporting_twice_gives_the_same_bytes(
    tiny_bundle: Path, tiny_checkpoint: Path, camus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"
    export(str(tiny_checkpoint), out, formats=("onnx",), calib=f"camus:{camus}")
    for name in [name for name in FILES if name.endswith((".onnx", ".safetensors"))]:
        assert (out / name).read_bytes() == (tiny_bundle / name).read_bytes(), name
    assert not list(out.glob("*.xml"))


def test_a_packaged_graph_is_quantized_without_torch(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["torch"] = None  # importing it now fails
from edgeecho.export.bundle import export
from edgeecho.export.options import Options
from pathlib import Path
export({str(tiny_bundle)!r}, Path({str(tmp_path / "out")!r}), Options(formats=("onnx",), calib={f"camus:{camus}"!r}))
try:
    import torch
except ImportError:
    print("no torch")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "no torch\n"
    names = ["CARD.md", "bundle.json", "card.png", *(name for name in FILES if name.endswith((".edgeecho", ".onnx")))]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names
    clip = network_frames(9)
    wanted = opened(tiny_bundle / "clip.int8.onnx").probabilities(clip)
    np.testing.assert_array_equal(opened(tmp_path / "out" / "clip.int8.onnx").probabilities(clip), wanted)


def test_fp32_alone(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    source = str(tiny_bundle / "clip.fp32.onnx")
    result = export(source, tmp_path / "out", precision="fp32", formats=("onnx",), calib=f"camus:{camus}")
    graphs = [f"{form}.fp32.{suffix}" for form in ("clip", "stream") for suffix in ("edgeecho", "onnx")]
    names = ["CARD.md", "bundle.json", "card.png", *graphs]
    assert sorted(p.name for p in result.folder.iterdir()) == names
    assert result.calibration is None


def test_a_fixed_number_of_frames(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    """The graph takes T frames and no other number; the predictor cuts any cine to it, with the same result."""
    source, calib = str(tiny_bundle / "clip.fp32.onnx"), f"camus:{camus}"
    export(source, tmp_path / "out", frames=13, calib=calib)
    for name in ("clip.fp32.onnx", "clip.int8.onnx", "clip.fp32.xml", "clip.int8.xml"):
        path = tmp_path / "out" / name
        assert read_verified(path).spec.frames == 13
        for t in (1, 4, 5, 13, 40):
            clip = network_frames(t)
            free = opened(tiny_bundle / name).probabilities(clip)
            found = opened(path).probabilities(clip)
            if name == "clip.int8.onnx":
                np.testing.assert_array_equal(found, free)
            assert np.abs(found.astype(int) - free).max() <= (1 if "fp32" in name else 40)
    shape = onnx.load(tmp_path / "out" / "clip.int8.onnx").graph.input[0].type.tensor_type.shape
    assert shape.dim[0].dim_value == 13
    assert read_verified(tmp_path / "out" / "stream.int8.onnx").spec.frames is None
    with pytest.raises(ConfigError, match="--frames must be more than the 8 frames of context of tiny, got 8"):
        export(source, tmp_path / "none", frames=8, calib=calib)


def test_more_fixed_frames_than_any_cine_that_is_proven_on(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    asked = {"frames": 40, "formats": ("onnx",), "forms": ("clip",), "calib": f"camus:{camus}"}
    result = export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", **asked)
    assert read_verified(result.folder / "clip.int8.onnx").spec.frames == 40


def test_sixteen_bits_are_for_openvino(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    source, calib = str(tiny_bundle / "clip.fp32.onnx"), f"camus:{camus}"
    result = export(source, tmp_path / "out", precision="fp16", calib=calib)
    assert not list(result.folder.glob("*.fp16.onnx"))
    sizes = [(result.folder / f"clip.{name}.bin").stat().st_size for name in ("fp16", "fp32")]
    assert sizes[0] < 0.6 * sizes[1]
    frames, _ = draw_heart(np.random.default_rng(77), frames=12)
    masks = [
        load(result.folder, runtime="openvino", precision=p).segment(frames, roi=find_roi(frames), flip="none").mask
        for p in ("fp16", "fp32")
    ]
    assert dice(*masks) > 0.98
    with pytest.raises(ConfigError, match="fp16 files are for OpenVINO"):
        export(source, tmp_path / "none", precision="fp16", formats=("onnx",))


def test_other_ways_to_calibrate(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    """Percentile ranges and weights of 7 bits give a file that the acceptance test accepts, and the card says how."""
    source = str(tiny_bundle / "clip.fp32.onnx")
    folder = export(source, tmp_path / "out", method="percentile", formats=("onnx",), calib=f"camus:{camus}").folder
    weights = [onnx.numpy_helper.to_array(t) for t in onnx.load(folder / "clip.int8.onnx").graph.initializer]
    assert max(int(np.abs(w.astype(int)).max()) for w in weights if w.dtype == np.int8) <= 64
    assert "ranges by percentile" in (folder / "CARD.md").read_text()
    command = json.loads((folder / "bundle.json").read_text())["command"]
    assert command == "edgeecho export tiny --int8 --format onnx --calib camus:DIR --method percentile"
