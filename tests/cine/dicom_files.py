"""DICOM files for tests: pixels of every kind, calibrated regions, JPEG and video inside."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")


def write(path: Path, pixels: np.ndarray, photometric: str = "MONOCHROME2", **attributes: Any) -> Path:
    """A minimal multi-frame ultrasound file; an attribute given as None is left out."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    data.SOPInstanceUID = "1.2.3"
    data.NumberOfFrames, data.Rows, data.Columns = pixels.shape[:3]
    data.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
    if pixels.ndim == 4:
        data.PlanarConfiguration = 0
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    for keyword, value in attributes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    data.HighBit = data.BitsStored - 1
    data.save_as(path, enforce_file_format=True)
    return path


def region(box: tuple[int, int, int, int], delta_cm: tuple[float, float], unit: int = 3, kind: int = 1) -> Any:
    made = pydicom.Dataset()
    made.RegionSpatialFormat, made.RegionDataType = kind, 1
    made.RegionLocationMinX0, made.RegionLocationMinY0, made.RegionLocationMaxX1, made.RegionLocationMaxY1 = box
    made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = unit
    made.PhysicalDeltaX, made.PhysicalDeltaY = delta_cm
    return made


def jpeg(frame: np.ndarray, *, subsampled: bool = True, names: bytes = b"\1\2\3", marker: bytes = b"") -> bytes:
    """A JPEG of a grey picture as YCbCr, without JFIF marker; `names` are those of its components."""
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsampled else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    colour = np.repeat(frame[..., None], 3, axis=-1)
    settings = [cv2.IMWRITE_JPEG_QUALITY, 98, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    data = bytearray(cv2.imencode(".jpg", colour, settings)[1].tobytes())
    assert data[2:4] == b"\xff\xe0"
    del data[2 : 4 + int.from_bytes(data[4:6], "big")]
    for marked, first, step in ((b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)):
        at = data.index(marked)
        data[at + first : at + first + 3 * step : step] = names
    return bytes(data[:2] + marker + data[2:])


def adobe(transform: int) -> bytes:
    return b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])


VIDEOS = [
    ("1.2.840.10008.1.2.4.100", "mpeg2video", "mpegts", "MPEG-2"),
    ("1.2.840.10008.1.2.4.102", "libx264", "mp4", "H.264"),
    ("1.2.840.10008.1.2.4.102", "libx264", "h264", "H.264"),
    ("1.2.840.10008.1.2.4.107", "libx265", "mp4", "HEVC"),
]


def write_video(path: Path, frames: np.ndarray, syntax: str, codec: str, container: str, **attributes: Any) -> Path:
    """A DICOM file with a video stream inside, whose photometric interpretation no still has."""
    av = pytest.importorskip("av", reason="PyAV writes the video stream")
    stored = io.BytesIO()
    options = {"libx264": {"crf": "8"}, "libx265": {"crf": "8", "x265-params": "log-level=none"}}.get(codec, {})
    with av.open(stored, "w", format=container) as made:
        stream = made.add_stream(codec, rate=25, options=options, bit_rate=4_000_000)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:], "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, "gray")
            made.mux(stream.encode(picture.reformat(format="yuv420p", dst_color_range=1, src_color_range=2)))
        made.mux(stream.encode())
    write(path, frames, "YBR_PARTIAL_420", SamplesPerPixel=3, PlanarConfiguration=0, **attributes)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = pydicom.encaps.encapsulate([stored.getvalue()])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path
