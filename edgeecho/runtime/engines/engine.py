"""Opening of a verified model file in its engine."""

import hashlib
import logging
import os
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import ModelRef
from edgeecho.model.sealed_file import VerifiedFile, read_verified
from edgeecho.model.spec import RESAMPLING, ModelSpec
from edgeecho.runtime.engines.graph_check import require_graph
from edgeecho.runtime.engines.interface import Engine, GraphEngine, StreamEngine

MAX_THREADS = 256
"""Largest number of threads where there are not more cores; an engine that cannot start them ends the process."""

logger = logging.getLogger(__name__)


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


def check_threads(threads: int | None) -> int:
    """Return a number of worker threads; None means every usable core.

    Raises:
        ConfigError: If it is no whole number from 1 to `MAX_THREADS` or, if that is more, the number of cores.
    """
    if threads is None:
        return usable_cores()
    most = max(MAX_THREADS, os.cpu_count() or 1)
    if not isinstance(threads, Integral) or isinstance(threads, bool) or not 1 <= threads <= most:
        raise ConfigError(f"threads must be a whole number from 1 to {most}, got {threads!r:.80}")
    return int(threads)


def open_engine(model: ModelRef, threads: int | None = None, *, sixteen_bits: bool = False) -> LoadedModel:
    """Verify a model file, then open its bytes in its engine.

    A file that the acceptance test refused is opened with a warning in the log.

    Args:
        model: The file and its runtime.
        threads: Worker threads; None means every usable core.
        sixteen_bits: Run a file of fp32 in 16 bits, where OpenVINO and the processor have them.

    Raises:
        ConfigError: If `threads` is no number of threads.
        ModelFileError: If the file does not verify or the engine refuses it.
        MissingExtraError: If the engine is not installed.
    """
    threads = check_threads(threads)
    checked = read_verified(model.path)
    _require_supported(model, checked.spec)
    name = model.path.name
    if checked.refusal:
        logger.warning("%s: written for a look only, the acceptance test refused it: %s", name, checked.refusal)
    precision = "fp16" if sixteen_bits else checked.spec.precision
    engine = _open(model.runtime, checked, name, threads, precision)
    if isinstance(engine, GraphEngine):
        require_graph(engine, checked.spec, name)
    return LoadedModel(engine, checked.spec, checked.data)


def _require_supported(model: ModelRef, spec: ModelSpec) -> None:
    """Refuse a sound file that this package would run wrongly.

    Raises:
        ModelFileError: If it is another kind of graph, or needs another resampling.
        ConfigError: If it does not have the precision that `model` requires.
    """
    name = model.path.name
    wanted = "checkpoint" if model.runtime == "torch" else model.form
    if spec.form != wanted:
        raise ModelFileError(f"{name}: holds a {spec.form}, {model.runtime} opens a {wanted} here")
    if spec.resampling != RESAMPLING:
        raise ModelFileError(f"{name}: asks for resampling {spec.resampling!r}, this EdgeEcho has {RESAMPLING!r}")
    if model.precision and model.precision != spec.precision:
        raise ConfigError(
            f"{name}: its precision is {spec.precision}, not {model.precision}; take --precision {spec.precision}"
        )


def _open(runtime: str, checked: VerifiedFile, name: str, threads: int, precision: str) -> Engine:
    if runtime == "ort":
        from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

        return OrtEngine(checked.data, name, threads)
    if runtime == "openvino":
        from edgeecho.runtime.engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(checked.data, checked.companion, name, threads, precision)
    if runtime == "native":
        from edgeecho.runtime.engines.native_engine import NativeEngine

        return NativeEngine(checked, name)
    from edgeecho.runtime.engines.torch_engine import TorchEngine

    return TorchEngine(checked.data, checked.spec, name, threads)
