"""Numbers of DICOM attributes, of which damaged files have any."""

import math
from typing import Any


def numbers(data: Any, keyword: str) -> list[float]:
    """Return the finite numbers of an attribute; none if it is absent, empty or no number."""
    try:
        value = data.get(keyword)
        values = [float(v) for v in (value if hasattr(value, "__iter__") and not isinstance(value, str) else [value])]
    except (TypeError, ValueError, OverflowError):
        return []
    return values if all(math.isfinite(v) for v in values) else []
