"""What every engine does, and the one place that opens one."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import Located
from edgeecho.model.sealed_file import Checked, check
from edgeecho.model.spec import RESAMPLING, ModelSpec


class Engine(Protocol):
    """A clip graph, ready to run."""

    runtime: str
    """`ort`, `openvino` or `torch`."""
    version: str
    """Of the engine's package."""

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Frames uint8 (T, 1, S, S) to prob uint8 (T, 1, S, S)."""
        ...


@runtime_checkable
class StreamEngine(Engine, Protocol):
    """A stream graph, ready to run; `infer` is for clip graphs."""

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Named tensors in, named tensors out."""
        ...


def stream_engine(engine: Engine) -> StreamEngine:
    """The same engine, for stream graphs.

    Raises:
        ModelFileError: If it runs clip graphs alone, as PyTorch does here.
    """
    if not isinstance(engine, StreamEngine):
        raise ModelFileError(f"{engine.runtime} runs no stream graphs here; take a stream graph for ort or openvino")
    return engine


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A verified model file in its engine."""

    engine: Engine
    spec: ModelSpec
    data: bytes = field(repr=False)
    """The file's bytes."""

    @property
    def stream_engine(self) -> StreamEngine:
        """The engine, for stream graphs.

        Raises:
            ModelFileError: If it runs clip graphs alone.
        """
        return stream_engine(self.engine)


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_engine(located: Located, threads: int | None = None, *, sixteen_bits: bool = False) -> LoadedModel:
    """Verify a model file, then hand its bytes to its engine.

    Args:
        located: The file and its runtime.
        threads: Worker threads; None means every usable core.
        sixteen_bits: Run a file of fp32 in 16 bits, where OpenVINO and the processor have them.

    Raises:
        ConfigError: If `threads` is not positive.
        ModelFileError: If the file does not verify or the engine refuses it.
        MissingExtraError: If the engine is not installed.
    """
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}")
    threads = threads or usable_cores()
    checked = check(located.path)
    _require_ours(located, checked.spec)
    if checked.refusal:
        _tell_refusal(located.path, checked.refusal)
    precision = "fp16" if sixteen_bits else checked.spec.precision
    engine = _open(located.runtime, checked, located.path.name, threads, precision)
    return LoadedModel(engine, checked.spec, checked.data)


_told: set[Path] = set()


def _tell_refusal(path: Path, refusal: str) -> None:
    """Tell on stderr, once a process and file, that the acceptance test refused it."""
    if path not in _told:
        _told.add(path)
        sys.stderr.write(f"{path.name}: written for a look only, the acceptance test refused it: {refusal}\n")


def _require_ours(located: Located, spec: ModelSpec) -> None:
    """Refuse a sound file that this package would run wrongly.

    Raises:
        ModelFileError: If it is another kind of graph, or asks for another resampling.
        ConfigError: If a precision was asked for that it does not have.
    """
    name = located.path.name
    wanted = "checkpoint" if located.runtime == "torch" else located.form
    if spec.form != wanted:
        raise ModelFileError(f"{name}: holds a {spec.form}, {located.runtime} opens a {wanted} here")
    if spec.resampling != RESAMPLING:
        raise ModelFileError(f"{name}: asks for resampling {spec.resampling!r}, this EdgeEcho has {RESAMPLING!r}")
    if located.precision and located.precision != spec.precision:
        raise ConfigError(
            f"{name}: its precision is {spec.precision}, not {located.precision}; take --precision {spec.precision}"
        )


def _open(runtime: str, checked: Checked, name: str, threads: int, precision: str) -> Engine:
    if runtime == "ort":
        from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

        return OrtEngine(checked.data, name, threads)
    if runtime == "openvino":
        from edgeecho.runtime.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(checked.data, checked.companion, name, threads, precision)
    from edgeecho.runtime.engines.torch_engine import TorchEngine

    return TorchEngine(checked.data, checked.spec, name, threads)
