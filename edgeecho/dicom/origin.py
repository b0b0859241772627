"""Patient, study and image that the products of a cine refer to: those of a DICOM input, or made ones."""

import hashlib
import json
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.dicom.pseudonyms import Pseudonyms
from edgeecho.errors import require
from edgeecho.files import open_regular

UNKNOWN_DATE, UNKNOWN_TIME = "19000101", "000000"
"""Date and time that an object must have and that are not known, or that must not be given."""
MULTI_FRAME_GREY = "1.2.840.10008.5.1.4.1.1.7.2"
"""SOP class of NAME.cine.dcm: Multi-frame Grayscale Byte Secondary Capture Image Storage."""
_NAMESPACE = uuid.UUID("6b1f7b50-3a0f-5e0e-9d0c-0d2f4f1d7c11")
_PATIENT = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
_STUDY = ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyDescription")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_MUST_BE_THERE = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", *_STUDY[:5])
"""Attributes of type 2: present, empty if not known."""


@dataclass(frozen=True, eq=False)
class Origin:
    """Patient, study, image and time that the products of a cine refer to."""

    image: Any
    """Data set with the attributes of patient and study, and with the UIDs of study, series, SOP class and instance."""
    is_input: bool
    """Whether the image is the input itself; else it is NAME.cine.dcm."""
    date: str
    """Date of the input, `YYYYMMDD`."""
    time: str
    """Time of the input, `HHMMSS`."""


def origin_of(path: Path, sha256: str, pseudonyms: Pseudonyms | None = None) -> Origin:
    """Return patient, study, image and time that the products of a cine refer to.

    Of a DICOM input, they carry patient and study, and refer to its frames. Any other input has neither: patient,
    study and image are named by its SHA-256, and the image is NAME.cine.dcm. So it is with pseudonyms, where patient
    and study are named by the HMAC of the input's, so that cines of one patient and of one study stay together.

    Args:
        path: The input.
        sha256: SHA-256 of the input.
        pseudonyms: If they are given, nothing of the header of the input is in the origin.

    Raises:
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom-out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns about every unusual value
        header = _header(path, pydicom)
        image = pydicom.Dataset()
        if header is not None and pseudonyms is None:
            for keyword in (*_PATIENT, *_STUDY, *_UIDS):
                if (value := _valid(header, keyword, pydicom)) is not None:
                    setattr(image, keyword, value)
            date, time = _date_of(header, pydicom) or _file_date(path)
        else:
            date, time = (UNKNOWN_DATE, UNKNOWN_TIME) if pseudonyms else _file_date(path)
            image.PatientID = _patient(header, sha256, pseudonyms)
            if date != UNKNOWN_DATE:
                image.StudyDate, image.StudyTime = date, time
        is_input = header is not None and pseudonyms is None and bool(image.get("SOPInstanceUID"))
        study = str(header.get("StudyInstanceUID", "")) if header is not None else ""
        key = pseudonyms.digest("study", study or sha256) if pseudonyms else sha256
        for keyword in _MUST_BE_THERE:
            if keyword not in image:
                setattr(image, keyword, "")
        if not is_input:
            image.SOPClassUID = MULTI_FRAME_GREY
            image.SOPInstanceUID = uid_of("image", pseudonyms.digest("image", sha256) if pseudonyms else sha256)
            image.SeriesInstanceUID = uid_of("series", image.SOPInstanceUID)
        if not image.get("StudyInstanceUID"):
            image.StudyInstanceUID = uid_of("study", key)
        if not image.get("SeriesInstanceUID"):
            image.SeriesInstanceUID = uid_of("series", image.SOPInstanceUID)
    return Origin(image, is_input, date, time)


def uid_of(*parts: str) -> str:
    """Return a UID of texts (PS3.5 B.2: of a UUID); the same texts give the same one."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(10).join(parts)).int}"


def content_sha256(figures: Mapping[str, Any], mask: np.ndarray, origin: Origin) -> str:
    """Return the SHA-256 of what products show, of which their UIDs are made: another content has other UIDs.

    Args:
        figures: Figures of the cine.
        mask: uint8 {0, 1} (T, H, W).
        origin: Image and time that the products refer to.
    """
    decisive = {key: value for key, value in figures.items() if key not in ("input", "run")}
    whole = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
    whole.update(np.packbits(mask.astype(bool)).tobytes())
    whole.update(f"{origin.image.SOPInstanceUID} {origin.date} {origin.time}".encode())
    return whole.hexdigest()


def _header(path: Path, pydicom: Any) -> Any:
    """Return the attributes of a DICOM file before its pixels; None of other files."""
    if not path.is_file():
        return None
    with open_regular(path) as file:
        if file.read(132)[128:] != b"DICM":
            return None
    return pydicom.dcmread(path, stop_before_pixels=True)


def _valid(header: Any, keyword: str, pydicom: Any) -> str | None:
    """Return a value as text; None if it is absent, empty, or not what its kind allows."""
    try:
        value = header.get(keyword)
        text = "" if value is None else str(value).strip("\0 ")
        vr = pydicom.datadict.dictionary_VR(keyword)
        pydicom.valuerep.validate_value(vr, text, pydicom.config.RAISE)
        if vr == "UI" and not pydicom.uid.UID(text).is_valid:
            return None
    except (ValueError, TypeError, LookupError):
        return None
    return text or None


def _patient(header: Any, sha256: str, pseudonyms: Pseudonyms | None) -> str:
    """Return an identifier of the patient that is unique, as archives put patients of the same one together."""
    if pseudonyms is None:
        return f"sha256-{sha256[:24]}"
    known = "" if header is None else f"{header.get('PatientID') or ''}\0{header.get('IssuerOfPatientID') or ''}"
    return pseudonyms.name("patient", known if known.strip("\0") else sha256)


def _date_of(header: Any, pydicom: Any) -> tuple[str, str] | None:
    for kind in ("Content", "Acquisition", "Series", "Study"):
        date = _valid(header, f"{kind}Date", pydicom)
        if date and len(date) == 8 and date.isdigit():  # longer ones are ranges
            time = _valid(header, f"{kind}Time", pydicom) or UNKNOWN_TIME
            return date, time.partition(".")[0]
    return None


def _file_date(path: Path) -> tuple[str, str]:
    """Return date and time at which a file was changed last, in UTC; the unknown ones for the beginning of time."""
    seconds = int(path.stat().st_mtime)
    if seconds <= 0:
        return UNKNOWN_DATE, UNKNOWN_TIME
    changed = datetime.fromtimestamp(seconds, UTC)
    return changed.strftime("%Y%m%d"), changed.strftime("%H%M%S")
