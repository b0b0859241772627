"""Products of a result that a person corrected: made again, as those of the figures before would be wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine import read_cine
from edgeecho.dicom.kinds import PRODUCTS, require_extras
from edgeecho.dicom.objects import Content
from edgeecho.dicom.origin import Origin, origin_of
from edgeecho.dicom.products import write_products


def require_products(json_path: Path) -> None:
    """Check before anything is written that what makes the products beside a result again is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    require_extras([kind for kind, path in _paths_of(json_path).items() if path.exists()])


def remake_products(json_path: Path, figures: Mapping[str, Any], mask: np.ndarray) -> tuple[list[Path], list[Path]]:
    """Make the products beside a result again, and remove those that cannot be.

    Patient, study and references come from NAME.cine.dcm if it is there, else from the input. The overlay is made again
    from NAME.cine.dcm alone, as the input may show text that was covered.

    Args:
        json_path: Path of NAME.json.
        figures: Its new content.
        mask: The new masks, uint8 {0, 1} (T, H, W).

    Returns:
        Paths of the products that were made again, and of those that were removed.

    Raises:
        MissingExtraError: If pydicom or highdicom is not installed.
        OutputError: If a file cannot be written.
    """
    folder, stem = json_path.parent, json_path.stem
    paths = _paths_of(json_path)
    image = paths.pop("cine")
    present = [kind for kind, path in paths.items() if path.exists()]
    is_stored = image.exists()
    origin = _origin(image if is_stored else Path(figures["input"]), figures) if present else None
    kinds = [kind for kind in present if _can_be_made(kind, origin, is_stored)]
    removed = [paths[kind] for kind in present if kind not in kinds]
    for path in removed:
        path.unlink(missing_ok=True)
    if not kinds or origin is None:
        return [], removed
    cine = read_cine(image) if "capture" in kinds else None
    return write_products(folder, stem, kinds, Content(figures, mask, cine, origin)), removed


def _paths_of(json_path: Path) -> dict[str, Path]:
    return {kind: json_path.parent / f"{json_path.stem}{suffix}" for kind, suffix in PRODUCTS.items()}


def _origin(source: Path, figures: Mapping[str, Any]) -> Origin | None:
    """Return what the products refer to; None if the input is not there, or stands behind a pseudonym."""
    sha256 = (figures.get("run") or {}).get("input_sha256")
    return origin_of(source, sha256) if sha256 and source.exists() else None


def _can_be_made(kind: str, origin: Origin | None, is_stored: bool) -> bool:
    if origin is None or (kind == "capture" and not is_stored):
        return False
    return kind == "fhir" or origin.is_input  # reports and masks refer to an image, which must be there
