"""How far a true ventricle strays from the middle of its neighbours in time: thresholds by frame rate, and whence."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import DataError
from edgeecho.metrics.temporal import ATTRIBUTES, temporal_error

EDGES_FPS = (10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 113.0, 160.0)
"""Bands of frame rates, each half an octave wide: |e| of a smooth motion falls with the square of the rate."""
MIN_CINES = 20
"""A band with fewer does not show how far true ventricles go."""
STORED = "consistency_thresholds.json"
"""Beside this file, written by `studies.consistency_thresholds`."""


@dataclass(frozen=True)
class Band:
    """Thresholds for cines of a range of frame rates."""

    fps: tuple[float, float]
    """From the first up to but not including the second."""
    cines: int
    """That they come from, as `frames`."""
    frames: int
    thresholds: dict[str, float]
    """Attribute to the largest |e| of a reference, in units of the population's range."""


@dataclass(frozen=True)
class Thresholds:
    """Bands in rising order, and where they come from."""

    source: str
    """Which reference masks, and how."""
    bands: tuple[Band, ...]
    command: str = ""
    """That derives them again; empty where they come from the split that is evaluated."""
    revision: str = ""
    """Git revision of the code that derived them."""

    def at(self, fps: float | None) -> dict[str, float] | None:
        """The thresholds for a frame rate; None where there are none, or the rate is unknown."""
        if fps is None:
            return None
        return next((band.thresholds for band in self.bands if band.fps[0] <= fps < band.fps[1]), None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path | None = None) -> "Thresholds":
        """From a file of `to_dict`; those that come with the package if no file is named.

        Raises:
            DataError: If it cannot be read or holds something else.
        """
        try:
            text = path.read_text() if path else files("edgeecho.metrics").joinpath(STORED).read_text()
            values = json.loads(text)
            bands = [
                Band((band["fps"][0], band["fps"][1]), band["cines"], band["frames"], dict(band["thresholds"]))
                for band in values["bands"]
            ]
            if any(band.thresholds.keys() != set(ATTRIBUTES) for band in bands):
                raise ValueError(f"each band needs {', '.join(ATTRIBUTES)}")
            return cls(str(values["source"]), tuple(bands), str(values["command"]), str(values["revision"]))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DataError(f"{path or STORED}: not a file of consistency thresholds: {error!r}") from error


def derive_thresholds(
    sequences: Iterable[tuple[float, Mapping[str, np.ndarray]]],
    bounds: Mapping[str, tuple[float, float]],
    source: str,
    min_cines: int = 1,
) -> Thresholds:
    """The largest |e| that references show, as Painchaud et al. derive theirs, for each band of frame rates.

    A cine counts in the band of its own rate and, taken at every second, third and so on frame, in those below.

    Args:
        sequences: Frame rate, and attributes of a cine's reference masks on consecutive frames, in the bounds' unit.
        bounds: Of the population.
        source: Which masks these are.
        min_cines: A band with fewer is left out.

    Raises:
        DataError: If no band remains.
    """
    found: dict[int, list[tuple[int, dict[str, float]]]] = {}
    lengths: list[int] = []
    for fps, attributes in sequences:
        lengths.append(len(attributes["lv_area"]))
        frames, largest = lengths[-1], dict[int, dict[str, float]]()
        for step in range(1, max(1, frames // 3) + 1):
            band = bisect_right(EDGES_FPS, fps / step) - 1
            if not 0 <= band < len(EDGES_FPS) - 1 or frames < 3:
                continue
            errors = {name: _largest_error(attributes[name], bounds[name], step) for name in ATTRIBUTES}
            before = largest.get(band, errors)
            largest[band] = {name: max(errors[name], before[name]) for name in ATTRIBUTES}
        for band, errors in largest.items():
            found.setdefault(band, []).append((frames, errors))
    bands = [
        Band(
            (EDGES_FPS[band], EDGES_FPS[band + 1]),
            len(cines),
            sum(frames for frames, _ in cines),
            {name: max(errors[name] for _, errors in cines) for name in ATTRIBUTES},
        )
        for band, cines in sorted(found.items())
        if len(cines) >= min_cines
    ]
    if not bands:
        low, high = EDGES_FPS[0], EDGES_FPS[-1]
        raise DataError(
            f"{source}: no {min_cines} cines of {low:g} to {high:g} frames a second with reference masks on three "
            "consecutive frames, so no thresholds"
        )
    told = f"largest |e| over {sum(lengths)} reference masks of {len(lengths)} cines by frame rate, {source}"
    return Thresholds(told, tuple(bands))


def _largest_error(curve: np.ndarray, bounds: tuple[float, float], step: int) -> float:
    """Over every phase of a curve taken at each `step`-th frame."""
    return max(float(np.abs(temporal_error(curve[start::step], bounds)).max()) for start in range(step))
