"""What makes an answer doubtful: an unsure network, a view that it was not made for, figures that cannot be."""

from itertools import pairwise

import numpy as np

from edgeecho.measure import Measurement

MAX_BROKEN = 0.1
"""More of the frames with a mask in pieces than this, and the view is doubted."""
MIN_CONFIDENCE = 0.9
EF_PERCENT = (5.0, 90.0)
"""EF outside is rarely real: over EchoNet-Dynamic it goes from 6.9 to 97.0, mean 55.8, standard deviation 12.4."""
EDV_ML = (5.0, 500.0)
"""The smallest infants' and the most dilated ventricles lie within; outside, the spacing or the mask is wrong."""
FROZEN_FRAMES = 10
"""A shorter stand-still may be diastasis of a quiet heart."""
FROZEN_CHANGE = 0.1
"""Change from frame to frame, in units of the cine's liveliest tenth, below which nothing moves."""


def doubt_masks(prob: np.ndarray, threshold: int) -> tuple[dict[str, float], list[str], list[str]]:
    """How sure the network was.

    Args:
        prob: 255 times the probability, uint8 (T, S, S).
        threshold: From here on a pixel is cavity.

    Returns:
        `confidence`, `empty_frames` and `broken_frames`; what to warn of; what makes the whole answer doubtful.
    """
    import cv2

    masks = (prob >= threshold).astype(np.uint8)
    inside = prob[masks > 0]
    confidence = float(inside.mean() / 255) if inside.size else 0.0
    broken = empty = 0
    for mask in masks:
        sizes = cv2.connectedComponentsWithStats(mask)[2][1:, cv2.CC_STAT_AREA]
        empty += len(sizes) == 0
        broken += int(len(sizes) > 1 and sizes.max() < 0.98 * sizes.sum())  # not NumPy's bool: it goes into JSON
    warnings = [f"{empty} of {len(masks)} frames have no left ventricle"] if empty else []
    doubts = []
    if broken > MAX_BROKEN * len(masks):
        doubts.append(f"the mask falls into pieces in {broken} of {len(masks)} frames: is this an apical view?")
    elif inside.size and confidence < MIN_CONFIDENCE:
        doubts.append(f"the network is unsure (confidence {confidence:.2f}): is this an apical view?")
    quality = {"confidence": round(confidence, 4), "empty_frames": empty, "broken_frames": broken}
    return quality, warnings, doubts


def doubt_figures(measured: Measurement) -> list[str]:
    """Figures that no heart has."""
    doubts = []
    ef, edv = measured.ef_percent, measured.edv_ml
    if ef is not None and not EF_PERCENT[0] <= ef <= EF_PERCENT[1]:
        doubts.append(f"an EF of {ef:.0f}% is implausible: look at the masks of ED and ES")
    if edv is not None and not EDV_ML[0] <= edv <= EDV_ML[1]:
        doubts.append(f"an EDV of {edv:.1f} mL is implausible: check the pixel spacing")
    return doubts


def doubt_stillness(frames: np.ndarray) -> list[str]:
    """A cine that stands still at its end, as a recorder leaves it that fills up with the last frame.

    Args:
        frames: What the network saw, uint8 (T, S, S).
    """
    if len(frames) <= FROZEN_FRAMES:
        return []
    change = np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)])
    moving = np.flatnonzero(change > FROZEN_CHANGE * np.percentile(change, 90))
    still = len(change) - (int(moving[-1]) + 1 if len(moving) else 0)
    if still < FROZEN_FRAMES:
        return []
    return [f"the last {still + 1} of {len(frames)} frames are the same: cut them off, beats there are not real"]
