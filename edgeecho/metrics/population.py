"""Population bounds of mask attributes, and thresholds, which temporal consistency is measured against."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgeecho.errors import DataError
from edgeecho.metrics.temporal import ATTRIBUTES
from edgeecho.metrics.thresholds import Thresholds


@dataclass(frozen=True)
class Population:
    """Bounds and thresholds of the attributes of `mask_attributes`."""

    unit: str
    """Unit of lengths: `mm` or `px`."""
    bounds: dict[str, tuple[float, float]]
    bounds_from: str
    """Description of how the bounds were derived."""
    thresholds: Thresholds | None = None
    """Thresholds of temporal consistency; None if neither the split nor the package has any."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


CAMUS_TRAINING = Population(
    unit="mm",
    bounds={
        "lv_area": (820.48, 6266.15),
        "lv_length": (48.34, 108.15),
        "lv_width": (19.89, 74.45),
        "lv_orientation": (-21.80, 41.92),
    },
    bounds_from="lowest and highest value over 800 reference masks, ED and ES of the 400 CAMUS training patients, 4CH",
)
"""Bounds for cines with a known spacing: `derive_bounds` of the labelled frames of `camus`, split `train`. It has no
thresholds: single frames have no neighbours in time, and the masks between ED and ES that the full data set adds are
interpolated, so thresholds from them would be too strict."""


def derive_bounds(references: Iterable[Mapping[str, np.ndarray]], unit: str, source: str) -> Population:
    """Find the lowest and highest value of every attribute over reference masks.

    Args:
        references: Attributes of each cine's labelled frames, by `mask_attributes`, all in one unit. Empty masks (area
            0) are left out.
        unit: Unit of lengths, `mm` or `px`.
        source: Description of the masks, for the record.

    Raises:
        DataError: If an attribute does not vary, such as with one mask.
    """
    values: dict[str, list[np.ndarray]] = {name: [] for name in ATTRIBUTES}
    for attributes in references:
        seen = np.asarray(attributes["lv_area"]) > 0
        for name in ATTRIBUTES:
            values[name].append(np.asarray(attributes[name], float)[seen])
    count = sum(map(len, values["lv_area"]))
    bounds = {}
    for name, parts in values.items():
        found = np.concatenate(parts) if parts else np.zeros(0)
        if not len(found) or found.min() == found.max():
            raise DataError(f"{source}: {count} reference masks do not give bounds of {name}; give more cines")
        bounds[name] = (float(found.min()), float(found.max()))
    return Population(unit, bounds, f"lowest and highest value over {count} reference masks, {source}")
