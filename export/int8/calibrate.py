"""Frames to calibrate int8 on, and clips that calibration does not see."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data import open_data
from edgeecho.errors import DataError, MissingExtraError, VideoError, require
from edgeecho.preprocess import find_roi, to_network
from edgeecho.synthetic.phantom import PhantomHeart

GAINS = (1.0, 0.6, 1.5)
"""Each clip is seen at these gains, so that a darker or brighter scanner stays within the scales."""
MAX_CLIPS = 400
MAX_FRAMES = 32
"""Of one clip."""
MIN_CLIPS = 48
"""With fewer clips of the data, drawn hearts are added: ranges of few patients would clip others' values."""
HELD_OUT = 4
"""Drawn clips that calibration does not see."""
PHANTOM_PX = 256
"""Side of a drawn cine."""
PHANTOM_SEED = 5
CALIBRATION_HEARTS, CALIBRATION_FRAMES = 24, 6


@dataclass(frozen=True)
class Frames:
    """Clips of the network's own size, uint8 (T, S, S) each."""

    source: str
    """Where they come from, for the record."""
    calibration: list[np.ndarray]
    held_out: list[np.ndarray]
    """Clips that calibration does not see; files are compared on them."""
    held_out_groups: tuple[str, ...] = ()
    """Patients that calibration does not see; the acceptance test may take cines of theirs."""


def gather(data: str | None, size_px: int) -> Frames:
    """Gather clips for calibration, and held-out ones.

    Args:
        data: `KIND:DIR`, or None for drawn hearts and the cine inside the `pydicom` package, where that is installed.
        size_px: The network's frame size.

    Raises:
        DataError: If there is no usable frame.
    """
    if data is None:
        return _without_data(size_px)
    source = open_data(data)
    items = source.items("train")
    first = {item.group: item for item in reversed(items)}  # one cine a patient: many hearts, not many frames of one
    groups = sorted(first)[:: max(1, -(-len(first) // MAX_CLIPS))]
    seen: list[np.ndarray] = []
    held_out: list[np.ndarray] = []
    apart: list[str] = []
    for i, group in enumerate(groups):
        try:
            clip = _clip(first[group].read(), size_px)[:MAX_FRAMES]
        except (DataError, VideoError):
            continue  # `edgeecho data check` names it
        if i % 5 == 0:
            held_out.append(clip)
            apart.append(group)
        else:
            seen.append(_gain(clip, GAINS[i % len(GAINS)]))
    if not seen or not held_out:
        raise DataError(
            f"{data}: {len(seen) + len(held_out)} patients with readable frames, at least 2 are needed to calibrate"
        )
    told = f"{source.kind} training list"
    if len(seen) < MIN_CLIPS:
        seen += _drawn_clips(size_px)
        told += f" and {CALIBRATION_HEARTS} drawn hearts"
    return Frames(f"{told}, {sum(map(len, seen))} frames", seen, held_out, tuple(apart))


def _without_data(size_px: int) -> Frames:
    seen = _drawn_clips(size_px)
    held_out = [_glimpse((PHANTOM_SEED, 2, i), size_px) for i in range(HELD_OUT)]
    source = f"{len(seen)} drawn hearts"
    try:
        clip = packaged_cine(size_px)
    except MissingExtraError:
        pass
    else:
        half = len(clip) // 2
        seen += [_gain(piece, gain) for piece in (clip[:half], clip[half:]) for gain in GAINS]
        # The only real cine that can be had is held out at gains that were not seen, mirrored in time.
        held_out += [_gain(clip[::-1], gain) for gain in (0.8, 1.2)]
        source += " and the SonoSite cine inside pydicom at 3 gains"
    return Frames(f"{source}, {sum(map(len, seen))} frames", seen, held_out)


def _drawn_clips(size_px: int) -> list[np.ndarray]:
    """Clips of drawn hearts, each at one of the gains."""
    hearts = [_glimpse((PHANTOM_SEED, 0, i), size_px) for i in range(CALIBRATION_HEARTS)]
    return [_gain(clip, GAINS[i % len(GAINS)]) for i, clip in enumerate(hearts)]


@cache
def _glimpse(seed: tuple[int, ...], size_px: int) -> np.ndarray:
    """A few frames over a drawn heart's first second."""
    heart = PhantomHeart(seed, PHANTOM_PX)
    pictures, _ = heart.frames(np.linspace(0, min(1.0, heart.seconds), CALIBRATION_FRAMES))
    return _clip(Cine(pictures, spacing_mm=heart.spacing_mm), size_px)


def packaged_cine(size_px: int) -> np.ndarray:
    """The cine inside the `pydicom` package, uint8 (30, S, S).

    Raises:
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    return _clip(read_cine(pydicom.examples.get_path("ybr_color")), size_px)


def _clip(cine: Cine, size_px: int) -> np.ndarray:
    return to_network(cine.frames, find_roi(cine.frames, cine.spacing_mm), size_px)


def _gain(clip: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(np.rint(clip * gain), 0, 255).astype(np.uint8)
