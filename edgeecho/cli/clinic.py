"""Flags of the clinic that `segment` and `serve` share: products, sending, pseudonyms, covered text."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeecho.dicom import Pseudonyms

DicomOut = Annotated[
    str | None,
    typer.Option(help="DICOM files to write beside the results, with commas between: sr, seg, capture, cine."),
]
Fhir = Annotated[bool, typer.Option("--fhir", help="Write a FHIR diagnostic report beside the results.")]
Send = Annotated[str | None, typer.Option(help="HOST:PORT/AET to which the DICOM files are sent.")]
PseudonymKey = Annotated[
    Path | None,
    typer.Option(help="File with a secret key: pseudonyms stand for file names, patients and studies."),
]
BlurText = Annotated[
    bool, typer.Option("--blur-text", help="Cover what stands still outside the fan, such as a burnt-in name.")
]


def products_of(dicom_out: str | None, fhir: bool) -> tuple[str, ...]:
    """Return the kinds of products that two flags name."""
    from edgeecho.dicom.kinds import dicom_kinds

    return (*dicom_kinds(dicom_out), *(("fhir",) if fhir else ()))


def pseudonyms_of(key: Path | None) -> "Pseudonyms | None":
    """Return the pseudonyms of a key's file; None without one."""
    from edgeecho.dicom import Pseudonyms

    return Pseudonyms.of_file(key) if key else None
