"""Real frames to calibrate and to judge int8 on."""

from dataclasses import dataclass

import numpy as np

from edgeecho.cine import Cine, read_cine
from edgeecho.data import open_data
from edgeecho.errors import DataError, MissingExtraError, VideoError, require
from edgeecho.preprocess import find_roi, to_network

GAINS = (1.0, 0.6, 1.5)
"""Each clip is seen at these gains, so that a darker or brighter scanner stays within the scales."""
MAX_CLIPS = 400


@dataclass(frozen=True)
class Frames:
    """Clips of the network's own size, uint8 (T, S, S) each."""

    source: str
    """Where they come from, for the record."""
    calibration: list[np.ndarray]
    held_out: list[np.ndarray]
    """Clips that calibration does not see; int8 is judged on them."""


def gather(data: str | None, size_px: int) -> Frames:
    """Clips for calibration, and held-out ones.

    Args:
        data: `KIND:DIR`, or None for the cine inside the `pydicom` package.
        size_px: The network's frame size.

    Raises:
        DataError: If there is no usable frame.
        MissingExtraError: If neither `data` nor pydicom is there.
    """
    if data is None:
        return _from_package(size_px)
    source = open_data(data)
    items = source.items("train")
    first = {item.group: item for item in reversed(items)}  # one cine a patient: many hearts, not many frames of one
    groups = sorted(first)[:: max(1, -(-len(first) // MAX_CLIPS))]
    seen: list[np.ndarray] = []
    held_out: list[np.ndarray] = []
    for i, group in enumerate(groups):
        try:
            clip = _clip(first[group].read(), size_px)
        except (DataError, VideoError):
            continue  # `edgeecho data check` names it
        if i % 5 == 0:
            held_out.append(clip)
        else:
            seen.append(_gain(clip, GAINS[i % len(GAINS)]))
    if not seen or not held_out:
        raise DataError(
            f"{data}: {len(seen) + len(held_out)} patients with readable frames, at least 2 are needed to calibrate"
        )
    frames = sum(len(clip) for clip in seen)
    return Frames(f"{source.kind} training list, {frames} frames", seen, held_out)


def packaged_cine(size_px: int) -> np.ndarray:
    """The cine inside the `pydicom` package, uint8 (30, S, S).

    Raises:
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    return _clip(read_cine(pydicom.examples.get_path("ybr_color")), size_px)


def _from_package(size_px: int) -> Frames:
    try:
        clip = packaged_cine(size_px)
    except MissingExtraError as error:
        raise DataError("no frames to calibrate on: give --calib KIND:DIR, or pip install 'edgeecho[dicom]'") from error
    half = len(clip) // 2
    seen = [_gain(piece, gain) for piece in (clip[:half], clip[half:]) for gain in GAINS]
    # One cine is all there is: it is judged on frames seen at other gains, mirrored in time.
    held_out = [_gain(clip[::-1], gain) for gain in (0.8, 1.2)]
    return Frames("the SonoSite cine inside pydicom, 3 gains", seen, held_out)


def _clip(cine: Cine, size_px: int) -> np.ndarray:
    return to_network(cine.frames, find_roi(cine.frames, cine.spacing_mm), size_px)


def _gain(clip: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(np.rint(clip * gain), 0, 255).astype(np.uint8)
