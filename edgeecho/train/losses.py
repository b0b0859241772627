"""Loss of the training: labels at ED and ES, temporal consistency on all frames, and a teacher's predictions.

TCL, the temporal consistency loss, is the idea of CL-UNet (Lv et al., https://github.com/lvmarch/CL-UNet, its README
of April 2025): the predicted area follows a cardiac cycle that is estimated from the video. Its formula was never
published. `cycle_loss` is our reading of the loss `hccdice` in `simlvseg/loss.py` of
https://github.com/52HZMercury/SimLVSeg-with-SegMamba (March 2025), by the same group: Dice + 0.1 (r - 1)^2, where r is
Pearson's correlation of the standard deviation over the pixels of a frame, in the prediction and in the label. We take
the area instead, which is monotone in it, and the cycle instead of the label. `smoothness_loss`, `beat_loss` and the
interpolated labels (`edgeecho.train.interpolate_labels`) are ours, and so are the volumes of `edgeecho.train.ejection`.
docs/model.md has all terms in a table.
"""

from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from edgeecho.train.config import LossConfig
from edgeecho.train.ejection import ejection_loss, log_volume_errors, volume_loss
from edgeecho.train.processes import Processes

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
        """Make the target of a batch as it is loaded, with masks uint8."""
        labelled, interpolated = batch["labelled"], batch["interpolated"]
        return cls(batch["masks"] / 255.0, labelled, interpolated, batch["cycle"], batch["phase_confidence"], taught)

    def parts(self, count: int) -> list["Target"]:
        """Divide the clips into parts of equal size, in order."""
        values = [getattr(self, each.name) for each in fields(self)]
        divided = [[None] * count if value is None else value.chunk(count) for value in values]
        return [Target(*part) for part in zip(*divided, strict=True)]


@dataclass(frozen=True)
class Counts:
    """Numbers that the sums of the terms are divided by, which the target alone determines.

    A step's clips may be computed in parts, or by several processes: each divides its sums by the counts of all clips
    of the step, so that the parts add up to the loss of the whole.
    """

    clips: float
    labelled: float
    """Labelled frames."""
    interpolated: float
    """Interpolated frames whose weight is not 0."""
    equal_phases: float
    """Sum of the weights of the pairs of frames of equal phase."""

    @classmethod
    def of(cls, target: Target, processes: Processes | None = None) -> "Counts":
        """Count the clips of a step, as the mean over processes, since their gradients are averaged.

        Args:
            target: All clips of this process's step.
            processes: Processes that share the step; None means this one alone.
        """
        processes = processes or Processes()
        interpolated = (target.interpolated * target.phase_confidence[:, None]) > 0
        pairs = equal_phases(target.cycle, target.phase_confidence).sum()
        counts = [target.labelled.new_tensor(len(target.cycle), dtype=pairs.dtype), target.labelled.sum()]
        values = torch.stack([count.to(pairs.dtype) for count in (*counts, interpolated.sum(), pairs)])
        clips, labelled, drawn, equal = processes.mean(values).tolist()
        return cls(clips, labelled, drawn, max(1 / processes.count, equal))


def total_loss(
    logits: Tensor, target: Target, config: LossConfig, counts: Counts | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted sum of the terms, and each term by itself, detached; a term of weight 0 is not computed.

    Args:
        logits: Logits, float (B, 1, T, H, W).
        target: Target of the same clips.
        config: Weights of the terms.
        counts: Counts of the whole step that these clips are a part of; None means that they are all of it.
    """
    counts = counts or Counts.of(target)
    logits = logits.float().squeeze(1)
    part = len(target.cycle) / counts.clips
    terms = {"labels": supervised_loss(logits, target.masks, target.labelled.float(), counts.labelled)}
    area = torch.sigmoid(logits).mean((-2, -1))  # (B, T), as a part of the frame
    if config.cycle:
        terms["cycle"] = part * cycle_loss(area, target.cycle, target.phase_confidence)
    if config.interpolation:
        weight = target.interpolated * target.phase_confidence[:, None]
        terms["interpolation"] = supervised_loss(logits, target.masks, weight, counts.interpolated)
    if config.smooth:
        terms["smooth"] = part * smoothness_loss(area, target.cycle, target.phase_confidence)
    if config.beats:
        terms["beats"] = beat_loss(area, target.cycle, target.phase_confidence, counts.equal_phases)
    if config.volume or config.ejection:
        errors = log_volume_errors(logits, target.masks)
        if config.volume:
            terms["volume"] = volume_loss(errors, target.labelled, counts.labelled)
        if config.ejection:
            terms["ejection"] = ejection_loss(errors, target.labelled, counts.labelled)
    if config.teacher and target.taught is not None:
        terms["teacher"] = part * F.binary_cross_entropy_with_logits(logits, target.taught)
    weights = {"labels": 1.0, **asdict(config)}
    total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
    return total, {name: value.detach() for name, value in terms.items()}


def supervised_loss(logits: Tensor, masks: Tensor, weight: Tensor, count: float | None = None) -> Tensor:
    """Return binary cross-entropy plus soft Dice loss, a weighted mean over frames; 0 if all weights are 0.

    Args:
        logits: Logits, float (B, T, H, W).
        masks: Soft masks in [0, 1], float (B, T, H, W).
        weight: Confidence in the mask of each frame, 0 to 1, float (B, T).
        count: Number that the sum over frames is divided by; None means the number of frames whose weight is not 0.
    """
    chosen = weight > 0
    if not chosen.any():
        return logits.sum() * 0
    total = chosen.sum() if count is None else count
    logits, truth, share = logits[chosen], masks[chosen], weight[chosen] / total  # (N, H, W) and (N,)
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


def equal_phases(cycle: Tensor, phase_confidence: Tensor) -> Tensor:
    """Return the weight of every pair of frames of equal phase in different beats, float (B, T, T), 0 for other pairs.

    Two frames are of equal phase if their cycles differ by less than `SAME_PHASE` and both rise or both fall, and of
    different beats if the cycle has two or more turning points between them.

    Args:
        cycle: Cardiac cycle, float (B, T), zero mean and unit deviation.
        phase_confidence: Confidence in the cycle, float (B,).
    """
    if cycle.shape[1] < 3:
        return cycle.new_zeros(*cycle.shape, cycle.shape[1])
    way = torch.sign(F.pad(cycle.diff(dim=1), (0, 1), mode="replicate"))
    turns = F.pad((way[:, 1:] != way[:, :-1]).cumsum(1), (1, 0))
    alike = (cycle[:, :, None] - cycle[:, None]).abs() < SAME_PHASE
    same = alike & (way[:, :, None] == way[:, None]) & ((turns[:, :, None] - turns[:, None]).abs() >= 2)
    return same * phase_confidence[:, None, None]


def beat_loss(area: Tensor, cycle: Tensor, phase_confidence: Tensor, count: float | None = None) -> Tensor:
    """Return the mean square difference of relative area between frames of equal phase in different beats.

    Args:
        area: Soft areas, float (B, T).
        cycle: Cardiac cycle, float (B, T), zero mean and unit deviation.
        phase_confidence: Confidence in the cycle, float (B,).
        count: Number that the sum over pairs is divided by; None means the sum of their weights, at least 1.
    """
    weight = equal_phases(cycle, phase_confidence)
    relative = area / (area.mean(1, keepdim=True).detach() + 1e-4)
    apart = (relative[:, :, None] - relative[:, None]).square()
    return (apart * weight).sum() / (weight.sum().clamp(min=1) if count is None else count)
