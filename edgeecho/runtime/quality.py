"""Quality of a result: confidence, pieces and empty frames of its masks, and a frozen end of its cine."""

from itertools import pairwise

import numpy as np

MIN_FROZEN_FRAMES = 10
"""A shorter pause may be diastasis of a quiet heart."""
MAX_FROZEN_CHANGE = 0.1
"""Largest change between two frozen frames, as a fraction of the 90th percentile of the cine's changes."""


def quality_of(sums: dict[str, int]) -> dict[str, float]:
    """Return the quality of the masks of a cine as JSON values.

    Args:
        sums: Sums over its frames, as `FrameHistory.whole` returns them.

    Returns:
        `confidence`, mean probability inside the masks; `empty_frames` without a mask, `broken_frames` with one in
        several pieces; `outside_fraction`, part of the masks outside the fan.
    """
    pixels = sums["pixels"]
    return {
        "confidence": round(sums["total"] / (255 * pixels), 4) if pixels else 0.0,
        "empty_frames": sums["empty"],
        "broken_frames": sums["broken"],
        "outside_fraction": round(sums["outside"] / pixels, 4) if pixels else 0.0,
    }


def frozen_tail(frames: np.ndarray) -> list[str]:
    """Find equal frames at the end, as a recorder leaves them that fills up a cine with its last frame.

    Args:
        frames: Input of the network, uint8 (T, S, S).

    Returns:
        One sentence, or none if the cine does not end so.
    """
    if len(frames) <= MIN_FROZEN_FRAMES:
        return []
    change = np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(frames)])
    moving = np.flatnonzero(change > MAX_FROZEN_CHANGE * np.percentile(change, 90))
    still = len(change) - (int(moving[-1]) + 1 if len(moving) else 0)
    if still < MIN_FROZEN_FRAMES:
        return []
    return [f"the last {still + 1} of {len(frames)} frames are the same: cut them off, beats there are not real"]
