"""Clips of every training step, drawn from the sources by their shares, and their batches for one process."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from edgeecho.errors import ConfigError, DataError, EdgeEchoError, VideoError
from edgeecho.train.config import TrainConfig
from edgeecho.train.sources import Clip, Source
from edgeecho.train.workers import load_in_order, single_thread

MAX_UNREADABLE_CINES = 20
"""Number of unreadable cines in a row at which a run stops."""
PREFETCHED_STEPS = 4
"""Number of steps whose clips are made in advance, at most. Clips take different times, and come in order."""
FIELDS = ("frames", "clean", "masks", "labelled", "interpolated", "cycle", "phase_confidence")
"""Fields of a `Clip` that a batch holds."""


class Clips(Dataset[Clip]):
    """Data set whose item (s, i) is clip i of step s, which depends on (seed, s, i) alone."""

    def __init__(self, sources: list[tuple[float, Source]], config: TrainConfig, size_px: int) -> None:
        """Take sources with their shares, which sum to 1, and the side of the network's frames."""
        self.sources, self.config, self.size_px = [source for _, source in sources], config, size_px
        self.upper = np.cumsum([share for share, _ in sources])

    def __len__(self) -> int:
        return self.config.optim.steps * self.config.clips.per_step

    def __getitem__(self, index: tuple[int, int]) -> Clip:
        """Make a clip.

        Raises:
            DataError: If 20 cines in a row cannot be read.
            VideoError: If 20 cines in a row cannot be read.
        """
        step, i = index
        with single_thread():
            return self._clip(np.random.default_rng((self.config.run.seed, step, i)))

    def _clip(self, rng: np.random.Generator) -> Clip:
        source = self.sources[min(int(np.searchsorted(self.upper, rng.uniform())), len(self.sources) - 1)]
        for attempt in range(MAX_UNREADABLE_CINES):
            try:
                return source.clip(rng, self.config.clips, self.size_px)
            except (DataError, VideoError):  # `edgeecho data check` lists it; another cine takes its place
                if attempt == MAX_UNREADABLE_CINES - 1:
                    raise
        raise AssertionError("unreachable")


def load_batches(
    clips: Clips, config: TrainConfig, first_step: int, *, rank: int = 0, processes: int = 1
) -> Iterator[dict[str, Tensor]]:
    """Yield the batch of each step from `first_step` to the last, of the clips of one process of a run.

    Clips are made by `run.workers` processes of low priority, each clip by whichever is free, a few steps in advance.
    The batches do not depend on the number of workers. Those of all processes, one after another, are the batch that
    one process would get.

    Args:
        clips: Clips of the run.
        config: Settings of the run.
        first_step: Step to begin with, from 0.
        rank: Number of this process, from 0.
        processes: Number of processes that share the clips of a step evenly.

    Yields:
        `frames`, `clean` and `masks`, uint8 (B, T, S, S); `labelled` and `interpolated`, bool (B, T); `cycle`, float32
        (B, T); and `phase_confidence`, float32 (B,).

    Raises:
        ConfigError: If the clips of a step cannot be divided by the processes.
        DataError: If too many cines in a row cannot be read.
        VideoError: If too many cines in a row cannot be read.
    """
    per_step, workers = config.clips.per_step, config.run.workers
    if per_step % processes:
        raise ConfigError(
            f"clips.per_step is {per_step}, which {processes} processes cannot share evenly; choose a multiple of it"
        )
    share = per_step // processes
    own = [(step, i) for step in range(first_step, config.optim.steps) for i in range(rank * share, (rank + 1) * share)]
    prefetch = max(2, math.ceil(PREFETCHED_STEPS * share / max(1, workers)))
    batch: list[Clip] = []
    for clip in load_in_order(_Attempts(clips), own, workers, prefetch):
        if isinstance(clip, EdgeEchoError):
            raise clip
        batch.append(clip)
        if len(batch) == share:
            yield {name: torch.from_numpy(np.stack([getattr(c, name) for c in batch])) for name in FIELDS}
            batch = []


class _Attempts(Dataset["Clip | EdgeEchoError"]):
    """Clips, or the error in place of one: the loader would add the traceback of a worker to its message."""

    def __init__(self, clips: Clips) -> None:
        self.clips = clips

    def __getitem__(self, index: tuple[int, int]) -> Clip | EdgeEchoError:
        try:
            return self.clips[index]
        except EdgeEchoError as error:
            return error
