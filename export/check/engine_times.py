"""Times of engines on one clip, measured in turns, so that other load on the machine affects all alike."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeecho.model.registry import locate
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import Engine

TIMED_RUNS = 5


def median_seconds(engines: Sequence[Engine], clip: np.ndarray, runs: int, warm_up_runs: int = 1) -> list[float]:
    """Return the median time of one run of each engine.

    Args:
        engines: Engines that take the same clip.
        clip: Frames, uint8 (T, 1, S, S).
        runs: Number of timed runs.
        warm_up_runs: Number of runs before them.
    """
    seconds: list[list[float]] = [[] for _ in engines]
    for _ in range(warm_up_runs + runs):
        for engine, taken in zip(engines, seconds, strict=True):
            begun = time.perf_counter()
            engine.infer(clip)
            taken.append(time.perf_counter() - begun)
    return [statistics.median(taken[warm_up_runs:]) for taken in seconds]


def relative_time(path: Path, other: Path, cine: np.ndarray) -> float:
    """Return the median time of a run of one clip file over that of another."""
    opened = [open_engine(locate(each)) for each in (path, other)]
    frames = opened[0].spec.frames or len(cine)
    clip = np.resize(cine, (frames, *cine.shape[1:]))[:, None]
    ours, theirs = median_seconds([model.engine for model in opened], clip, TIMED_RUNS)
    return ours / theirs
