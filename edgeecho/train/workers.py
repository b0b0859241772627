"""Worker processes that read cines and make clips: of low priority, with one thread each, their results in order.

With more threads small operations wait for each other: the singular value decomposition of a clip of 16 frames
(`cycle.py`) takes many times as long with two BLAS threads on two cores as with one, and the bits of its result may
depend on their number.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
import scipy.linalg  # noqa: F401 (it has a BLAS of its own, which must be there when they are listed)
from threadpoolctl import ThreadpoolController
from torch.utils.data import DataLoader, Dataset

T = TypeVar("T")
LARGE_BLOCK_BYTES = 31 << 20


@contextmanager
def single_thread() -> Iterator[None]:
    """Run the block with one thread of BLAS and of OpenCV, then with as many as before."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)


def load_in_order(items: Dataset[T], indices: Sequence[Any], workers: int, prefetch: int = 2) -> Iterator[T]:
    """Yield items in the order of their indices, each made by whichever worker is free.

    Args:
        items: Data set, which is called with an index. It should return its errors: the message of one that a worker
            raises contains a traceback.
        indices: Indices of the items.
        workers: Number of worker processes; 0 makes the items in this one, when they are asked for.
        prefetch: Number of items that each worker makes in advance, at most.
    """
    # A worker is a copy of this process without its threads (fork). If OpenCV had some, the worker would wait for them.
    with single_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")  # more workers than cores, as the user chose
        loader: DataLoader[T] = DataLoader(
            items,
            batch_size=None,
            sampler=indices,
            num_workers=workers,
            collate_fn=_unchanged,
            prefetch_factor=prefetch if workers else None,
            worker_init_fn=_start_worker,
        )
        loaded = iter(loader)
    if not workers:
        keep_freed_memory()
    yield from loaded


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Find the libraries of this process that have threads, which takes milliseconds."""
    return ThreadpoolController()


def keep_freed_memory() -> None:
    """Let this process use the memory of freed arrays again, which glibc otherwise returns to the system.

    A clip is made through several arrays of 1 to 6 MB, whose memory the system would clear anew for every clip.
    glibc keeps what is smaller than the largest block that was freed before, up to 32 MB (mallopt(3),
    M_MMAP_THRESHOLD); other systems do nothing here.
    """
    np.empty(LARGE_BLOCK_BYTES, np.uint8)


def _start_worker(worker: int) -> None:
    """Lower the priority of a worker process, since the network's threads all wait if one of them loses its core."""
    keep_freed_memory()
    if hasattr(os, "nice"):
        os.nice(10)


def _unchanged(item: Any) -> Any:
    return item
