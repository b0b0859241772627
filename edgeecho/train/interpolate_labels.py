"""What lies between an ED and an ES label, as far as the cardiac cycle says: a target for the frames without one."""

import numpy as np

from edgeecho.synthetic.ed_es_morph import signed_distance

APART = 0.8
"""Deviations of the cycle that ED and ES must lie apart to say where a frame stands between them."""


def bridge(masks: np.ndarray, phases: dict[int, str], cycle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw the masks of unlabelled frames between those of the nearest ED and ES label.

    A frame whose cycle stands a part w of the way from ES to ED is given the outline at that part of the way between
    the two: where w times the signed distance from the ED outline and 1 - w times that from the ES outline sum to 0.

    Args:
        masks: uint8 (T, S, S), 0 to 255; labels where there are any.
        phases: `ED` or `ES` of labelled frames; others have no say.
        cycle: float32 (T,), high at ED.

    Returns:
        The masks with those in between filled in, uint8 (T, S, S), and which frames were, bool (T,).
    """
    filled, bridged = masks.copy(), np.zeros(len(masks), bool)
    known = {phase: [k for k, p in phases.items() if p == phase and masks[k].max() > 127] for phase in ("ED", "ES")}
    distance = {k: signed_distance(masks[k] > 127) for marked in known.values() for k in marked}
    for t in range(len(masks)):
        if t in phases or not all(known.values()):
            continue
        ed, es = (min(known[phase], key=lambda k: abs(k - t)) for phase in ("ED", "ES"))
        apart = float(cycle[ed] - cycle[es])
        if apart < APART:
            continue
        part = float(np.clip((cycle[t] - cycle[es]) / apart, 0, 1))
        outline = part * distance[ed] + (1 - part) * distance[es]
        filled[t] = np.clip(127.5 + 255 * outline, 0, 255)
        bridged[t] = True
    return filled, bridged
