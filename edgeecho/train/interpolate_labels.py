"""Interpolation of labels: masks for the frames between an ED and an ES label, placed by the cardiac cycle."""

import numpy as np

from edgeecho.synthetic.ed_es_morph import signed_distance

MIN_CYCLE_STEP = 0.8
"""Least difference of the cycle between ED and ES, in its standard deviations, for an interpolation."""


def interpolate_labels(masks: np.ndarray, phases: dict[int, str], cycle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate the masks of unlabelled frames between the nearest ED and the nearest ES label.

    A frame whose cycle is at the part w of the way from ES to ED gets the outline on which w times the signed distance
    to the ED outline and 1 - w times that to the ES outline sum to 0.

    Args:
        masks: Soft masks, uint8 (T, S, S), 0 to 255; 0 on frames without a label.
        phases: Phase of each labelled frame, by its index: `ED`, `ES` or an empty text, which is not used.
        cycle: Cardiac cycle, float32 (T,), high at ED.

    Returns:
        The labelled and the interpolated masks, uint8 (T, S, S), and which frames were interpolated, bool (T,).
    """
    filled, interpolated = masks.copy(), np.zeros(len(masks), bool)
    labelled = {phase: [k for k, p in phases.items() if p == phase and masks[k].max() > 127] for phase in ("ED", "ES")}
    distance = {k: signed_distance(masks[k] > 127) for marked in labelled.values() for k in marked}
    for t in range(len(masks)):
        if t in phases or not all(labelled.values()):
            continue
        ed, es = (min(labelled[phase], key=lambda k: abs(k - t)) for phase in ("ED", "ES"))
        apart = float(cycle[ed] - cycle[es])
        if apart < MIN_CYCLE_STEP:
            continue
        part = float(np.clip((cycle[t] - cycle[es]) / apart, 0, 1))
        outline = part * distance[ed] + (1 - part) * distance[es]
        filled[t] = np.clip(127.5 + 255 * outline, 0, 255)
        interpolated[t] = True
    return filled, interpolated
