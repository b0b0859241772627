"""What training minimises on labelled frames."""

import torch
from torch import Tensor
from torch.nn import functional as F


def supervised_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice, per frame, averaged.

    Args:
        logits: float (B, 1, T, H, W).
        target: Soft mask in [0, 1], the same shape.
    """
    logits = logits.float()
    entropy = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits)
    axes = (-2, -1)
    overlap = 2 * (p * target).sum(axes) + 1
    return entropy + 1 - (overlap / (p.sum(axes) + target.sum(axes) + 1)).mean()
