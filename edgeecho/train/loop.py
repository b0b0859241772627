"""The training loop: from a data set with two labels a patient to a checkpoint. A killed run can be resumed."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from edgeecho.data import Item, open_data
from edgeecho.errors import ConfigError, DataError
from edgeecho.files import atomic
from edgeecho.model.spec import ModelSpec
from edgeecho.nn.checkpoint import save_checkpoint
from edgeecho.nn.threads import torch_threads
from edgeecho.train.batches import Clips, load_batches
from edgeecho.train.compute import Compute
from edgeecho.train.config import TrainConfig
from edgeecho.train.logs import RunLog
from edgeecho.train.losses import Target
from edgeecho.train.processes import Processes
from edgeecho.train.sources import Source
from edgeecho.train.start import CONFIG, SPEC, STATE, first_network, require_run_folder, saved_network
from edgeecho.train.state import State
from edgeecho.train.teacher import Teacher
from edgeecho.train.training_data import find_sources, labelled_cines, training_and_choice
from edgeecho.train.validation import Validation

Report = Callable[[int, int, str], None]
"""Function that is called with the step, the number of steps and a line of text."""
REPORT_STEPS = 10
"""Number of steps between two reports of the loss."""


def train(config: TrainConfig, *, init: Path | None = None, resume: bool = False, report: Report | None = None) -> Path:
    """Train a network, and return the path of the chosen checkpoint.

    Writes into `run.out`: `config.json`, `spec.json`, `log.jsonl`, `log.csv`, `last.pt` (everything a resumed run
    needs), `<name>.safetensors`, the averaged weights that did best on the patients that the run chooses on, and
    `<name>.last.safetensors`, the averaged weights of its last validation, in the end those of the last step. A run
    that chooses on nobody writes the same weights to both. Under `torchrun` every process calls this, and the first
    one writes and reports.

    Args:
        config: Settings of the run.
        init: Checkpoint to start from instead of random weights.
        resume: Go on from `last.pt`; with more `optim.steps` than before, also beyond the end.
        report: Function that is called with the progress of the run.

    Raises:
        ConfigError: If a setting does not fit, or the folder holds another run and `resume` is false.
        DataError: If the data set is missing or incomplete.
    """
    processes = Processes.from_environment()
    if config.clips.per_step % (processes.count * config.optim.accumulate):
        raise ConfigError(
            f"clips.per_step must be a multiple of optim.accumulate times the processes, got {config.clips.per_step} "
            f"clips, {config.optim.accumulate} parts and {processes.count} processes"
        )
    compute = Compute.choose(config.run.device, config.run.precision, processes.local_rank)
    told = report if report and processes.first else _say_nothing
    out = Path(config.run.out)
    resume = resume or (processes.restarts > 0 and (out / STATE).exists())
    with torch_threads(max(1, config.run.threads // processes.local_count)), processes.joined(compute.device):
        require_run_folder(out, resume)
        processes.wait()  # before one of them makes the folder
        path = _Start(config, compute, processes, told).run(init, resume)
        processes.wait()  # for the first one to have written it
        return path


def _say_nothing(step: int, steps: int, text: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class _Start:
    """Making of the parts of a run."""

    config: TrainConfig
    compute: Compute
    processes: Processes
    report: Report

    def run(self, init: Path | None, resume: bool) -> Path:
        """Make the network, the state and the clips of the run, and train. No cine is read for a run that has ended."""
        config, out = self.config, Path(self.config.run.out)
        data = open_data(config.data.source)
        teacher = Teacher(config.data.teacher, self.compute) if config.data.teacher else None
        network, spec = saved_network(config, out) if resume else first_network(config, init, data, teacher)
        if teacher and teacher.spec.size_px != spec.size_px:
            sizes = f"{teacher.spec.size_px} and {spec.size_px}"
            raise ConfigError(f"data.teacher: teacher and model.size_px must agree, got {sizes} pixels")
        processes = f"{self.processes.count} processes" if self.processes.count > 1 else "one process"
        self._say(f"{spec.name} on {self.compute}, {processes}")
        training, choice = training_and_choice(data, config.data, config.run.seed)
        config = self._with_steps(training)
        state = State(config, network, self.compute, self.processes)
        if resume:
            state.load(out / STATE)
            if state.step > config.optim.steps:
                raise ConfigError(
                    f"optim.steps is {config.optim.steps}, but {out} has taken {state.step}; ask for more"
                )
        run = _Run(config, spec, state, self.report)
        if run.has_ended:
            self.report(state.step, config.optim.steps, "the run has ended; ask for more optim.steps to go on")
            return run.path()
        clips = Clips(self._sources(training), config, spec.size_px)
        validation = self._validation(choice, spec) if choice else None
        if self.processes.first:
            for name, text in ((CONFIG, json.dumps(config.to_dict(), indent=1)), (SPEC, spec.to_json())):
                with atomic(out / name) as path:
                    path.write_text(text)
        return run.train(clips, teacher, validation)

    def _say(self, text: str) -> None:
        self.report(0, self.config.optim.steps, text)

    def _with_steps(self, training: list[Item]) -> TrainConfig:
        """Return the settings with the number of steps that their epochs are."""
        optim = self.config.optim
        if not optim.epochs:
            return self.config
        items = sum(item.metadata.get("labels") != 0 for item in training)
        return self.config.with_value("optim.steps", math.ceil(optim.epochs * items / self.config.clips.per_step))

    def _sources(self, training: list[Item]) -> list[tuple[float, Source]]:
        """Find the sources of clips; the first process writes the files that the others read."""
        if not self.processes.first:
            self.processes.wait()
        sources = find_sources(training, self.config, self._say)
        if self.processes.first:
            self.processes.wait()
        return sources

    def _validation(self, choice: list[Item], spec: ModelSpec) -> Validation:
        """Read this process's share of the items that the run chooses on.

        Raises:
            DataError: If none of them has a label.
        """
        cines = labelled_cines(choice[self.processes.rank :: self.processes.count], self._say)
        validation = Validation(cines, spec.size_px, spec.context_frames, spec.pooled_frames)
        if not sum(self.processes.gather(len(validation.frames))):
            raise DataError(f"{self.config.data.source}: no labelled frame to choose the checkpoint on")
        return validation


class _Run:
    """Steps of one run, with what is reported, logged and saved on the way."""

    def __init__(self, config: TrainConfig, spec: ModelSpec, state: State, report: Report) -> None:
        self.config, self.spec, self.state, self.report = config, spec, state, report
        self.out, self.steps = Path(config.run.out), config.optim.steps
        self.means: dict[str, Tensor] = {}
        """Running means of the terms of the loss."""

    @property
    def has_ended(self) -> bool:
        """Whether all steps are taken, or validations have been no better for too long."""
        return self.state.step == self.steps or 0 < self.config.optim.patience <= self.state.stale

    def train(self, clips: Clips, teacher: Teacher | None, validation: Validation | None) -> Path:
        """Take all steps from the state's on, and return the path of the chosen checkpoint."""
        state, run, processes = self.state, self.config.run, self.state.processes
        log = None
        if processes.first:
            log = RunLog(self.out, state.step, self.config.clips.per_step, run.tensorboard)
        batches = load_batches(clips, self.config, state.step, rank=processes.rank, processes=processes.count)
        for batch, taught in teacher.answer(batches) if teacher else ((batch, None) for batch in batches):
            on_device = {name: state.compute.put(value) for name, value in batch.items()}
            terms = state.advance(on_device["frames"], Target.of(on_device, taught))
            self.means = {name: 0.95 * self.means.get(name, value) + 0.05 * value for name, value in terms.items()}
            is_saved = state.step % run.save_every == 0 or state.step == self.steps
            if state.step % REPORT_STEPS == 0 or is_saved:
                self._look(log, validation, is_saved)
            if self.has_ended:
                break
        if log:
            log.close()
        return self.path()

    def _look(self, log: RunLog | None, validation: Validation | None, is_saved: bool) -> None:
        """Report and log the loss; where it is time, validate and save.

        Raises:
            ConfigError: If the loss is not finite.
        """
        state = self.state
        losses = {name: float(value) for name, value in self.means.items()}
        if not all(map(math.isfinite, losses.values())):
            raise ConfigError(
                f"the loss is not finite at step {state.step}; take a smaller optim.learning_rate or run.precision=fp32"
            )
        if log:
            left = log.seconds_left(state.step, self.steps)
            text = ", ".join(f"{name} {value:.4f}" for name, value in losses.items())
            self.report(state.step, self.steps, f"{text}, {left / 60:.0f} min left")
        if not is_saved:
            if log:
                log.add(state.step, state.learning_rate, losses)
            return
        scores = validation.dice_by_phase(state.averaged, state.processes) if validation else {}
        chosen = self._is_chosen(scores)
        if log:
            log.add(state.step, state.learning_rate, losses, scores, chosen)
            self._save(chosen)
        if self.has_ended and state.step < self.steps:
            self.report(state.step, self.steps, f"no better for {state.stale} validations: ended early")

    def _is_chosen(self, scores: dict[str, float]) -> bool:
        """Return whether the averaged weights are the best so far, by the Dice of each phase, and note it.

        Without Dice the last weights are the best.
        """
        state = self.state
        score = float(np.nan_to_num(sum(scores.values()) / len(scores))) if scores else math.inf
        chosen = score > state.best or not scores
        state.best, state.stale = (score, 0) if chosen else (state.best, state.stale + 1)
        if scores:
            text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
            self.report(state.step, self.steps, f"held-out Dice {text}{' (best)' if chosen else ''}")
        return chosen

    def _save(self, chosen: bool) -> None:
        """Save the weights, and then the state."""
        state, keep = self.state, self.config.run.keep
        for which in [*([""] if chosen else []), ".last", *([f".step{state.step}"] if keep else [])]:
            save_checkpoint(self.path(which), state.averaged, self.spec)
        if keep:
            kept = sorted(self.out.glob(f"{self.spec.name}.step*.safetensors"), key=_step_of)
            for path in kept[:-keep]:
                path.unlink()
        state.save(self.out / STATE)

    def path(self, which: str = "") -> Path:
        """Return the path of a checkpoint: the chosen one, `.last`, or `.step<K>`."""
        return self.out / f"{self.spec.name}{which}.safetensors"


def _step_of(path: Path) -> int:
    return int(path.name.split(".step")[-1].split(".")[0])
