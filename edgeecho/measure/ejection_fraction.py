"""Ejection fraction from the volumes at end-diastole and end-systole."""

from typing import TypeVar

import numpy as np

Volume = TypeVar("Volume", float, np.ndarray)


def ef_percent(edv: Volume, esv: Volume) -> Volume:
    """Compute EF = 100 (EDV - ESV) / EDV, on 0-100.

    Args:
        edv: Volume at ED, or volumes (N,), in any unit; not 0.
        esv: Volume or volumes at ES in the same unit.
    """
    percent: Volume = 100 * (edv - esv) / edv
    return percent
