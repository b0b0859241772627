"""Read DICOM cines and stills: pixels through pydicom, frame rate and calibration from the ultrasound attributes."""

import math
import os
import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edgeecho.cine.arrays import one_line
from edgeecho.cine.grey import check_size, stack_frames
from edgeecho.cine.model import Cine
from edgeecho.errors import MissingExtraError, VideoError, require

_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")  # pydicom returns all of them as RGB
_GREY = ("MONOCHROME1", "MONOCHROME2")
_TISSUE_2D, _CM = 1, 3
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_DELIMITER = b"\xfe\xff\xdd\xe0"


def read_dicom(path: Path) -> Cine:
    """Read a DICOM file with one or many frames.

    Grey values of any depth are mapped linearly from the range of their stored bits to 0..255 (no window is applied),
    MONOCHROME1 is inverted, colour of every kind becomes grey by `edgeecho.cine.to_grey`.

    Returns:
        Frames uint8 (T, H, W). Rate from FrameTime, else FrameTimeVector, CineRate or RecommendedDisplayFrameRate.
        Spacing from a 2D tissue region calibrated in centimetres whose box lies inside the frame, else PixelSpacing.

    Raises:
        VideoError: If the file is no DICOM file, has no pixels, is cut short, or its pixels cannot be decoded.
        MissingExtraError: If pydicom is not installed.
    """
    pydicom = require("pydicom", "dicom")
    require("pydicom.pixels", "dicom")
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            raise VideoError(f"{path}: not a DICOM file: no 'DICM' at byte 128; check that it is a Part 10 file")
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # pydicom warns about every unusual value
        try:
            header = _header(path, pydicom)
            frames = stack_frames(path, _frames(path, header, pydicom))
            fps, fps_notes = frame_rate(header)
            spacing_mm, spacing_notes = calibration(header)
        except (VideoError, MissingExtraError, OSError):
            raise
        except Exception as error:  # a damaged file raises many kinds of error
            raise VideoError(f"{path}: damaged DICOM: {one_line(error)}; export it again") from error
    return Cine(frames, fps=fps, spacing_mm=spacing_mm, warnings=(*fps_notes, *spacing_notes))


def frame_rate(header: Any) -> tuple[float | None, list[str]]:
    """Find the frame rate of a DICOM data set.

    Returns:
        Frames per second, None if no attribute states a positive one; and sentences for the user.
    """
    for frame_ms in _numbers(header, "FrameTime")[:1]:
        if frame_ms > 0:
            return 1000 / frame_ms, []
    steps_ms = _numbers(header, "FrameTimeVector")[1:]  # the first frame has no step
    if steps_ms and min(steps_ms) >= 0 and sum(steps_ms) > 0:
        notes = []
        if max(steps_ms) > 1.1 * min(steps_ms):
            notes.append("The frames are not evenly spaced in time; the mean frame rate is used.")
        return 1000 * len(steps_ms) / sum(steps_ms), notes
    for keyword in ("CineRate", "RecommendedDisplayFrameRate"):
        for fps in _numbers(header, keyword)[:1]:
            if fps > 0:
                return fps, []
    return None, []


def calibration(header: Any) -> tuple[tuple[float, float] | None, list[str]]:
    """Find the pixel spacing of a DICOM data set.

    A region whose box does not fit into the frame describes another image (the file was scaled and its tags were not),
    so its spacing is wrong for these pixels and is not used.

    Returns:
        (row, column) millimetres per pixel, None if unknown; and sentences for the user.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    fitting: list[tuple[float, tuple[float, float]]] = []
    notes: list[str] = []
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        kinds = [
            _numbers(region, k)[:1]
            for k in ("RegionSpatialFormat", "PhysicalUnitsXDirection", "PhysicalUnitsYDirection")
        ]
        deltas_cm = [abs(d) for k in ("PhysicalDeltaY", "PhysicalDeltaX") for d in _numbers(region, k)[:1]]
        if kinds != [[_TISSUE_2D], [_CM], [_CM]] or len(deltas_cm) != 2 or min(deltas_cm) <= 0:
            continue
        box = [v for k in ("MinX0", "MinY0", "MaxX1", "MaxY1") for v in _numbers(region, f"RegionLocation{k}")[:1]]
        if len(box) == 4 and 0 <= box[0] < box[2] <= columns and 0 <= box[1] < box[3] <= rows:
            area = (box[2] - box[0]) * (box[3] - box[1])
            fitting.append((area, (10 * deltas_cm[0], 10 * deltas_cm[1])))
        else:
            notes.append(
                f"The calibrated region of the file (box {[round(v) for v in box]}) does not fit its {columns}x{rows} "
                "pixels, so it describes another image; its spacing was not used."
            )
    if fitting:
        spacing = max(fitting)[1]
        if any(
            not math.isclose(a, b, rel_tol=0.01) for _, other in fitting for a, b in zip(other, spacing, strict=True)
        ):
            notes.append("The file has 2D regions of different scale; the spacing of the largest is used.")
        return spacing, notes
    spacing_mm = _numbers(header, "PixelSpacing")
    if len(spacing_mm) == 2 and min(spacing_mm) > 0:
        return (spacing_mm[0], spacing_mm[1]), notes
    return None, notes


def _header(path: Path, pydicom: Any) -> Any:
    """Read and check the attributes before the pixels."""
    meta = pydicom.filereader.read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        # It would be inflated whole, to any size, before the first attribute can be read.
        raise VideoError(f"{path}: deflated DICOM is not read; convert it, for example with dcmconv +te")
    with path.open("rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        cut = bool(meta.get("TransferSyntaxUID", "") and meta.TransferSyntaxUID.is_encapsulated) and _fragments_cut(
            file
        )
    rows, columns, bits = (header.get(k) for k in ("Rows", "Columns", "BitsStored"))
    if not (rows and columns and bits):
        raise VideoError(
            f"{path}: this DICOM file holds no pixels or is cut before them ({_kind(header)}); pass an image or a cine"
        )
    count = header.get("NumberOfFrames", 1)
    check_size(path, 1 if count is None or count == "" else int(count), int(rows), int(columns))
    photometric = header.get("PhotometricInterpretation")
    if photometric not in (*_GREY, *_COLOUR, "PALETTE COLOR"):
        raise VideoError(f"{path}: pixels of kind {photometric!r} are not read; convert it to MONOCHROME2 or RGB")
    if not 1 <= int(bits) <= 16:
        raise VideoError(f"{path}: {bits} bits a pixel are not read; convert it to 8")
    if cut:
        size = path.stat().st_size
        raise VideoError(f"{path}: cut short: its compressed pixels go on after its {size} bytes; export it again")
    return header


def _fragments_cut(file: BinaryIO) -> bool:
    """Whether the file ends within a compressed frame; decoders may fill the missing part with grey.

    Args:
        file: File at the position of the encapsulated pixel data element, so explicit VR little endian.
    """
    size = os.fstat(file.fileno()).st_size
    if file.read(4) != _PIXEL_DATA:
        return False  # no pixels: reported by the reader
    file.seek(8, os.SEEK_CUR)
    while len(item := file.read(8)) == 8:
        if item[:4] == _DELIMITER:
            return False
        file.seek(int.from_bytes(item[4:], "little"), os.SEEK_CUR)
    return bool(item) or file.tell() > size


def _frames(path: Path, header: Any, pydicom: Any) -> Iterator[np.ndarray]:
    promised, count = int(header.get("NumberOfFrames") or 1), 0
    try:
        # From the file, not from a data set: so one frame is in memory at a time.
        for frame in pydicom.pixels.iter_pixels(path):
            yield _eight_bits(frame, header, pydicom)
            count += 1
    except (VideoError, MissingExtraError):
        raise
    except Exception as error:  # a damaged file raises many kinds of error
        syntax = header.file_meta.get("TransferSyntaxUID")
        reason = one_line(error)
        if "no 'Pixel Data'" in reason:
            text = f"this DICOM file holds no pixels or is cut before them ({_kind(header)}); pass an image or a cine"
        elif "missing dependencies" in reason or "is not supported" in reason:
            text = f"no decoder for {syntax.name if syntax else 'its pixels'}; convert it to Explicit VR Little Endian"
        else:
            text = f"cut short or damaged: {count} of {promised} frames could be read: {reason}; export it again"
        raise VideoError(f"{path}: {text}") from error
    if count < promised:
        raise VideoError(f"{path}: cut short: {count} of {promised} frames could be read; export it again")


def _eight_bits(frame: np.ndarray, header: Any, pydicom: Any) -> np.ndarray:
    """Convert a frame to grey or RGB, uint8 (H, W) or (H, W, 3)."""
    photometric = header.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        colour: np.ndarray = pydicom.pixels.apply_color_lut(frame, header)[..., :3]
        # Tables of 16 bits hold v * 257 or v * 256; the upper byte is v in both.
        return colour if colour.dtype == np.uint8 else (colour >> 8).astype(np.uint8)
    bits = int(header.BitsStored)
    if bits == 8 and frame.dtype == np.uint8:
        grey = frame
    else:
        most = (1 << bits) - 1
        values = frame.astype(np.int64) + ((1 << bits - 1) if header.get("PixelRepresentation") else 0)
        grey = ((np.clip(values, 0, most) * 255 + most // 2) // most).astype(np.uint8)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _numbers(data: Any, keyword: str) -> list[float]:
    """Return the finite numbers of an attribute; none if it is absent, empty or no number."""
    try:
        value = data.get(keyword)
        values = [float(v) for v in (value if hasattr(value, "__iter__") and not isinstance(value, str) else [value])]
    except (TypeError, ValueError, OverflowError):
        return []
    return values if all(math.isfinite(v) for v in values) else []


def _kind(header: Any) -> str:
    uid = header.get("SOPClassUID")
    return str(uid.name) if uid else "of unknown kind"
