"""Running time of int8 files relative to fp32 files, on the machine that exports."""

import statistics
import time
from pathlib import Path

import numpy as np

from edgeecho.model.registry import locate
from edgeecho.runtime.engines.engine import open_engine

TIMED_RUNS = 5


def relative_time(path: Path, other: Path, cine: np.ndarray) -> float:
    """Return the median time of a run of one clip file over that of another; the two run in turns."""
    opened = [open_engine(locate(each)) for each in (path, other)]
    frames = opened[0].spec.frames or len(cine)
    clip = np.resize(cine, (frames, *cine.shape[1:]))[:, None]
    seconds: list[list[float]] = [[], []]
    for _ in range(TIMED_RUNS + 1):
        for model, taken in zip(opened, seconds, strict=True):
            begun = time.perf_counter()
            model.engine.infer(clip)
            taken.append(time.perf_counter() - begun)
    ours, theirs = (statistics.median(taken[1:]) for taken in seconds)
    return ours / theirs
