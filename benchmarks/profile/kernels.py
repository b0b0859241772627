"""Time of each kernel of an engine, from ONNX Runtime's profiler and OpenVINO's performance counters."""

import io
import json
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.profile.readback import OPENVINO_PRECISIONS, ORT_OPERATORS
from edgeecho.errors import ModelFileError
from edgeecho.files import scratch_folder
from edgeecho.runtime.engines.onnxruntime_engine import session_options
from edgeecho.runtime.engines.openvino_engine import compile_settings, openvino_core

WARM_UP_RUNS = 2
MIN_PROFILED_RUNS = 3
MAX_PROFILED_SECONDS = 20.0
"""Limit of the profiled runs of slow networks, which have at least `MIN_RUNS`."""
ORT_PRECISIONS = {"uint8": "int8", "int8": "int8", "float": "fp32", "float16": "fp16", "bfloat16": "bf16"}
ORT_ADDED = re.compile(r"_token_\d+$|_nchwc$|^fused ")
"""Additions of ONNX Runtime's optimiser to the name of a node."""

Inputs = dict[str, np.ndarray]
Feed = Callable[[Inputs], Inputs]
"""Function from the outputs of the last run (none before the first) to the inputs of the next."""


@dataclass(frozen=True)
class Kernel:
    """One kernel of the optimised network."""

    name: str
    """Name that the engine gives it."""
    originals: tuple[str, ...]
    """Names of the nodes or tensors of the file's graph that it came from, as far as the engine reports them."""
    op: str
    precision: str | None
    """`int8`, `fp32`, `bf16`, `fp16`; None if the engine does not report it."""
    ms: float
    """Milliseconds of one run: in ONNX Runtime the median over the runs, in OpenVINO their mean."""


@dataclass(frozen=True)
class Kernels:
    """Kernels of a network in the order in which they ran."""

    kernels: list[Kernel]
    run_ms: float
    """Median time of the whole run, with the profiler on."""
    runs: int


def run_kernels(
    data: bytes, weights: bytes, runtime: str, precision: str, feed: Feed, threads: int, runs: int
) -> Kernels:
    """Run a network with the engine's profiler on, and with the options that it is timed with otherwise.

    Args:
        data: The model file's bytes.
        weights: Bytes of OpenVINO's .bin; empty for other formats.
        runtime: `ort` or `openvino`.
        precision: Precision that the file states.
        feed: Returns the inputs of a run.
        threads: Threads of the engine.
        runs: Number of profiled runs, after `WARM_UP_RUNS` that are left out.

    Raises:
        ModelFileError: If the engine refuses the model.
    """
    run = _openvino if runtime == "openvino" else _ort
    return run(data, weights, precision, feed, threads, runs)


def _timed_runs(
    run: Callable[[Inputs], Inputs], feed: Feed, runs: int, when_warm: Callable[[], None] = lambda: None
) -> list[float]:
    """Return the milliseconds of each run after the warm-up."""
    outputs: Inputs = {}
    times: list[float] = []
    for k in range(WARM_UP_RUNS + runs):
        if k == WARM_UP_RUNS:
            when_warm()
        inputs = feed(outputs)
        start = time.perf_counter_ns()
        outputs = run(inputs)
        times += [(time.perf_counter_ns() - start) / 1e6] if k >= WARM_UP_RUNS else []
        if len(times) >= MIN_PROFILED_RUNS and sum(times) > 1000 * MAX_PROFILED_SECONDS:
            break
    return times


def _ort(data: bytes, weights: bytes, precision: str, feed: Feed, threads: int, runs: int) -> Kernels:
    import onnxruntime as ort

    with scratch_folder() as folder:
        options = session_options(threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises many kinds
            raise ModelFileError(f"ONNX Runtime refuses it: {str(error).splitlines()[0]}") from error
        names = [output.name for output in session.get_outputs()]
        times = _timed_runs(
            lambda inputs: dict(zip(names, map(np.asarray, session.run(names, inputs)), strict=True)),
            feed,
            runs,
        )
        events = json.loads(Path(session.end_profiling()).read_text())
    seen: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            seen[event["name"].removesuffix("_kernel_time"), event["args"]["node_index"]].append(event)
    kernels = []
    for (name, _), found in seen.items():
        original = name
        while (shorter := ORT_ADDED.sub("", original)) != original:
            original = shorter
        op = found[-1]["args"]["op_name"]
        ms = statistics.median(event["dur"] for event in found[WARM_UP_RUNS:]) / 1000
        kernels.append(Kernel(name, (original,), op, _ort_precision(op, found[-1]), ms))
    return Kernels(kernels, statistics.median(times), len(times))


def _ort_precision(op: str, event: dict[str, Any]) -> str | None:
    if op in ORT_OPERATORS:
        return ORT_OPERATORS[op]
    outputs = event["args"].get("output_type_shape") or [{}]
    return ORT_PRECISIONS.get(next(iter(outputs[0]), ""))


def read_openvino(data: bytes, weights: bytes) -> Any:
    """Read an `ov.Model` from .xml and .bin, or from an ONNX file, which has its weights inside."""
    import openvino as ov

    if weights:
        return openvino_core().read_model(data, ov.Tensor(np.frombuffer(weights, np.uint8)))
    return openvino_core().read_model(io.BytesIO(data))


def _openvino(data: bytes, weights: bytes, precision: str, feed: Feed, threads: int, runs: int) -> Kernels:
    try:
        model = read_openvino(data, weights)
        settings = {**compile_settings(precision, threads), "PERF_COUNT": True}
        compiled = openvino_core().compile_model(model, "CPU", settings)
    except Exception as error:  # openvino raises RuntimeError and more
        raise ModelFileError(f"OpenVINO refuses it: {str(error).splitlines()[0]}") from error
    request = compiled.create_infer_request()
    names = [output.any_name for output in compiled.outputs]
    warm: dict[str, float] = {}

    def run(inputs: Inputs) -> Inputs:
        found = request.infer(inputs)
        return {name: np.array(found[name]) for name in names}

    def counters() -> dict[str, Any]:
        return {info.node_name: info for info in request.get_profiling_info() if "EXECUTED" in str(info.status)}

    def mean_ms(info: Any) -> float:
        return float(info.real_time.total_seconds()) * 1000

    times = _timed_runs(run, feed, runs, lambda: warm.update({k: mean_ms(v) for k, v in counters().items()}))
    originals = {}
    for node in compiled.get_runtime_model().get_ops():
        listed = node.get_rt_info()["originalLayersNames"]
        originals[node.get_friendly_name()] = tuple(str(getattr(listed, "value", listed)).split(","))
    kernels = []
    for name, info in counters().items():
        kind = info.exec_type.rpartition("_")[2].lower()
        precision_run = OPENVINO_PRECISIONS.get(kind)
        # Its counters are means over all runs so far; the warm-up is taken out again.
        ms = mean_ms(info) + (mean_ms(info) - warm.get(name, 0.0)) * WARM_UP_RUNS / len(times)
        kernels.append(Kernel(name, originals.get(name, ()), info.node_type, precision_run, max(ms, 0.0)))
    return Kernels(kernels, statistics.median(times), len(times))
