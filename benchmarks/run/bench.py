"""`run_bench`: rows in processes of their own, timed in turns, so that drift of the machine affects all alike."""

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS
from edgeecho.benchmarks.run.accuracy import fill_accuracy, require_items
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.end_to_end import draw_cine
from edgeecho.benchmarks.run.entries import (
    DEFAULT_MODELS,
    DEFAULT_PRECISIONS,
    DEFAULT_RUNTIMES,
    FORMS,
    Entry,
    entries,
    macs_per_frame,
)
from edgeecho.benchmarks.run.error_text import without_folders
from edgeecho.benchmarks.run.machine import describe_machine, has_engine
from edgeecho.benchmarks.run.pack import Pack, with_engines
from edgeecho.benchmarks.run.peer_files import export_peer_files
from edgeecho.benchmarks.run.protocol import Extras, Rules, describe_protocol
from edgeecho.benchmarks.run.result import BenchResult
from edgeecho.benchmarks.run.runner import Runner
from edgeecho.errors import ConfigError, ShapeError
from edgeecho.files import require_writable
from edgeecho.runtime.engines.engine import usable_cores

Notify = Callable[[str], None]
Macs = dict[tuple[str, str | None], int | None]
"""MACs a frame, by source and form of an entry, since two models may have one name."""
Progress = Callable[[int, int, str], None]
"""Function of the step, the number of steps and a description, such as `opening unet3d clip ort fp32`."""


def run_bench(
    models: Sequence[str] | None = None,
    runtimes: Sequence[str] | None = None,
    precisions: Sequence[str] | None = None,
    threads: int = 1,
    *,
    forms: Sequence[str] | None = None,
    own_files: Sequence[Path] = (),
    rules: Rules | None = None,
    extras: Extras | None = None,
    pack: Path | None = None,
    work_dir: Path | None = None,
    frames: np.ndarray | None = None,
    progress: Progress = lambda step, steps, what: None,
    notify: Notify = lambda text: None,
) -> BenchResult:  # one parameter for each option of `edgeecho bench`
    """Time networks on this machine's CPU.

    A row that fails has `error`, and the others go on. An extra measurement that fails is listed in the row's `failed`,
    and its times stay. After Ctrl-C, what was measured is returned with `complete` false.

    Args:
        models: `default`, `all`, packaged models, peers, folders that `edgeecho export` wrote, or model files; of a
            pack, names in it. None means `DEFAULT_MODELS`, or all of the pack.
        runtimes: `ort`, `openvino`, `torch`. None means `DEFAULT_RUNTIMES`, or those of the pack whose engine is
            installed.
        precisions: `fp32`, `bf16`, `int8`. None means `DEFAULT_PRECISIONS`, or those of the pack.
        threads: Threads of every engine.
        forms: `clip`, `stream`. None means both, or those of the pack.
        own_files: A user's ONNX files.
        rules: Limits of the timing of rows.
        extras: Measurements beside the time of the network.
        pack: Folder that `write_pack` wrote, with the models; `own_files` are added.
        work_dir: Folder in which exported peers are kept for the next time; None means a temporary one.
        frames: The clip, uint8 (T, 1, S, S); None means 32 frames of seeded speckle at 112 x 112.
        progress: Called before each step.
        notify: Called with a message for what is left out.

    Raises:
        MissingExtraError: If no engine of a pack is installed.
        ConfigError: If a name or number makes no sense.
        ShapeError: If `frames` is no clip.
        DataError: If the data set is not there or has nothing in that split.
        OutputError: If `work_dir` cannot be written.
    """
    rules, extras = rules or Rules(), extras or Extras()
    clip = speckle_clip() if frames is None else frames
    _require_valid(threads, clip, extras)
    machine = describe_machine()
    packed = Pack.read(pack) if pack else None
    with work_folder(work_dir) as folder:
        if packed:
            selected, macs = _select_from_pack(packed, models, runtimes, precisions, forms, own_files, folder, notify)
        else:
            selected, macs = _select(models, runtimes, precisions, forms, own_files, folder, notify), {}
        runners = [Runner.of(entry, threads) for entry in selected]
        session = _Session(runners, rules, extras, folder, clip, progress, macs, bool(packed))
        protocol = describe_protocol(rules, extras, threads, clip, frames is not None)
        result = BenchResult(machine=machine, protocol=protocol, rows=[runner.row for runner in runners])
        try:
            session.run()
            if extras.data:
                fill_accuracy(runners, extras.data, extras.split, threads, session.step)
        except KeyboardInterrupt:
            result.complete = False
        finally:
            session.close()
    result.finish()
    return result


def _require_valid(threads: int, clip: np.ndarray, extras: Extras) -> None:
    """Refuse settings with which no row can be measured."""
    if not 1 <= threads <= usable_cores():
        raise ConfigError(f"threads must be from 1 to {usable_cores()}, the usable cores; got {threads}")
    if clip.ndim != 4 or clip.shape[1] != 1 or clip.shape[2] != clip.shape[3] or clip.dtype != np.uint8:
        raise ShapeError(f"expected a clip uint8 (T, 1, S, S), got {clip.dtype} {clip.shape}")
    if extras.data:
        require_items(extras.data, extras.split)


def _select(
    models: Sequence[str] | None,
    runtimes: Sequence[str] | None,
    precisions: Sequence[str] | None,
    forms: Sequence[str] | None,
    own_files: Sequence[Path],
    folder: Path,
    notify: Notify,
) -> list[Entry]:
    """Return the requested entries, with defaults for what is None."""
    return entries(
        DEFAULT_MODELS if models is None else models,
        DEFAULT_RUNTIMES if runtimes is None else runtimes,
        DEFAULT_PRECISIONS if precisions is None else precisions,
        FORMS if forms is None else forms,
        folder,
        own_files,
        notify,
    )


def _select_from_pack(
    pack: Pack,
    models: Sequence[str] | None,
    runtimes: Sequence[str] | None,
    precisions: Sequence[str] | None,
    forms: Sequence[str] | None,
    own_files: Sequence[Path],
    folder: Path,
    notify: Notify,
) -> tuple[list[Entry], Macs]:
    """Return the requested entries of a pack and of own files, and the MACs that the pack contains."""
    selected = pack.entries(runtimes, precisions, forms, models)
    if runtimes is None:
        selected = with_engines(selected, notify)
        runtimes = [runtime for runtime in DEFAULT_RUNTIMES if has_engine(runtime)]  # of own files
    macs = {(entry.source, entry.form): pack.macs.get((entry.model, entry.form)) for entry in selected}
    return selected + (entries([], runtimes, ("fp32",), ("clip",), folder, own_files) if own_files else []), macs


@contextmanager
def work_folder(given: Path | None) -> Iterator[Path]:
    """Yield the given folder, which is made if it does not exist, or a temporary one.

    Raises:
        OutputError: If it cannot be written.
    """
    if given is None:
        with tempfile.TemporaryDirectory(prefix="edgeecho-bench-") as folder:
            yield Path(folder)
        return
    require_writable(given)
    yield Path(given)


@dataclass
class _Session:
    """All rows of a benchmark, measured one after the other."""

    runners: list[Runner]
    rules: Rules
    extras: Extras
    folder: Path
    clip: np.ndarray
    progress: Progress
    macs: Macs = field(default_factory=dict)
    is_packed: bool = False
    done: int = 0

    def run(self) -> None:
        """Export missing peers, open all rows, time them in turns, and measure the extras."""
        frames_file = self.folder / "frames.npy"
        np.save(frames_file, self.clip)
        named = {r.entry.model for r in self.runners if r.entry.kind == "peer" and not self.is_packed}
        peers = [name for name in PEERS if name in named]  # a folder may have a peer's name
        self.steps = len(peers) + len(self.runners) + self.rules.rounds + self.extras.steps(len(self.runners))
        for name in peers:
            self.step(f"exporting {name}")
            entered = (r for r in self.runners if (r.entry.model, r.entry.kind) == (name, "peer"))
            rows = [r for r in entered if r.entry.runtime != "torch"]
            failure = export_peer_files(name, [r.entry for r in rows], frames_file) if rows else None
            for runner in rows:
                runner.row.error = failure and without_folders(failure)
        for runner in self.runners:
            self.step(f"opening {runner.entry.label}")
            if not runner.row.error:
                with runner.attempt():
                    runner.open(frames_file, self.rules.warm_up_seconds)
                    runner.row.macs_per_frame = self._macs(runner)
                    runner.park()
        turn = 0
        while self._turns(turn):
            turn += 1
        self._measure_extras()

    def _turns(self, turn: int) -> bool:
        """Time one turn of every row that needs more runs; return False if none does."""
        any_ran = False
        if turn < self.rules.rounds:
            self.step(f"timing all rows, turn {turn + 1} of {self.rules.rounds}")
        for runner in self.runners:
            missing = self.rules.runs_missing(runner.row.times_ms, runner.estimate_ms) if runner.is_ready else 0
            if missing:
                any_ran = True
                with runner.attempt():
                    runner.time(math.ceil(missing / max(1, self.rules.rounds - turn)))
                    runner.park()
        return any_ran or turn + 1 < self.rules.rounds

    def _measure_extras(self) -> None:
        """Measure the extras row by row."""
        cine = self.folder / "cine.avi"
        draw_cine(self.clip, cine)
        for runner in self.runners:
            self.step(f"measuring extras of {runner.entry.label}")
            if runner.is_ready and self.extras.rate and runner.is_live:
                runner.add("live", fps=self.extras.rate, seconds=self.extras.live_seconds, cine=str(cine))
            if runner.is_ready and self.extras.end_to_end and runner.segments:
                runner.add("end_to_end", cine=str(cine))
            if runner.is_ready and self.extras.profile and runner.row.runtime != "torch":
                runner.add("profile")
            if runner.is_ready and self.extras.boards and runner.row.runtime == "ort":
                p50 = float(np.median(runner.row.times_ms))
                runner.add("estimates", boards=list(self.extras.boards), measured_ms=p50)
            if runner.is_ready:
                runner.read_back()
            runner.close()

    def _macs(self, runner: Runner) -> int | None:
        """Return the MACs a frame, counted once for a model and form."""
        entry, row = runner.entry, runner.row
        key = (entry.source, row.form)
        if key not in self.macs:
            self.macs[key] = macs_per_frame(entry, row.frames_per_run or 1, runner.input_shapes)
        return self.macs[key]

    def step(self, what: str) -> None:
        self.done += 1
        self.progress(min(self.done, self.steps), self.steps, what)

    def close(self) -> None:
        for runner in self.runners:
            runner.close()
