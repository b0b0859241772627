"""Loss of the training: labels at ED and ES, temporal consistency on all frames, and a teacher's predictions.

TCL, the temporal consistency loss, is the idea of CL-UNet (Lv et al., https://github.com/lvmarch/CL-UNet, its README
of April 2025): the predicted area follows a cardiac cycle that is estimated from the video. Its formula was never
published. `cycle_loss` is our reading of the loss `hccdice` in `simlvseg/loss.py` of
https://github.com/52HZMercury/SimLVSeg-with-SegMamba (March 2025), by the same group: Dice + 0.1 (r - 1)^2, where r is
Pearson's correlation of the standard deviation over the pixels of a frame, in the prediction and in the label. We take
the area instead, which is monotone in it, and the cycle instead of the label. `smoothness_loss`, `beat_loss` and the
interpolated labels (`edgeecho.train.interpolate_labels`) are ours. docs/model.md has all terms in a table.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from edgeecho.train.config import LossConfig

MIN_AREA_DEVIATION = 0.05
"""Standard deviation of an area, as a part of its mean, below which it counts as constant."""
MIN_CYCLE_JERK = 0.05
"""Mean square of the third difference of a cycle of unit deviation, below which the cycle counts as slow."""
SAME_PHASE = 0.15
"""Largest difference of the cycle, in standard deviations, between frames of equal phase."""


@dataclass(frozen=True, eq=False)
class Target:
    """Targets of a batch of clips."""

    masks: Tensor
    """Soft masks in [0, 1], float (B, T, H, W)."""
    labelled: Tensor
    """Frames whose mask is a label, bool (B, T)."""
    interpolated: Tensor
    """Frames whose mask was interpolated between two labels, bool (B, T)."""
    cycle: Tensor
    """Estimated cardiac cycle, high at ED, zero mean and unit deviation, float (B, T); zeros where unknown."""
    phase_confidence: Tensor
    """Confidence in the cycle and its sign, 0 to 1, float (B,)."""
    taught: Tensor | None = None
    """Probabilities of a teacher on every frame, float (B, T, H, W); None without a teacher."""

    @classmethod
    def of(cls, batch: dict[str, Tensor], taught: Tensor | None = None) -> "Target":
        """Make the target of a batch as it is loaded: masks uint8, confidence in any precision."""
        labelled, interpolated = batch["labelled"], batch["interpolated"]
        return cls(
            batch["masks"] / 255.0, labelled, interpolated, batch["cycle"], batch["phase_confidence"].float(), taught
        )


def total_loss(logits: Tensor, target: Target, config: LossConfig) -> tuple[Tensor, dict[str, float]]:
    """Return the weighted sum of the terms, and each term by itself; a term of weight 0 is not computed.

    Args:
        logits: Logits, float (B, 1, T, H, W).
        target: Target of the same clips.
        config: Weights of the terms.
    """
    logits = logits.float().squeeze(1)
    terms = {"labels": supervised_loss(logits, target.masks, target.labelled.float())}
    area = torch.sigmoid(logits).mean((-2, -1))  # (B, T), as a part of the frame
    if config.cycle:
        terms["cycle"] = cycle_loss(area, target.cycle, target.phase_confidence)
    if config.interpolation:
        weight = target.interpolated * target.phase_confidence[:, None]
        terms["interpolation"] = supervised_loss(logits, target.masks, weight)
    if config.smooth:
        terms["smooth"] = smoothness_loss(area, target.cycle, target.phase_confidence)
    if config.beats:
        terms["beats"] = beat_loss(area, target.cycle, target.phase_confidence)
    if config.teacher and target.taught is not None:
        terms["teacher"] = F.binary_cross_entropy_with_logits(logits, target.taught)
    weights = {
        "labels": 1.0,
        "teacher": config.teacher,
        "cycle": config.cycle,
        "interpolation": config.interpolation,
        "smooth": config.smooth,
        "beats": config.beats,
    }
    total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}


def supervised_loss(logits: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """Return binary cross-entropy plus soft Dice loss, a weighted mean over frames; 0 if all weights are 0.

    Args:
        logits: Logits, float (B, T, H, W).
        masks: Soft masks in [0, 1], float (B, T, H, W).
        weight: Confidence in the mask of each frame, 0 to 1, float (B, T).
    """
    chosen = weight > 0
    if not chosen.any():
        return logits.sum() * 0
    logits, truth, share = logits[chosen], masks[chosen], weight[chosen] / chosen.sum()  # (N, H, W) and (N,)
    axes = (-2, -1)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(axes)
    p = torch.sigmoid(logits)
    overlap = (2 * (p * truth).sum(axes) + 1) / (p.sum(axes) + truth.sum(axes) + 1)
    return (share * (entropy + 1 - overlap)).sum()


def cycle_loss(area: Tensor, cycle: Tensor, phase_confidence: Tensor) -> Tensor:
    """Return 1 less the correlation of predicted area and cycle, weighted by confidence, the mean over clips.

    Args:
        area: Soft areas, float (B, T).
        cycle: Cardiac cycle, float (B, T), zero mean and unit deviation.
        phase_confidence: Confidence in the cycle, float (B,).
    """
    centred = area - area.mean(1, keepdim=True)
    # Without this floor a constant area, which is noise alone, would get the largest gradient.
    spread = (centred.square().mean(1) + (MIN_AREA_DEVIATION * area.mean(1).detach()).square() + 1e-8).sqrt()
    correlation = (centred * cycle).mean(1) / spread
    return (phase_confidence * (1 - correlation)).mean()


def smoothness_loss(area: Tensor, cycle: Tensor, phase_confidence: Tensor) -> Tensor:
    """Return the jerk of the area that the cycle does not explain, relative to the jerk of the cycle.

    The residual is the area, relative to its mean, less its linear fit to the cycle. Its jerk is the mean square of its
    third difference over time, which is large where masks flicker. It is also large in a clip of few frames a beat,
    where the cycle jumps too; without the division such clips alone would be smoothed.

    Args:
        area: Soft areas, float (B, T).
        cycle: Cardiac cycle, float (B, T), zero mean and unit deviation.
        phase_confidence: Confidence in the cycle, float (B,).
    """
    if area.shape[1] < 4:
        return area.sum() * 0
    mean = area.mean(1, keepdim=True)
    slope = ((area - mean) * cycle).mean(1, keepdim=True).detach()
    residual = (area - mean - slope * cycle) / (mean.detach() + 1e-4)
    own = cycle.diff(n=3, dim=1).square().mean(1)
    return (phase_confidence * residual.diff(n=3, dim=1).square().mean(1) / (own + MIN_CYCLE_JERK)).mean()


def beat_loss(area: Tensor, cycle: Tensor, phase_confidence: Tensor) -> Tensor:
    """Return the mean square difference of relative area between frames of equal phase in different beats.

    Two frames are of equal phase if their cycles differ by less than `SAME_PHASE` and both rise or both fall, and of
    different beats if the cycle has two or more turning points between them.

    Args:
        area: Soft areas, float (B, T).
        cycle: Cardiac cycle, float (B, T), zero mean and unit deviation.
        phase_confidence: Confidence in the cycle, float (B,).
    """
    if area.shape[1] < 3:
        return area.sum() * 0
    way = torch.sign(F.pad(cycle.diff(dim=1), (0, 1), mode="replicate"))
    turns = F.pad((way[:, 1:] != way[:, :-1]).cumsum(1), (1, 0))
    alike = (cycle[:, :, None] - cycle[:, None]).abs() < SAME_PHASE
    same = alike & (way[:, :, None] == way[:, None]) & ((turns[:, :, None] - turns[:, None]).abs() >= 2)
    relative = area / (area.mean(1, keepdim=True).detach() + 1e-4)
    apart = (relative[:, :, None] - relative[:, None]).square()
    weight = same * phase_confidence[:, None, None]
    return (apart * weight).sum() / weight.sum().clamp(min=1)
