"""Work on many items at once, in threads."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edgeecho.data.datasets.dataset import Item

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Function that is called with the number of items done and the number of items."""


def over_items(work: Callable[[Item], T], items: Sequence[Item], jobs: int | None, progress: Progress) -> Iterator[T]:
    """Yield the result of `work` for each item, in their order.

    Threads are enough, as decoding releases Python's lock; at most 64 results a thread are held.

    Args:
        work: Function of an item, called in several threads.
        items: Items to work on.
        jobs: Number of threads; None means as many as there are cores.
        progress: Called after each item.
    """
    from edgeecho.cine.video import quiet_cv2

    jobs = jobs or os.cpu_count() or 1
    with quiet_cv2(), ThreadPoolExecutor(jobs) as pool:
        step = 64 * jobs
        done = 0
        progress(0, len(items))
        for at in range(0, len(items), step):
            for result in pool.map(work, items[at : at + step]):
                done += 1
                progress(done, len(items))
                yield result
