"""Choosing the checkpoint: LV Dice on labelled frames of patients that were held out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from edgeecho.cine import Cine
from edgeecho.metrics import dice
from edgeecho.preprocess import Roi, find_roi, mask_from_network, to_network


@dataclass(frozen=True, eq=False)
class Look:
    """A labelled frame with the frames about it that the answer depends on."""

    inputs: torch.Tensor
    """uint8 (t, S, S)."""
    index: int
    """Of the labelled one."""
    roi: Roi
    label: np.ndarray
    phase: str


class Chooser:
    """LV Dice of a network on held-out labels, at the frames' own size."""

    def __init__(self, cines: Iterable[Cine], size_px: int, context: tuple[int, int], multiple: int = 1) -> None:
        """
        Args:
            cines: With labels; let go of one by one.
            size_px: Side of the network's frames.
            context: Frames before and after that an answer depends on.
            multiple: Of how many frames a clip must be, for a network that pools along time.
        """
        self.looks = [look for cine in cines for look in _looks(cine, size_px, context, multiple)]

    def dice_by_phase(self, network: nn.Module) -> dict[str, float]:
        """Mean Dice per phase."""
        network.eval()
        found: dict[str, list[float]] = {}
        with torch.inference_mode():
            for look in self.looks:
                logits = network(look.inputs[None, None] / 255.0)[0, 0, look.index]
                prob = torch.round(torch.sigmoid(logits) * 255).to(torch.uint8).numpy()
                mask = mask_from_network(prob[None], look.roi, *look.label.shape)[0]
                found.setdefault(look.phase or "other", []).append(dice(mask, look.label))
        return {phase: float(np.nanmean(values)) for phase, values in sorted(found.items())}


def _looks(cine: Cine, size_px: int, context: tuple[int, int], multiple: int) -> list[Look]:
    """ED and ES of a cine, or all its labels where it marks neither."""
    roi = find_roi(cine.frames, cine.spacing_mm)
    looks = []
    for k in cine.marked:
        low, high = max(0, k - context[0]), min(len(cine.frames), k + context[1] + 1)
        inputs = to_network(cine.frames[low:high], roi, size_px)
        lacking = -len(inputs) % multiple
        inputs = np.concatenate([inputs, np.repeat(inputs[-1:], lacking, axis=0)])
        looks.append(Look(torch.from_numpy(inputs), k - low, roi, cine.labels[k].copy(), cine.phases.get(k, "")))
    return looks
