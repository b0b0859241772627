"""Times of networks with random weights as int8 clip and stream, and estimates for boards. It is no study of its own.

Time is that of the processor (all threads of this process), not of the clock, so that other programs on the machine
count less; the rows take turns, and the least of all rounds is taken.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from edgeecho.benchmarks.profile.boards import find_boards
from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.benchmarks.profile.estimate import COPY_BYTES, calibrate, estimate
from edgeecho.benchmarks.profile.layers import graph_layers
from edgeecho.benchmarks.profile.peak_throughput import CHANNELS, SIZE_PX, peak_convolution
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.export.graph.clip import clip_graph
from edgeecho.export.graph.stream import stream_graph
from edgeecho.export.graph.to_conv3d import conv3d_graph
from edgeecho.export.int8.quantize import quantize
from edgeecho.export.int8.ranges import find_ranges
from edgeecho.export.write.sealed import NO_STAMP
from edgeecho.export.write.writers import WRITERS
from edgeecho.model.registry import locate
from edgeecho.model.spec import STATE_BYTES, ModelSpec
from edgeecho.nn import build
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import StreamEngine

T = 32
"""Frames of a clip, and frames that a stream is timed on."""
BOARDS = {"imx8mp": "Cortex-A53", "rpi4": "Cortex-A72", "rpi5": "Cortex-A76"}
"""Boards that times are estimated for, by the roofline of `edgeecho.benchmarks.profile`, and their cores."""
SEED, CEILING_RUNS = 1, 12
Run = Callable[[], object]


class TimedNetwork:
    """Int8 graphs of one network, opened in both engines."""

    def __init__(self, spec: ModelSpec) -> None:
        """Export the network with random weights, and quantize it with the ranges of a clip of speckle."""
        torch.manual_seed(SEED)
        graph = clip_graph(build(spec), spec.size_px)
        clip = speckle_clip(T, spec.size_px)
        self.int8 = quantize(graph, find_ranges(graph, [clip[:8, 0]], "minmax"))
        self.macs = count_macs(graph, T) / T
        stream = stream_graph(self.int8)
        spec = replace(spec, form="clip", precision="int8")
        streamed = replace(spec, form="stream", state=stream.state)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files: dict[str, tuple[onnx.ModelProto, ModelSpec]] = {
                "clip.onnx": (self.int8, spec),
                "stream.onnx": (stream.model, streamed),
                "clip.xml": (conv3d_graph(self.int8), replace(spec, lowering="none")),
                "stream.xml": (stream.model, streamed),
            }
            opened = {}
            for file, (model, its_spec) in files.items():
                WRITERS[Path(file).suffix](folder / file, model, its_spec, NO_STAMP)
                opened[file] = open_engine(locate(folder / file, form=file.partition(".")[0]), threads=1)
        feed = {s.name: np.full(s.shape, s.zero_point, s.dtype) for s in stream.state} | {"frame": clip[:1]}
        self.runs: dict[str, Run] = {
            "ort clip": lambda: opened["clip.onnx"].engine.infer(clip),
            "ort stream": _frames(opened["stream.onnx"].stream_engine, feed),
            "openvino clip": lambda: opened["clip.xml"].engine.infer(clip),
            "openvino stream": _frames(opened["stream.xml"].stream_engine, feed),
        }
        self.state_bytes = sum(int(np.prod(s.shape)) * STATE_BYTES[s.dtype] for s in stream.state)

    def boards(self, clip_ms: float, peaks: dict[str, float], gb_per_s: float) -> dict[str, float]:
        """Return the estimated time of a frame of a clip on one core of each board, in ms."""
        layers = graph_layers(self.int8, T)
        calibration = calibrate(layers, clip_ms, T, 1, peaks, gb_per_s)
        return {
            BOARDS[board.name]: estimate(layers, board, 1, calibration)["ms_per_frame"]
            for board in find_boards([*BOARDS])
        }


def ceilings() -> tuple[dict[str, float], float]:
    """Return the rates of this processor in GMAC/s of int8 and of fp32, by the large convolution of the profile, and of
    a copy in memory in GB/s, each by the least processor time of some runs."""
    peaks = {}
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for precision, kind in (("int8", np.uint8), ("fp32", np.float32)):
        model = peak_convolution(precision)
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        picture = np.ones([1, CHANNELS, SIZE_PX, SIZE_PX], kind)
        seconds = min(_seconds(lambda: session.run(None, {"x": picture})) for _ in range(CEILING_RUNS))  # noqa: B023
        peaks[precision] = count_macs(model, 1) / seconds / 1e9
    source, target = np.ones(COPY_BYTES, np.uint8), np.empty(COPY_BYTES, np.uint8)
    seconds = min(_seconds(lambda: np.copyto(target, source)) for _ in range(CEILING_RUNS))
    return peaks, 2 * COPY_BYTES / seconds / 1e9


def _seconds(run: Run) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def _frames(engine: StreamEngine, feed: dict[str, np.ndarray]) -> Run:
    """Return a function that runs a stream on `T` frames, each time with the same state."""
    outputs = ["prob", *(f"next_{name}" for name in feed if name != "frame")]

    def run() -> None:
        for _ in range(T):
            engine.run(outputs, feed)

    return run


def least_ms(networks: dict[str, TimedNetwork], rounds: int) -> dict[str, dict[str, float]]:
    """Return the least time of `T` frames of each network in each form, in ms, after one round to warm up."""
    least: dict[str, dict[str, float]] = {name: {} for name in networks}
    for k in range(rounds + 1):
        for name, network in networks.items():
            for form, run in network.runs.items():
                taken = 1000 * _seconds(run)
                if k:
                    least[name][form] = min(taken, least[name].get(form, taken))
    return least
