"""Worker process of one row: `python -m edgeecho.benchmarks.run.worker`, with a line of JSON a request and a reply.

The first request is `Entry.job` with threads, frames_file and warm_up_seconds; its reply reports loading and warm-up.
Each later request is {"do": name, ...}. The reply of `run` has times in ms, of `live`, `end_to_end`, `profile` and
`estimates` the row's field of that name, and of `read_back` the precision that ran. A reply with `error` to the first
request ends the process; a later one ends that request alone. The end of stdin ends the process too.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from edgeecho.benchmarks.run.loaded_row import LoadedRow, load_row
from edgeecho.errors import ConfigError, EdgeEchoError
from edgeecho.preprocess import UPRIGHT

WARM_UP_RUNS = 2
"""Fewest warm-up runs: ONNX Runtime plans its memory in the first run and allocates it in the second."""


def rss_mb(field: str = "VmHWM") -> float:
    """Return the peak (`VmHWM`) or present (`VmRSS`) resident memory of this process, MB = 2^20 bytes.

    `ru_maxrss` of Linux starts with the peak of the parent process; VmHWM starts anew with the program. psutil reports
    no peak on Linux.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start) / 1e6


class _RowServer:
    """Loaded row with a method for each request."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.frames = np.load(job["frames_file"])
        before = rss_mb("VmRSS")
        self.row: LoadedRow = load_row(job, self.frames)
        self.shapes = {name: list(value.shape) for name, value in self.row.inputs.items()}
        warm_up = [_timed(self.row.run)]
        while len(warm_up) < WARM_UP_RUNS or sum(warm_up) < 1000 * job["warm_up_seconds"]:
            warm_up.append(_timed(self.row.run))
        self.loading = {
            **self.row.report,
            "first_ms": warm_up[0],
            "estimate_ms": warm_up[-1],
            "frames_per_run": self.row.frames_per_run,
            "input_shapes": self.shapes,
            "start_rss_mb": before,
            "loaded_rss_mb": rss_mb("VmRSS"),
            "peak_rss_mb": rss_mb(),
        }

    def run(self, runs: int) -> dict[str, Any]:
        wall, cpu = time.perf_counter(), time.process_time()
        times = [_timed(self.row.run) for _ in range(runs)]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"ms": times, "cpu_seconds": cpu, "wall_seconds": wall, "peak_rss_mb": rss_mb()}

    def live(self, fps: float, seconds: float, cine: str) -> dict[str, Any]:
        from edgeecho.benchmarks.run.live import run_live
        from edgeecho.cine import read_cine
        from edgeecho.runtime.streaming import StreamingPredictor

        model = self.row.model
        if model is None or model.spec.form != "stream":
            raise ConfigError("a fixed rate drives stream graphs alone")
        stream = StreamingPredictor(model.stream_engine, model.spec, model.sha256, fps=fps, flip=UPRIGHT)
        return {"live": run_live(stream.push, read_cine(cine).frames, fps, seconds)}

    def end_to_end(self, cine: str, runs: int) -> dict[str, Any]:
        from edgeecho.benchmarks.run.end_to_end import time_stages
        from edgeecho.runtime.predictor import Predictor

        model = self.row.model
        if model is None:
            raise ConfigError("only a model with a spec segments a cine")
        return {"end_to_end": time_stages(Predictor(model.engine, model.spec, model.sha256), Path(cine), runs)}

    def profile(self) -> dict[str, Any]:
        from edgeecho.benchmarks.profile.profile import profile_model

        path, row = Path(self.job["path"] or ""), self.row
        weights = path.with_suffix(".bin").read_bytes() if path.suffix == ".xml" else b""
        precision = self.loading["precision_stored"] or "fp32"
        found = profile_model(row.data, weights, self.job["runtime"], precision, row.inputs, self.job["threads"])
        return {"profile": found}

    def estimates(self, boards: list[str], measured_ms: float) -> dict[str, Any]:
        from edgeecho.benchmarks.profile.boards import find_boards
        from edgeecho.benchmarks.profile.estimate import calibrate, estimate
        from edgeecho.benchmarks.profile.layers import graph_layers

        count, threads = self.row.frames_per_run, self.job["threads"]
        layers = graph_layers(self.row.data, count, self.shapes)
        calibration = calibrate(layers, measured_ms, count, threads)
        return {"estimates": [estimate(layers, board, threads, calibration) for board in find_boards(boards)]}

    def read_back(self) -> dict[str, Any]:
        from edgeecho.benchmarks.profile.readback import convolutions_run

        return {"convolutions": convolutions_run(self.row.engine, self.row.data, self.row.inputs)}


def serve(lines: TextIO, out: TextIO) -> None:
    """Reply to a job and the requests that follow, line by line."""

    def reply(**values: Any) -> None:
        print(json.dumps(values), file=out, flush=True)

    server: _RowServer | None = None
    for line in lines:
        request = json.loads(line)
        try:
            if server is None:
                server = _RowServer(request)
                reply(**server.loading)
            else:
                handler = getattr(server, request.pop("do"))
                reply(**handler(**request))
        except EdgeEchoError as error:
            reply(error=str(error))
        except Exception as error:  # a row that fails must not end the others
            reply(error=f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}")
        if server is None:
            return


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever an engine prints goes to stderr
    serve(sys.stdin, replies)
