"""Calibration set of int8, and held-out clips that files are compared on."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data import open_data
from edgeecho.errors import DataError, MissingExtraError, VideoError, require
from edgeecho.preprocess import find_roi, to_network
from edgeecho.synthetic.phantom import PhantomHeart

GAINS = (1.0, 0.6, 1.5)
"""Gains of the calibration clips, so that the ranges also fit a darker or brighter scanner."""
MAX_CLIPS = 400
MAX_FRAMES = 32
"""Largest number of frames of one clip."""
MIN_CLIPS = 48
"""Number of clips below which drawn hearts are added: ranges of few patients would clip the values of others."""
HELD_OUT = 4
"""Number of held-out drawn clips."""
PHANTOM_PX = 256
"""Side of a drawn cine in pixels."""
PHANTOM_SEED = 5
CALIBRATION_HEARTS, CALIBRATION_FRAMES = 24, 6


@dataclass(frozen=True)
class Frames:
    """Calibration set and held-out clips, at the network's size, uint8 (T, S, S) each."""

    source: str
    """Description of the calibration set, for the record."""
    calibration: list[np.ndarray]
    held_out: list[np.ndarray]
    """Clips outside the calibration set; files are compared on them."""
    held_out_groups: tuple[str, ...] = ()
    """Patients outside the calibration set; the acceptance test may take their cines."""


def gather(data: str | None, size_px: int) -> Frames:
    """Gather the calibration set and held-out clips.

    Args:
        data: Data set as `KIND:DIR`; None takes drawn hearts, and the cine inside the `pydicom` package if it is
            installed.
        size_px: Side of the network's frames.

    Raises:
        DataError: If fewer than two patients have readable frames.
    """
    if data is None:
        return _without_data(size_px)
    source = open_data(data)
    items = source.items("train")
    first = {item.group: item for item in reversed(items)}  # one cine a patient: many hearts, not many frames of one
    groups = sorted(first)[:: max(1, -(-len(first) // MAX_CLIPS))]
    calibration: list[np.ndarray] = []
    held_out: list[np.ndarray] = []
    apart: list[str] = []
    for i, group in enumerate(groups):
        try:
            clip = _clip(first[group].read(), size_px)[:MAX_FRAMES]
        except (DataError, VideoError):
            continue  # `edgeecho data check` lists it
        if i % 5 == 0:
            held_out.append(clip)
            apart.append(group)
        else:
            calibration.append(_gain(clip, GAINS[i % len(GAINS)]))
    if not calibration or not held_out:
        readable = len(calibration) + len(held_out)
        raise DataError(f"{data}: {readable} patients with readable frames, at least 2 are needed to calibrate")
    description = f"{source.kind} training list"
    if len(calibration) < MIN_CLIPS:
        calibration += _drawn_clips(size_px)
        description += f" and {CALIBRATION_HEARTS} drawn hearts"
    return Frames(f"{description}, {sum(map(len, calibration))} frames", calibration, held_out, tuple(apart))


def _without_data(size_px: int) -> Frames:
    calibration = _drawn_clips(size_px)
    held_out = [_drawn_clip((PHANTOM_SEED, 2, i), size_px) for i in range(HELD_OUT)]
    source = f"{len(calibration)} drawn hearts"
    try:
        clip = packaged_cine(size_px)
    except MissingExtraError:
        pass
    else:
        half = len(clip) // 2
        calibration += [_gain(piece, gain) for piece in (clip[:half], clip[half:]) for gain in GAINS]
        # The only real cine that can be had is held out at other gains than in the calibration set, reversed in time.
        held_out += [_gain(clip[::-1], gain) for gain in (0.8, 1.2)]
        source += " and the SonoSite cine inside pydicom at 3 gains"
    return Frames(f"{source}, {sum(map(len, calibration))} frames", calibration, held_out)


def _drawn_clips(size_px: int) -> list[np.ndarray]:
    """Draw clips of hearts, each at one of the gains."""
    hearts = [_drawn_clip((PHANTOM_SEED, 0, i), size_px) for i in range(CALIBRATION_HEARTS)]
    return [_gain(clip, GAINS[i % len(GAINS)]) for i, clip in enumerate(hearts)]


@cache
def _drawn_clip(seed: tuple[int, ...], size_px: int) -> np.ndarray:
    """Draw a few frames over the first second of a heart."""
    heart = PhantomHeart(seed, PHANTOM_PX)
    pictures, _ = heart.frames(np.linspace(0, min(1.0, heart.seconds), CALIBRATION_FRAMES))
    return _clip(Cine(pictures, spacing_mm=heart.spacing_mm), size_px)


def packaged_cine(size_px: int) -> np.ndarray:
    """Read the cine inside the `pydicom` package, uint8 (30, S, S).

    Raises:
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    return _clip(read_cine(pydicom.examples.get_path("ybr_color")), size_px)


def _clip(cine: Cine, size_px: int) -> np.ndarray:
    return to_network(cine.frames, find_roi(cine.frames, cine.pixel_shape), size_px)


def _gain(clip: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(np.rint(clip * gain), 0, 255).astype(np.uint8)
