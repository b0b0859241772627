"""A row's model, opened in the row's own process: ours as a clip or a stream, a peer's, or a user's own ONNX file."""

import hashlib
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgeecho.catalog import Located
from edgeecho.errors import ModelFileError, ShapeError, require
from edgeecho.modelfile import check
from edgeecho.runtime.engine import Engine, StreamEngine, open_engine
from edgeecho.runtime.frame_stream import FrameStream, empty_state
from edgeecho.spec import ModelSpec

ONNX_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(kw_only=True, eq=False)
class Opened:
    """What is timed, and what is known of it."""

    run: Callable[[], object]
    frames_per_run: int
    engine: Any
    spec: ModelSpec | None = None
    """None for a user's own file, and for a peer in PyTorch."""
    data: bytes = b""
    inputs: dict[str, np.ndarray]
    """Of one run, by name; a stream's first."""
    report: dict[str, Any]


def open_row(job: dict[str, Any], frames: np.ndarray) -> Opened:
    """Open what a row runs; imports of engines come before the clock starts.

    Args:
        job: `Entry.job`, and threads.
        frames: The contest's clip, uint8 (T, 1, S, S).

    Raises:
        EdgeEchoError: If it cannot be opened, or does not take the clip.
    """
    if job["runtime"] == "openvino":
        require("openvino", "openvino")
    else:
        importlib.import_module("torch" if job["runtime"] == "torch" else "onnxruntime")
    start = time.perf_counter_ns()
    if job["kind"] == "own":
        opened = _open_own(job, frames)
    elif job["path"] is None:
        opened = _open_peer_in_torch(job, frames)
    else:
        opened = _open_ours(job, frames)
    load_ms = (time.perf_counter_ns() - start) / 1e6
    opened.report = {"load_ms": load_ms, "runtime_version": opened.engine.version, **opened.report}
    return opened


def _open_ours(job: dict[str, Any], frames: np.ndarray) -> Opened:
    path, form = Path(job["path"]), job["form"]
    if form is None:
        form = check(path).spec.form
        form = "clip" if form == "checkpoint" else form
    of_peer = job["kind"] == "peer"
    located = Located(path, job["runtime"], None, "clip" if of_peer else form)
    engine, spec, data = open_engine(located, job["threads"], sixteen_bits=job["precision"] == "bf16")
    t, _, size_px, _ = frames.shape
    if spec.size_px != size_px or (form == "clip" and spec.frames not in (None, t)):
        raise ShapeError(
            f"{path.name}: a graph of {spec.frames or 'any'} frames of {spec.size_px} px; "
            f"the contest's clip has {t} of {size_px} px"
        )
    streamed = form == "stream"
    step = _stream(engine, spec, frames, framewise=of_peer) if streamed else partial(engine.infer, frames)
    inputs = {"frame": frames[:1], **empty_state(spec)} if spec.form == "stream" else {"frames": frames}
    if streamed and of_peer:
        inputs = {"frames": frames[:1]}
    stored = "bf16" if job["precision"] == "bf16" else spec.precision
    report = {
        "form": form,
        "params": spec.params,
        "precision_stored": stored,
        "weights": "random" if of_peer else "trained",
        **_file(path, data),
    }
    return Opened(
        run=step,
        frames_per_run=1 if streamed else t,
        engine=engine,
        spec=spec,
        data=data,
        inputs=inputs,
        report=report,
    )


def _stream(engine: Engine, spec: ModelSpec, frames: np.ndarray, framewise: bool) -> Callable[[], object]:
    """One more live frame, the clip's frames over and over."""
    coming = cycle(range(len(frames)))
    if framewise:
        return lambda: engine.infer(frames[(i := next(coming)) : i + 1])
    stream = FrameStream(cast(StreamEngine, engine), spec)
    return lambda: stream.push(frames[next(coming), 0])


def _file(path: Path, data: bytes) -> dict[str, Any]:
    size = path.stat().st_size
    if path.suffix == ".xml":
        size += path.with_suffix(".bin").stat().st_size
    return {"file_bytes": size, "sha256": hashlib.sha256(data).hexdigest()}


class _TorchPeer:
    """A peer as PyTorch runs it: the same pipeline as in its exported graph."""

    runtime = "torch"

    def __init__(self, name: str, config: dict[str, Any], threads: int) -> None:
        import torch

        from edgeecho.benchmarks.peers import PEERS
        from edgeecho.export.graph import ClipPipeline

        torch.set_num_threads(threads)
        self._torch, self.version = torch, str(torch.__version__)
        self.network = ClipPipeline(replace(PEERS[name], config=config).build()).eval()
        self.params = sum(p.numel() for p in self.network.parameters())

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Frames uint8 (T, 1, S, S) to prob uint8 (T, 1, S, S)."""
        with self._torch.inference_mode():
            return np.asarray(self.network(self._torch.from_numpy(frames)).numpy())


def _open_peer_in_torch(job: dict[str, Any], frames: np.ndarray) -> Opened:
    engine = _TorchPeer(job["model"], job["config"], job["threads"])
    report = {"form": "clip", "params": engine.params, "precision_stored": "fp32", "weights": "random"}
    step = partial(engine.infer, frames)
    return Opened(run=step, frames_per_run=len(frames), engine=engine, inputs={"frames": frames}, report=report)


class _OwnFile:
    """A user's ONNX graph with one picture input, in either engine, fed with the contest's clip as far as it fits."""

    def __init__(self, path: Path, runtime: str, threads: int) -> None:
        self.runtime = runtime
        if runtime == "ort":
            from edgeecho.runtime.ort_engine import OrtEngine

            engine: Any = OrtEngine(path.read_bytes(), path.name, threads)
            inputs = [(i.name, list(i.shape), ONNX_TYPES.get(i.type)) for i in engine._session.get_inputs()]
            self._outputs = [o.name for o in engine._session.get_outputs()]
        else:
            from edgeecho.runtime.openvino_engine import OpenVinoEngine

            engine = OpenVinoEngine(path.read_bytes(), b"", path.name, threads)
            ports = engine._compiled.inputs
            inputs = [(p.any_name, _dims(p.partial_shape), _dtype(p.element_type)) for p in ports]
            self._outputs = [p.any_name for p in engine._compiled.outputs]
        self.engine, self.version, self._compiled = engine, engine.version, getattr(engine, "_compiled", None)
        if len(inputs) != 1 or inputs[0][2] is None or len(inputs[0][1]) not in (4, 5):
            raise ModelFileError(
                f"{path.name}: --model takes a graph of one input, uint8 or float, (N, C, H, W) or (N, C, T, H, W); "
                f"it has {', '.join(f'{name} {shape}' for name, shape, _ in inputs)}"
            )
        self.name, self.shape, self.dtype = inputs[0]

    def feed(self, frames: np.ndarray) -> tuple[np.ndarray, int]:
        """The clip as the graph takes it, and how many frames of it that is. Floats are grey / 255."""
        t, _, size, _ = frames.shape
        fixed = [d if isinstance(d, int) and d > 0 else None for d in self.shape]
        channels = fixed[1] or 1
        height, width = fixed[-2] or size, fixed[-1] or size
        count = (fixed[2] if len(fixed) == 5 else fixed[0]) or t
        rows, columns = np.arange(height) * size // height, np.arange(width) * size // width
        shown = frames[np.arange(count) % t][:, :, rows][..., columns].repeat(channels, axis=1)  # (count, C, H, W)
        if len(fixed) == 5:
            shown = np.repeat(shown.transpose(1, 0, 2, 3)[None], fixed[0] or 1, axis=0)
            count *= fixed[0] or 1
        scaled = shown if self.dtype == np.uint8 else shown / 255
        return np.ascontiguousarray(scaled, self.dtype), count

    def infer(self, inputs: np.ndarray) -> list[np.ndarray]:
        """What `feed` gives, to all outputs."""
        found: list[np.ndarray] = self.engine.run(self._outputs, {self.name: inputs})
        return found


def _dims(shape: Any) -> list[int | None]:
    return [d.get_length() if d.is_static else None for d in shape]


def _dtype(element: Any) -> Any:
    return {"u8": np.uint8, "f32": np.float32, "f16": np.float16}.get(element.get_type_name())


def _open_own(job: dict[str, Any], frames: np.ndarray) -> Opened:
    path = Path(job["path"])
    engine = _OwnFile(path, job["runtime"], job["threads"])
    inputs, count = engine.feed(frames)
    data = path.read_bytes()
    report = {"form": "clip", "params": None, "precision_stored": None, "weights": "its own", **_file(path, data)}
    return Opened(
        run=partial(engine.infer, inputs),
        frames_per_run=count,
        engine=engine,
        data=data,
        inputs={engine.name: inputs},
        report=report,
    )
