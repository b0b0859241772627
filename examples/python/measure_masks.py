"""Measure beats, volumes and EF in masks of your own, from another network or from a hand.

    python examples/python/measure_masks.py MASKS.npz FPS [ROW_MM COLUMN_MM]

MASKS.npz contains `mask`, uint8 {0, 1} (T, H, W). Needs `pip install .`.
"""

import sys

import numpy as np

from edgeecho.measure import measure


def main(masks_path: str, fps: str, *spacing_mm: str) -> None:
    """Print what `edgeecho segment` would measure in these masks."""
    with np.load(masks_path) as file:
        masks = file["mask"]
    spacing = (float(spacing_mm[0]), float(spacing_mm[1])) if spacing_mm else None
    result = measure(masks, masks.sum((1, 2), dtype=np.float32), float(fps), spacing)
    for beat in result.beats:
        print(f"ED frame {beat.ed_frame}, ES frame {beat.es_frame}: EF {beat.ef_percent:.1f}%")
    for warning in result.warnings:
        print(f"warning: {warning}")


if __name__ == "__main__":
    main(*sys.argv[1:])
