"""The light 2D network, without context frames: trained, exported and run like the others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

import edgeecho  # noqa: E402
from edgeecho.export.graph.clip import clip_graph  # noqa: E402
from edgeecho.export.graph.stream import stream_graph  # noqa: E402
from edgeecho.export.int8.quantize import count_int8, quantize  # noqa: E402
from edgeecho.export.int8.ranges import find_ranges  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn import build, new_spec  # noqa: E402
from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine  # noqa: E402
from edgeecho.runtime.frame_stream import FrameStream  # noqa: E402
from edgeecho.train.loop import train  # noqa: E402
from tests.helpers import TINY_SIZE_PX, MakeOnce, export, network_frames  # noqa: E402
from tests.train.tiny_run import config  # noqa: E402

SMALL = {"widths": [8, 8, 16, 16, 16], "decoder_widths": [8, 8, 8, 16]}  # 3 pixels of 48 at the bottom; 6 fit


@pytest.fixture(scope="module")
def bundle(camus: Path, make_once: MakeOnce) -> Path:
    return make_once("framewise", lambda folder: train_and_export(camus, folder)) / "flat"


def train_and_export(camus: Path, folder: Path) -> None:
    """Write the bundle of a network after one training step, as `edgeecho export --fp32` writes it."""
    settings = {"model.family": "unet2d", "model.name": "flat", "model.overrides": SMALL, "model.size_px": TINY_SIZE_PX}
    path = train(config(camus, folder / "run", **settings, **{"optim.steps": 1, "run.save_every": 1}))
    export(str(path), folder / "flat", precision="fp32")


def test_it_is_trained_and_exported(bundle: Path) -> None:
    for name in ("clip.fp32.onnx", "clip.fp32.xml", "stream.fp32.onnx", "stream.fp32.xml", "stream.fp32.edgeecho"):
        spec = read_verified(bundle / name).spec
        assert (spec.family, spec.lowering, spec.context_frames, spec.state) == ("unet2d", "2d", (0, 0), ())


def test_nothing_looks_along_time_so_nothing_is_lowered() -> None:
    assert Options().lowering("openvino", (0, 0)) == "2d"
    assert Options().lowering("openvino", (6, 6)) == "none"
    assert Options(lower="none").lowering("openvino", (0, 0)) == "none"  # asked for, and refused by the pass


@pytest.mark.parametrize("suffix", ["onnx", "xml"])
def test_its_stream_is_its_clip(bundle: Path, suffix: str) -> None:
    frames = network_frames(5)
    whole = edgeecho.load(bundle / f"clip.fp32.{suffix}", threads=1).probabilities(frames)
    live = edgeecho.stream(bundle / f"stream.fp32.{suffix}", threads=1)
    stream = FrameStream(live.engine, live.spec)
    answers = np.stack([stream.push(frame) for frame in frames])  # at once: nothing is waited for
    assert np.abs(answers.astype(int) - whole).max() <= 1
    assert stream.flush() == []


@pytest.mark.slow
@pytest.mark.parametrize("levels", [5, 6])
def test_it_is_integers_throughout(levels: int) -> None:
    """Sizes that do not halve evenly are covered too; the int8 stream equals its clip to the bit."""
    torch.manual_seed(0)
    spec = new_spec("unet2d", widths=(8,) * levels, decoder_widths=(8,) * (levels - 1))
    clip = clip_graph(build(spec), TINY_SIZE_PX)
    frames = network_frames(6)
    int8 = quantize(clip, find_ranges(clip, [frames]))
    assert count_int8(int8) == (4 * levels - 1, 4 * levels - 1)
    streamed = stream_graph(int8)
    assert (streamed.state, streamed.delay_frames) == ((), 0)
    spec = replace(spec, size_px=TINY_SIZE_PX, form="stream", precision="int8")
    stream = FrameStream(OrtEngine(streamed.model.SerializeToString(), "flat", 1), spec)
    whole = OrtEngine(int8.SerializeToString(), "flat", 1).infer(frames[:, None])
    assert np.array_equal(np.stack([stream.push(frame) for frame in frames]), whole[:, 0])
