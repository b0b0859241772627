"""The training loop: two labels a patient in, a checkpoint out; killed at any moment, it resumes."""

import json
import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from edgeecho.cine import Cine
from edgeecho.data import DataSet, Item, open_data
from edgeecho.errors import ConfigError, DataError, VideoError
from edgeecho.files import atomic
from edgeecho.metrics import dice
from edgeecho.nn import build, new_spec
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint
from edgeecho.preprocess import find_roi, mask_from_network, to_network
from edgeecho.spec import ModelSpec
from edgeecho.train.clips import Recipe, make_clip, to_canvas
from edgeecho.train.config import TrainConfig
from edgeecho.train.loss import supervised_loss

log = logging.getLogger(__name__)
Report = Callable[[int, int, str], None]
"""Called with step, steps and a line of text."""


class Clips(Dataset[tuple[Tensor, Tensor]]):
    """Item s is the whole batch of step s: frames and soft masks, uint8 (B, 1, T, H, W)."""

    def __init__(self, canvases: list[np.ndarray], contracts: list[bool], config: TrainConfig, size_px: int) -> None:
        self.canvases, self.contracts, self.config, self.size_px = canvases, contracts, config, size_px

    def __len__(self) -> int:
        return self.config.optim.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        cv2.setNumThreads(0)
        optim = self.config.optim
        clips = []
        for i in range(optim.clips):
            rng = np.random.default_rng((self.config.run.seed, step, i))
            k = int(rng.integers(len(self.canvases)))
            recipe = Recipe.draw(rng, optim.frames, self.size_px, optim.motion, self.contracts[k])
            clips.append(make_clip(self.canvases[k], recipe, self.size_px))
        frames, masks = (torch.from_numpy(np.stack(part)[:, None]) for part in zip(*clips, strict=True))
        return frames, masks


def split_patients(items: list[Item], held_out: int, seed: int) -> tuple[list[Item], list[Item]]:
    """Split by patient: those to train on, and those to choose the checkpoint on."""
    patients = sorted({item.group for item in items})
    if not 0 < held_out < len(patients):
        raise ConfigError(f"data.held_out must be between 1 and {len(patients) - 1}, got {held_out}")
    chosen = set(np.random.default_rng(seed).permutation(patients)[:held_out])
    return [i for i in items if i.group not in chosen], [i for i in items if i.group in chosen]


def labelled_stills(items: list[Item], say: Callable[[str], None]) -> Iterator[Cine]:
    """Every labelled frame as a cine of its own, one frame long; what cannot be read is said and left out."""
    for item in items:
        if item.metadata.get("labels") == 0:
            continue
        try:
            cine = item.read()
        except (DataError, VideoError) as error:
            say(f"left out: {error}")
            continue
        for index, mask in sorted(cine.labels.items()):
            phases = {0: cine.phases[index]} if index in cine.phases else {}
            frame = cine.frames[index : index + 1].copy()  # a view would keep the whole cine in memory
            yield replace(cine, frames=frame, labels={0: mask}, phases=phases)


class Chooser:
    """LV Dice of a network on held-out stills, at the frames' own size."""

    def __init__(self, cines: list[Cine], size_px: int) -> None:
        self.cines = cines
        self.rois = [find_roi(c.frames, c.spacing_mm) for c in cines]
        inputs = [to_network(c.frames, roi, size_px) for c, roi in zip(cines, self.rois, strict=True)]
        self.inputs = torch.from_numpy(np.stack(inputs)[:, None])  # (N, 1, 1, H, W)

    def dice_by_phase(self, network: nn.Module) -> dict[str, float]:
        """Mean Dice per phase."""
        network.eval()
        found: dict[str, list[float]] = {}
        with torch.inference_mode():
            for k, cine in enumerate(self.cines):
                prob = torch.round(torch.sigmoid(network(self.inputs[k : k + 1] / 255.0)) * 255).to(torch.uint8)
                h, w = cine.frames.shape[1:]
                mask = mask_from_network(prob[0, 0].numpy(), self.rois[k], h, w)[0]
                found.setdefault(cine.phases.get(0, "other"), []).append(dice(mask, cine.labels[0]))
        return {phase: float(np.nanmean(values)) for phase, values in sorted(found.items())}


def _revision() -> str:
    try:
        call = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _start(config: TrainConfig, init: Path | None, data: DataSet) -> tuple[nn.Module, ModelSpec]:
    torch.manual_seed(config.run.seed)
    if init:
        network, spec = load_checkpoint(init)
    else:
        if config.model.family == "unet3d":
            raise ConfigError("unet3d pools along time and cannot learn from stills; train cl_unet or cl_unet_edge")
        spec = new_spec(config.model.family, **config.model.overrides)
        network = build(spec)
    trained_on = f"{data.kind} training list, ED and ES labels, less {config.data.held_out} patients to choose on"
    licence = data.licence
    if init:  # what the first weights were made of, and its terms, stay
        trained_on = f"{spec.trained_on}; then {trained_on}"
        licence = " AND ".join(dict.fromkeys([spec.licence, licence]))
    spec = replace(spec, name=config.model.name, licence=licence, trained_on=trained_on, revision=_revision())
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
    if last.exists():
        _require_same(config, out / "config.json")
        spec = ModelSpec.from_json((out / "spec.json").read_text())  # knows what the first weights were made of
        network: nn.Module = build(spec)
    else:
        network, spec = _start(config, init, data)
    network = network.to(memory_format=torch.channels_last)

    def say(text: str) -> None:
        report(0, config.optim.steps, text)

    say("reading data")
    training, choosing = split_patients(data.items("train"), config.data.held_out, config.run.seed)
    canvases, contracts = [], []
    for still in labelled_stills(training, say):
        canvases.append(to_canvas(still))
        contracts.append(still.phases.get(0) != "ES")
    if not canvases:
        raise DataError(f"{data.root}: no labelled frame to train on")
    clips = Clips(canvases, contracts, config, spec.size_px)
    chooser = Chooser(list(labelled_stills(choosing, say)), spec.size_px)
    if not chooser.cines:
        raise DataError(f"{data.root}: no labelled frame to choose the checkpoint on")
    state = _State(config, network)
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
    )
    started, first = time.monotonic(), state.step
    for frames, masks in loader:
        loss = state.advance(frames, masks)
        done = state.step == config.optim.steps
        if state.step % 10 == 0 or done:
            left = (time.monotonic() - started) / (state.step - first) * (config.optim.steps - state.step)
            report(state.step, config.optim.steps, f"loss {loss:.4f}, {left / 60:.0f} min left")
        if state.step % config.run.save_every == 0 or done:
            scores = chooser.dice_by_phase(state.averaged)
            score = float(np.nan_to_num(sum(scores.values()) / len(scores)))
            better = score > state.best
            if better:
                state.best = score
                save_checkpoint(chosen, state.averaged, spec)
            entry = {"step": state.step, "loss": round(loss, 5), "held_out_dice": scores, "chosen": better}
            with (out / "log.jsonl").open("a") as file:
                file.write(json.dumps(entry) + "\n")
            text = ", ".join(f"{phase} {value:.4f}" for phase, value in scores.items())
            report(state.step, config.optim.steps, f"held-out Dice {text}{' (best)' if better else ''}")
            state.save(last)
    return chosen


def _require_same(config: TrainConfig, path: Path) -> None:
    """A resumed run is the run that was begun.

    Raises:
        ConfigError: If a setting that shapes the weights has changed.
    """
    if not path.is_file() or not path.with_name("spec.json").is_file():
        raise ConfigError(f"{path.parent}: holds a last.pt but no config.json and spec.json; choose another run.out")
    before, now = json.loads(path.read_text()), config.to_dict()
    for section in ("model", "data", "optim", "run"):
        for key, value in now[section].items():
            old = before.get(section, {}).get(key)
            if old != value and key not in ("source", "out", "threads", "workers"):
                raise ConfigError(f"{section}.{key} was {old!r} and is {value!r} now; resume with the same settings")


def _forget_after(step: int, log_file: Path) -> None:
    """Drop log entries of steps that will be taken again."""
    if log_file.exists():
        lines = [line for line in log_file.read_text().splitlines() if line.endswith("}")]  # a cut one is dropped
        lines = [line for line in lines if json.loads(line)["step"] <= step]
        with atomic(log_file) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines))


class _State:
    """Network, average, optimiser and step: what a checkpoint must hold."""

    def __init__(self, config: TrainConfig, network: nn.Module) -> None:
        self.config, self.network, self.step, self.best = config, network, 0, -1.0
        self.averaged = _copy(network)
        decay = [p for p in network.parameters() if p.ndim > 1]
        plain = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": decay}, {"params": plain, "weight_decay": 0.0}]
        optim = config.optim
        self.optimiser = torch.optim.AdamW(groups, lr=optim.learning_rate, weight_decay=optim.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, optim.learning_rate, total_steps=optim.steps + 1, pct_start=0.15
        )

    def advance(self, frames: Tensor, masks: Tensor) -> float:
        """One step; returns the loss."""
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.run.bf16):
            logits = self.network(frames / 255.0)
        loss = supervised_loss(logits, masks / 255.0)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        decay = min(self.config.optim.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            current = self.network.state_dict()
            for name, mean in self.averaged.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(current[name], 1 - decay)
                else:
                    mean.copy_(current[name])
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write everything under a temporary name, then rename."""
        parts = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "step": self.step,
            "best": self.best,
        }
        with atomic(path) as temporary:
            torch.save(parts, temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())

    def load(self, path: Path) -> None:
        """Take up a saved state.

        Raises:
            ConfigError: If it belongs to another network.
        """
        parts = torch.load(path, weights_only=True)
        try:
            self.network.load_state_dict(parts["network"])
            self.averaged.load_state_dict(parts["averaged"])
            self.optimiser.load_state_dict(parts["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise ConfigError(f"{path}: belongs to another network; choose another run.out") from error
        self.schedule.load_state_dict(parts["schedule"])
        self.step, self.best = parts["step"], parts["best"]


def _copy(network: nn.Module) -> nn.Module:
    import copy

    twin = copy.deepcopy(network)
    for parameter in twin.parameters():
        parameter.requires_grad_(False)
    return twin
