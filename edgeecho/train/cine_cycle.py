"""Cardiac cycle of a whole cine, from which that of any of its clips is cut.

A clip alone is often less than a beat, in which drift, valves and noise change the picture as much as the heart does.
"""

import numpy as np

from edgeecho.cine import Cine
from edgeecho.preprocess import find_roi, to_network
from edgeecho.train.cycle import SIDE_PX, Cycle, cycle_signal, moving_frames

WINDOW_S = 5.0
"""Length in seconds of the parts of a long cine; each overlaps half of the next, since the probe moves meanwhile."""
USUAL_FPS = 40.0
"""Frame rate of a cine that does not state its own."""


def cine_cycle(cine: Cine) -> Cycle:
    """Estimate the cycle of a cine, high at ED as its labelled frames need it; frozen frames at its ends have no part.

    Args:
        cine: Cine with the phases of its labelled frames; without any the signal is zero.

    Raises:
        VideoError: If the cine is black.
    """
    frames = to_network(cine.frames, find_roi(cine.frames, cine.pixel_shape), SIDE_PX)
    first, last = moving_frames(frames)
    found = long_cycle(frames[first:last], cine.fps or USUAL_FPS)
    ends = (first, len(frames) - last)
    signal, parts = np.pad(found.signal, ends, mode="edge"), np.pad(found.parts, ((0, 0), ends), mode="edge")
    return Cycle(signal, found.confidence, parts, found.share).oriented(
        {k: cine.phases.get(k, "") for k in cine.marked}
    )


def long_cycle(frames: np.ndarray, fps: float) -> Cycle:
    """Estimate the cycle of frames uint8 (T, H, W) of any length, in overlapping windows if it is long."""
    length = round(WINDOW_S * fps)
    if len(frames) <= 1.5 * length:
        return cycle_signal(frames, fps)
    starts = np.unique(np.linspace(0, len(frames) - length, int(np.ceil(2 * len(frames) / length)) - 1).astype(int))
    total, weights = np.zeros((5, len(frames))), np.zeros(len(frames))
    fade = np.minimum(np.arange(length) + 1, length - np.arange(length)).astype(float)
    found = [cycle_signal(frames[start : start + length], fps) for start in starts]
    for start, part in zip(starts, found, strict=True):
        curves = np.concatenate([part.signal[None], part.parts])
        window = slice(start, start + length)
        sign = -1.0 if float(total[0, window] @ curves[0]) < 0 else 1.0  # the sign that the part before has
        total[:, window] += sign * fade * curves
        weights[window] += fade
    signal, *parts = (total / weights).astype(np.float32)
    signal = (signal - signal.mean()) / max(float(signal.std()), 1e-9)
    confidence, share = (float(np.mean([getattr(part, name) for part in found])) for name in ("confidence", "share"))
    return Cycle(signal, confidence, np.stack(parts), share)
