"""Model of a row, loaded in the row's process: our clip or stream, a peer, or a user's ONNX file."""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.run.own_file import OwnFile
from edgeecho.errors import ShapeError, require
from edgeecho.model.registry import ModelRef
from edgeecho.model.sealed_file import read_verified
from edgeecho.runtime.engines.engine import LoadedModel, open_engine
from edgeecho.runtime.engines.interface import Engine
from edgeecho.runtime.engines.native_engine import native_library
from edgeecho.runtime.frame_stream import FrameStream, empty_state


@dataclass(kw_only=True, eq=False)
class LoadedRow:
    """Loaded model of a row, with the function that is timed."""

    run: Callable[[], object]
    frames_per_run: int
    engine: Engine
    model: LoadedModel | None = None
    """Model with its spec; None for a user's own file, and for a peer in PyTorch."""
    data: bytes = b""
    """Bytes of the model file; for a user's ONNX file, of a graph with its external data inside."""
    inputs: dict[str, np.ndarray]
    """Inputs of one run, by name; of a stream, of its first run."""
    report: dict[str, Any]


def load_row(job: dict[str, Any], frames: np.ndarray) -> LoadedRow:
    """Load the model of a row. The import of the engine is not in its time.

    Args:
        job: `Entry.job`, and threads.
        frames: The benchmark's clip, uint8 (T, 1, S, S).

    Raises:
        EdgeEchoError: If it cannot be opened, or does not take the clip.
    """
    if job["runtime"] == "openvino":
        require("openvino", "openvino")
    elif job["runtime"] == "native":
        native_library()
    else:
        importlib.import_module("torch" if job["runtime"] == "torch" else "onnxruntime")
    if job["runtime"] == "torch":
        import torch

        torch.set_num_threads(job["threads"])  # for good: this process runs nothing but the row
    start = time.perf_counter_ns()
    if job["kind"] == "own":
        loaded = _load_own(job, frames)
    elif job["path"] is None:
        loaded = _load_peer_in_torch(job, frames)
    else:
        loaded = _load_ours(job, frames)
    load_ms = (time.perf_counter_ns() - start) / 1e6
    loaded.report = {"load_ms": load_ms, "runtime_version": loaded.engine.version, **loaded.report}
    return loaded


def _load_ours(job: dict[str, Any], frames: np.ndarray) -> LoadedRow:
    path, form = Path(job["path"]), job["form"]
    if form is None:
        form = read_verified(path).spec.form
        form = "clip" if form == "checkpoint" else form
    of_peer = job["kind"] == "peer"
    model_ref = ModelRef(path, job["runtime"], None, "clip" if of_peer else form)
    loaded = open_engine(model_ref, job["threads"], sixteen_bits=job["precision"] == "bf16")
    spec = loaded.spec
    t, _, size_px, _ = frames.shape
    if spec.size_px != size_px or (form == "clip" and spec.frames not in (None, t)):
        raise ShapeError(
            f"{path.name}: a graph of {spec.frames or 'any'} frames of {spec.size_px} px; "
            f"the benchmark's clip has {t} of {size_px} px"
        )
    streamed = form == "stream"
    step = _stream(loaded, frames, framewise=of_peer) if streamed else partial(loaded.engine.infer, frames)
    inputs = {"frame": frames[:1], **empty_state(spec)} if spec.form == "stream" else {"frames": frames}
    if streamed and of_peer:
        inputs = {"frames": frames[:1]}
    stored = "bf16" if job["precision"] == "bf16" else spec.precision
    report = {
        "form": form,
        "params": spec.params,
        "precision_stored": stored,
        "weights": "random" if of_peer else "trained",
        **_file(path, loaded.sha256),
    }
    return LoadedRow(
        run=step,
        frames_per_run=1 if streamed else t,
        engine=loaded.engine,
        model=loaded,
        data=loaded.data,
        inputs=inputs,
        report=report,
    )


def _stream(loaded: LoadedModel, frames: np.ndarray, framewise: bool) -> Callable[[], object]:
    """Return a function that runs one more live frame; the clip's frames are repeated."""
    coming = cycle(range(len(frames)))
    if framewise:
        return lambda: loaded.engine.infer(frames[(i := next(coming)) : i + 1])
    stream = FrameStream(loaded.stream_engine, loaded.spec)
    return lambda: stream.push(frames[next(coming), 0])


def _file(path: Path, sha256: str) -> dict[str, Any]:
    size = path.stat().st_size
    if path.suffix == ".xml":
        size += path.with_suffix(".bin").stat().st_size
    return {"file_bytes": size, "sha256": sha256}


class _TorchPeer:
    """Peer in PyTorch, with the same pipeline as in its exported graph."""

    runtime = "torch"

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        import torch

        from edgeecho.benchmarks.peers.peers import PEERS
        from edgeecho.export.graph.clip import ClipPipeline

        self._torch, self.version = torch, str(torch.__version__)
        self.network = ClipPipeline(replace(PEERS[name], config=config).build()).eval()
        self.params = sum(p.numel() for p in self.network.parameters())

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Return prob uint8 (T, 1, S, S) of frames uint8 (T, 1, S, S)."""
        with self._torch.inference_mode():
            return np.asarray(self.network(self._torch.from_numpy(frames)).numpy())


def _load_peer_in_torch(job: dict[str, Any], frames: np.ndarray) -> LoadedRow:
    engine = _TorchPeer(job["model"], job["config"])
    report = {"form": "clip", "params": engine.params, "precision_stored": "fp32", "weights": "random"}
    step = partial(engine.infer, frames)
    return LoadedRow(run=step, frames_per_run=len(frames), engine=engine, inputs={"frames": frames}, report=report)


def _load_own(job: dict[str, Any], frames: np.ndarray) -> LoadedRow:
    own = OwnFile(Path(job["path"]), job["runtime"], job["threads"])
    inputs, count = own.feed(frames)
    report = {
        "form": "clip",
        "params": None,
        "precision_stored": None,
        "weights": "its own",
        "file_bytes": own.file.file_bytes,
        "sha256": own.file.sha256,
    }
    return LoadedRow(
        run=partial(own.infer, inputs),
        frames_per_run=count,
        engine=own.engine,
        data=own.file.data,
        inputs={own.name: inputs},
        report=report,
    )
