"""`run_bench`: rows in processes of their own, timed in turns, so that whatever the machine does hits all alike."""

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.contest import (
    PEERS,
    PRECISIONS,
    TIMED_RUNTIMES,
    YARDSTICK,
    Entry,
    entries,
    prepare,
    speckle_clip,
)
from edgeecho.benchmarks.counting import count_macs
from edgeecho.benchmarks.machine import describe_machine
from edgeecho.benchmarks.process import RowError, RowProcess
from edgeecho.benchmarks.protocol import Rules, describe_protocol
from edgeecho.benchmarks.readback import precision_label
from edgeecho.benchmarks.result import BenchResult, Row
from edgeecho.catalog import locate
from edgeecho.errors import ConfigError, EdgeEchoError, OutputError, ShapeError
from edgeecho.runtime.engine import usable_cores

Progress = Callable[[str], None]
"""Called with what comes now, such as `[3/20] opening unet3d ort fp32`."""


def run_bench(
    models: Sequence[str] = ("default", YARDSTICK),
    runtimes: Sequence[str] = TIMED_RUNTIMES,
    precisions: Sequence[str] = PRECISIONS,
    threads: int | None = None,
    *,
    min_seconds: float | None = None,
    min_runs: int | None = None,
    max_seconds: float | None = None,
    warm_up_seconds: float | None = None,
    work_dir: Path | str | None = None,
    frames: np.ndarray | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Time networks on this machine's CPU.

    A row that fails becomes a row with `error`; the others go on. On Ctrl-C, what was measured is returned with
    `complete` false.

    Args:
        models: `default`, packaged models, `unet3d`, folders that `edgeecho export` wrote, or model files.
        runtimes: `ort`, `openvino`.
        precisions: `fp32`, `int8`.
        threads: Of every engine; None means 1.
        min_seconds: Of timed runs a row; None means the default of `Rules`, as for the next three.
        min_runs: Timed runs a row.
        max_seconds: Of timed runs a row, after which even fewer runs are enough.
        warm_up_seconds: Of untimed runs a row.
        work_dir: Folder for exported peers, used again next time; None means a temporary one.
        frames: The clip, uint8 (T, 1, S, S); None means 32 frames of seeded speckle at 112 x 112.
        progress: Called before each step.

    Raises:
        ConfigError: If a name or number makes no sense.
        ShapeError: If `frames` is no clip.
        OutputError: If `work_dir` cannot be written.
    """
    given = {
        "min_seconds": min_seconds,
        "min_runs": min_runs,
        "max_seconds": max_seconds,
        "warm_up_seconds": warm_up_seconds,
    }
    rules = Rules(**{key: value for key, value in given.items() if value is not None})
    threads = 1 if threads is None else threads
    if not 1 <= threads <= usable_cores():
        raise ConfigError(f"threads must be from 1 to {usable_cores()}, the usable cores; got {threads}")
    clip = speckle_clip() if frames is None else frames
    if clip.ndim != 4 or clip.shape[1] != 1 or clip.shape[2] != clip.shape[3] or clip.dtype != np.uint8:
        raise ShapeError(f"expected a clip uint8 (T, 1, S, S), got {clip.dtype} {clip.shape}")
    machine = describe_machine()
    with _work_folder(work_dir) as folder:
        asked = entries(models, runtimes, precisions, folder)
        contest = _Contest(
            [
                _Runner(e, Row(model=e.model, runtime=e.runtime, precision_asked=e.precision, threads=threads))
                for e in asked
            ],
            rules,
            folder / "frames.npy",
            progress or (lambda what: None),
        )
        np.save(contest.frames_file, clip)
        result = BenchResult(
            machine=machine,
            protocol=describe_protocol(rules, threads, clip, frames is not None),
            rows=[runner.row for runner in contest.runners],
        )
        try:
            contest.hold()
        except KeyboardInterrupt:
            result.complete = False
        finally:
            contest.close()
    for row in result.rows:
        row.summarise(len(clip))
        if not result.complete and not row.n and not row.error:
            row.error = "interrupted before it was timed"
    result.compare(YARDSTICK)
    return result


@contextmanager
def _work_folder(given: Path | str | None) -> Iterator[Path]:
    if given is None:
        with tempfile.TemporaryDirectory(prefix="edgeecho-bench-") as folder:
            yield Path(folder)
        return
    try:
        Path(given).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {given}: {error.strerror}; choose a folder that can be written") from error
    yield Path(given)


@dataclass(eq=False)
class _Runner:
    """A row and its process."""

    entry: Entry
    row: Row
    process: RowProcess | None = None
    estimate_ms: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What fails inside is this row's error, and ends its process."""
        try:
            yield
        except EdgeEchoError as error:
            self.row.error = str(error)
            self.close()

    def open(self, threads: int, frames_file: Path, warm_up_seconds: float) -> None:
        entry, row = self.entry, self.row
        path = locate(entry.source, entry.runtime, entry.precision).path
        self.process = RowProcess(path, entry.runtime, threads, frames_file, warm_up_seconds)
        opened = self.process.opened
        stored = opened.pop("precision_stored")
        row.precision_asked = row.precision_asked or stored
        if stored != row.precision_asked:
            raise RowError(f"{path.name}: holds {stored}, not {row.precision_asked}")
        self.estimate_ms = opened.pop("estimate_ms")
        for key, value in opened.items():
            setattr(row, key, round(value, 3) if isinstance(value, float) else value)

    def time(self, runs: int) -> None:
        assert self.process
        answer = self.process.run(runs)
        self.row.times_ms += answer["ms"]
        self.row.peak_rss_mb = round(answer["peak_rss_mb"], 1)
        self.cpu_seconds += answer["cpu_seconds"]
        self.wall_seconds += answer["wall_seconds"]
        self.row.cores_used = round(self.cpu_seconds / self.wall_seconds, 3)

    def close(self) -> None:
        if self.process:
            self.process.close()
        self.process = None


@dataclass
class _Contest:
    runners: list[_Runner]
    rules: Rules
    frames_file: Path
    progress: Progress
    done: int = 0
    macs: dict[str, int | None] = field(default_factory=dict)

    def hold(self) -> None:
        """Export what is missing, open all rows, time them in turns, and read back what ran."""
        peers = [name for name in PEERS if any(r.entry.model == name for r in self.runners)]
        self.steps = len(peers) + len(self.runners) + self.rules.rounds + 1
        for name in peers:
            self._step(f"exporting {name}")
            rows = [r for r in self.runners if r.entry.model == name]
            failure = prepare(name, [r.entry for r in rows], self.frames_file)
            for runner in rows:
                runner.row.error = failure
        for runner in self.runners:
            self._step(f"opening {runner.entry.label}")
            if not runner.row.error:
                with runner.attempt():
                    runner.open(runner.row.threads, self.frames_file, self.rules.warm_up_seconds)
                    runner.row.macs_per_frame = self._macs(runner.entry)
        turn = 0
        while self._turns(turn):
            turn += 1
        self._step("reading back which precision ran")
        for runner in self.runners:
            if runner.process:
                with runner.attempt():
                    runner.row.convolutions_run = runner.process.convolutions()
                    runner.row.precision_run = precision_label(runner.row.convolutions_run)
            runner.close()

    def _turns(self, turn: int) -> bool:
        """One turn of every row that needs more runs; False when none does."""
        any_ran = False
        if turn < self.rules.rounds:
            self._step(f"timing all rows, turn {turn + 1} of {self.rules.rounds}")
        for runner in self.runners:
            missing = self.rules.runs_missing(runner.row.times_ms, runner.estimate_ms) if runner.process else 0
            if missing:
                any_ran = True
                with runner.attempt():
                    runner.time(math.ceil(missing / max(1, self.rules.rounds - turn)))
        return any_ran or turn + 1 < self.rules.rounds

    def _macs(self, entry: Entry) -> int | None:
        """Per frame, counted once a model on its fp32 ONNX graph (int8's where there is none)."""
        if entry.source not in self.macs:
            t = len(np.load(self.frames_file, mmap_mode="r"))
            self.macs[entry.source] = None
            for precision in (entry.precision, *PRECISIONS) if entry.precision is None else PRECISIONS:
                try:
                    self.macs[entry.source] = round(count_macs(locate(entry.source, "ort", precision).path, t) / t)
                    break
                except EdgeEchoError:  # no such file, or no onnx to read it with: not counted
                    continue
        return self.macs[entry.source]

    def _step(self, what: str) -> None:
        self.done += 1
        self.progress(f"[{self.done}/{self.steps}] {what}")

    def close(self) -> None:
        for runner in self.runners:
            runner.close()
