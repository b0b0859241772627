"""The segmentation: a DICOM SEG (PS3.3 A.51) with the mask of every frame, written through pydicom.

highdicom 0.28 makes segmentations of images with a frame of reference alone, which ultrasound cines lack. Where the
size of a pixel is known, this one has a frame of reference of its own: the plane of the picture, its origin the first
pixel, in which all frames lie, one after the other in time. Viewers such as OHIF need it. Where the size is not known,
none is made up: each frame names the frame that it is derived from, with which the standard allows to have none.
"""

from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.dicom.objects import (
    Content,
    algorithm_of,
    code_item,
    new_object,
    one_line_errors,
    set_pixels,
    write_object,
)
from edgeecho.dicom.origin import uid_of
from edgeecho.errors import require

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
_OUTLINE_COLOUR = (50103, 18761, 47288)
"""Green in CIELab as 16-bit numbers (PS3.3 C.10.7.1.1)."""


def write_segmentation(path: Path, content: Content) -> None:
    """Write NAME.seg.dcm: one segment, as many frames as the cine has, in its order and of its size.

    Raises:
        MissingExtraError: If pydicom is not installed.
        OutputError: If it cannot be written.
    """
    pydicom = require("pydicom", "dicom-out")
    with one_line_errors(path):
        made = new_object(content, "seg", SEGMENTATION_STORAGE, "SEG")
        made.ImageType = ["DERIVED", "PRIMARY"]
        made.ContentLabel, made.ContentDescription = "LEFT_VENTRICLE", "Left-ventricular cavity in every frame"
        made.ContentCreatorName = "EdgeEcho^"
        made.SegmentationType = "BINARY"
        made.LossyImageCompression = "00"
        made.PhotometricInterpretation = "MONOCHROME2"
        set_pixels(made, content.mask.shape, bits=1)
        made.SegmentSequence = [_segment(pydicom, content)]
        made.ReferencedSeriesSequence = [_referenced_series(pydicom, content)]
        _add_dimensions(pydicom, made, content)
        made.SharedFunctionalGroupsSequence = [_shared_groups(pydicom, content)]
        if content.figures["spacing_mm"]:
            made.FrameOfReferenceUID = uid_of("plane", str(content.origin.image.SOPInstanceUID))
            made.PositionReferenceIndicator = ""
        made.PerFrameFunctionalGroupsSequence = [
            _frame_groups(pydicom, content, index) for index in range(len(content.mask))
        ]
        bits = np.packbits(content.mask.astype(bool).ravel(), bitorder="little").tobytes()
        made.PixelData = bits + b"\0" * (len(bits) % 2)
        write_object(path, made)


def _segment(pydicom: Any, content: Content) -> Any:
    name, version, parameters = algorithm_of(content.figures)
    segment = pydicom.Dataset()
    segment.SegmentNumber, segment.SegmentLabel = 1, "Left ventricle"
    segment.SegmentDescription = "Left-ventricular cavity"
    segment.SegmentAlgorithmType = "SEMIAUTOMATIC" if content.corrections else "AUTOMATIC"
    segment.SegmentAlgorithmName = name
    segment.RecommendedDisplayCIELabValue = list(_OUTLINE_COLOUR)
    segment.SegmentedPropertyCategoryCodeSequence = [code_item("123037004", "SCT", "Anatomical Structure")]
    segment.SegmentedPropertyTypeCodeSequence = [code_item("87878005", "SCT", "Left ventricle")]
    segment.TrackingID, segment.TrackingUID = "left ventricle", uid_of("tracking", "left ventricle", content.sha256)
    algorithm = pydicom.Dataset()
    algorithm.AlgorithmFamilyCodeSequence = [code_item("123110", "DCM", "Artificial Intelligence")]
    algorithm.AlgorithmName, algorithm.AlgorithmVersion = name, version
    algorithm.AlgorithmParameters = "; ".join(parameters)
    segment.SegmentationAlgorithmIdentificationSequence = [algorithm]
    return segment


def _referenced_series(pydicom: Any, content: Content) -> Any:
    image = content.origin.image
    series, instance = pydicom.Dataset(), pydicom.Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedInstanceSequence = image.SeriesInstanceUID, [instance]
    return series


def _add_dimensions(pydicom: Any, made: Any, content: Content) -> None:
    """Order the frames by segment and time (Multi-frame Dimension Module)."""
    uid = uid_of("dimensions", content.sha256)
    organization = pydicom.Dataset()
    organization.DimensionOrganizationUID = uid
    made.DimensionOrganizationSequence = [organization]
    made.DimensionIndexSequence = []
    for pointer, group, label in (
        (0x0062000B, 0x0062000A, "Segment"),
        (0x00209128, 0x00209111, "Time"),
    ):
        item = pydicom.Dataset()
        item.DimensionOrganizationUID = uid
        item.DimensionIndexPointer, item.FunctionalGroupPointer = pointer, group
        item.DimensionDescriptionLabel = label
        made.DimensionIndexSequence.append(item)


def _shared_groups(pydicom: Any, content: Content) -> Any:
    """Return what is true of all frames: their segment and, if the size of a pixel is known, their plane."""
    groups, segment = pydicom.Dataset(), pydicom.Dataset()
    segment.ReferencedSegmentNumber = 1
    groups.SegmentIdentificationSequence = [segment]
    if spacing := content.figures["spacing_mm"]:
        measures, orientation, position = (pydicom.Dataset() for _ in range(3))
        measures.PixelSpacing = [f"{side:.10g}" for side in spacing]
        measures.SliceThickness = measures.PixelSpacing[1]  # one pixel: a picture has none, and readers want one
        orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        position.ImagePositionPatient = [0, 0, 0]
        groups.PixelMeasuresSequence = [measures]
        groups.PlaneOrientationSequence = [orientation]
        groups.PlanePositionSequence = [position]
    return groups


def _frame_groups(pydicom: Any, content: Content, index: int) -> Any:
    """Return what a frame is derived from, and its place among the frames."""
    image = content.origin.image
    groups, frame, derivation, source = (pydicom.Dataset() for _ in range(4))
    frame.TemporalPositionIndex = index + 1
    frame.DimensionIndexValues = [1, index + 1]
    groups.FrameContentSequence = [frame]
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    if content.is_multi_frame:
        source.ReferencedFrameNumber = index + 1
    source.SpatialLocationsPreserved = "YES"
    source.PurposeOfReferenceCodeSequence = [code_item("121322", "DCM", "Source Image for Image Processing Operation")]
    derivation.SourceImageSequence = [source]
    derivation.DerivationCodeSequence = [code_item("113076", "DCM", "Segmentation")]
    groups.DerivationImageSequence = [derivation]
    return groups
