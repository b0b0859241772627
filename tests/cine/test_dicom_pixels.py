"""Reading DICOM: pixels of every kind, JPEG whose label is wrong, and video inside."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.dicom_decoder import decoder_of
from edgeecho.cine.jpeg import jpeg_colour, without_application_data
from tests.cine.dicom_files import VIDEOS, adobe, jpeg, write, write_video
from tests.cine.files import error_line

pydicom = pytest.importorskip("pydicom")

RAMP = np.arange(3 * 32 * 40).reshape(3, 32, 40)


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


@pytest.mark.parametrize(("syntax", "codec", "container", "name"), VIDEOS)
def test_video_inside_dicom(
    tmp_path: Path,
    frames: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    syntax: str,
    codec: str,
    container: str,
    name: str,
) -> None:
    path = write_video(tmp_path / "a.dcm", frames, syntax, codec, container, FrameTime="20")
    monkeypatch.setitem(__import__("sys").modules, "av", None)  # its wheels contain encoders under GPL
    cine = read_cine(path)
    assert cine.frames.shape == frames.shape
    assert np.abs(cine.frames[5].astype(int) - frames[5]).mean() < 4
    assert cine.fps == 50
    assert len(cine.warnings) == (container != "h264")  # the stream states 25 a second, a bare one nothing


def test_a_playlist_in_the_place_of_a_video_is_not_followed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.avi"
    other.write_bytes(b"")
    data = pydicom.dcmread(pydicom.examples.get_path("ybr_color"))
    data.file_meta.TransferSyntaxUID = pydicom.uid.MPEG4HP41
    data.PixelData = pydicom.encaps.encapsulate([f"ffconcat version 1.0\nfile {other}\n".encode()])
    data.save_as(tmp_path / "a.dcm")
    assert "its H.264 video cannot be decoded: no video stream in it" in error_line(tmp_path / "a.dcm", capfd)


def test_video_inside_dicom_has_the_times_of_its_stream(tmp_path: Path, frames: np.ndarray) -> None:
    cine = read_cine(write_video(tmp_path / "a.dcm", frames, *VIDEOS[1][:3]))
    assert (cine.fps, cine.warnings) == (pytest.approx(25), ())
    assert read_cine(write_video(tmp_path / "b.dcm", frames, *VIDEOS[2][:3])).fps is None


def test_a_video_inside_dicom_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
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


BASELINE, LOSSLESS = "JPEGBaseline8Bit", "JPEGLosslessSV1"


def write_packed(path: Path, frames: np.ndarray, photometric: str, packed: list[bytes], syntax: str) -> Path:
    """A DICOM file of JPEG frames."""
    write(path, frames, photometric)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = getattr(pydicom.uid, syntax)
    data.PixelData = pydicom.encaps.encapsulate(packed)
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path


@pytest.mark.parametrize("marker", [b"", adobe(0), adobe(1)])
def test_lossless_jpeg_by_permissive_packages_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: bytes
) -> None:
    """Samples are those that were stored, whatever colour space a marker names."""
    monkeypatch.setitem(pydicom.pixels.get_decoder(pydicom.uid.JPEGLosslessSV1)._available, "pylibjpeg", None)
    sample = pydicom.dcmread(pydicom.data.get_testdata_file("SC_rgb_jpeg_gdcm.dcm"))
    (frame,) = pydicom.encaps.generate_frames(sample.PixelData, number_of_frames=1)
    frame = frame[:2] + marker + without_application_data(frame)[2:]
    path = write_packed(tmp_path / "a.dcm", np.zeros((1, 100, 100, 3), np.uint8), "RGB", [frame], LOSSLESS)
    native = pydicom.dcmread(pydicom.data.get_testdata_file("SC_rgb_rle.dcm")).pixel_array  # the same picture
    np.testing.assert_array_equal(read_cine(path).frames[0], (native.astype(int) @ [77, 150, 29] + 128) >> 8)


@pytest.mark.parametrize("bits", [8, 12])
def test_a_decoder_is_named_for_eight_bits_alone(bits: int) -> None:
    """Lossy JPEG has the same pixels whatever else is installed; deeper pictures are for who can unpack them."""
    baseline, lossless, near = "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.81"
    expected = ["pillow", "edgeecho", "pyjpegls"] if bits == 8 else ["", "", "pyjpegls"]
    assert [decoder_of(syntax, bits) for syntax in (baseline, lossless, near)] == expected
    assert decoder_of("1.2.840.10008.1.2.1", bits) == ""


def test_a_damaged_frame_is_no_missing_decoder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = Path(pydicom.examples.get_path("ybr_color")).read_bytes()
    at = data.index(b"\xff\xd8\xff", len(data) // 2)
    path = tmp_path / "a.dcm"
    path.write_bytes(data[:at] + bytes(3) + data[at + 3 :])
    line = error_line(path, capfd)
    assert "damaged: 13 of 30 frames could be read" in line
    assert "install" not in line


def test_a_jpeg_that_was_closed_early(
    tmp_path: Path, rng: np.random.Generator, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = np.full((64, 64), 128, np.uint8)
    picture[:16] = rng.integers(0, 255, (16, 64))
    whole = cv2.imencode(".jpg", picture)[1].tobytes()
    cut = whole[: len(whole) // 2] + b"\xff\xd9"
    packed = write_packed(tmp_path / "a.dcm", np.stack([picture] * 2), "MONOCHROME2", [whole, whole], BASELINE)
    assert len(read_cine(packed).frames) == 2
    packed = write_packed(tmp_path / "b.dcm", np.stack([picture] * 2), "MONOCHROME2", [whole, cut], BASELINE)
    assert "frame 1 ends before its pixels are complete" in error_line(packed, capfd)
