"""Interfaces of the engines, and the one place that opens an engine."""

import hashlib
import logging
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import Located
from edgeecho.model.sealed_file import Checked, check
from edgeecho.model.spec import RESAMPLING, ModelSpec

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """A clip graph, ready to run."""

    runtime: str
    """`ort`, `openvino` or `torch`."""
    version: str
    """Version of the engine's package."""

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip: frames uint8 (T, 1, S, S) to `prob` of the same shape and type."""
        ...


@runtime_checkable
class StreamEngine(Engine, Protocol):
    """A stream graph, ready to run; `infer` is for clip graphs."""

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the graph on inputs by name, and return its outputs by name."""
        ...


@dataclass(frozen=True)
class GraphInput:
    """An input of a graph."""

    name: str
    shape: list[int | str | None]
    """Size along each axis; a name or None where it is free."""
    dtype: type[np.generic] | None
    """Type of the elements; None if it is neither uint8, float32 nor float16."""


class GraphEngine(StreamEngine, Protocol):
    """Any graph in ONNX Runtime or OpenVINO, whose inputs and outputs can be listed."""

    @property
    def inputs(self) -> list[GraphInput]:
        """Inputs of the graph, in order."""
        ...

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs, in order."""
        ...


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A verified model file in its engine."""

    engine: Engine
    spec: ModelSpec
    data: bytes = field(repr=False)
    """Bytes of the file."""

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def stream_engine(self) -> StreamEngine:
        """Engine that runs stream graphs.

        Raises:
            ModelFileError: If it runs clip graphs alone, as PyTorch does here.
        """
        if not isinstance(self.engine, StreamEngine):
            raise ModelFileError(
                f"{self.engine.runtime} runs no stream graphs here; take a stream graph for ort or openvino"
            )
        return self.engine


def usable_cores() -> int:
    """Number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_engine(located: Located, threads: int | None = None, *, sixteen_bits: bool = False) -> LoadedModel:
    """Verify a model file, then open its bytes in its engine.

    A file that the acceptance test refused is opened with a warning in the log.

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
    _require_supported(located, checked.spec)
    name = located.path.name
    if checked.refusal:
        logger.warning("%s: written for a look only, the acceptance test refused it: %s", name, checked.refusal)
    precision = "fp16" if sixteen_bits else checked.spec.precision
    engine = _open(located.runtime, checked, name, threads, precision)
    return LoadedModel(engine, checked.spec, checked.data)


def _require_supported(located: Located, spec: ModelSpec) -> None:
    """Refuse a sound file that this package would run wrongly.

    Raises:
        ModelFileError: If it is another kind of graph, or needs another resampling.
        ConfigError: If it does not have the precision that `located` requires.
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
