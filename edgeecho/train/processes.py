"""Processes of a training run that `torchrun` started: who they are, and sums over all of them.

    torchrun --nproc-per-node N -m edgeecho train CONFIG

Every process takes an equal share of the clips of each step. One process by itself needs no `torchrun`.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

_JOINS = itertools.count()
PATIENCE_H = 6
"""Hours that processes wait for one of them, which may be reading a data set."""


@dataclass(frozen=True)
class Processes:
    """This process among the processes of a run."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1
    """Number of the run's processes on this machine."""
    restarts: int = 0
    """How often `torchrun` has started the processes again after one of them failed."""

    @classmethod
    def from_environment(cls) -> "Processes":
        """Read what `torchrun` tells its processes; without it, one process."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")
        usual = (0, 1, 0, 1, 0)
        return cls(*(int(os.environ.get(name, value)) for name, value in zip(names, usual, strict=True)))

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Connect the processes for the block: by NCCL between CUDA devices, else by Gloo."""
        if self.count == 1:
            yield
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)  # NCCL takes the present one
        store, rank, count = next(rendezvous("env://"))
        # Processes that were started again, or train again, would else read the addresses of before.
        store = PrefixStore(f"start{self.restarts}.{next(_JOINS)}", store)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=timedelta(hours=PATIENCE_H))
        try:
            yield
        finally:
            dist.destroy_process_group()

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over all processes."""
        if self.count == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.count

    def wait(self) -> None:
        """Wait for all processes."""
        if self.count > 1:
            dist.barrier()

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of their ranks."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values
