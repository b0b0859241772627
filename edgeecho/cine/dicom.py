"""Read DICOM cines and stills: pixels through pydicom or OpenCV, time base and calibration from the attributes."""

import struct
import warnings as python_warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeecho.cine.arrays import one_line
from edgeecho.cine.dicom_pixels import Header, decoded_frames, open_video, read_header
from edgeecho.cine.dicom_regions import calibration
from edgeecho.cine.dicom_time import time_base
from edgeecho.cine.grey import stack_frames
from edgeecho.cine.model import Cine, shape_notes
from edgeecho.errors import MissingExtraError, VideoError, require
from edgeecho.files import open_regular


def read_dicom(path: Path, roi: Sequence[int] | None = None) -> Cine:
    """Read a DICOM file with one or many frames.

    Grey values of any depth are mapped linearly from the range of their stored bits to 0..255 (no window is applied),
    MONOCHROME1 is inverted, colour of every kind becomes grey by `edgeecho.cine.to_grey`. The colour space of JPEG
    frames is that of the JPEG. MPEG-2, H.264 and HEVC are decoded by OpenCV.

    Args:
        path: The file.
        roi: (x, y, width, height) of the part of the picture that is meant, which decides between several calibrated
            regions.

    Returns:
        Frames uint8 (T, H, W), with the time base of `edgeecho.cine.dicom_time.time_base`. Spacing from a 2D tissue
        region calibrated in centimetres whose box lies inside the frame, else PixelSpacing; without both, `aspect` from
        PixelAspectRatio.

    Raises:
        VideoError: If the file is no DICOM file, has no pixels, is cut short, or its pixels cannot be decoded.
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    require("pydicom.pixels", "dicom")
    with open_regular(path) as file:
        if file.read(132)[128:] != b"DICM":
            raise VideoError(f"{path}: not a DICOM file: no 'DICM' at byte 128; check that it is a Part 10 file")
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # pydicom warns about every unusual value
        try:
            header = read_header(path, pydicom)
            video = open_video(path, header)
            frames, coloured = stack_frames(path, decoded_frames(path, header, video, pydicom))
            base = time_base(header.data, len(frames), video.time_base if video else None)
            found = calibration(header.data, roi)
            unused = _unused_bytes(path, header, pydicom)
        except (VideoError, MissingExtraError, OSError):
            raise
        except Exception as error:  # a damaged file raises many kinds of error
            raise VideoError(f"{path}: damaged DICOM: {one_line(error)}; export it again") from error
    aspect = video.aspect if video and not found.spacing_mm and found.aspect == 1 else found.aspect
    notes = [*found.notes, *shape_notes(aspect)]
    if unused > 1:  # one byte makes the length even
        notes.append(
            f"The file has {unused} bytes of pixels after its {header.promised} frames of {header.data.Columns}x"
            f"{header.data.Rows}, which were not used: its number or size of frames may be wrong."
        )
    if len(frames) < header.promised:
        notes.append(f"{len(frames)} frames could be read, the file states {header.promised}.")
    return Cine(
        frames,
        fps=base.fps,
        spacing_mm=found.spacing_mm,
        warnings=(*base.warnings, *notes),
        doubts=(*base.doubts, *found.doubts),
        times_s=base.times_s,
        coloured=coloured,
        aspect=aspect,
    )


def _unused_bytes(path: Path, header: Header, pydicom: Any) -> int:
    """Return how many bytes of uncompressed pixels there are beyond the stated frames; 0 for compressed pixels."""
    syntax, data = pydicom.uid.UID(header.syntax or pydicom.uid.ImplicitVRLittleEndian), header.data
    if syntax.is_encapsulated:
        return 0
    with path.open("rb") as file:
        file.seek(header.pixels_at)
        element = file.read(12)
    order = "<" if syntax.is_little_endian else ">"
    (length,) = struct.unpack_from(f"{order}L", element, 4 if syntax.is_implicit_VR else 8)
    samples = 2 if data.PhotometricInterpretation == "YBR_FULL_422" else int(data.SamplesPerPixel)
    bits = int(data.Rows) * int(data.Columns) * samples * int(data.BitsAllocated) * header.promised
    return int(length) - bits // 8
