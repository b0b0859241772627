"""Do our times agree with those of the engines' own tools? The figures are in docs/benchmarks.md.

    python -m studies.own_tools MODEL...

The tool of OpenVINO is `benchmark_app` (one synchronous request, as in our benchmark). ONNX Runtime has none for
Python, so a plain loop over its API takes its place. Both run in turns with ours, on the same file, with the same
number of threads and a clip of 32 frames. MODEL is the name of a packaged model or a folder.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from rich.table import Table

from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.entries import Entry
from edgeecho.benchmarks.run.process import RowProcess
from edgeecho.cli.console import table_console
from edgeecho.errors import EdgeEchoError, MissingExtraError

TURNS, SECONDS = 5, 3
"""Number of turns of each tool and seconds of a turn; the median of the turns' medians is printed."""
THREADS = 1


def _ours(process: RowProcess, runs: int) -> float:
    return float(median(process.request("run", runs=runs)["ms"]))


def _plain_loop(path: Path, clip: np.ndarray) -> float:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        session.run(["prob"], {"frames": clip})
        times.append((time.perf_counter_ns() - start) / 1e6)
    return median(times[2:])


def _benchmark_app(path: Path, clip: np.ndarray) -> float:
    tool = shutil.which("benchmark_app", path=str(Path(sys.executable).parent)) or shutil.which("benchmark_app")
    if not tool:
        raise MissingExtraError("benchmark_app is not installed: pip install openvino")
    shape = ",".join(map(str, clip.shape))
    settings = ["-api", "sync", "-hint", "none", "-nstreams", "1", "-nthreads", str(THREADS), "-t", str(SECONDS)]
    # With `-inference_only` T stays free, as ours.
    settings += ["-infer_precision", "f32", "-data_shape", f"frames[{shape}]", "-inference_only"]
    run = subprocess.run([tool, "-m", str(path), "-d", "CPU", *settings], capture_output=True, text=True, check=False)
    found = re.search(r"Median:\s+([\d.]+) ms", run.stdout)
    if not found:
        raise EdgeEchoError(f"benchmark_app gave no median: {(run.stderr or run.stdout).strip().splitlines()[-1]}")
    return float(found[1])


def main(models: list[str]) -> None:
    """Print one row for each model, engine and precision."""
    clip = speckle_clip()
    table = Table("row", "ours, ms", "own tool, ms", "ratio", title=f"{THREADS} thread, medians of {TURNS} turns")
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.npy"
        np.save(frames, clip)
        for model in models:
            for runtime, tool in (("ort", _plain_loop), ("openvino", _benchmark_app)):
                for precision in ("fp32", "int8"):
                    entry = Entry(Path(model).name, model, runtime, precision)
                    job = {**entry.job(), "threads": THREADS, "frames_file": str(frames), "warm_up_seconds": 0.5}
                    process = RowProcess(job)
                    runs = max(5, round(1000 * SECONDS / process.loading["estimate_ms"]))
                    pairs = [(_ours(process, runs), tool(entry.path(), clip)) for _ in range(TURNS)]
                    process.close()
                    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
                    table.add_row(entry.label, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.3f}")
    table_console().print(table)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["cl_unet_edge"])
    except EdgeEchoError as error:
        sys.exit(f"error: {error}")
