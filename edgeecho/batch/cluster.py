"""Cines on a Dask cluster: each a task that may be done twice with the same result, on whichever worker is free."""

from collections.abc import Iterator
from functools import lru_cache

from edgeecho.batch.segment_cine import segment_cine
from edgeecho.batch.settings import ModelChoice, Settings
from edgeecho.batch.task import CineTask, Outcome
from edgeecho.errors import ConfigError, require
from edgeecho.runtime import CinePredictor

RETRIES = 2
"""Number of times that a cine is tried again after an error of a worker, such as a lost connection."""
AHEAD = 4
"""Number of cines for each worker thread that are handed to the scheduler at a time."""


def segment_on_cluster(tasks: list[CineTask], settings: Settings, address: str) -> Iterator[tuple[int, Outcome]]:
    """Segment cines on the workers of a Dask scheduler.

    Every worker needs EdgeEcho, and must find the cines and the folder of the results under the same paths. A worker
    opens the model once. The scheduler gives the cines of a worker that is lost to another one; results are written
    whole or not at all, so a cine that was done twice is there once. A cine at which several workers died
    (`distributed.scheduler.allowed-failures`) gets an error.

    Args:
        tasks: The cines.
        settings: Settings of the run.
        address: Address of the scheduler, such as `tcp://10.0.0.1:8786`.

    Yields:
        Index of a cine and its outcome, in the order in which they are done.

    Raises:
        ConfigError: If no scheduler answers, or it has no workers.
    """
    distributed = require("distributed", "cluster")
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(f"--scheduler {address}: no Dask scheduler answers there; start one, or check it") from error
    with client:
        slots = sum(client.nthreads().values())
        if not slots:
            raise ConfigError(f"--scheduler {address}: it has no workers; start them with `dask worker {address}`")
        waiting = iter(enumerate(tasks))
        handed: dict[object, int] = {}
        running = distributed.as_completed(loop=client.loop)

        def hand_over() -> None:
            for index, task in waiting:
                future = client.submit(segment_on_worker, task, settings, pure=False, retries=RETRIES)
                handed[future] = index
                running.add(future)
                if len(handed) >= AHEAD * slots:
                    return

        hand_over()
        while handed:
            future = next(running)
            index = handed.pop(future)
            fault = future.exception() if future.status != "finished" else None
            yield index, _lost(tasks[index], fault) if fault else future.result()
            hand_over()


def segment_on_worker(task: CineTask, settings: Settings) -> Outcome:
    """Segment one cine on a worker."""
    return segment_cine(_opened(settings.choice), task, settings)


@lru_cache(maxsize=2)
def _opened(choice: ModelChoice) -> CinePredictor:
    return choice.open()


def _lost(task: CineTask, error: BaseException) -> Outcome:
    text = f"{task.label}: no worker could segment it: {type(error).__name__}: {' '.join(str(error).split())}"
    return Outcome(task, error=task.hide(text))
