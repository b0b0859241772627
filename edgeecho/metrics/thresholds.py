"""Thresholds of temporal consistency by frame rate: the largest errors that reference masks show."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import DataError
from edgeecho.files import read_regular
from edgeecho.metrics.temporal import ATTRIBUTES, temporal_error

EDGES_FPS = (10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 113.0, 160.0)
"""Limits of the bands of frame rates, half an octave wide: |e| of smooth motion falls with the square of the rate."""
MIN_CINES = 20
"""Number of cines below which a band gets no thresholds."""
STORED = "consistency_thresholds.json"
"""Name of the file beside this one that `studies.consistency_thresholds` writes."""


@dataclass(frozen=True)
class Band:
    """Thresholds for cines of a range of frame rates."""

    fps: tuple[float, float]
    """Range of frame rates, without its upper end."""
    cines: int
    """Number of cines that the thresholds were derived from."""
    frames: int
    thresholds: dict[str, float]
    """Largest |e| of reference masks by attribute, in units of the population's range."""


@dataclass(frozen=True)
class Thresholds:
    """Bands in rising order, with their provenance."""

    source: str
    """Description of the reference masks and of the derivation."""
    bands: tuple[Band, ...]
    command: str = ""
    """Command that derives the thresholds again; empty if they come from the split that is evaluated."""
    revision: str = ""
    """Git revision of the code that derived them."""

    def at(self, fps: float | None) -> dict[str, float] | None:
        """Return the thresholds of a frame rate; None if there are none, or the rate is unknown."""
        if fps is None:
            return None
        return next((band.thresholds for band in self.bands if band.fps[0] <= fps < band.fps[1]), None)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path | None = None) -> "Thresholds":
        """Read a file that `to_dict` made; without a name, the file of the package.

        Raises:
            DataError: If the file cannot be read or contains something else.
        """
        try:
            text = read_regular(path).decode() if path else files("edgeecho.metrics").joinpath(STORED).read_text()
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
    """Derive the largest |e| of reference masks for each band of frame rates, after Painchaud et al.

    A cine counts in the band of its own rate and, at every second, third and so on frame, in the bands below.

    Args:
        sequences: Frame rate, and attributes of a cine's reference masks on consecutive frames, in the bounds' unit.
        bounds: Bounds of the population.
        source: Description of the masks, for the record.
        min_cines: Number of cines below which a band is left out.

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
    description = f"largest |e| over {sum(lengths)} reference masks of {len(lengths)} cines by frame rate, {source}"
    return Thresholds(description, tuple(bands))


def _largest_error(curve: np.ndarray, bounds: tuple[float, float], step: int) -> float:
    """Return the largest |e| of a curve at each `step`-th frame, over all first frames."""
    return max(float(np.abs(temporal_error(curve[start::step], bounds)).max()) for start in range(step))
