"""The training loop: two labels a patient in, a checkpoint out; killed at any moment, it resumes."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from edgeecho.data import DataSet, open_data
from edgeecho.errors import ConfigError, DataError, VideoError
from edgeecho.files import atomic
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import build, new_spec
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint
from edgeecho.revision import revision
from edgeecho.train.config import TrainConfig
from edgeecho.train.losses import Target
from edgeecho.train.net2wider import widen
from edgeecho.train.prepare import find_sources, labelled_cines, split_patients
from edgeecho.train.provenance import follow, origin_fields
from edgeecho.train.sources import Clip, Source
from edgeecho.train.state import State
from edgeecho.train.teacher import Teacher
from edgeecho.train.validation import Chooser

Report = Callable[[int, int, str], None]
"""Called with step, steps and a line of text."""
ATTEMPTS = 20
"""Cines in a row that may be unreadable before a run stops."""
POOLED = 8
"""Frames that the standard 3D U-Net pools into one."""


class Clips(Dataset[dict[str, Tensor]]):
    """Item s is the whole batch of step s: frames, clean and masks uint8 (B, T, H, W), labelled, bridged and cycle (B,
    T), trust (B,)."""

    def __init__(self, sources: list[tuple[float, Source]], config: TrainConfig, size_px: int) -> None:
        self.sources, self.config, self.size_px = [source for _, source in sources], config, size_px
        self.upper = np.cumsum([share for share, _ in sources])

    def __len__(self) -> int:
        return self.config.optim.steps

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        cv2.setNumThreads(0)
        seed, count = self.config.run.seed, self.config.clips.per_step
        clips = [self._clip(np.random.default_rng((seed, step, i))) for i in range(count)]
        names = ("frames", "clean", "masks", "labelled", "bridged", "cycle", "trust")
        return {name: torch.from_numpy(np.stack([getattr(c, name) for c in clips])) for name in names}

    def _clip(self, rng: np.random.Generator) -> Clip:
        source = self.sources[min(int(np.searchsorted(self.upper, rng.uniform())), len(self.sources) - 1)]
        for attempt in range(ATTEMPTS):
            try:
                return source.clip(rng, self.config.clips, self.size_px)
            except (DataError, VideoError):  # said by `data check`; another cine takes its place
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")


def _start(
    config: TrainConfig, init: Path | None, data: DataSet, teacher: Teacher | None
) -> tuple[nn.Module, ModelSpec]:
    torch.manual_seed(config.run.seed)
    if init:
        network, spec = load_checkpoint(init)
        if spec.family != config.model.family:
            raise ConfigError(f"{init} is of family {spec.family}, not {config.model.family}: set model.family to it")
        spec = replace(spec, size_px=config.model.size_px)
        if config.model.widen > 1:
            network, spec = widen(network, spec, config.model.widen, config.run.seed)
    elif config.model.widen > 1:
        raise ConfigError("model.widen needs first weights to widen: add --init CHECKPOINT")
    else:
        if config.model.family == "unet3d" and config.clips.frames % POOLED:
            raise ConfigError(f"unet3d pools along time: clips.frames must be a multiple of {POOLED}")
        spec = replace(new_spec(config.model.family, **config.model.overrides), size_px=config.model.size_px)
        network = build(spec)
    trained_on = f"{data.kind} training list, ED and ES labels, less {config.data.held_out} patients to choose on"
    if config.clips.phantom and data.kind != "phantom":
        trained_on += ", and drawn phantoms"
    sources = [spec] if init else []  # what the first weights were made of, and its terms, stay
    if teacher:
        trained_on += f", and the answers of {teacher.spec.name}"
        sources.append(teacher.spec)
    trained_on = follow(*(source.trained_on for source in sources), trained_on)
    origin: dict[str, Any] = origin_fields([*(source.licence for source in sources), data.licence], trained_on)
    spec = replace(spec, name=config.model.name, revision=revision(), **origin)
    return network, spec


def train(config: TrainConfig, *, init: Path | None = None, resume: bool = False, report: Report | None = None) -> Path:
    """Train, and return the path of the chosen checkpoint.

    Writes into `run.out`: `config.json`, `spec.json`, `log.jsonl`, `last.pt` (everything a resumed run needs) and
    `<name>.safetensors`, the averaged weights that did best on the held-out patients.

    Args:
        config: The run.
        init: A checkpoint to start from instead of random weights.
        resume: Go on from `last.pt`.
        report: Called as the run goes.

    Raises:
        ConfigError: If a setting does not fit, or the folder holds another run and `resume` was not asked.
        DataError: If the data set is missing or incomplete.
    """
    report = report or (lambda step, steps, text: None)
    data = open_data(config.data.source)
    out = Path(config.run.out)
    last = out / "last.pt"
    if resume and not last.exists():
        raise ConfigError(f"{out}: no run to resume there (no last.pt); leave --resume out to begin one")
    if last.exists() and not resume:
        raise ConfigError(f"{out} holds a run; add --resume to go on with it, or choose another run.out")
    torch.set_num_threads(config.run.threads)
    teacher = Teacher(config.data.teacher, config.run.bf16) if config.data.teacher else None
    if last.exists():
        _require_same(config, out / "config.json")
        spec = ModelSpec.from_json((out / "spec.json").read_text())  # knows what the first weights were made of
        network: nn.Module = build(spec)
    else:
        network, spec = _start(config, init, data, teacher)
    if teacher and teacher.spec.size_px != spec.size_px:
        sizes = f"{teacher.spec.size_px} and {spec.size_px}"
        raise ConfigError(f"data.teacher: teacher and model.size_px must agree, got {sizes} pixels")
    native_3d = spec.family == "unet3d"
    layout = torch.channels_last_3d if native_3d else torch.channels_last
    network = network.to(memory_format=layout)  # type: ignore[call-overload]

    def say(text: str) -> None:
        report(0, config.optim.steps, text)

    out.mkdir(parents=True, exist_ok=True)
    training, choosing = split_patients(data.items("train"), config.data.held_out, config.run.seed)
    clips = Clips(find_sources(training, config.clips, out, say), config, spec.size_px)
    pooled = POOLED if native_3d else 1
    chooser = Chooser(labelled_cines(choosing, say), spec.size_px, spec.context_frames, pooled)
    if not chooser.looks:
        raise DataError(f"{data.root}: no labelled frame to choose the checkpoint on")
    state = State(config, network)
    if last.exists():
        state.load(last)
        _forget_after(state.step, out / "log.jsonl")
    with atomic(out / "config.json") as path:
        path.write_text(json.dumps(config.to_dict(), indent=1))
    with atomic(out / "spec.json") as path:
        path.write_text(spec.to_json())
    chosen = out / f"{spec.name}.safetensors"
    loader = DataLoader(
        clips,
        batch_size=None,
        sampler=range(state.step, config.optim.steps),
        num_workers=config.run.workers,
        prefetch_factor=4 if config.run.workers else None,
        worker_init_fn=step_back,
    )
    started, first = time.monotonic(), state.step
    sums: dict[str, float] = {}
    for batch in loader:
        frames = batch["frames"]
        taught = teacher.probabilities(batch["clean"]) if teacher else None
        target = Target.of(batch, taught)
        terms = state.advance(frames, target)
        sums = {name: 0.95 * sums.get(name, value) + 0.05 * value for name, value in terms.items()}
        done = state.step == config.optim.steps
        if state.step % 10 == 0 or done:
            left = (time.monotonic() - started) / (state.step - first) * (config.optim.steps - state.step)
            text = ", ".join(f"{name} {value:.4f}" for name, value in sums.items())
            report(state.step, config.optim.steps, f"{text}, {left / 60:.0f} min left")
        if state.step % config.run.save_every == 0 or done:
            scores = chooser.dice_by_phase(state.averaged)
            score = float(np.nan_to_num(sum(scores.values()) / len(scores)))
            better = score > state.best
            if better:
                state.best = score
                save_checkpoint(chosen, state.averaged, spec)
            losses = {name: round(value, 5) for name, value in sums.items()}
            entry = {"step": state.step, "loss": losses, "held_out_dice": scores, "chosen": better}
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps(entry) + "\n")
            text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
            report(state.step, config.optim.steps, f"held-out Dice {text}{' (best)' if better else ''}")
            state.save(last)
    return chosen


def step_back(worker: int) -> None:
    """A worker gives way to the network: its threads wait for each other, and all wait if one loses its core."""
    if hasattr(os, "nice"):
        os.nice(10)


def _require_same(config: TrainConfig, path: Path) -> None:
    """A resumed run is the run that was begun.

    Raises:
        ConfigError: If a setting that shapes the weights has changed.
    """
    if not path.is_file() or not path.with_name("spec.json").is_file():
        raise ConfigError(f"{path.parent}: holds a last.pt but no config.json and spec.json; choose another run.out")
    before, now, usual = json.loads(path.read_text()), config.to_dict(), TrainConfig().to_dict()
    for section in now:
        for key, value in now[section].items():
            old = before.get(section, {}).get(key, usual[section][key])  # a run from before there was such a setting
            if old != value and key not in ("source", "teacher", "out", "threads", "workers"):
                raise ConfigError(f"{section}.{key} was {old!r} and is {value!r} now; resume with the same settings")


def _forget_after(step: int, log_file: Path) -> None:
    """Drop log entries of steps that will be taken again."""
    if log_file.exists():
        lines = [line for line in log_file.read_text().splitlines() if line.endswith("}")]  # a cut one is dropped
        lines = [line for line in lines if json.loads(line)["step"] <= step]
        with atomic(log_file) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines))
