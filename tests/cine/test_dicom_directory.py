"""DICOMDIR: the cines that it lists, and one clear line for a damaged one."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine import find_cines
from edgeecho.errors import VideoError

pydicom = pytest.importorskip("pydicom")


def directory(folder: Path, *files: list[str] | str, kind: str = "IMAGE") -> Path:
    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.DirectoryRecordSequence = []
    for file in ([], *files):
        record = pydicom.Dataset()
        record.DirectoryRecordType = kind if file else "PATIENT"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an ID that DICOM does not allow
            record.ReferencedFileID = file or None
        made.DirectoryRecordSequence.append(record)
    path = folder / "DICOMDIR"
    pydicom.dcmwrite(path, made, enforce_file_format=True)
    return path


def test_it_lists_its_images_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "us1").touch()  # in small letters, as some systems write the names of a medium
    found = find_cines([directory(tmp_path, ["IMAGES", "US2"], ["IMAGES", "US1"])])
    assert found == [tmp_path / "IMAGES" / "US2", tmp_path / "images" / "us1"]


def test_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="lists no image; pass the folder instead"):
        find_cines([directory(tmp_path)])
    with pytest.raises(VideoError, match="lists no image"):
        find_cines([directory(tmp_path, ["REPORT"], kind="SR DOCUMENT")])
    with pytest.raises(VideoError, match="lists a file outside its folder"):
        find_cines([directory(tmp_path, ["..", "SECRET"])])
    (tmp_path / "DICOMDIR").write_bytes(np.random.default_rng(1).bytes(400))
    with pytest.raises(VideoError, match=r"DICOMDIR: damaged DICOMDIR: .*; pass the folder instead"):
        find_cines([tmp_path / "DICOMDIR"])
