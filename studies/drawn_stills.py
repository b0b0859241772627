"""How well does a network outline drawn hearts as cines, and as stills? The figures are in docs/datasets.md.

    python -m studies.drawn_stills CHECKPOINT [--population varied] [--hearts 60]

Hearts are those of the validation list of `phantom:`, `phantom-motion:` or `phantom-varied:`. ED and ES are segmented
twice: in the middle of nine frames, 1/30 s apart, and as a single frame, which the network holds. EF is that of
single-plane discs of the two masks, against the same of the true masks; an EF below 0 counts as 0.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from edgeecho.errors import MeasurementError
from edgeecho.measure import discs_of, ef_percent, keep_largest
from edgeecho.metrics import agreement, dice
from edgeecho.nn.checkpoint import load_checkpoint
from edgeecho.preprocess import resample
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import POPULATIONS

STEP_S = 1 / 30
FINER = 2
"""Factor by which hearts are drawn finer than the network's frames, to be resampled as any cine is."""
CONTEXT = 4
"""Frames before and after ED or ES in a cine."""


@dataclass(frozen=True)
class Reading:
    """ED and ES of one heart: Dice of each, and EF in percent."""

    ed_dice: float
    es_dice: float
    ef: float
    true_ef: float


def read_heart(network: nn.Module, size_px: int, heart: PhantomHeart, is_still: bool) -> Reading | None:
    """Segment ED and ES of a heart, resampled to the network's size; None if a mask is too small to be measured."""
    start, stop = heart.rhythm.r_waves_s[1:3]
    masks, truths = [], []
    for time in (start, start + heart.rhythm.systole * (stop - start)):
        apart = np.zeros(1) if is_still else np.arange(-CONTEXT, CONTEXT + 1) * STEP_S
        pictures, cavities = (resample(each, size_px, size_px) for each in draw(heart, time + apart))
        k = len(pictures) // 2
        with torch.inference_mode():
            logits = network(torch.from_numpy(pictures)[None, None] / 255.0)[0, 0, k].numpy()
        masks.append((logits >= 0).astype(np.uint8))
        keep_largest(masks[-1])
        truths.append((cavities[k] >= 128).astype(np.uint8))
    try:
        efs = [ef_percent(*(discs_of(mask).volume() for mask in pair)) for pair in (masks, truths)]
    except MeasurementError:
        return None
    return Reading(dice(masks[0], truths[0]), dice(masks[1], truths[1]), max(0.0, efs[0]), efs[1])


def draw(heart: PhantomHeart, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures and masks of 0 and 255 at times (T,), uint8 (T, H, W) each."""
    pictures, masks = heart.frames(times_s)
    return pictures, masks * 255


def main() -> None:
    """Print mean Dice, and bias, MAE and correlation of EF."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--population", choices=sorted(POPULATIONS), default="varied")
    parser.add_argument("--hearts", type=int, default=60)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    network, spec = load_checkpoint(given.checkpoint)
    network.eval()
    for name, is_still in (("cines", False), ("stills", True)):
        hearts = (
            PhantomHeart((0, 1, k), FINER * spec.size_px, POPULATIONS[given.population]) for k in range(given.hearts)
        )
        found = [reading for heart in hearts if (reading := read_heart(network, spec.size_px, heart, is_still))]
        ef = agreement([r.ef for r in found], [r.true_ef for r in found])
        ed, es = (float(np.mean([getattr(r, key) for r in found])) for key in ("ed_dice", "es_dice"))
        print(
            f"{name}: {len(found)} of {given.hearts} hearts, Dice ED {ed:.4f} ES {es:.4f}, "
            f"EF bias {ef.bias:+.1f} MAE {ef.mae:.1f} r {ef.pearson_r:.2f}"
        )


if __name__ == "__main__":
    main()
