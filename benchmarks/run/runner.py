"""Runner of a row: its process, its times, and its extra measurements."""

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
    """Row that is being measured, and its process."""

    entry: Entry
    row: Row
    process: RowProcess | None = None
    estimate_ms: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    job: dict[str, Any] = field(default_factory=dict)
    """Job of its process; empty before it is opened."""
    input_shapes: dict[str, list[int]] | None = None
    """Shapes of the inputs of a run, by name; axes of the graph may be free."""

    @classmethod
    def of(cls, entry: Entry, threads: int) -> "Runner":
        """Make a runner whose row is not loaded yet."""
        row = Row(
            model=entry.model, form=entry.form, runtime=entry.runtime, precision_asked=entry.precision, threads=threads
        )
        return cls(entry, row)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Run a step whose failure becomes the row's error and ends its process."""
        try:
            yield
        except EdgeEchoError as error:
            self.row.error = without_folders(str(error))
            self.close()

    @contextmanager
    def attempt_extra(self, what: str) -> Iterator[None]:
        """Run an extra measurement whose failure is listed in the row's `failed`; the times stay valid."""
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
        loading = self.process.loading
        self.input_shapes = loading.pop("input_shapes")
        stored = loading.pop("precision_stored")
        row.precision_asked = row.precision_asked or stored
        if stored != row.precision_asked:
            raise RowError(f"{Path(self.job['path']).name}: holds {stored}, not {row.precision_asked}")
        self.estimate_ms = loading.pop("estimate_ms")
        for key, value in loading.items():
            setattr(row, key, round(value, 3) if isinstance(value, float) else value)

    def time(self, runs: int) -> None:
        """Add timed runs."""
        reply = self.request("run", runs=runs)
        self.row.times_ms += reply["ms"]
        self.row.peak_rss_mb = round(reply["peak_rss_mb"], 3)
        self.cpu_seconds += reply["cpu_seconds"]
        self.wall_seconds += reply["wall_seconds"]
        self.row.cores_used = round(self.cpu_seconds / self.wall_seconds, 3)

    def request(self, what: str, **settings: Any) -> dict[str, Any]:
        """Send a request with `RowProcess.request`, to a new process if the row is parked."""
        self.process = self.process or RowProcess(self.job)
        return self.process.request(what, **settings)

    def add(self, what: str, **settings: Any) -> None:
        """Measure the row's field of that name; this comes after all timed runs, since it takes memory."""
        with self.attempt_extra(what):
            setattr(self.row, what, self.request(what, **settings)[what])

    def read_back(self) -> None:
        """Read which precision ran."""
        with self.attempt_extra("precision_run"):
            self.row.convolutions_run = self.request("read_back")["convolutions"]
            self.row.precision_run = precision_label(self.row.convolutions_run)

    @property
    def is_ready(self) -> bool:
        """Return whether the row was opened and has not failed; it may be parked."""
        return bool(self.job) and not self.row.error

    @property
    def is_live(self) -> bool:
        """Return whether it is one of our streams, which `--rate` drives."""
        return self.entry.kind == "ours" and self.row.form == "stream"

    @property
    def segments(self) -> bool:
        """Return whether it is a clip model that can segment a cine."""
        return self.entry.kind == "ours" and self.row.form == "clip" and self.row.runtime != "torch"

    def park(self) -> None:
        """End the process if memory is short; `request` starts another."""
        if memory_is_short():
            self.close()

    def close(self) -> None:
        """End the process."""
        if self.process:
            self.process.close()
        self.process = None
