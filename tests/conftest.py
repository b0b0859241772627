"""Fixtures of several test files: a drawn heart and data set, a tiny network that was really trained, its exports."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.helpers import TINY_SIZE_PX, TINY_WIDTHS, MakeOnce, draw_heart, export, network_frames, write_camus

# OpenCV's FFmpeg reads this once a process, when the first video is opened or written.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
# Likewise PyTorch's worker threads: a test of a tiny network is faster with one.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Give each worker process of pytest-xdist a core of its own, which the engines' default of threads follows."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests as slow that need what `make_once` makes."""
    for item in items:
        if isinstance(item, pytest.Function) and "make_once" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Function that fills a folder once in a test run; other worker processes wait until it is filled."""
    folders = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folders = folders.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, filled = folders / name, folders / f"{name}.filled"
        with FileLock(folders / f"{name}.lock"):
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator with a fixed seed, new for each test."""
    return np.random.default_rng(20261122)


@pytest.fixture
def heart(rng: np.random.Generator) -> np.ndarray:
    """Drawn cine of a pulsating ellipse, uint8 (30, 128, 128)."""
    return draw_heart(rng, frames=30)[0]


@pytest.fixture(scope="session")
def camus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set, 6 patients to train on and 2 to validate on."""
    return write_camus(tmp_path_factory.mktemp("camus"))


@pytest.fixture(scope="session")
def tiny_checkpoint(make_once: MakeOnce) -> Path:
    """A checkpoint of 16,732 parameters that finds the dark ellipse in a drawn heart at 48x48."""
    pytest.importorskip("torch")
    return make_once("checkpoint", train_tiny_network) / "tiny.safetensors"


def train_tiny_network(folder: Path) -> None:
    """Train for 80 steps on 16 drawn hearts and write `tiny.safetensors`."""
    from dataclasses import replace

    import torch

    from edgeecho.nn import build, new_spec
    from edgeecho.nn.checkpoint import save_checkpoint
    from edgeecho.preprocess import find_roi, to_network

    torch.manual_seed(0)
    spec = replace(new_spec("cl_unet_edge", widths=TINY_WIDTHS), name="tiny", size_px=TINY_SIZE_PX, licence="CC0-1.0")
    network = build(spec).train()
    hearts = [draw_heart(np.random.default_rng((1, k)), frames=3, period=4) for k in range(16)]
    rois = [find_roi(frames) for frames, _ in hearts]
    inputs = np.stack([to_network(f, roi, TINY_SIZE_PX) for (f, _), roi in zip(hearts, rois, strict=True)])
    targets = np.stack([to_network(m * 255, roi, TINY_SIZE_PX) for (_, m), roi in zip(hearts, rois, strict=True)])
    clips, wanted = (torch.from_numpy(a[:, None]).float() / 255 for a in (inputs, targets))
    gains = torch.linspace(0.5, 1.7, 16)[torch.randperm(16)]  # the acceptance test takes darker and brighter frames too
    clips = (clips * gains.reshape(-1, 1, 1, 1, 1)).clamp(max=1)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(80):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(clips), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    save_checkpoint(folder / "tiny.safetensors", network.eval(), spec)


@pytest.fixture(scope="session")
def tiny_bundle(tiny_checkpoint: Path, camus: Path, make_once: MakeOnce) -> Path:
    """`tiny_checkpoint` exported in every form, calibrated on the drawn data set."""
    pytest.importorskip("onnxsim")
    calibration = f"camus:{camus}"
    return make_once("bundle", lambda folder: export(str(tiny_checkpoint), folder / "tiny", calib=calibration)) / "tiny"


@pytest.fixture(scope="session")
def nano_fp32(make_once: MakeOnce) -> Path:
    """The packaged nano with its fp32 files of each form and runtime, as the benchmark completes it."""
    pytest.importorskip("openvino")
    return make_once("completed", complete_nano) / "exported" / "cl_unet_nano"


def complete_nano(folder: Path) -> None:
    """Let the benchmark export the fp32 files that the packaged nano lacks, and write its messages."""
    from edgeecho.benchmarks.run.complete_models import complete_models

    messages: list[str] = []
    complete_models(["cl_unet_nano"], ["ort", "openvino"], ["fp32"], ["clip", "stream"], folder, messages.append)
    (folder / "messages.txt").write_text("\n".join(messages))


@pytest.fixture(scope="session", params=["edge", "edge-causal", "banded", "banded-causal"])
def graphs(request: pytest.FixtureRequest, make_once: MakeOnce) -> Path:
    """Clip and stream graphs, fp32 and int8, .onnx and .xml, of each kind of network; random weights, no maps alike."""
    if request.param == "edge":
        return request.getfixturevalue("tiny_bundle")  # trained, and exported as users do
    pytest.importorskip("torch")
    return make_once(request.param, lambda folder: write_random_graphs(request.param, folder))


def write_random_graphs(kind: str, folder: Path, *, certainty: float = 3) -> None:
    """Write the graphs of an untrained network, "edge-causal" for example; at certainty 60 most values are 0 or 255."""
    from dataclasses import replace

    import torch

    from edgeecho.export.graph.clip import clip_graph
    from edgeecho.export.graph.stream import stream_graph
    from edgeecho.export.int8.quantize import quantize
    from edgeecho.export.int8.ranges import find_ranges
    from edgeecho.export.write.sealed import write_onnx, write_openvino
    from edgeecho.nn import build, new_spec

    family = "cl_unet" if kind.startswith("banded") else "cl_unet_edge"
    torch.manual_seed(6)
    levels = {"widths": (8, 16), "encoder_time": (True, True), "decoder_time": (True,), "repeats": 1}
    spec = new_spec(family, causal=kind.endswith("causal"), **levels)
    network = build(spec).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.uniform_(0.2, 0.6)
                module.bias.normal_(0, 0.3)
        network.head.weight.mul_(certainty)
    graph = clip_graph(network, TINY_SIZE_PX)
    int8 = quantize(graph, find_ranges(graph, [network_frames(8, seed) for seed in range(3)]))
    for precision, clip in (("fp32", graph), ("int8", int8)):
        spec = replace(spec, size_px=TINY_SIZE_PX, form="clip", precision=precision, state=())
        streamed = stream_graph(clip)
        for model, its in ((clip, spec), (streamed.model, replace(spec, form="stream", state=streamed.state))):
            write_onnx(folder / f"{its.form}.{precision}.onnx", model, its)
            write_openvino(folder / f"{its.form}.{precision}.xml", model, its)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call `edgeecho ARGUMENTS` in this process: exit code, stdout, stderr."""
    from edgeecho.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["edgeecho", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return run
