"""Reading DICOM: pixels of every kind, frame rate, calibration, and wrong files."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.jpeg import jpeg_colour
from edgeecho.errors import MissingExtraError
from edgeecho.reasons import Level, Reason
from tests.cine.files import error_line

pydicom = pytest.importorskip("pydicom")

RAMP = np.arange(3 * 32 * 40).reshape(3, 32, 40)


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


@pytest.fixture
def grey() -> np.ndarray:
    return (RAMP % 251).astype(np.uint8)


def test_grey_frames(tmp_path: Path, grey: np.ndarray) -> None:
    cine = read_cine(write(tmp_path / "a.dcm", grey))
    np.testing.assert_array_equal(cine.frames, grey)
    assert (cine.fps, cine.spacing_mm, cine.warnings, cine.name) == (None, None, (), "a")
    by_content = read_cine(write(tmp_path / "1.2.840.7", grey[:1], NumberOfFrames=None))
    np.testing.assert_array_equal(by_content.frames, grey[:1])
    assert by_content.name == "1.2.840.7"
    inverted = read_cine(write(tmp_path / "i.DCM", grey, "MONOCHROME1"))
    np.testing.assert_array_equal(inverted.frames, 255 - grey)


def test_deeper_greys_are_scaled_by_their_bits(tmp_path: Path) -> None:
    twelve = (RAMP % 4096).astype(np.uint16)
    path = write(tmp_path / "a.dcm", twelve, BitsStored=12)
    expected = np.rint(twelve * (255 / 4095)).astype(np.uint8)
    np.testing.assert_array_equal(read_cine(path).frames, expected)
    assert expected.max() > 230
    signed = (RAMP.clip(0, 4095) - 2048).astype(np.int16)
    cine = read_cine(write(tmp_path / "s.dcm", signed, BitsStored=12))
    np.testing.assert_array_equal(cine.frames, np.rint(RAMP.clip(0, 4095) * (255 / 4095)))
    sixteen = np.full((1, 16, 16), 65535, np.uint16)
    assert read_cine(write(tmp_path / "b.dcm", sixteen, "MONOCHROME1")).frames.max() == 0


def test_colour(tmp_path: Path, grey: np.ndarray) -> None:
    rgb = np.stack([grey, grey[::-1], 255 - grey], axis=-1)
    expected = (rgb.astype(int) @ [77, 150, 29] + 128) >> 8
    np.testing.assert_array_equal(read_cine(write(tmp_path / "a.dcm", rgb, "RGB")).frames, expected)
    luma = np.stack([grey, np.full_like(grey, 128), np.full_like(grey, 128)], axis=-1)
    np.testing.assert_array_equal(read_cine(write(tmp_path / "y.dcm", luma, "YBR_FULL")).frames, grey)


def test_native_ybr_full_422(tmp_path: Path, grey: np.ndarray) -> None:
    """Two pixels share their chroma: Y1 Y2 Cb Cr."""
    shared = np.full((*grey.shape[:2], grey.shape[2] // 2, 4), 128, np.uint8)
    shared[..., 0], shared[..., 1] = grey[..., 0::2], grey[..., 1::2]
    path = write(tmp_path / "a.dcm", grey, "YBR_FULL_422", SamplesPerPixel=3, PlanarConfiguration=0)
    data = pydicom.dcmread(path)
    data.PixelData = shared.tobytes()
    data.save_as(path)
    np.testing.assert_array_equal(read_cine(path).frames, grey)


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


@pytest.mark.parametrize(
    ("kind", "colour"),
    [
        ({}, "YBR"),
        ({"subsampled": False}, "YBR"),
        ({"subsampled": False, "names": b"\0\1\2"}, None),  # pydicom's SC_jpeg_no_color_transform.dcm is RGB
        ({"subsampled": True, "names": b"\0\1\2"}, "YBR"),
        ({"names": b"RGB"}, "RGB"),
        ({"marker": adobe(0)}, "RGB"),
        ({"marker": adobe(1), "subsampled": False, "names": b"\0\1\2"}, "YBR"),
        ({"marker": b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", "names": b"\0\1\2"}, "YBR"),
    ],
)
def test_colour_space_of_a_jpeg(grey: np.ndarray, kind: dict[str, Any], colour: str | None) -> None:
    assert jpeg_colour(jpeg(grey[0], **kind)) == colour


def test_a_grey_jpeg_has_no_colour_space(grey: np.ndarray) -> None:
    assert jpeg_colour(cv2.imencode(".jpg", grey[0])[1].tobytes()) is None
    assert jpeg_colour(b"\xff\xd8") is None


@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL_422"])
def test_the_jpeg_decides_on_its_colour_space(tmp_path: Path, stated: str) -> None:
    """Read as RGB, the levels of the first two pixels would be far off."""
    ramp = np.broadcast_to(np.linspace(20, 220, 40).astype(np.uint8), (3, 32, 40))
    path = write(tmp_path / "a.dcm", ramp, stated, SamplesPerPixel=3, PlanarConfiguration=0)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    data.PixelData = pydicom.encaps.encapsulate([jpeg(frame) for frame in ramp])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    assert np.abs(read_cine(path).frames.astype(int) - ramp).max() <= 4


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


@pytest.mark.parametrize(("syntax", "codec", "container", "name"), VIDEOS)
def test_video_inside_dicom(
    tmp_path: Path,
    frames: np.ndarray,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    syntax: str,
    codec: str,
    container: str,
    name: str,
) -> None:
    path = write_video(tmp_path / "a.dcm", frames, syntax, codec, container, FrameTime="20")
    capfd.readouterr()
    cine = read_cine(path)
    assert cine.frames.shape == frames.shape
    assert np.abs(cine.frames[5].astype(int) - frames[5]).mean() < 4
    assert cine.fps == 50
    assert len(cine.warnings) == (container != "h264")  # the stream states 25 a second, a bare one nothing
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingExtraError, match=rf"{name} video, which PyAV decodes: pip install 'edgeecho\[report\]'"):
        read_cine(path)


def test_video_inside_dicom_has_the_times_of_its_stream(tmp_path: Path, frames: np.ndarray) -> None:
    cine = read_cine(write_video(tmp_path / "a.dcm", frames, *VIDEOS[1][:3]))
    assert (cine.fps, cine.warnings) == (pytest.approx(25), ())
    assert read_cine(write_video(tmp_path / "b.dcm", frames, *VIDEOS[2][:3])).fps is None


def test_a_video_inside_dicom_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av", reason="without PyAV the codec alone is the reason")
    data = pydicom.dcmread(pydicom.examples.get_path("ybr_color"))
    data.file_meta.TransferSyntaxUID = pydicom.uid.MPEG4HP41
    data.save_as(tmp_path / "a.dcm")
    assert "its H.264 video cannot be decoded" in error_line(tmp_path / "a.dcm", capfd)


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(tmp_path: Path, grey: np.ndarray, bits: int) -> None:
    table = np.arange(256)[::-1].astype(np.uint16) * (257 if bits == 16 else 1)
    names = [f"{c}PaletteColorLookupTable" for c in ("Red", "Green", "Blue")]
    tables = {f"{n}Data": (table if bits == 16 else table.astype(np.uint8)).tobytes() for n in names}
    path = write(
        tmp_path / "a.dcm", grey, "PALETTE COLOR", **tables, **{f"{n}Descriptor": [256, 0, bits] for n in names}
    )
    np.testing.assert_array_equal(read_cine(path).frames, 255 - grey)


@pytest.mark.parametrize(
    ("attributes", "fps", "note"),
    [
        ({"FrameTime": "20", "CineRate": "50"}, 50, ""),
        ({"FrameTime": "20", "CineRate": "46"}, 50, ""),
        ({"FrameTime": "20", "CineRate": "30"}, 50, "contradict each other (50 by FrameTime, 30 by CineRate)"),
        ({"FrameTime": "0", "FrameTimeVector": ["0", "25", "25"], "CineRate": "40"}, 40, ""),
        ({"FrameTime": "0", "FrameTimeVector": ["0", "25", "25"], "CineRate": "30"}, 40, "contradict each other"),
        ({"FrameTime": "33.3", "FrameTimeVector": ["0", "20", "20"], "FrameIncrementPointer": 0x00181065}, 50, ""),
        ({"FrameTime": "33.3", "FrameTimeVector": ["0", "20", "20"]}, 1000 / 33.3, "contradict each other"),
        ({"FrameTime": "20", "FrameTimeVector": ["0", "30", "30"], "FrameIncrementPointer": 0x00181063}, 50, ""),
        ({"FrameTime": "0.02", "CineRate": "50"}, 50, ""),  # seconds for milliseconds
        ({"FrameTime": "0", "RecommendedDisplayFrameRate": "50"}, 50, ""),
        ({"EffectiveDuration": "0.06"}, 50, ""),
        ({"FrameTimeVector": ["0", "20", "20", "20"]}, 50, ""),  # one too many, all equal
        ({"FrameTimeVector": ["0", "20", "20", "90"]}, 50, "has 4 times, not all of them rising, for 3 frames"),
        ({"FrameTimeVector": ["0", "20", "30"]}, 40, "not evenly spaced"),
        ({"CineRate": "30", "RecommendedDisplayFrameRate": "15"}, 30, "contradict each other"),
        ({"RecommendedDisplayFrameRate": "15"}, 15, ""),
        ({"FrameTime": "-3", "CineRate": "0"}, None, ""),
        ({"FrameTime": "0.001"}, None, "which cannot be"),
    ],
)
def test_frame_rate(tmp_path: Path, grey: np.ndarray, attributes: dict[str, Any], fps: float | None, note: str) -> None:
    path = write(tmp_path / "a.dcm", grey, **attributes)
    cine = read_cine(path)
    assert cine.fps == pytest.approx(fps)
    assert note in " ".join(cine.warnings)
    assert bool(note) == bool(cine.warnings)
    assert read_cine(path, fps=12).fps == 12


def test_a_pause_in_the_vector(tmp_path: Path) -> None:
    many = np.arange(30 * 16 * 16, dtype=np.int64).astype(np.uint8).reshape(30, 16, 16)
    steps = ["0", *["20"] * 9, "900", *["20"] * 19]
    cine = read_cine(write(tmp_path / "a.dcm", many, FrameTimeVector=steps))
    assert cine.fps == pytest.approx(50)
    assert cine.times_s is not None
    np.testing.assert_allclose(np.diff(cine.times_s), np.array([float(step) for step in steps[1:]]) / 1000)
    assert "a pause of 0.90 s after frame 9 counts as one step" in cine.warnings[0]
    assert [(doubt.reason, doubt.level) for doubt in cine.doubts] == [(Reason.TIME_BASE_UNSURE, Level.NOTE)]


def test_rates_that_contradict_are_for_review(tmp_path: Path, grey: np.ndarray) -> None:
    path = write(tmp_path / "a.dcm", grey, FrameTime="33.333", CineRate="50")
    (doubt,) = read_cine(path).doubts
    assert (doubt.reason, doubt.level) == (Reason.TIME_BASE_UNSURE, Level.REVIEW)
    stated = read_cine(path, fps=50)
    assert (stated.doubts, stated.warnings) == ((), ())


def test_the_shape_of_pixels(tmp_path: Path, grey: np.ndarray) -> None:
    cine = read_cine(write(tmp_path / "a.dcm", grey, PixelAspectRatio=["1", "2"]))  # height, width
    assert (cine.aspect, cine.spacing_mm) == (0.5, None)
    assert "pixels of shape 2:1 (width to height)" in cine.warnings[0]
    known = read_cine(write(tmp_path / "a.dcm", grey, PixelAspectRatio=["1", "2"], PixelSpacing=[0.5, 0.5]))
    assert (known.pixel_shape, known.warnings) == ((0.5, 0.5), ())


WHOLE = (0, 0, 39, 31)


@pytest.mark.parametrize(
    ("regions", "pixel_spacing", "spacing_mm", "note"),
    [
        ([region(WHOLE, (0.03, 0.02))], [1, 1], (0.2, 0.3), ""),  # (row, column) = (y, x)
        ([region((0, 0, 40, 32), (0.03, -0.02))], None, (0.2, 0.3), ""),  # exclusive ends, axis upwards
        ([region((0, 0, 79, 63), (0.03, 0.02))], None, None, "does not fit its 40x32 pixels"),
        ([region((0, 0, 41, 31), (0.03, 0.02))], None, None, "does not fit its 40x32 pixels"),
        ([region((0, 0, 39, 33), (0.03, 0.02))], None, None, "does not fit its 40x32 pixels"),
        ([region((0, 0, 79, 63), (0.03, 0.02))], [0.5, 0.6], (0.5, 0.6), "does not fit its 40x32 pixels"),
        ([region(WHOLE, (0.03, 0.02), unit=4)], None, None, ""),  # seconds
        ([region(WHOLE, (0.03, 0.02), kind=3)], [0.5, 0.6], (0.5, 0.6), ""),  # a spectrum
        ([region(WHOLE, (0.0, 0.02))], None, None, ""),
        ([region((0, 0, 9, 9), (0.1, 0.1)), region(WHOLE, (0.03, 0.02))], None, (0.2, 0.3), "of different scale"),
        ([], [0.5, 0.6], (0.5, 0.6), ""),
        ([], [0, 0.6], None, ""),
        ([], None, None, ""),
    ],
)
def test_calibration(
    tmp_path: Path,
    grey: np.ndarray,
    regions: list[Any],
    pixel_spacing: list[float] | None,
    spacing_mm: tuple[float, float] | None,
    note: str,
) -> None:
    attributes: dict[str, Any] = {"SequenceOfUltrasoundRegions": regions} if regions else {}
    if pixel_spacing:
        attributes["PixelSpacing"] = pixel_spacing
    path = write(tmp_path / "a.dcm", grey, **attributes)
    cine = read_cine(path)
    assert cine.spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm))
    assert note in " ".join(cine.warnings)
    assert bool(note) == bool(cine.warnings)
    assert read_cine(path, spacing_mm=(0.7, 0.8)).spacing_mm == (0.7, 0.8)


@pytest.mark.parametrize(
    ("boxes", "named"),
    [
        ([(0, 0, 19, 31), (20, 0, 39, 31)], "0,0,20,32 or 20,0,20,32"),
        ([(0, 0, 20, 32), (20, 0, 40, 32)], "0,0,21,32 or 20,0,20,32"),  # exclusive ends
        ([(0, 0, 39, 15), (0, 16, 39, 31)], "0,0,40,16 or 0,16,40,16"),
        ([(0, 0, 39, 31), (0, 0, 39, 31)], None),  # stated twice
        ([(0, 0, 39, 31), (2, 2, 20, 20)], None),  # an enlarged part
        ([(0, 0, 30, 31), (32, 0, 39, 7)], None),  # a small inset
    ],
)
def test_regions_side_by_side(
    tmp_path: Path, grey: np.ndarray, boxes: list[tuple[int, int, int, int]], named: str | None
) -> None:
    regions = [region(box, (0.03, 0.03)) for box in boxes]
    cine = read_cine(write(tmp_path / "a.dcm", grey, SequenceOfUltrasoundRegions=regions))
    assert [(doubt.reason, doubt.level) for doubt in cine.doubts] == [(Reason.REGION_UNSURE, Level.REVIEW)] * bool(
        named
    )
    assert cine.warnings == tuple(doubt.text for doubt in cine.doubts)
    assert not named or f"(--roi) to one of them, {named}." in cine.warnings[0]


def test_real_cine_whose_tags_describe_another_image() -> None:
    cine = read_cine(pydicom.examples.get_path("ybr_color"))
    assert cine.frames.shape == (30, 240, 320)
    assert cine.frames.std() > 20
    assert np.any(cine.frames[0] != cine.frames[15])
    assert cine.fps == pytest.approx(1000 / 33.333)
    assert cine.spacing_mm is None
    assert cine.warnings == (
        "The calibrated region of the file (box [84, 31, 595, 414]) does not fit its 320x240 pixels, so it describes "
        "another image; its spacing was not used.",
    )


def test_real_cine_in_full() -> None:
    store = pytest.importorskip("data_store")  # the package pydicom-data
    path = Path(store.__file__).parent / "data" / "color3d_jpeg_baseline.dcm"
    cine = read_cine(path)
    assert cine.frames.shape == (120, 480, 640)
    assert cine.spacing_mm == pytest.approx((0.5104970559477806,) * 2)
    assert (cine.fps, cine.warnings) == (pytest.approx(1000 / 33.333), ())


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_truncated_jpeg_cine(tmp_path: Path, capfd: pytest.CaptureFixture[str], share: float) -> None:
    data = Path(pydicom.examples.get_path("ybr_color")).read_bytes()
    path = tmp_path / "a.dcm"
    path.write_bytes(data[: int(share * len(data))])
    assert "cut short: its compressed pixels go on" in error_line(path, capfd)


def test_files_that_are_wrong(tmp_path: Path, grey: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(b"no DICOM at all")
    assert "not a DICOM file" in error_line(path, capfd)
    path.write_bytes(bytes(128) + b"DICM" + b"\xff" * 40)
    assert error_line(path, capfd)
    assert "holds no pixels" in error_line(write(path, grey, PixelData=None), capfd)
    assert "holds no pixels" in error_line(write(path, grey, Rows=None), capfd)
    assert "no frames in it" in error_line(write(path, grey, NumberOfFrames=0), capfd)
    assert "40x5 pixels are too small" in error_line(write(path, grey[:, :5]), capfd)
    assert "are over" in error_line(write(path, grey, NumberOfFrames=2_000_000_000), capfd)
    assert "kind 'CMYK'" in error_line(write(path, grey, "CMYK"), capfd)
    assert "32 bits a pixel" in error_line(write(path, grey.astype(np.uint32)), capfd)
    write(path, grey)
    path.write_bytes(path.read_bytes()[:-2000])
    assert "cut short or damaged" in error_line(path, capfd)


def test_deflated_is_refused(tmp_path: Path, grey: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    data = pydicom.dcmread(write(tmp_path / "a.dcm", grey))
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    data.save_as(tmp_path / "a.dcm")
    assert "deflated DICOM is not read" in error_line(tmp_path / "a.dcm", capfd)


def test_missing_extra(tmp_path: Path, grey: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.dcm", grey)
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeecho\[dicom\]'"):
        read_cine(path)
