"""Worker processes of a run: each opens the model once; one that dies takes only its own cine with it."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for

from edgeecho.batch.segment_cine import segment_cine
from edgeecho.batch.settings import Settings
from edgeecho.batch.task import CineTask, Outcome
from edgeecho.errors import ConfigError
from edgeecho.runtime import CinePredictor

AHEAD = 2
"""Number of cines for each process that are handed over at a time, so that no process waits for the next."""

_predictor: CinePredictor | None = None
_settings: Settings | None = None


def segment_in_processes(tasks: list[CineTask], settings: Settings, jobs: int) -> Iterator[tuple[int, Outcome]]:
    """Segment cines in worker processes.

    If a process dies, for want of memory for example, the cines that were handed over are tried again, each in a
    process of its own; one that kills that process too gets an error.

    Args:
        tasks: The cines.
        settings: Settings of the run; every process opens its model.
        jobs: Number of processes.

    Yields:
        Index of a cine and its outcome, in the order in which they are done.

    Raises:
        ConfigError: If the system lets no processes share locks.
    """
    waiting, suspects = deque(range(len(tasks))), deque[int]()
    while waiting or suspects:
        alone = not waiting
        queue = deque([suspects.popleft()]) if alone else waiting
        handed: dict[Future[Outcome], int] = {}
        try:
            with _pool(settings, 1 if alone else min(jobs, len(queue))) as pool:
                while queue or handed:
                    while queue and len(handed) < AHEAD * jobs:
                        index = queue.popleft()
                        handed[pool.submit(_segment, tasks[index])] = index
                    done, _ = wait(handed, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcome = future.result()
                        yield handed.pop(future), outcome
        except BrokenProcessPool:
            lost = sorted(handed.values())
            if alone:
                text = f"{tasks[lost[0]].label}: its process was killed, for want of memory perhaps; try fewer --jobs"
                yield lost[0], Outcome(tasks[lost[0]], error=text)
            else:
                suspects.extend(lost)


def _pool(settings: Settings, jobs: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of the engines
    try:
        return ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(settings,))
    except OSError as error:  # of the locks that processes share: on Linux files in /dev/shm
        raise ConfigError(
            f"several processes cannot work here: {error.strerror}, and on Linux /dev/shm must be there and writable; "
            "give --jobs 1"
        ) from error


def _start(settings: Settings) -> None:
    """Prepare a worker process: Ctrl-C is left to its parent, and it ends when the parent is killed."""
    global _predictor, _settings
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _settings = settings
    _predictor = settings.choice.open()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _segment(task: CineTask) -> Outcome:
    assert _predictor is not None
    assert _settings is not None
    return segment_cine(_predictor, task, _settings)
