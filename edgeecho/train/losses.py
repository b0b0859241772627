"""What training minimises: the labels of ED and ES, what time says about the frames between, and what a teacher says.

TCL, the temporal consistency loss, is CL-UNet's idea: a cardiac cycle estimated from the video leads the predicted
area on every frame. Its formula was never published; `follow_cycle` is our reading of the one trace there is (a penalty
on the correlation of a per-frame feature of the prediction with that of the reference; SCIENCE.md, 1.3). `stay_smooth`,
`repeat_beats` and the masks drawn between two labels (`edgeecho.train.interpolate_labels`) are ours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from edgeecho.train.config import LossConfig

STILL = 0.05
"""Deviation of an area, as part of its mean, below which it hardly moves."""
SUDDEN = 0.05
"""Mean square of the third difference of a cycle of unit deviation, below which it is slow."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is known of a batch of clips."""

    masks: Tensor
    """Soft masks in [0, 1], float (B, T, H, W)."""
    labelled: Tensor
    """Frames whose mask is a label, bool (B, T)."""
    bridged: Tensor
    """Frames whose mask was drawn between two labels, bool (B, T)."""
    cycle: Tensor
    """Estimated cardiac cycle, high at ED, zero mean and unit deviation, float (B, T); zeros where unknown."""
    trust: Tensor
    """Confidence in it, float (B,)."""
    taught: Tensor | None = None
    """A teacher's probabilities on every frame, float (B, T, H, W); None without one."""

    @classmethod
    def of(cls, batch: dict[str, Tensor], taught: Tensor | None = None) -> "Target":
        """Of a batch of clips as they are loaded: masks uint8, trust of any precision."""
        labelled, bridged = batch["labelled"], batch["bridged"]
        return cls(batch["masks"] / 255.0, labelled, bridged, batch["cycle"], batch["trust"].float(), taught)


def total_loss(logits: Tensor, target: Target, config: LossConfig) -> tuple[Tensor, dict[str, float]]:
    """The weighted sum, and each term by itself; a term of weight 0 is not computed.

    Args:
        logits: float (B, 1, T, H, W).
        target: Of the same clips.
        config: Weights.
    """
    logits = logits.float().squeeze(1)
    terms = {"labels": supervised_loss(logits, target.masks, target.labelled.float())}
    area = torch.sigmoid(logits).mean((-2, -1))  # (B, T), part of the frame
    if config.cycle:
        terms["cycle"] = follow_cycle(area, target.cycle, target.trust)
    if config.between:
        sure = target.bridged * target.trust[:, None]
        terms["between"] = supervised_loss(logits, target.masks, sure)
    if config.smooth:
        terms["smooth"] = stay_smooth(area, target.cycle, target.trust)
    if config.beats:
        terms["beats"] = repeat_beats(area, target.cycle, target.trust)
    if config.teacher and target.taught is not None:
        terms["teacher"] = F.binary_cross_entropy_with_logits(logits, target.taught)
    weights = {
        "labels": 1.0,
        "teacher": config.teacher,
        "cycle": config.cycle,
        "between": config.between,
        "smooth": config.smooth,
        "beats": config.beats,
    }
    total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
    return total, {name: float(value.detach()) for name, value in terms.items()}


def supervised_loss(logits: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice, per frame, averaged over frames by weight; 0 if no frame has any.

    Args:
        logits: float (B, T, H, W).
        masks: Soft masks in [0, 1], the same shape.
        weight: How sure a frame's mask is, 0 to 1, float (B, T).
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


def follow_cycle(area: Tensor, cycle: Tensor, trust: Tensor) -> Tensor:
    """One less the correlation of predicted area and cycle, weighted by trust, averaged over clips.

    Args:
        area: Soft areas, float (B, T).
        cycle: float (B, T), zero mean and unit deviation.
        trust: float (B,).
    """
    centred = area - area.mean(1, keepdim=True)
    # an area that hardly moves has no direction to follow: its noise would be given one, at the largest gradient
    spread = (centred.square().mean(1) + (STILL * area.mean(1).detach()).square() + 1e-8).sqrt()
    correlation = (centred * cycle).mean(1) / spread
    return (trust * (1 - correlation)).mean()


def stay_smooth(area: Tensor, cycle: Tensor, trust: Tensor) -> Tensor:
    """How much the second difference of the area jumps where the cycle does not explain it, against the cycle itself.

    What is left of the area, relative to its mean, once the straight line that fits it to the cycle is taken off: the
    mean square of its third difference over time, over that of the cycle. Flicker has much of it. So has a heart of few
    frames a beat, whose cycle jumps too; without the division such clips alone would be smoothed.

    Args:
        area: Soft areas, float (B, T).
        cycle: float (B, T), zero mean and unit deviation.
        trust: float (B,).
    """
    if area.shape[1] < 4:
        return area.sum() * 0
    mean = area.mean(1, keepdim=True)
    slope = ((area - mean) * cycle).mean(1, keepdim=True).detach()
    left = (area - mean - slope * cycle) / (mean.detach() + 1e-4)
    own = cycle.diff(n=3, dim=1).square().mean(1)
    return (trust * left.diff(n=3, dim=1).square().mean(1) / (own + SUDDEN)).mean()


def repeat_beats(area: Tensor, cycle: Tensor, trust: Tensor) -> Tensor:
    """Mean square difference of relative area between frames of equal phase in different beats.

    Two frames are of equal phase if their cycle is alike (within 0.15 deviations) and going the same way, and of
    different beats if the cycle turned twice or more between them.

    Args:
        area: Soft areas, float (B, T).
        cycle: float (B, T), zero mean and unit deviation.
        trust: float (B,).
    """
    if area.shape[1] < 3:
        return area.sum() * 0
    way = torch.sign(F.pad(cycle.diff(dim=1), (0, 1), mode="replicate"))
    turns = F.pad((way[:, 1:] != way[:, :-1]).cumsum(1), (1, 0))
    alike = (cycle[:, :, None] - cycle[:, None]).abs() < 0.15
    same = alike & (way[:, :, None] == way[:, None]) & ((turns[:, :, None] - turns[:, None]).abs() >= 2)
    relative = area / (area.mean(1, keepdim=True).detach() + 1e-4)
    apart = (relative[:, :, None] - relative[:, None]).square()
    weight = same * trust[:, None, None]
    return (apart * weight).sum() / weight.sum().clamp(min=1)
