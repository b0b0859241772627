"""A run over cines: the results in the order of the cines, by one process, several, or a cluster."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgeecho.batch.inputs import find_tasks
from edgeecho.batch.pairs import find_pairs
from edgeecho.batch.report import RunReport
from edgeecho.batch.segment_cine import segment_cine
from edgeecho.batch.settings import CineOptions, Settings
from edgeecho.batch.task import CineTask, Outcome
from edgeecho.dicom import Target, send_files
from edgeecho.dicom.kinds import check_products
from edgeecho.errors import ConfigError, OutputError
from edgeecho.files import require_writable
from edgeecho.runtime import CinePredictor

Report = Callable[[str, int, int], None]
"""Function that is called with the name of a cine, the number of cines or frames done, and that of all."""


@dataclass(frozen=True)
class Batch:
    """The cines of a run, with the model that segments them."""

    tasks: list[CineTask]
    settings: Settings
    predictor: CinePredictor
    jobs: int
    """Number of processes; 1 is this process alone."""
    report: RunReport
    """Table, page and biplane figures of the run."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers segment the cines."""
    target: Target | None = None
    """Receiver to which the DICOM products of each cine are sent."""


def prepare_batch(
    inputs: Iterable[str],
    options: CineOptions,
    settings: Settings,
    *,
    jobs: int | None = 1,
    scheduler: str | None = None,
    pair: str | None = None,
    target: Target | None = None,
) -> Batch:
    """Find the cines of a run, open the model and check that results can be written.

    Args:
        inputs: What `find_tasks` takes.
        options: Settings of cines.
        settings: Settings of the run.
        jobs: Number of processes, None for one a core. With more than one, each uses one thread unless the model's
            choice says otherwise.
        scheduler: Address of a Dask scheduler.
        pair: Which cines are the two views of a study, as `find_pairs` takes it; None for no biplane figures.
        target: Receiver of the DICOM products.

    Raises:
        ConfigError: If `jobs` is below 1, there is no pair, or there is a receiver and nothing to send.
        VideoError: If there is no cine.
        OutputError: If the folder of the results cannot be written.
        EdgeEchoError: Those of `load`.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs must be at least 1, got {jobs}")
    check_products(settings.products, target)
    predictor = settings.choice.open()
    tasks = find_tasks(inputs, settings.out, options, settings.pseudonyms)
    pairs = find_pairs(pair, tasks) if pair is not None else []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = settings.choice.threads
    wanted = min(jobs if jobs is not None else max(1, cores // (threads or 1)), len(tasks))
    if wanted > 1 and threads is None:
        settings = replace(settings, choice=replace(settings.choice, threads=1))
    require_writable(settings.out)
    return Batch(tasks, settings, predictor, wanted, RunReport(settings, pairs), scheduler, target)


def run_batch(batch: Batch, report: Report) -> Iterator[Outcome]:
    """Segment the cines of a run, and write the table of all results at its end, or when it is stopped.

    Args:
        batch: The run.
        report: Called when a cine is done; if there is only one, when frames are.

    Yields:
        Outcomes in the order of the cines.

    Raises:
        OutputError: If results cannot be written.
    """
    try:
        for outcome in _in_order(_outcomes(batch, report)):
            if outcome.stops:
                raise OutputError(outcome.error)
            batch.report.add(outcome)
            yield send_products(outcome, batch.target)
    finally:
        if len(batch.tasks) > 1:
            batch.report.write()


def send_products(outcome: Outcome, target: Target | None) -> Outcome:
    """Send the DICOM products of a cine to a receiver, if there is one; the outcome gets the reason if that fails."""
    if target is None:
        return outcome
    try:
        send_files([Path(file) for file in outcome.files if file.endswith(".dcm")], target)
    except OutputError as error:
        return replace(outcome, unsent=" ".join(str(error).split()))
    return outcome


def _outcomes(batch: Batch, report: Report) -> Iterator[tuple[int, Outcome]]:
    """Yield the outcomes in the order in which they are done, each with the index of its cine."""
    count = len(batch.tasks)
    if batch.scheduler is not None:
        from edgeecho.batch.cluster import segment_on_cluster

        source = segment_on_cluster(batch.tasks, batch.settings, batch.scheduler)
    elif batch.jobs > 1:
        from edgeecho.batch.workers import segment_in_processes

        source = segment_in_processes(batch.tasks, batch.settings, batch.jobs)
    else:
        source = _here(batch, report)
    report("", 0, count)
    for done, (index, outcome) in enumerate(source, 1):
        if count > 1:
            report(outcome.task.name, done, count)
        yield index, outcome


def _here(batch: Batch, report: Report) -> Iterator[tuple[int, Outcome]]:
    is_one = len(batch.tasks) == 1
    for index, task in enumerate(batch.tasks):
        frames = (lambda done, total, name=task.name: report(name, done, total)) if is_one else None
        yield index, segment_cine(batch.predictor, task, batch.settings, frames)


def _in_order(outcomes: Iterator[tuple[int, Outcome]]) -> Iterator[Outcome]:
    """Yield outcomes in the order of their cines, as soon as those before are there."""
    held: dict[int, Outcome] = {}
    following = 0
    for index, outcome in outcomes:
        held[index] = outcome
        while following in held:
            yield held.pop(following)
            following += 1
