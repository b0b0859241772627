"""Parts that all DICOM objects of EdgeEcho share: patient, study, series, equipment, dates; and their writing."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine import Cine
from edgeecho.dicom.origin import Origin, content_sha256, uid_of
from edgeecho.errors import EdgeEchoError, VideoError, require
from edgeecho.files import atomic

MANUFACTURER = "EdgeEcho"
SERIES = {
    "sr": (9001, "EdgeEcho left ventricle, report"),
    "seg": (9002, "EdgeEcho left ventricle, masks"),
    "capture": (9003, "EdgeEcho left ventricle, overlay"),
    "cine": (9000, "EdgeEcho cine"),
}
"""Number of the series of each kind of product, above those that scanners give, and its description."""


@dataclass(frozen=True, eq=False)
class Content:
    """Result of one cine, of which products are made."""

    figures: Mapping[str, Any]
    """Content of NAME.json. Its key `corrections`, if it is there, has sentences about what a person changed."""
    mask: np.ndarray
    """uint8 {0, 1} (T, H, W)."""
    cine: Cine | None
    """The cine, with the frames that may be shown; None if neither overlay nor cine are written."""
    origin: Origin

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of what products show."""
        return content_sha256(self.figures, self.mask, self.origin)

    @property
    def is_multi_frame(self) -> bool:
        """Whether references to the image need numbers of frames."""
        return len(self.mask) > 1 or not self.origin.is_input

    @property
    def corrections(self) -> list[str]:
        """Sentences about what a person changed in the result; none if nothing."""
        return list(self.figures.get("corrections") or ())


def algorithm_of(figures: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Return name and version of the algorithm, and its parameters: what identifies model and engine."""
    import edgeecho

    model = figures["model"]
    parameters = [f"model SHA-256 {model['sha256']}"]
    parameters += [f"{key} {model[key]}" for key in ("form", "precision", "licence")]
    parameters.append(f"runtime {model['runtime']} {model['runtime_version']}")
    return f"EdgeEcho {model['name']}", edgeecho.__version__, parameters


def new_object(content: Content, kind: str, sop_class: str, modality: str) -> Any:
    """Return a data set with the modules that all objects have.

    Args:
        content: The result.
        kind: Kind of product.
        sop_class: UID of the SOP class.
        modality: Modality of the series.

    Raises:
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom-out")
    import edgeecho

    origin, image = content.origin, content.origin.image
    made = deepcopy(image)  # whose elements would else be shared
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = sop_class
    made.SOPInstanceUID, made.SeriesInstanceUID = uids_of(content, kind)
    made.Modality = modality
    made.SeriesNumber, made.SeriesDescription = SERIES[kind]
    made.InstanceNumber = 1
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, "edgeecho"
    made.DeviceSerialNumber, made.SoftwareVersions = "none", edgeecho.__version__
    made.PatientOrientation = ""
    made.ContentDate, made.ContentTime = origin.date, origin.time
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return made


def uids_of(content: Content, kind: str) -> tuple[str, str]:
    """Return the UIDs of a product and of its series, which has this instance alone."""
    if kind == "cine":
        return str(content.origin.image.SOPInstanceUID), str(content.origin.image.SeriesInstanceUID)
    return uid_of(kind, content.sha256), uid_of(kind, "series", content.sha256)


def code_item(value: str, scheme: str, meaning: str) -> Any:
    """Return an item of a code sequence."""
    item = require("pydicom", "dicom-out").Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def set_pixels(made: Any, shape: Sequence[int], *, bits: int = 8, samples: int = 1) -> None:
    """Set the attributes that describe unsigned pixels.

    Args:
        made: Data set, changed in place.
        shape: (T, H, W).
        bits: Bits a sample, allocated and stored.
        samples: Samples a pixel.
    """
    made.NumberOfFrames, made.Rows, made.Columns = (int(side) for side in shape[:3])
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit, made.PixelRepresentation, made.SamplesPerPixel = bits - 1, 0, samples


def set_times(made: Any, cine: Cine, fps: float | None) -> None:
    """Set the time base of frames (Cine Module); of an unknown one, frames are numbered, and no rate is stated."""
    count = int(made.NumberOfFrames)
    if cine.times_s is not None and fps == cine.fps and count > 1:
        steps_ms = 1000 * np.diff(cine.times_s)
        made.FrameTimeVector = ["0", *(f"{step:.6g}" for step in steps_ms)]
        made.FrameIncrementPointer = 0x00181065
    elif fps:
        made.FrameTime = f"{1000 / fps:.10g}"
        made.FrameIncrementPointer = 0x00181063
    else:
        made.FrameLabelVector = [f"frame {index}" for index in range(count)]
        made.FrameIncrementPointer = 0x00182002


def write_object(path: Path, made: Any) -> None:
    """Write a data set as a DICOM file, whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.ImplementationVersionName = "EDGEECHO"
    made.file_meta.ImplementationClassUID = uid_of("implementation")
    with atomic(path) as temporary:
        made.save_as(temporary, enforce_file_format=True)


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Turn what pydicom and highdicom raise about a value of the input's header into one line, without the value.

    Raises:
        VideoError: In place of their errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ValueError, TypeError, AttributeError, LookupError, NotImplementedError) as error:
            if isinstance(error, EdgeEchoError):
                raise
            kind = type(error).__name__
            text = f"{path.name}: cannot be made of this cine ({kind} in its DICOM values); leave this product out"
            raise VideoError(text, file=path) from error
