"""Agreement of masks."""

import numpy as np

from edgeecho.errors import ShapeError


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice overlap of two masks, 2 |A and B| / (|A| + |B|), no smoothing; NaN when both are empty.

    Args:
        a: bool or {0, 1}, any shape.
        b: The same shape.

    Raises:
        ShapeError: If the shapes differ.
    """
    if a.shape != b.shape:
        raise ShapeError(f"masks differ in shape: {a.shape} and {b.shape}")
    a, b = a.astype(bool), b.astype(bool)
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")
