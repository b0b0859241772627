"""Secondary captures: the overlay as a colour cine, and a cine that was no DICOM file as a grey one."""

from pathlib import Path

import cv2
import numpy as np

from edgeecho.dicom.objects import Content, new_object, one_line_errors, set_pixels, set_times, write_object
from edgeecho.dicom.origin import MULTI_FRAME_GREY
from edgeecho.errors import require
from edgeecho.report.marks import Marks
from edgeecho.report.overlay import render_overlay

MULTI_FRAME_COLOUR = "1.2.840.10008.5.1.4.1.1.7.4"
"""Multi-frame True Color Secondary Capture Image Storage."""
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]


def write_capture(path: Path, content: Content) -> None:
    """Write NAME.capture.dcm: the pictures of the overlay video, each a baseline JPEG.

    Raises:
        MissingExtraError: If pydicom is not installed.
        OutputError: If it cannot be written.
    """
    pydicom = require("pydicom", "dicom-out")
    figures, cine = content.figures, content.cine
    assert cine is not None
    area_px = np.asarray(figures["area_px"])
    times_s = cine.times_s if figures["fps"] == cine.fps else None
    pictures = render_overlay(
        cine.frames, content.mask, figures["fps"], area_px=area_px, marks=Marks.of(figures), times_s=times_s
    )
    jpegs, shape = list[bytes](), (0, 0)
    for picture in pictures:
        shape = picture.shape[:2]
        jpegs.append(cv2.imencode(".jpg", picture, _JPEG)[1].tobytes())
    with one_line_errors(path):
        made = new_object(content, "capture", MULTI_FRAME_COLOUR, "US")
        made.ConversionType, made.ImageType = "WSD", ["DERIVED", "SECONDARY"]
        made.BodyPartExamined, made.BurnedInAnnotation = "HEART", "YES"  # text inside the fan is never covered
        made.PhotometricInterpretation, made.PlanarConfiguration = "YBR_FULL_422", 0
        set_pixels(made, (len(jpegs), *shape), samples=3)
        set_times(made, cine, figures["fps"])
        made.LossyImageCompression, made.LossyImageCompressionMethod = "01", "ISO_10918_1"
        whole = 3 * len(jpegs) * shape[0] * shape[1]
        made.LossyImageCompressionRatio = f"{whole / sum(map(len, jpegs)):.4g}"
        made.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
        made.PixelData = pydicom.encaps.encapsulate(jpegs)
        made["PixelData"].is_undefined_length = True
        write_object(path, made)


def write_cine(path: Path, content: Content) -> None:
    """Write NAME.cine.dcm: the grey frames of the cine, not compressed, to which the other products refer.

    Raises:
        MissingExtraError: If pydicom is not installed.
        OutputError: If it cannot be written.
    """
    require("pydicom", "dicom-out")
    assert content.cine is not None
    frames = content.cine.frames
    with one_line_errors(path):
        made = new_object(content, "cine", MULTI_FRAME_GREY, "US")
        made.ConversionType, made.ImageType = "WSD", ["DERIVED", "SECONDARY"]
        made.BodyPartExamined, made.BurnedInAnnotation = "HEART", "YES"
        made.PhotometricInterpretation, made.PresentationLUTShape = "MONOCHROME2", "IDENTITY"
        made.RescaleIntercept, made.RescaleSlope, made.RescaleType = "0", "1", "US"
        set_pixels(made, frames.shape)
        set_times(made, content.cine, content.figures["fps"])
        if spacing := content.figures["spacing_mm"]:
            made.PixelSpacing = [f"{side:.10g}" for side in spacing]
        pixels = frames.tobytes()
        made.PixelData = pixels + b"\0" * (len(pixels) % 2)
        write_object(path, made)
