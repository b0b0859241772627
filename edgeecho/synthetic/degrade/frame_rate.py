"""Fewer frames a second, with the marked frames kept."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def kept_frames(count: int, marked: Sequence[int], factor: float) -> np.ndarray:
    """Choose about every `factor`-th frame of a cine such that marked frames are among them.

    Between two marked frames the step is the largest even one that is at most `factor`, so it differs by less than a
    frame within a stretch. Before the first and after the last it is `factor`.

    Args:
        count: Number of frames T.
        marked: Frames to keep, such as ED and ES.
        factor: Number of frames of which one is kept, at least 1.

    Returns:
        Frames to show, int (N,), rising.
    """
    fixed = sorted(set(marked)) or [0]
    first, last = fixed[0], fixed[-1]
    before = first - factor * np.arange(int(first / factor), 0, -1)
    after = last + factor * np.arange(1, int((count - 1 - last) / factor) + 1)
    between = [np.linspace(a, b, max(2, int(np.ceil((b - a) / factor)) + 1))[1:] for a, b in pairwise(fixed)]
    return np.unique(np.rint(np.concatenate([before, [first], *between, after])).astype(int))
