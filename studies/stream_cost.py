"""How much more does a frame of a stream cost than a frame of a clip? No document has the figures yet.

    python -m studies.stream_cost FOLDER

FOLDER is a bundle of `edgeecho export` with clip and stream graphs. The times are CPU times of this process with one
thread, and clip and stream take turns, so that other load on the machine affects both alike. A clip of 32 frames is one
run, its stream 32 runs; the first frame, with the additional runs of a stream's start, is listed apart.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.errors import ModelFileError
from edgeecho.model.registry import locate
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.frame_stream import FrameStream

TURNS = 15
WARM_UP_TURNS = 2


def _cost(folder: str, runtime: str, precision: str, clip: np.ndarray) -> tuple[float, float, float, int, int]:
    """Return medians in ms for a frame of the clip, of the stream and for its first one; tensors and bytes of state."""
    whole = open_engine(locate(folder, runtime, precision), threads=1).engine
    streamed = open_engine(locate(folder, runtime, precision, form="stream"), threads=1)
    stream = FrameStream(streamed.stream_engine, streamed.spec)

    def begin() -> None:
        stream.reset()
        stream.push(clip[0, 0])

    def go_on() -> None:
        for frame in clip[:, 0]:
            stream.push(frame)

    steps: list[tuple[Callable[[], object], int]] = [(lambda: whole.infer(clip), len(clip)), (begin, 1)]
    steps.append((go_on, len(clip)))
    times: list[list[float]] = [[] for _ in steps]
    for turn in range(WARM_UP_TURNS + TURNS):
        for (step, frames), column in zip(steps, times, strict=True):
            start = time.process_time()
            step()
            if turn >= WARM_UP_TURNS:
                column.append(1000 * (time.process_time() - start) / frames)
    of_clip, of_first, of_stream = map(statistics.median, times)
    state = [np.empty(t.shape, t.dtype).nbytes for t in streamed.spec.state]
    return of_clip, of_stream, of_first, len(state), sum(state)


def main(folder: str) -> None:
    """Print a table over runtimes and precisions that the folder has."""
    clip = speckle_clip()
    headings = ("runtime", "precision", "clip ms/frame", "stream ms/frame", "ratio", "first frame ms", "state")
    table = Table(
        *headings, title=f"{Path(folder).name}: clip of {len(clip)} frames, 1 thread, CPU time, median of {TURNS}"
    )
    for runtime in ("ort", "openvino"):
        for precision in ("int8", "fp32"):
            try:
                of_clip, of_stream, of_first, tensors, size = _cost(folder, runtime, precision, clip)
            except ModelFileError as error:
                Console(stderr=True).print(str(error), soft_wrap=True)
                continue
            cells = (f"{of_clip:.2f}", f"{of_stream:.2f}", f"{of_stream / of_clip:.2f}", f"{of_first:.1f}")
            table.add_row(runtime, precision, *cells, f"{tensors} tensors, {size / 1000:.0f} kB")
    Console(width=110).print(table)


if __name__ == "__main__":
    main(sys.argv[1])
