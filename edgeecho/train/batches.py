"""Batches of clips: the clips of every training step, drawn from the sources by their shares."""

import os

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from edgeecho.errors import DataError, VideoError
from edgeecho.train.config import TrainConfig
from edgeecho.train.sources import Clip, Source

MAX_UNREADABLE_CINES = 20
"""Number of unreadable cines in a row at which a run stops."""
FIELDS = ("frames", "clean", "masks", "labelled", "interpolated", "cycle", "phase_confidence")
"""Fields of a `Clip` that a batch holds."""


class Batches(Dataset[dict[str, Tensor]]):
    """Data set whose item s is the whole batch of step s.

    A batch holds `frames`, `clean` and `masks`, uint8 (B, T, H, W); `labelled` and `interpolated`, bool (B, T);
    `cycle`, float32 (B, T); and `phase_confidence`, float64 (B,).
    """

    def __init__(
        self, sources: list[tuple[float, Source]], config: TrainConfig, size_px: int, rank: int = 0, processes: int = 1
    ) -> None:
        self.sources, self.config, self.size_px = [source for _, source in sources], config, size_px
        self.rank, self.processes = rank, processes
        self.upper = np.cumsum([share for share, _ in sources])

    def __len__(self) -> int:
        return self.config.optim.steps

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        cv2.setNumThreads(0)
        seed, count = self.config.run.seed, self.config.clips.per_step // self.processes
        own = range(self.rank * count, (self.rank + 1) * count)
        clips = [self._clip(np.random.default_rng((seed, step, i))) for i in own]
        return {name: torch.from_numpy(np.stack([getattr(c, name) for c in clips])) for name in FIELDS}

    def _clip(self, rng: np.random.Generator) -> Clip:
        source = self.sources[min(int(np.searchsorted(self.upper, rng.uniform())), len(self.sources) - 1)]
        for attempt in range(MAX_UNREADABLE_CINES):
            try:
                return source.clip(rng, self.config.clips, self.size_px)
            except (DataError, VideoError):  # `edgeecho data check` lists it; another cine takes its place
                if attempt == MAX_UNREADABLE_CINES - 1:
                    raise
        raise AssertionError("unreachable")


def lower_priority(worker: int) -> None:
    """Lower the priority of a worker process, since the network's threads all wait if one of them loses its core."""
    if hasattr(os, "nice"):
        os.nice(10)
