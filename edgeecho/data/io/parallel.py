"""Looking at many items at once."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from edgeecho.data.datasets.dataset import Item

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with items done and items."""


def over_items(look: Callable[[Item], T], items: Sequence[Item], jobs: int | None, progress: Progress) -> Iterator[T]:
    """What `look` gives for each item, in their order.

    Threads, as decoding leaves Python's lock; at most a few results a thread are held.

    Args:
        look: Called in several threads.
        items: The items.
        jobs: Threads; as many as there are cores if None.
        progress: Called after each item.
    """
    from edgeecho.cine.video import quiet_cv2

    jobs = jobs or os.cpu_count() or 1
    with quiet_cv2(), ThreadPoolExecutor(jobs) as pool:
        step = 64 * jobs
        done = 0
        progress(0, len(items))
        for at in range(0, len(items), step):
            for result in pool.map(look, items[at : at + step]):
                done += 1
                progress(done, len(items))
                yield result
