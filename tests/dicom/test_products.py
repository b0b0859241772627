"""Products of a result: read back by pydicom, highdicom and our reader, checked by dciodvfy, equal to the figures."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import Cine, read_cine
from edgeecho.dicom import PRODUCTS, Content, Pseudonyms, origin_of, write_products
from edgeecho.dicom.structured_report import write_structured_report
from tests.dicom.conftest import FRAMES, PATIENT, Figures

pydicom = pytest.importorskip("pydicom", reason="products are written by pydicom")
highdicom = pytest.importorskip("highdicom", reason="reports are made by highdicom")

KEY = Pseudonyms(b"a key of sixteen")
SHA256 = "12" * 32
MEANINGS = {
    "Left Ventricular Ejection Fraction by US": "ef_percent",
    "Left Ventricular End Diastolic Volume": "edv_ml",
    "Left Ventricular End Systolic Volume": "esv_ml",
    "Stroke Volume": "sv_ml",
    "Heart rate": "heart_rate_bpm",
}

Write = Callable[..., dict[str, Path]]


@pytest.fixture
def written(tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine) -> Write:
    """Function that writes all products of a result and returns their paths by kind."""

    def write(
        source: Path,
        result: Figures = figures,
        *,
        to: str = "out",
        key: Pseudonyms | None = None,
        kinds: tuple[str, ...] = ("sr", "seg", "capture", "fhir"),
    ) -> Any:
        content = Content(result, mask, cine, origin_of(source, SHA256, key))
        write_products(tmp_path / to, "loop", kinds, content)
        paths = {kind: tmp_path / to / f"loop{suffix}" for kind, suffix in PRODUCTS.items()}
        return {kind: path for kind, path in paths.items() if path.exists()}

    return write


@pytest.fixture
def avi(tmp_path: Path) -> Path:
    """An input that is no DICOM file, of a known date."""
    path = tmp_path / "loop.avi"
    path.write_bytes(b"any content")
    os.utime(path, (1_767_348_672, 1_767_348_672))  # 2026-01-02 10:11:12 UTC
    return path


def measurements(report: Path) -> list[dict[str, Any]]:
    """Return each group of a report: its figures by their names in NAME.json, and the frames of each."""
    groups = highdicom.sr.srread(report).content.get_image_measurement_groups()
    return [
        {MEANINGS[m.name.meaning]: (m.value, m.referenced_images[0]) for m in group.get_measurements()}
        for group in groups
    ]


def texts(report: Path) -> list[str]:
    found = []
    pydicom.dcmread(report).walk(lambda _, element: found.append(str(element.value)) if element.VR == "UT" else None)
    return found


def test_the_report_has_the_figures_and_their_frames(ultrasound: Any, written: Write, figures: Figures) -> None:
    report = written(ultrasound(), kinds=("sr",))["sr"]
    whole, *beats = measurements(report)
    assert {name: value for name, (value, _) in whole.items()} == {
        name: pytest.approx(figures[name], rel=1e-12) for name in MEANINGS.values()
    }
    frames = {name: list(image.referenced_frame_numbers) for name, (_, image) in whole.items()}
    assert frames["edv_ml"] == [1, 6]
    assert frames["esv_ml"] == [3, 8]
    assert frames["ef_percent"] == [1, 3, 6, 8]
    assert {image.referenced_sop_instance_uid for _, image in whole.values()} == {PATIENT["SOPInstanceUID"]}
    assert [beat["ef_percent"][0] for beat in beats] == [57.0, 57.9]
    lines = texts(report)
    assert {"Verdict: review.", "Reason (review): the probe moved"} <= set(lines)
    assert "EF interval for 90% of patients: 49.0 to 64.0%." in lines
    assert {"EdgeEcho cl_unet_edge", f"model SHA-256 {'ab' * 32}"} <= set(lines)
    assert "Research software, not a medical device." in lines
    stored = pydicom.dcmread(report)
    assert (stored.VerificationFlag, stored.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")


def test_an_ef_that_is_withheld_is_in_no_product(ultrasound: Any, written: Write, withheld: Figures) -> None:
    products = written(ultrasound(), withheld)
    (whole,) = measurements(products["sr"])
    assert set(whole) == {"heart_rate_bpm"}
    assert "Reason (withhold): this is probably a short axis" in texts(products["sr"])
    report = json.loads(products["fhir"].read_text())
    observed = [part for part in report["contained"] if part["resourceType"] == "Observation"]
    assert [part["id"] for part in observed] == ["heart-rate-bpm"]
    assert "EF withheld: this is probably a short axis" in report["conclusion"]


def test_corrections_of_a_person_are_named(ultrasound: Any, written: Write, figures: Figures) -> None:
    products = written(ultrasound(), figures | {"corrections": ["ED moved to frame 3", "beats left out by hand: 2"]})
    wanted = {"Corrected by a person: ED moved to frame 3", "Corrected by a person: beats left out by hand: 2"}
    assert wanted <= set(texts(products["sr"]))
    assert pydicom.dcmread(products["seg"]).SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert "Corrected by a person: ED moved to frame 3" in json.loads(products["fhir"].read_text())["conclusion"]


def test_the_method_of_volumes_is_named(
    tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, avi: Path
) -> None:
    write_structured_report(tmp_path / "sr.dcm", Content(figures, mask, cine, origin_of(avi, SHA256)))
    group = highdicom.sr.srread(tmp_path / "sr.dcm").content.get_image_measurement_groups()[0]
    found = {m.name.meaning: m.method and m.method.meaning for m in group.get_measurements()}
    assert found["Left Ventricular Ejection Fraction by US"] == "Method of Disks, Single Plane"
    assert found["Heart rate"] is None


@pytest.mark.parametrize("is_dicom", [True, False], ids=["of DICOM", "of AVI"])
def test_masks_of_the_segmentation_are_those_of_the_result(
    ultrasound: Any, avi: Path, written: Write, mask: np.ndarray, is_dicom: bool
) -> None:
    products = written(ultrasound() if is_dicom else avi, kinds=("seg",))
    assert ("cine" in products) is not is_dicom  # made where the input is no image that products can refer to
    image = pydicom.dcmread(ultrasound() if is_dicom else products["cine"])
    assert np.array_equal(pydicom.dcmread(products["seg"]).pixel_array, mask)
    segmentation = highdicom.seg.segread(products["seg"])
    numbers = list(range(1, FRAMES + 1))
    found = segmentation.get_pixels_by_source_frame(image.SOPInstanceUID, numbers, segment_numbers=[1])
    assert np.array_equal(found[..., 0], mask)


def test_the_plane_of_a_segmentation(tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, avi: Path) -> None:
    """Where pixels have a size, viewers find a plane; none is made up where they have not."""
    origin = origin_of(avi, SHA256)
    for spacing in ([0.8, 0.9], None):
        write_products(tmp_path, "a", ("seg",), Content(figures | {"spacing_mm": spacing}, mask, cine, origin))
        stored = pydicom.dcmread(tmp_path / "a.seg.dcm")
        shared = stored.SharedFunctionalGroupsSequence[0]
        assert bool(stored.get("FrameOfReferenceUID")) is bool(spacing)
        assert bool(shared.get("PlaneOrientationSequence")) is bool(spacing)
        if spacing:
            assert shared.PixelMeasuresSequence[0].PixelSpacing == spacing
        assert np.array_equal(highdicom.seg.segread(tmp_path / "a.seg.dcm").pixel_array, mask)
        if checker := shutil.which("dciodvfy"):
            run = subprocess.run([checker, "-new", tmp_path / "a.seg.dcm"], capture_output=True, text=True, timeout=60)
            assert "Error" not in run.stdout + run.stderr


def test_captures_are_read_back(avi: Path, written: Write, cine: Cine) -> None:
    products = written(avi)
    stored = read_cine(products["cine"])
    assert np.array_equal(stored.frames, cine.frames)
    assert (stored.fps, stored.spacing_mm) == (32.0, (0.8, 0.9))
    overlay = read_cine(products["capture"])
    assert (len(overlay.frames), overlay.fps) == (FRAMES, 32.0)
    assert overlay.frames.shape[1] > 4 * cine.frames.shape[1]  # enlarged, with the curve below


@pytest.mark.parametrize(("fps", "times"), [(None, None), (30.0, [0.0, 0.03, 0.07])], ids=["unknown", "uneven"])
def test_time_base_of_captures(
    tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, avi: Path, fps: float | None, times: Any
) -> None:
    times_s = None if times is None else np.concatenate([times, 0.07 + 0.03 * np.arange(1, FRAMES - 2)])
    shown = replace(cine, fps=fps, times_s=times_s)
    content = Content(figures | {"fps": fps}, mask, shown, origin_of(avi, SHA256))
    write_products(tmp_path, "loop", ("cine",), content)
    stored = read_cine(tmp_path / "loop.cine.dcm")
    if times_s is None:
        assert stored.fps is None
    else:
        assert stored.times_s is not None
        assert np.allclose(stored.times_s, times_s, atol=1e-6)


def test_patient_and_study_are_those_of_the_input(ultrasound: Any, written: Write) -> None:
    products = written(ultrasound())
    for kind in ("sr", "seg", "capture"):
        stored = pydicom.dcmread(products[kind])
        for keyword in set(PATIENT) - {"SeriesInstanceUID", "SOPInstanceUID"}:
            assert str(stored.get(keyword)) == PATIENT[keyword], (kind, keyword)
        assert (stored.ContentDate, stored.ContentTime) == ("20260102", "101112")
    uids = [pydicom.dcmread(products[kind]).SOPInstanceUID for kind in ("sr", "seg", "capture")]
    assert len({*uids, PATIENT["SOPInstanceUID"]}) == 4
    subject = json.loads(products["fhir"].read_text())["subject"]
    assert subject == {"identifier": {"value": "MRN-4711"}}


def test_the_same_result_gives_the_same_bytes_and_another_other_uids(
    avi: Path, written: Write, figures: Figures
) -> None:
    first, second = written(avi, to="a"), written(avi, to="b")
    assert len(first) == 5
    for kind, path in first.items():
        assert path.read_bytes() == second[kind].read_bytes(), kind
    other = written(avi, figures | {"ef_percent": 50.0}, to="c")
    for kind in ("sr", "seg", "capture"):
        assert pydicom.dcmread(other[kind]).SOPInstanceUID != pydicom.dcmread(first[kind]).SOPInstanceUID
    assert pydicom.dcmread(other["cine"]).SOPInstanceUID == pydicom.dcmread(first["cine"]).SOPInstanceUID


def test_pseudonyms_leave_nothing_of_the_header(ultrasound: Any, written: Write) -> None:
    first = written(ultrasound("a.dcm"), to="a", key=KEY)
    again = written(ultrasound("b.dcm", SOPInstanceUID="1.2.840.99999.1.2.4"), to="b", key=KEY, kinds=("sr",))
    known = [
        value.encode() for keyword, value in PATIENT.items() if keyword not in ("PatientSex", "SpecificCharacterSet")
    ]
    for kind, path in first.items():
        content = path.read_bytes()
        assert not [value for value in known if value in content], kind
        assert b"Jane" not in content
    one, two = pydicom.dcmread(first["sr"]), pydicom.dcmread(again["sr"])
    assert one.PatientID == two.PatientID != PATIENT["PatientID"]
    assert one.StudyInstanceUID == two.StudyInstanceUID != PATIENT["StudyInstanceUID"]
    other = written(ultrasound(), to="c", key=Pseudonyms(b"another key of 16"), kinds=("sr",))
    assert pydicom.dcmread(other["sr"]).PatientID != one.PatientID
    assert "cine" in first  # the input itself must not be referred to


@pytest.mark.parametrize(
    "header",
    [
        {"StudyDate": "2026.01.02", "StudyTime": "noon"},
        {"PatientID": None, "StudyInstanceUID": None, "SeriesInstanceUID": None},
        {"PatientSex": "unknown and long beyond the limit", "AccessionNumber": "x" * 40},
        {"StudyInstanceUID": "no uid", "PatientName": "心^臓"},
    ],
)
def test_unusual_headers(ultrasound: Any, written: Write, header: dict[str, Any]) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns when the odd file is written
        source = ultrasound(**header)
    report = written(source, kinds=("sr",))["sr"]
    assert measurements(report)[0]["ef_percent"][0] == pytest.approx(57.45)
    assert pydicom.dcmread(report).StudyInstanceUID.is_valid


@pytest.mark.parametrize("source", ["avi", "us", "key"])
def test_dciodvfy_finds_no_error(ultrasound: Any, avi: Path, written: Write, source: str) -> None:
    checker = shutil.which("dciodvfy")
    if not checker:
        pytest.skip("dciodvfy of dicom3tools is not installed: DICOM products are not verified")
    products = written(avi if source == "avi" else ultrasound(), key=KEY if source == "key" else None)
    assert len(products) == (4 if source == "us" else 5)
    for kind in products.keys() - {"fhir"}:
        run = subprocess.run([checker, "-new", products[kind]], capture_output=True, text=True, timeout=60)
        lines = (run.stdout + run.stderr).splitlines()
        assert lines, kind  # it prints the kind of object at least
        assert not [line for line in lines if line.startswith("Error")], kind


def test_one_still(tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, ultrasound: Any) -> None:
    """A still has no beat, and references to it need no number of a frame."""
    names = ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm", "fps", "ef_interval")
    still = figures | dict.fromkeys(names) | {"beats": [], "frames": 1, "area_px": figures["area_px"][:1]}
    still |= {"ed_frames": [], "es_frames": [], "verdict": "report", "reasons": []}
    content = Content(still, mask[:1], Cine(cine.frames[:1]), origin_of(ultrasound(), SHA256))
    write_products(tmp_path, "still", ("sr", "seg", "capture", "fhir"), content)
    assert measurements(tmp_path / "still.sr.dcm") == [{}]
    assert pydicom.dcmread(tmp_path / "still.seg.dcm").pixel_array.shape == mask.shape[1:]
