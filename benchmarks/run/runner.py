"""A row being measured: its process, its times, and what else is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeecho.benchmarks.profile.readback import precision_label
from edgeecho.benchmarks.run.entries import Entry
from edgeecho.benchmarks.run.error_text import without_folders
from edgeecho.benchmarks.run.machine import memory_is_short
from edgeecho.benchmarks.run.process import RowError, RowProcess
from edgeecho.benchmarks.run.result import Row
from edgeecho.errors import EdgeEchoError


@dataclass(eq=False)
class Runner:
    """A row and its process."""

    entry: Entry
    row: Row
    process: RowProcess | None = None
    estimate_ms: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    job: dict[str, Any] = field(default_factory=dict)
    """What its process is told; empty until it was opened."""
    input_shapes: dict[str, list[int]] | None = None
    """Of what a run is given, by name: axes of the graph may be free."""

    @classmethod
    def of(cls, entry: Entry, threads: int) -> "Runner":
        """Not yet open."""
        row = Row(
            model=entry.model, form=entry.form, runtime=entry.runtime, precision_asked=entry.precision, threads=threads
        )
        return cls(entry, row)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What fails inside is this row's error, and ends its process."""
        try:
            yield
        except EdgeEchoError as error:
            self.row.error = without_folders(str(error))
            self.close()

    @contextmanager
    def attempt_extra(self, what: str) -> Iterator[None]:
        """What fails inside is named in the row's `failed`; its times are as good as before."""
        try:
            yield
        except Exception as error:  # whatever it is, no other row must be lost to it
            kind = "" if isinstance(error, EdgeEchoError) else f"{type(error).__name__}: "
            self.row.failed = {**(self.row.failed or {}), what: without_folders(f"{kind}{error}")}

    def open(self, frames_file: Path, warm_up_seconds: float) -> None:
        """Start the process, load, warm up.

        Raises:
            EdgeEchoError: If that fails.
        """
        entry, row = self.entry, self.row
        self.job = {
            **entry.job(),
            "threads": row.threads,
            "frames_file": str(frames_file),
            "warm_up_seconds": warm_up_seconds,
        }
        self.process = RowProcess(self.job)
        opened = self.process.opened
        self.input_shapes = opened.pop("input_shapes")
        stored = opened.pop("precision_stored")
        row.precision_asked = row.precision_asked or stored
        if stored != row.precision_asked:
            raise RowError(f"{Path(self.job['path']).name}: holds {stored}, not {row.precision_asked}")
        self.estimate_ms = opened.pop("estimate_ms")
        for key, value in opened.items():
            setattr(row, key, round(value, 3) if isinstance(value, float) else value)

    def time(self, runs: int) -> None:
        """So many timed runs more."""
        answer = self.request("run", runs=runs)
        self.row.times_ms += answer["ms"]
        self.row.peak_rss_mb = round(answer["peak_rss_mb"], 3)
        self.cpu_seconds += answer["cpu_seconds"]
        self.wall_seconds += answer["wall_seconds"]
        self.row.cores_used = round(self.cpu_seconds / self.wall_seconds, 3)

    def request(self, what: str, **settings: Any) -> dict[str, Any]:
        """As `RowProcess.ask`; a parked row begins anew first, and warms up."""
        self.process = self.process or RowProcess(self.job)
        return self.process.request(what, **settings)

    def add(self, what: str, **settings: Any) -> None:
        """Fill in the row's field of that name; the last things that are asked, as they cost memory."""
        with self.attempt_extra(what):
            setattr(self.row, what, self.request(what, **settings)[what])

    def read_back(self) -> None:
        """Which precision ran."""
        with self.attempt_extra("precision_run"):
            self.row.convolutions_run = self.request("read_back")["convolutions"]
            self.row.precision_run = precision_label(self.row.convolutions_run)

    @property
    def is_ready(self) -> bool:
        """It was opened, and has not failed since; it may be parked."""
        return bool(self.job) and not self.row.error

    @property
    def is_live(self) -> bool:
        """A stream of ours, which `--rate` drives."""
        return self.entry.kind == "ours" and self.row.form == "stream"

    @property
    def segments(self) -> bool:
        """A clip model that takes a cine to its figures."""
        return self.entry.kind == "ours" and self.row.form == "clip" and self.row.runtime != "torch"

    def park(self) -> None:
        """End the process where memory is short; `ask` begins another."""
        if memory_is_short():
            self.close()

    def close(self) -> None:
        """End the process."""
        if self.process:
            self.process.close()
        self.process = None
