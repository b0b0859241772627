"""Loss on what is read from the masks: volumes of labelled frames, and the ratios of volumes within a clip.

A mask may overlap well and still be too large in systole, where the cavity is small and its edge is blurred. EF is read
from the ratio of two volumes, so the error of that ratio is a term of its own.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

SHARPNESS = 4.0
"""Factor of the logits before the sigmoid. What is read is the volume of the mask, in which a pixel counts whole or not
at all; the sum of probabilities also counts what is less probable than not, about a cavity with a blurred edge."""
SMALLEST_CUBIC_PX = 1000.0
"""Volume that is added to both volumes of a ratio, about that of a sphere of 12 pixels: a mask that is nearly empty has
a bounded logarithm."""
LARGEST_ERROR = 0.4
"""Error of the logarithm of a volume beyond which the loss grows linearly, so that a lost mask does not dominate."""


def disc_volumes(masks: Tensor) -> Tensor:
    """Return volumes by the method of discs with the rows of the picture as discs, in cubic pixels.

    V = pi/4 * sum(w_r^2) over rows r, with w_r the width of the mask in row r (Lang et al., J Am Soc Echocardiogr
    2015;28:1-39, with discs across the picture's vertical in place of the ventricle's long axis). Pictures are upright
    in training, up to the rotation of the augmentation; the label and the prediction are read alike.

    Args:
        masks: Soft masks in [0, 1], float (..., H, W).

    Returns:
        Volumes, float (...).
    """
    return torch.pi / 4 * masks.sum(-1).square().sum(-1)


def log_volume_errors(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the logarithm of the ratio of predicted to true volume, float (B, T).

    Args:
        logits: Logits, float (B, T, H, W).
        masks: Soft masks in [0, 1], float (B, T, H, W).
    """
    predicted, true = disc_volumes(torch.sigmoid(SHARPNESS * logits)), disc_volumes(masks)
    return torch.log((predicted + SMALLEST_CUBIC_PX) / (true + SMALLEST_CUBIC_PX))


def volume_loss(errors: Tensor, labelled: Tensor, count: float | None = None) -> Tensor:
    """Return the mean squared error of the logarithm of the volume of labelled frames; 0 if there is none.

    Args:
        errors: Errors of `log_volume_errors`, float (B, T).
        labelled: Frames whose mask is a label, bool (B, T).
        count: Number that the sum over frames is divided by; None means the number of labelled frames.
    """
    total = labelled.sum().clamp(min=1) if count is None else count
    return (_bounded_square(errors) * labelled).sum() / total


def ejection_loss(errors: Tensor, labelled: Tensor, count: float | None = None) -> Tensor:
    """Return the mean squared deviation of the errors of a clip's labelled frames from their mean over the clip.

    It is 0 if all volumes of a clip are wrong by one factor, by which EF is right. For a clip with one ED and one ES it
    is a quarter of the squared error of log(EDV / ESV) = -log(1 - EF).

    Args:
        errors: Errors of `log_volume_errors`, float (B, T).
        labelled: Frames whose mask is a label, bool (B, T).
        count: Number that the sum over frames is divided by; None means the number of labelled frames.
    """
    weight = labelled.to(errors.dtype)
    mean = (errors * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp(min=1)
    return volume_loss(errors - mean, labelled, count)


def _bounded_square(errors: Tensor) -> Tensor:
    """Return squares up to `LARGEST_ERROR`, and their tangent beyond it."""
    return 2 * F.huber_loss(errors, torch.zeros_like(errors), reduction="none", delta=LARGEST_ERROR)
