"""Kinds of products, and the names of their files."""

from collections.abc import Iterable
from pathlib import Path

from edgeecho.errors import ConfigError, require

PRODUCTS = {
    "sr": ".sr.dcm",
    "seg": ".seg.dcm",
    "capture": ".capture.dcm",
    "cine": ".cine.dcm",
    "fhir": ".fhir.json",
}
"""Suffix of each product: structured report, segmentation, secondary capture of the overlay, the cine itself as DICOM,
diagnostic report."""
DICOM_KINDS = ("sr", "seg", "capture", "cine")


def dicom_kinds(text: str | None) -> tuple[str, ...]:
    """Return the kinds of a list such as `sr,seg,capture`, in the order of `DICOM_KINDS`; none of None.

    Raises:
        ConfigError: If it names another kind.
    """
    named = [part.strip() for part in text.split(",")] if text is not None else []
    if unknown := [name for name in named if name not in DICOM_KINDS]:
        raise ConfigError(f"--dicom-out takes {', '.join(DICOM_KINDS)} with commas between, got {unknown[0]!r}")
    return tuple(kind for kind in DICOM_KINDS if kind in named)


def require_extras(kinds: Iterable[str]) -> None:
    """Check before long work that what writes the products is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    if set(kinds):
        require("pydicom", "dicom-out")
    if "sr" in set(kinds):
        require("highdicom", "dicom-out")


def check_products(kinds: Iterable[str], target: object | None) -> None:
    """Check before long work that the products can be written, and that there is something to send to a receiver.

    Raises:
        ConfigError: If there is a receiver, and no DICOM product.
        MissingExtraError: If what writes the products is not installed.
    """
    if target is not None and not set(kinds) & set(DICOM_KINDS):
        raise ConfigError(f"--send {target}: nothing to send; choose it with --dicom-out, such as sr,seg,capture")
    require_extras(kinds)


def product_files(folder: Path, stem: str, kinds: Iterable[str]) -> list[Path]:
    """Return the paths of a cine's products, in the order of `PRODUCTS`."""
    return [folder / f"{stem}{suffix}" for kind, suffix in PRODUCTS.items() if kind in set(kinds)]
