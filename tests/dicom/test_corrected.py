"""Products of a corrected result: made again with the new figures, or removed where they cannot be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.dicom import Content, Pseudonyms, origin_of, remake_products, write_products
from tests.dicom.conftest import PATIENT, Figures

pydicom = pytest.importorskip("pydicom", reason="products are written by pydicom")
pytest.importorskip("highdicom", reason="reports are made by highdicom")

KINDS = ("sr", "seg", "capture", "fhir")
RUN = {"run": {"input_sha256": "12" * 32, "settings_sha256": "34" * 32}}


def names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths}


@pytest.mark.parametrize("key", [None, Pseudonyms(b"a key of sixteen")], ids=["plain", "pseudonyms"])
def test_products_are_made_again(
    tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, ultrasound: Any, key: Pseudonyms | None
) -> None:
    source = ultrasound()
    before = figures | RUN | {"input": str(source) if key is None else "4dce7418"}
    write_products(tmp_path, "loop", KINDS, Content(before, mask, cine, origin_of(source, "12" * 32, key)))
    stored = {path.name: path.read_bytes() for path in tmp_path.glob("loop.*")}
    reference = pydicom.dcmread(tmp_path / "loop.seg.dcm").ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    corrected = before | {"ef_percent": 44.5, "corrections": ["frame 2: another mask"]}
    changed = mask.copy()
    changed[1, :40] = 0
    written, removed = remake_products(tmp_path / "loop.json", corrected, changed)
    overlay = set() if key is None else {"loop.capture.dcm"}
    assert names(written) == {"loop.sr.dcm", "loop.seg.dcm", "loop.fhir.json"} | overlay
    assert names(removed) == {"loop.capture.dcm"} - overlay  # the input might show a name that was covered
    segmentation = pydicom.dcmread(tmp_path / "loop.seg.dcm")
    assert np.array_equal(segmentation.pixel_array, changed)
    assert segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0] == reference
    report = (tmp_path / "loop.sr.dcm").read_bytes()
    assert b"Corrected by a person: frame 2: another mask" in report
    assert (PATIENT["PatientID"].encode() in report) is (key is None)
    assert "EF 44%" in json.loads((tmp_path / "loop.fhir.json").read_text())["conclusion"]
    assert all(path.read_bytes() != stored[path.name] for path in written)


def test_products_of_a_lost_input_are_removed(
    tmp_path: Path, figures: Figures, mask: np.ndarray, cine: Cine, ultrasound: Any
) -> None:
    source = ultrasound()
    result = figures | RUN | {"input": str(source)}
    write_products(tmp_path, "loop", ("sr", "fhir"), Content(result, mask, cine, origin_of(source, "12" * 32)))
    source.unlink()
    written, removed = remake_products(tmp_path / "loop.json", result, mask)
    assert (written, names(removed)) == ([], {"loop.sr.dcm", "loop.fhir.json"})
    assert list(tmp_path.glob("loop.*")) == []
    assert remake_products(tmp_path / "loop.json", result, mask) == ([], [])
