"""State of a training run, which is saved so that a run that was killed can be resumed."""

import copy
import errno
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.files import atomic
from edgeecho.train.compute import Compute
from edgeecho.train.config import TrainConfig
from edgeecho.train.losses import Counts, Target, total_loss
from edgeecho.train.processes import Processes
from edgeecho.train.shared_norm import share_norms

LIMIT = 1.0
"""Largest norm of a gradient; a larger one is scaled down to it."""
WARM_UP = 0.15
"""Part of the steps in which the step size rises."""


class State:
    """Network, its averaged weights, optimiser, schedule and step."""

    def __init__(
        self,
        config: TrainConfig,
        network: nn.Module,
        compute: Compute | None = None,
        processes: Processes | None = None,
    ) -> None:
        """Take the first step from here.

        Args:
            config: Settings of the run.
            network: Network with its first weights; it is moved to the device, in the layout that is trained fastest.
            compute: Device and precision; None means those of the settings.
            processes: Processes that share each step; None means this one alone.
        """
        self.config, self.step, self.best, self.stale = config, 0, -1.0, 0
        self.compute = compute or Compute.choose(config.run.device, config.run.precision)
        self.processes = processes or Processes()
        network = network.to(self.compute.device, memory_format=_fastest_layout(network))  # type: ignore[call-overload]
        self.network = share_norms(network) if self.processes.count > 1 else network
        self.averaged = _copy(self.network)
        parameters = list(self.network.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [p for p in parameters if p.ndim > 1]},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optim = config.optim
        self.optimiser = torch.optim.AdamW(groups, lr=optim.learning_rate, weight_decay=optim.weight_decay)
        self.schedule = self._schedule()
        self.scaler = torch.amp.GradScaler(self.compute.device.type, enabled=self.compute.precision == "fp16")
        self._shared = DistributedDataParallel(self.network) if self.processes.count > 1 else self.network

    @property
    def learning_rate(self) -> float:
        """Step size of the next step."""
        return float(self.optimiser.param_groups[0]["lr"])

    def advance(self, frames: Tensor, target: Target) -> dict[str, Tensor]:
        """Take one step, and return the terms of the loss; several processes return the terms of all their clips.

        Args:
            frames: This process's clips, uint8 (B, T, H, W).
            target: Their target, on the device.
        """
        self.network.train()
        counts, parts = Counts.of(target, self.processes), self.config.optim.accumulate
        self.optimiser.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for k, (some, its) in enumerate(zip(frames.chunk(parts), target.parts(parts), strict=True)):
            with self._without_exchange(k < parts - 1):
                with self.compute.autocast():
                    logits = self._shared(self.compute.put(some)[:, None] / 255.0)
                loss, terms = total_loss(logits, its, self.config.loss, counts)
                self.scaler.scale(loss).backward()
            sums = {name: value + sums[name] if name in sums else value for name, value in terms.items()}
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), LIMIT)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.schedule.step()
        self.step += 1
        self._average()
        values = self.processes.mean(torch.stack(list(sums.values())))
        return dict(zip(sums, values, strict=True))

    def _without_exchange(self, wait: bool) -> AbstractContextManager[None]:
        """Return a context in which processes do not exchange gradients yet, as more parts of the step follow."""
        if wait and isinstance(self._shared, DistributedDataParallel):
            return self._shared.no_sync()
        return nullcontext()

    def _average(self) -> None:
        """Move the averaged weights towards the present ones."""
        decay = min(self.config.optim.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            current = self.network.state_dict()
            for name, mean in self.averaged.state_dict().items():
                if mean.dtype.is_floating_point:
                    mean.lerp_(current[name], 1 - decay)
                else:
                    mean.copy_(current[name])

    def _schedule(self) -> torch.optim.lr_scheduler.OneCycleLR:
        """Make the one-cycle schedule, at the present step."""
        optim = self.config.optim
        return torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            optim.learning_rate,
            total_steps=optim.steps + 1,
            pct_start=WARM_UP,
            last_epoch=self.step - 1,
        )

    def save(self, path: Path) -> None:
        """Write the state under a temporary name, then rename the file."""
        parts = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.step,
            "best": self.best,
            "stale": self.stale,
        }
        with atomic(path) as temporary:
            try:
                torch.save(parts, temporary)
            except RuntimeError as error:  # so PyTorch reports what the system refused
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error

    def load(self, path: Path) -> None:
        """Load a saved state. The schedule is that of `optim.steps`, which may have become more since.

        Raises:
            ConfigError: If the state is that of another network.
            ModelFileError: If the file is damaged.
        """
        parts = self._read(path)
        try:
            self.network.load_state_dict(parts["network"])
            self.averaged.load_state_dict(parts["averaged"])
            self.optimiser.load_state_dict(parts["optimiser"])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise ConfigError(f"{path}: belongs to another network; choose another run.out") from error
        if parts.get("scaler") and self.scaler.is_enabled():
            self.scaler.load_state_dict(parts["scaler"])
        self.step, self.best, self.stale = int(parts["step"]), float(parts["best"]), int(parts.get("stale", 0))
        if self.step < self.config.optim.steps:
            self.schedule = self._schedule()

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            parts = torch.load(path, weights_only=True, map_location=self.compute.device)
            wanted: dict[str, Any] = {"network": dict, "averaged": dict, "optimiser": dict, "step": int, "best": float}
            sound = all(isinstance(parts[name], kind) for name, kind in wanted.items())
        except Exception as error:  # a damaged file raises many kinds of error
            raise ModelFileError(f"{path}: damaged; choose another run.out, or begin again without --resume") from error
        if not sound:
            raise ModelFileError(f"{path}: damaged; choose another run.out, or begin again without --resume")
        return dict(parts)


def _fastest_layout(network: nn.Module) -> torch.memory_format:
    """Return the memory format in which the network's convolutions, 2D or 3D, are trained fastest on a CPU."""
    has_volumes = any(parameter.ndim == 5 for parameter in network.parameters())
    return torch.channels_last_3d if has_volumes else torch.channels_last


def _copy(network: nn.Module) -> nn.Module:
    twin = copy.deepcopy(network)
    for parameter in twin.parameters():
        parameter.requires_grad_(False)
    return twin
