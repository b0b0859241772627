"""State of a training run, which is saved so that a run that was killed can be resumed."""

import copy
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgeecho.errors import ConfigError
from edgeecho.files import atomic
from edgeecho.train.config import TrainConfig
from edgeecho.train.losses import Target, total_loss


class State:
    """Network, its averaged weights, optimiser, schedule and step."""

    def __init__(self, config: TrainConfig, network: nn.Module) -> None:
        self.config, self.network, self.step, self.best = config, network, 0, -1.0
        self.averaged = _copy(network)
        decay = [p for p in network.parameters() if p.ndim > 1]
        plain = [p for p in network.parameters() if p.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decay}, {"params": plain, "weight_decay": 0.0}]
        optim = config.optim
        self.optimiser = torch.optim.AdamW(groups, lr=optim.learning_rate, weight_decay=optim.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, optim.learning_rate, total_steps=optim.steps + 1, pct_start=0.15
        )

    def advance(self, frames: Tensor, target: Target) -> dict[str, float]:
        """Take one step on frames uint8 (B, T, H, W), and return the terms of the loss."""
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.run.bf16):
            logits = self.network(frames[:, None] / 255.0)
        loss, terms = total_loss(logits, target, self.config.loss)
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
        return terms

    def save(self, path: Path) -> None:
        """Write the state under a temporary name, then rename the file."""
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
        """Load a saved state.

        Raises:
            ConfigError: If the state is that of another network.
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
    twin = copy.deepcopy(network)
    for parameter in twin.parameters():
        parameter.requires_grad_(False)
    return twin
