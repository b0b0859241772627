"""One row in a process of its own: `python -m edgeecho.benchmarks.worker`, a job on stdin, lines of JSON out.

First line in: {path, runtime, threads, frames_file, warm_up_seconds}. First line out: how it opened and warmed up.
Then {"run": k} is answered by k times in ms, and {"finish": true} by the precision that really ran. A line with
`error` ends it; so does the end of stdin.
"""

import hashlib
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from edgeecho.benchmarks.readback import convolutions_run
from edgeecho.catalog import Located
from edgeecho.errors import EdgeEchoError, ShapeError, require
from edgeecho.runtime.engine import Engine, open_engine

WARM_UP_RUNS = 2
"""At least, the first included: ONNX Runtime plans its memory in the first run and takes it in the second."""


def peak_rss_mb() -> float:
    """Most memory that this process has held so far, MB = 2^20 bytes.

    Linux' `ru_maxrss` is no use: a child starts with its parent's peak. VmHWM starts anew with the program.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)


def _timed(engine: Engine, frames: np.ndarray) -> float:
    start = time.perf_counter_ns()
    engine.infer(frames)
    return (time.perf_counter_ns() - start) / 1e6


def _open(job: dict[str, Any]) -> tuple[Engine, bytes, np.ndarray, dict[str, Any]]:
    located = Located(Path(job["path"]), job["runtime"])
    frames = np.load(job["frames_file"])
    if located.runtime == "openvino":
        require("openvino", "openvino")
    else:
        importlib.import_module("onnxruntime")  # imports are not part of load_ms
    start = time.perf_counter_ns()
    engine, spec, data = open_engine(located, job["threads"])
    load_ms = (time.perf_counter_ns() - start) / 1e6
    t, _, size_px, _ = frames.shape
    if spec.size_px != size_px or spec.frames not in (None, t) or spec.form != "clip":
        raise ShapeError(
            f"{located.path.name}: a {spec.form} graph of {spec.frames or 'any'} frames of {spec.size_px} px; "
            f"the contest's clip has {t} of {size_px} px"
        )
    warm_up = [_timed(engine, frames)]
    while len(warm_up) < WARM_UP_RUNS or sum(warm_up) < 1000 * job["warm_up_seconds"]:
        warm_up.append(_timed(engine, frames))
    file_bytes = located.path.stat().st_size
    if located.path.suffix == ".xml":
        file_bytes += located.path.with_suffix(".bin").stat().st_size
    report = {
        "load_ms": load_ms,
        "first_ms": warm_up[0],
        "estimate_ms": warm_up[-1],
        "file_bytes": file_bytes,
        "sha256": hashlib.sha256(data).hexdigest(),
        "form": spec.form,
        "params": spec.params,
        "precision_stored": spec.precision,
        "runtime_version": engine.version,
    }
    return engine, data, frames, report


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer a job and its commands, line by line."""

    def say(**values: Any) -> None:
        print(json.dumps(values), file=out, flush=True)

    try:
        engine, data, frames, report = _open(json.loads(next(lines)))
        say(**report, peak_rss_mb=peak_rss_mb())
        for line in lines:
            command = json.loads(line)
            if "run" in command:
                wall, cpu = time.perf_counter(), time.process_time()
                times = [_timed(engine, frames) for _ in range(command["run"])]
                cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                say(ms=times, cpu_seconds=cpu, wall_seconds=wall, peak_rss_mb=peak_rss_mb())
            else:
                say(convolutions=convolutions_run(engine, data))
    except EdgeEchoError as error:
        say(error=str(error))
    except Exception as error:  # a row that fails must not end the others
        say(error=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever an engine prints goes to stderr
    serve(sys.stdin, answers)
