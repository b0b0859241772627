"""Reading DICOM: time base, calibration, regions, and wrong files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.errors import MissingExtraError
from edgeecho.reasons import Level, Reason
from tests.cine.dicom_files import region, write
from tests.cine.files import error_line

pydicom = pytest.importorskip("pydicom")


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
    assert read_cine(write(tmp_path / "a.dcm", grey, PixelAspectRatio=["1", "90"])).aspect == 1  # cannot be
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


@pytest.mark.parametrize(
    ("roi", "spacing_mm", "doubts"),
    [
        (None, (0.3, 0.3), 1),
        ((0, 0, 20, 32), (0.3, 0.3), 0),
        ((21, 2, 19, 28), (0.5, 0.5), 0),
        ((20, 0, 1, 1), (0.3, 0.3), 1),  # between the two
    ],
)
def test_a_region_that_is_set_decides_which_scale_holds(
    tmp_path: Path, grey: np.ndarray, roi: tuple[int, ...] | None, spacing_mm: tuple[float, float], doubts: int
) -> None:
    regions = [region((0, 0, 19, 31), (0.03, 0.03)), region((22, 0, 39, 31), (0.05, 0.05))]
    cine = read_cine(write(tmp_path / "a.dcm", grey, SequenceOfUltrasoundRegions=regions), roi=roi)
    assert cine.spacing_mm == pytest.approx(spacing_mm)
    assert len(cine.doubts) == doubts
    assert ("different scale" in " ".join(cine.warnings)) is bool(doubts)


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
    assert "would take" in error_line(write(path, grey, NumberOfFrames=2_000_000_000), capfd)
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


@pytest.mark.parametrize(("stated", "unused"), [({}, 0), ({"NumberOfFrames": 3}, 640), ({"Columns": 31}, 80)])
def test_pixels_beyond_those_stated_are_named(tmp_path: Path, stated: dict[str, int], unused: int) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 20, 32), np.uint8)
    cine = read_cine(write(tmp_path / "odd.dcm", frames, FrameTime="40", **stated))
    named = [warning for warning in cine.warnings if "were not used" in warning]
    assert [int(text.split()[3]) for text in named] == ([unused] if unused else [])
