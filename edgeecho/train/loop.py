"""The training loop: from a data set with two labels a patient to a checkpoint. A killed run can be resumed."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from edgeecho.data import open_data
from edgeecho.errors import ConfigError, DataError
from edgeecho.files import atomic
from edgeecho.model.spec import ModelSpec
from edgeecho.nn.checkpoint import save_checkpoint
from edgeecho.nn.threads import torch_threads
from edgeecho.train.batches import Clips, load_batches
from edgeecho.train.config import TrainConfig
from edgeecho.train.losses import Target
from edgeecho.train.start import (
    CONFIG,
    SPEC,
    STATE,
    first_network,
    require_run_folder,
    saved_network,
)
from edgeecho.train.state import State
from edgeecho.train.teacher import Teacher
from edgeecho.train.training_data import find_sources, labelled_cines, split_patients
from edgeecho.train.validation import Validation

Report = Callable[[int, int, str], None]
"""Function that is called with the step, the number of steps and a line of text."""
LOG = "log.jsonl"
REPORT_STEPS = 10
"""Number of steps between two reports of the loss."""


def train(config: TrainConfig, *, init: Path | None = None, resume: bool = False, report: Report | None = None) -> Path:
    """Train a network, and return the path of the chosen checkpoint.

    Writes into `run.out`: `config.json`, `spec.json`, `log.jsonl`, `last.pt` (everything a resumed run needs) and
    `<name>.safetensors`, the averaged weights that did best on the held-out patients.

    Args:
        config: Settings of the run.
        init: Checkpoint to start from instead of random weights.
        resume: Go on from `last.pt`.
        report: Function that is called with the progress of the run.

    Raises:
        ConfigError: If a setting does not fit, or the folder holds another run and `resume` is false.
        DataError: If the data set is missing or incomplete.
    """
    with torch_threads(config.run.threads):
        return _prepare(config, init, resume, report or (lambda step, steps, text: None))


def _prepare(config: TrainConfig, init: Path | None, resume: bool, report: Report) -> Path:
    """Make the network, the batches and the state of a run, and train."""
    data = open_data(config.data.source)
    out = Path(config.run.out)
    require_run_folder(out, resume)
    teacher = Teacher(config.data.teacher, config.run.bf16) if config.data.teacher else None
    network, spec = saved_network(config, out) if resume else first_network(config, init, data, teacher)
    if teacher and teacher.spec.size_px != spec.size_px:
        sizes = f"{teacher.spec.size_px} and {spec.size_px}"
        raise ConfigError(f"data.teacher: teacher and model.size_px must agree, got {sizes} pixels")
    layout = torch.channels_last_3d if spec.family == "unet3d" else torch.channels_last
    network = network.to(memory_format=layout)  # type: ignore[call-overload]

    def progress(text: str) -> None:
        report(0, config.optim.steps, text)

    out.mkdir(parents=True, exist_ok=True)
    training, held_out = split_patients(data.items("train"), config.data.held_out, config.run.seed)
    clips = Clips(find_sources(training, config, progress), config, spec.size_px)
    stills = labelled_cines(held_out, progress)
    validation = Validation(stills, spec.size_px, spec.context_frames, spec.pooled_frames)
    if not validation.frames:
        raise DataError(f"{data.root}: no labelled frame to choose the checkpoint on")
    state = State(config, network)
    if resume:
        state.load(out / STATE)
        _forget_after(state.step, out / LOG)
    with atomic(out / CONFIG) as path:
        path.write_text(json.dumps(config.to_dict(), indent=1))
    with atomic(out / SPEC) as path:
        path.write_text(spec.to_json())
    return _Run(config, spec, out, report).train(state, clips, teacher, validation)


class _Run:
    """Steps of one run, with what is reported, logged and saved on the way."""

    def __init__(self, config: TrainConfig, spec: ModelSpec, out: Path, report: Report) -> None:
        self.config, self.spec, self.out, self.report = config, spec, out, report
        self.steps = config.optim.steps
        self.losses: dict[str, float] = {}
        """Running means of the terms of the loss."""

    def train(self, state: State, clips: Clips, teacher: Teacher | None, validation: Validation) -> Path:
        """Take all steps from the state's on, and return the path of the chosen checkpoint."""
        started, first = time.monotonic(), state.step
        for batch in load_batches(clips, self.config, state.step):
            taught = teacher.probabilities(batch["clean"]) if teacher else None
            terms = state.advance(batch["frames"], Target.of(batch, taught))
            self.losses = {name: 0.95 * self.losses.get(name, value) + 0.05 * value for name, value in terms.items()}
            done = state.step == self.steps
            if state.step % REPORT_STEPS == 0 or done:
                left_s = (time.monotonic() - started) / (state.step - first) * (self.steps - state.step)
                text = ", ".join(f"{name} {value:.4f}" for name, value in self.losses.items())
                self.report(state.step, self.steps, f"{text}, {left_s / 60:.0f} min left")
            if state.step % self.config.run.save_every == 0 or done:
                self._validate(state, validation)
        return self.checkpoint

    @property
    def checkpoint(self) -> Path:
        """Path of the chosen checkpoint."""
        return self.out / f"{self.spec.name}.safetensors"

    def _validate(self, state: State, validation: Validation) -> None:
        """Measure the averaged weights on the held-out patients, keep them if they are the best, and save the state."""
        scores = validation.dice_by_phase(state.averaged)
        score = float(np.nan_to_num(sum(scores.values()) / len(scores)))
        better = score > state.best
        if better:
            state.best = score
            save_checkpoint(self.checkpoint, state.averaged, self.spec)
        losses = {name: round(value, 5) for name, value in self.losses.items()}
        entry = {"step": state.step, "loss": losses, "held_out_dice": scores, "chosen": better}
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps(entry) + "\n")
        text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
        self.report(state.step, self.steps, f"held-out Dice {text}{' (best)' if better else ''}")
        state.save(self.out / STATE)


def _forget_after(step: int, log_file: Path) -> None:
    """Drop log entries of steps that will be taken again."""
    if log_file.exists():
        lines = [line for line in log_file.read_text().splitlines() if line.endswith("}")]  # a cut one is dropped
        lines = [line for line in lines if json.loads(line)["step"] <= step]
        with atomic(log_file) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines))
