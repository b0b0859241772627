"""The products of one cine, each written whole or not at all."""

from collections.abc import Callable, Iterable
from pathlib import Path

from edgeecho.dicom.capture import write_capture, write_cine
from edgeecho.dicom.fhir import write_report
from edgeecho.dicom.kinds import PRODUCTS
from edgeecho.dicom.objects import Content
from edgeecho.dicom.origin import Origin
from edgeecho.dicom.segmentation import write_segmentation
from edgeecho.dicom.structured_report import write_structured_report

_WRITERS: dict[str, Callable[[Path, Content], None]] = {
    "sr": write_structured_report,
    "seg": write_segmentation,
    "capture": write_capture,
    "cine": write_cine,
    "fhir": write_report,
}


def with_cine(kinds: Iterable[str], origin: Origin) -> tuple[str, ...]:
    """Return kinds of products with `cine` among them if others refer to it: if the input is no DICOM file."""
    wanted = set(kinds)
    if wanted & {"sr", "seg"} and not origin.is_input:
        wanted.add("cine")
    return tuple(kind for kind in PRODUCTS if kind in wanted)


def write_products(folder: Path, stem: str, kinds: Iterable[str], content: Content) -> list[Path]:
    """Write products of a cine.

    Args:
        folder: Folder for the files.
        stem: Their name without suffix.
        kinds: Keys of `PRODUCTS`.
        content: The result.

    Returns:
        Paths of the files, in the order of `PRODUCTS`.

    Raises:
        MissingExtraError: If pydicom or highdicom is not installed.
        OutputError: If a file cannot be written.
    """
    written = []
    for kind in with_cine(kinds, content.origin):
        path = folder / f"{stem}{PRODUCTS[kind]}"
        _WRITERS[kind](path, content)
        written.append(path)
    return written
