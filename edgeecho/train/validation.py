"""Validation: LV Dice on labelled frames of held-out patients, by which the checkpoint is chosen."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from edgeecho.cine import Cine
from edgeecho.metrics import dice
from edgeecho.preprocess import Roi, find_roi, mask_from_network, to_network
from edgeecho.train.processes import Processes


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """A labelled frame, with the neighbouring frames that its prediction depends on."""

    inputs: torch.Tensor
    """Network frames, uint8 (t, S, S)."""
    index: int
    """Index of the labelled frame in `inputs`."""
    roi: Roi
    label: np.ndarray
    phase: str


class Validation:
    """LV Dice of a network on held-out labels, at the frames' own size."""

    def __init__(self, cines: Iterable[Cine], size_px: int, context: tuple[int, int], multiple: int = 1) -> None:
        """Take the labelled frames of some cines.

        Args:
            cines: Cines with labels, read one after another.
            size_px: Side of the network's frames.
            context: Numbers of frames before and after a frame that its prediction depends on.
            multiple: Number that the length of a clip must be a multiple of, for a network that pools along time.
        """
        self.frames = [frame for cine in cines for frame in _labelled_frames(cine, size_px, context, multiple)]

    def dice_by_phase(self, network: nn.Module, processes: Processes | None = None) -> dict[str, float]:
        """Return the mean Dice of each phase, over the frames of all processes."""
        found: dict[str, list[float]] = {}
        for part in (processes or Processes()).gather(self._dice(network)):
            for phase, value in part:
                found.setdefault(phase, []).append(value)
        return {phase: float(np.nanmean(values)) for phase, values in sorted(found.items())}

    def _dice(self, network: nn.Module) -> list[tuple[str, float]]:
        """Return the phase and the Dice of each frame of this process."""
        network.eval()
        device = next(network.parameters()).device
        found = []
        with torch.inference_mode():
            for frame in self.frames:
                logits = network(frame.inputs.to(device)[None, None] / 255.0)[0, 0, frame.index]
                prob = torch.round(torch.sigmoid(logits) * 255).to(torch.uint8).cpu().numpy()
                mask = mask_from_network(prob[None], frame.roi, *frame.label.shape)[0]
                found.append((frame.phase or "other", dice(mask, frame.label)))
        return found


def _labelled_frames(cine: Cine, size_px: int, context: tuple[int, int], multiple: int) -> list[LabelledFrame]:
    """Return ED and ES of a cine, or all its labelled frames where it marks neither."""
    roi = find_roi(cine.frames, cine.pixel_shape)
    found = []
    for k in cine.marked:
        low, high = max(0, k - context[0]), min(len(cine.frames), k + context[1] + 1)
        inputs = to_network(cine.frames[low:high], roi, size_px)
        lacking = -len(inputs) % multiple
        inputs = np.concatenate([inputs, np.repeat(inputs[-1:], lacking, axis=0)])
        phase = cine.phases.get(k, "")
        found.append(LabelledFrame(torch.from_numpy(inputs), k - low, roi, cine.labels[k].copy(), phase))
    return found
