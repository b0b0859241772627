"""Cines of the acceptance test: drawn hearts, and held-out cines of the calibration data.

Of each cine a beat of at most `MAX_FRAMES` frames is taken and its region is fixed once. The frames of end-diastole and
end-systole are known beforehand: of drawn hearts by construction, of a data set by its labels. So a figure of the
acceptance test never depends on whether a beat is found in a curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from edgeecho.cine import Cine
from edgeecho.data import open_data
from edgeecho.errors import DataError, VideoError
from edgeecho.preprocess import Roi, find_roi, to_network
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.rhythm import phase_frames

DRAWN_CINES = 40
"""Number of drawn cines of every acceptance test."""
MAX_HELD_OUT_CINES = 30
"""Largest number of held-out cines of the calibration data."""
MAX_FRAMES = 20
DRAWN_PX = 256
"""Side of a drawn frame in pixels."""
DRAWN_SEED = (5, 1)
"""First numbers of the seeds of the drawn hearts, which no other part of an export uses."""
MOVING = {"camus": "camus-cines"}
"""Kind of data set that makes cines of the stills of another one."""


@dataclass(frozen=True, eq=False)
class AcceptanceCine:
    """A beat as input of the network, with its known phases and masks."""

    name: str
    """Label in cards and reports, which are published: of a patient's cine its number, not its name."""
    inputs: np.ndarray
    """Network frames, uint8 (T, S, S)."""
    roi: Roi
    """Region of the source that `inputs` show."""
    size: tuple[int, int]
    """Height and width of the source in pixels."""
    spacing_mm: tuple[float, float] | None = None
    phases: tuple[int, int] | None = None
    """Frames of ED and ES; None if they are unknown."""
    truth: dict[int, np.ndarray] = field(default_factory=dict)
    """True mask of each frame that has one, uint8 {0, 1} (H, W)."""
    source: str = ""
    """Name of the cine in its data set, for whoever runs the export."""


def acceptance_cines(
    data: str | None, groups: Sequence[str], size_px: int, seed: int = 0, drawn: int | None = None
) -> list[AcceptanceCine]:
    """Gather the cines of one acceptance test.

    Args:
        data: Data set as `KIND:DIR` that int8 was calibrated on, or None.
        groups: Patients outside the calibration set.
        size_px: Side of the network's frames.
        seed: Seed that chooses the drawn hearts and the patients.
        drawn: Number of drawn cines; None takes `DRAWN_CINES`.
    """
    hearts = [_drawn(seed, number, size_px) for number in range(DRAWN_CINES if drawn is None else drawn)]
    return [*hearts, *(held_out_cines(data, groups, size_px, seed) if data else ())]


@lru_cache(DRAWN_CINES)
def _drawn(seed: int, number: int, size_px: int) -> AcceptanceCine:
    heart = PhantomHeart((*DRAWN_SEED, seed, number), DRAWN_PX)
    times = heart.times()
    frames, ed, es = _one_beat(len(times), phase_frames(*heart.rhythm.at(times)))
    pictures, masks = heart.frames(times[frames])
    roi = Roi(0, 0, DRAWN_PX, DRAWN_PX)
    truth, phases = dict(enumerate(masks)), _within(frames, ed, es)
    inputs = to_network(pictures, roi, size_px)
    return AcceptanceCine(f"drawn {seed}-{number}", inputs, roi, pictures.shape[1:], heart.spacing_mm, phases, truth)


def held_out_cines(data: str, groups: Sequence[str], size_px: int, seed: int | None = None) -> list[AcceptanceCine]:
    """Read cines of held-out patients; of a data set of stills, the cines that are made of them.

    Args:
        data: Data set as `KIND:DIR`.
        groups: The patients.
        size_px: Side of the network's frames.
        seed: Seed that chooses `MAX_HELD_OUT_CINES` of them and their order; None takes all.
    """
    kind, _, where = data.partition(":")
    of_group = {}
    for item in reversed(open_data(f"{MOVING.get(kind, kind)}:{where}").items("train")):
        if item.group in groups and item.metadata.get("frames") != 1:
            of_group[item.group] = item  # one cine a patient
    names = sorted(of_group)
    order = range(len(names)) if seed is None else np.random.default_rng(seed).permutation(len(names))
    found: list[AcceptanceCine] = []
    for index in order:
        if seed is not None and len(found) == MAX_HELD_OUT_CINES:
            break
        try:
            found.append(_of_cine(of_group[names[index]].read(), f"held-out cine {index}", size_px))
        except (DataError, VideoError):
            continue  # `edgeecho data check` lists it
    return found


def _of_cine(cine: Cine, name: str, size_px: int) -> AcceptanceCine:
    frames, ed, es = _one_beat(len(cine.frames), cine.phases)
    roi = find_roi(cine.frames, cine.pixel_shape)
    truth = {i: cine.labels[frame] for i, frame in enumerate(frames) if frame in cine.labels}
    inputs = to_network(cine.frames[frames], roi, size_px)
    phases = _within(frames, ed, es)
    return AcceptanceCine(name, inputs, roi, cine.frames.shape[1:], cine.spacing_mm, phases, truth, cine.name)


def _one_beat(count: int, phases: dict[int, str]) -> tuple[list[int], int | None, int | None]:
    """Select frames from a little before the first known ED to the next ED, evenly, and return them with ED and ES."""
    eds, ess = (sorted(k for k, phase in phases.items() if phase == which) for which in ("ED", "ES"))
    ed = next((k for k in eds if any(s > k for s in ess)), eds[0] if eds else None)
    es = next((k for k in ess if ed is None or k > ed), ess[0] if ess else None)
    if ed is None or es is None:
        return _thinned(0, count - 1, ()), None, None
    first, last = min(ed, es), max(ed, es)
    end = next((k for k in eds if k > es), min(count - 1, last + (last - first)))
    return _thinned(max(0, first - (end - first) // 4), end, (ed, es)), ed, es


def _thinned(first: int, last: int, kept: Sequence[int]) -> list[int]:
    """Select at most `MAX_FRAMES` frames from first to last, including those to keep."""
    even = np.linspace(first, last, min(last - first + 1, MAX_FRAMES - len(kept)))
    return sorted({*np.rint(even).astype(int).tolist(), *kept})


def _within(frames: list[int], ed: int | None, es: int | None) -> tuple[int, int] | None:
    return None if ed is None or es is None else (frames.index(ed), frames.index(es))
