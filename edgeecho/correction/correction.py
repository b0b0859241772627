"""Changes of a person to a result, as values and as the JSON that a page saves."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.errors import DataError
from edgeecho.files import read_regular

FORMAT = "edgeecho_correction"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Correction:
    """Changes to one result; frames are 0-based, beats are numbered from 1 as the page numbers them."""

    ed_frame: int | None = None
    es_frame: int | None = None
    """ED and ES of the beat that alone counts; both or neither."""
    exclude_beats: tuple[int, ...] = ()
    outlines: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Outline of the cavity by frame, float64 (N, 2), x and y in pixels, pixel centres at whole numbers."""
    masks: Mapping[int, np.ndarray] = field(default_factory=dict)
    """Mask of the cavity by frame, uint8 {0, 1} (H, W)."""
    accepted: bool = False
    """Whether the person has looked at the outlines and takes them as right."""
    input_sha256: str | None = None
    """SHA-256 of the cine that was corrected, None if it is not known."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        chosen = self.ed_frame is not None or self.es_frame is not None
        return not (chosen or self.exclude_beats or self.outlines or self.masks or self.accepted)

    def in_words(self) -> list[str]:
        """Return a line for each kind of change."""
        lines = []
        if self.ed_frame is not None:
            lines.append(f"ED at frame {self.ed_frame} and ES at frame {self.es_frame}, chosen by hand")
        if self.exclude_beats:
            lines.append(f"beats left out by hand: {', '.join(map(str, self.exclude_beats))}")
        edited = sorted({*self.outlines, *self.masks})
        if edited:
            lines.append(f"masks edited by hand in frames {', '.join(map(str, edited))}")
        if self.accepted:
            lines.append("outlines looked at and accepted by a person")
        return lines


def read_correction(path: Path) -> Correction:
    """Read the JSON that a page saves.

    Raises:
        DataError: If it is none, or a value makes no sense.
    """
    try:
        values = json.loads(read_regular(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}", file=path) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: no JSON; give the file that a page saved as its correction", file=path) from error
    if not isinstance(values, dict) or FORMAT not in values:
        raise DataError(f"{path}: no correction; give the file that a page saved as its correction", file=path)
    if values[FORMAT] != VERSION:
        raise DataError(
            f"{path}: version {values[FORMAT]!r} of corrections, expected {VERSION}; update EdgeEcho", file=path
        )
    try:
        return _from_values(values)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"{path}: a value makes no sense: {' '.join(str(error).split())}", file=path) from error


def _from_values(values: dict[str, Any]) -> Correction:
    return Correction(
        ed_frame=_whole(values["ed"]) if values.get("ed") is not None else None,
        es_frame=_whole(values["es"]) if values.get("es") is not None else None,
        exclude_beats=tuple(_whole(beat) for beat in values.get("exclude_beats", [])),
        outlines={_whole(int(frame)): _points(line) for frame, line in values.get("outlines", {}).items()},
        accepted=values.get("accepted", False) is True,
        input_sha256=str(values["input_sha256"]) if values.get("input_sha256") else None,
    )


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a whole number from 0, got {value!r}")
    return value


def _points(line: object) -> np.ndarray:
    points = np.asarray(line, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise ValueError(f"an outline needs at least 3 points of x and y, got shape {points.shape}")
    if not all(map(math.isfinite, points.ravel().tolist())):
        raise ValueError("an outline has a coordinate that is not finite")
    return points
