"""Session of a benchmark: all rows, exported, loaded, timed in turns and measured further."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS
from edgeecho.benchmarks.run.end_to_end import draw_cine
from edgeecho.benchmarks.run.entries import DEFAULT_RUNTIMES, macs_per_frame
from edgeecho.benchmarks.run.error_text import without_folders
from edgeecho.benchmarks.run.peer_files import export_peer_files
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.benchmarks.run.runner import Runner

Macs = dict[tuple[str, str | None], int | None]
"""MACs a frame, by source and form of an entry, since two models may have one name."""
Progress = Callable[[int, int, str], None]
"""Function of the step, the number of steps and a description, such as `opening unet3d clip ort fp32`."""


@dataclass
class Session:
    """Rows of a benchmark, measured one after the other."""

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
            self._export(name, frames_file)
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

    def _export(self, peer: str, frames_file: Path) -> None:
        """Export the files of a peer's rows; a failure is the error of all of them."""
        self.step(f"exporting {peer}")
        named = (r for r in self.runners if (r.entry.model, r.entry.kind) == (peer, "peer"))
        rows = [r for r in named if r.entry.runtime != "torch"]
        failure = export_peer_files(peer, [r.entry for r in rows], frames_file) if rows else None
        for runner in rows:
            runner.row.error = failure and without_folders(failure)

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
                runner.add("end_to_end", cine=str(cine), runs=self.rules.end_to_end_runs)
            if runner.is_ready and self.extras.profile and runner.row.runtime in DEFAULT_RUNTIMES:
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
            shapes = None if entry.runtime == "native" else runner.input_shapes  # the graph that is counted has others
            self.macs[key] = macs_per_frame(entry, row.frames_per_run or 1, shapes)
        return self.macs[key]

    def step(self, what: str) -> None:
        self.done += 1
        self.progress(min(self.done, self.steps), self.steps, what)

    def close(self) -> None:
        for runner in self.runners:
            runner.close()
