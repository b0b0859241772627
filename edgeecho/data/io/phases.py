"""ED and ES of labelled frames whose phase nobody stated: by the beats of their areas, or by the areas alone."""

from collections.abc import Iterable
from math import gcd

import numpy as np

from edgeecho.measure import find_cycle

MIN_CURVE_LABELS = 10
"""Fewest labels in a row that are taken as an area curve; the detector finds no half beat in fewer."""


def phases_of_labels(labels: dict[int, np.ndarray], fps: float | None) -> dict[int, str]:
    """Find ED and ES among labelled frames.

    Masks on consecutive frames, or on every n-th frame, are an area curve, whose beats the detector of the measurement
    finds. One wrong mask is then neither ED nor ES, as it would be if the largest and the smallest area decided. They
    decide where a few frames are labelled.

    Args:
        labels: Masks by frame, uint8 {0, 1} (H, W).
        fps: Frames per second of the cine; None if unknown.

    Returns:
        `ED` or `ES` by frame: both of every beat if the labels are a curve; of the largest and the smallest mask if
        they are not. Empty for fewer than two labels, and for a curve without a beat.
    """
    step = _step(labels)
    if not is_area_curve(labels):
        by_area = sorted(labels, key=lambda frame: int(labels[frame].sum()))
        return {by_area[-1]: "ED", by_area[0]: "ES"} if len(labels) > 1 else {}
    first = min(labels)
    area_px = np.zeros((max(labels) - first) // step + 1)
    for frame, mask in labels.items():
        area_px[(frame - first) // step] = np.count_nonzero(mask)
    beats = find_cycle(area_px, fps / step if fps else None).beats
    found = [(beat.ed_frame, "ED") for beat in beats] + [(beat.es_frame, "ES") for beat in beats]
    found += [(beat.next_ed_frame, "ED") for beat in beats if beat.next_ed_frame is not None]
    return {frame: phase for at, phase in sorted(found) if (frame := first + at * step) in labels}


def is_area_curve(frames: Iterable[int]) -> bool:
    """Whether at least `MIN_CURVE_LABELS` labelled frames follow each other, each a step after the one before."""
    step = _step(frames)
    return bool(step) and len(longest_run(frame // step for frame in frames)) >= MIN_CURVE_LABELS


def longest_run(frames: Iterable[int]) -> list[int]:
    """Return the longest run of consecutive frames; the first of equally long ones."""
    best: list[int] = []
    run: list[int] = []
    for frame in sorted(frames):
        run = [*run, frame] if run and frame == run[-1] + 1 else [frame]
        best = run if len(run) > len(best) else best
    return best


def _step(frames: Iterable[int]) -> int:
    """Return the largest step whose multiples all distances between frames are; 0 for fewer than two frames."""
    ordered = sorted(frames)
    return gcd(*(frame - ordered[0] for frame in ordered)) if ordered else 0
