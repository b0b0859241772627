"""The training loop: from a data set with two labels a patient to a checkpoint. A killed run can be resumed."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgeecho.data import DataSet, open_data
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
    silent: Report = lambda step, steps, text: None  # noqa: E731
    told = report if report and processes.first else silent
    out = Path(config.run.out)
    resume = resume or (processes.restarts > 0 and (out / STATE).exists())
    with torch_threads(max(1, config.run.threads // processes.local_count)), processes.joined(compute.device):
        require_run_folder(out, resume)
        processes.wait()  # before one of them makes the folder
        path = _Start(config, compute, processes, told).run(init, resume)
        processes.wait()  # for the first one to have written it
        return path


@dataclass(frozen=True)
class _Start:
    """Making of the parts of a run."""

    config: TrainConfig
    compute: Compute
    processes: Processes
    report: Report

    def run(self, init: Path | None, resume: bool) -> Path:
        """Make the network, the batches and the state of the run, and train."""
        config, out = self.config, Path(self.config.run.out)
        data = open_data(config.data.source)
        teacher = Teacher(config.data.teacher, self.compute) if config.data.teacher else None
        network, spec = saved_network(config, out) if resume else first_network(config, init, data, teacher)
        if teacher and teacher.spec.size_px != spec.size_px:
            sizes = f"{teacher.spec.size_px} and {spec.size_px}"
            raise ConfigError(f"data.teacher: teacher and model.size_px must agree, got {sizes} pixels")
        layout = torch.channels_last_3d if spec.family == "unet3d" else torch.channels_last
        network = network.to(memory_format=layout)  # type: ignore[call-overload]
        self._say(f"{spec.name} on {self.compute}, {self.processes.count} process(es)")
        config, clips, validation = self._data(data, spec)
        state = State(config, network, self.compute, self.processes)
        if resume:
            state.load(out / STATE)
            if state.step > config.optim.steps:
                raise ConfigError(
                    f"optim.steps is {config.optim.steps}, but {out} has taken {state.step}; ask for more"
                )
        if self.processes.first:
            for name, text in ((CONFIG, json.dumps(config.to_dict(), indent=1)), (SPEC, spec.to_json())):
                with atomic(out / name) as path:
                    path.write_text(text)
        return _Run(config, spec, state, validation, self.report).train(clips, teacher)

    def _say(self, text: str) -> None:
        self.report(0, self.config.optim.steps, text)

    def _data(self, data: DataSet, spec: ModelSpec) -> tuple[TrainConfig, Clips, Validation | None]:
        """Return the settings with the number of steps, the clips, and what the run chooses on, if anything.

        Raises:
            DataError: If there are patients to choose on but none of them has a label.
        """
        config = self.config
        training, held_out = training_and_choice(data, config.data, config.run.seed)
        if config.optim.epochs:
            items = sum(item.metadata.get("labels") != 0 for item in training)
            steps = math.ceil(config.optim.epochs * items / config.clips.per_step)
            config = config.with_value("optim.steps", steps)
        rank, count = self.processes.rank, self.processes.count
        if not self.processes.first:
            self.processes.wait()  # the first process writes the files that the others read
        sources = find_sources(training, config, self._say)
        if self.processes.first:
            self.processes.wait()
        clips = Clips(sources, config, spec.size_px)
        if not held_out:
            return config, clips, None
        cines = labelled_cines(held_out[rank::count], self._say)
        validation = Validation(cines, spec.size_px, spec.context_frames, spec.pooled_frames)
        if not sum(self.processes.gather(len(validation.frames))):
            raise DataError(f"{data.root}: no labelled frame to choose the checkpoint on")
        return config, clips, validation


class _Run:
    """Steps of one run, with what is reported, logged and saved on the way."""

    def __init__(
        self, config: TrainConfig, spec: ModelSpec, state: State, validation: Validation | None, report: Report
    ) -> None:
        self.config, self.spec, self.state, self.validation, self.report = config, spec, state, validation, report
        self.out, self.steps, self.writes = Path(config.run.out), config.optim.steps, state.processes.first
        self.means: dict[str, Tensor] = {}
        """Running means of the terms of the loss."""

    def train(self, clips: Clips, teacher: Teacher | None) -> Path:
        """Take all steps from the state's on, and return the path of the chosen checkpoint."""
        state, run = self.state, self.config.run
        if state.step == self.steps or self._is_stale():
            self.report(state.step, self.steps, "the run has ended; ask for more optim.steps to go on")
            return self.path()
        log = RunLog(self.out, state.step, self.config.clips.per_step, run.tensorboard) if self.writes else None
        processes = state.processes
        for batch in load_batches(clips, self.config, state.step, rank=processes.rank, processes=processes.count):
            taught = teacher.probabilities(batch["clean"]) if teacher else None
            batch["phase_confidence"] = batch["phase_confidence"].float()
            on_device = {name: state.compute.put(value) for name, value in batch.items()}
            terms = state.advance(on_device["frames"], Target.of(on_device, taught))
            self.means = {name: 0.95 * self.means.get(name, value) + 0.05 * value for name, value in terms.items()}
            if state.step % REPORT_STEPS and state.step % run.save_every and state.step != self.steps:
                continue
            if self._look(log):
                break
        if log:
            log.close()
        return self.path()

    def _look(self, log: RunLog | None) -> bool:
        """Report, log, and where it is time validate and save; return whether the run ends."""
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
        done = state.step == self.steps
        found = self._validate() if state.step % self.config.run.save_every == 0 or done else None
        ends = done or self._is_stale()
        if log:
            dice = {f"dice_{phase}": value for phase, value in found.items() if phase != "chosen"} if found else {}
            log.losses(state.step, state.learning_rate, losses, dice | {"chosen": found["chosen"]} if found else None)
            if found:
                scores = {name: value for name, value in found.items() if name != "chosen"}
                rounded = {name: round(value, 5) for name, value in losses.items()}
                log.validation(
                    {"step": state.step, "loss": rounded, "held_out_dice": scores, "chosen": bool(found["chosen"])}
                )
                self._save()
        if ends and not done:
            self.report(state.step, self.steps, f"no better for {state.stale} validations: ended early")
        return ends

    def _is_stale(self) -> bool:
        return 0 < self.config.optim.patience <= self.state.stale

    def _validate(self) -> dict[str, float]:
        """Measure the averaged weights, and keep them if they are the best; return Dice of each phase and `chosen`."""
        state = self.state
        scores = self.validation.dice_by_phase(state.averaged, state.processes) if self.validation else {}
        score = float(np.nan_to_num(sum(scores.values()) / len(scores))) if scores else math.inf
        better = score > state.best or not self.validation
        state.best, state.stale = (score, 0) if better else (state.best, state.stale + 1)
        if better and self.writes:
            save_checkpoint(self.path(), state.averaged, self.spec)
        text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
        if scores:
            self.report(state.step, self.steps, f"held-out Dice {text}{' (best)' if better else ''}")
        return scores | {"chosen": float(better)}

    def _save(self) -> None:
        """Save the state, and the weights that are to be kept beside the best."""
        state, keep = self.state, self.config.run.keep
        save_checkpoint(self.path(".last"), state.averaged, self.spec)
        if keep:
            save_checkpoint(self.path(f".step{state.step}"), state.averaged, self.spec)
            kept = sorted(self.out.glob(f"{self.spec.name}.step*.safetensors"), key=_step_of)
            for path in kept[:-keep]:
                path.unlink()
        state.save(self.out / STATE)

    def path(self, which: str = "") -> Path:
        """Return the path of a checkpoint: the chosen one, `.last`, or `.step<K>`."""
        return self.out / f"{self.spec.name}{which}.safetensors"


def _step_of(path: Path) -> int:
    return int(path.name.split(".step")[-1].split(".")[0])
