"""CAMUS in its three forms, and MetaImage."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.data import open_data
from edgeecho.data.io.metaimage import read_metaimage
from edgeecho.errors import ConfigError, DataError, VideoError
from tests.data import miniatures
from tests.helpers import write_camus

pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.write_camus_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.write_camus_first_release(tmp_path_factory.mktemp("first"))


def test_the_release_gives_a_half_sequence_a_view(release: Path) -> None:
    data = open_data(f"camus:{release}")
    assert data.notes == []
    assert data.findings() == []
    assert [item.name for item in data.items("train")] == [
        "patient0001_2CH",
        "patient0001_4CH",
        "patient0002_2CH",
        "patient0002_4CH",
    ]
    assert [item.group for item in data.items("test")] == ["patient0004", "patient0004"]
    item = data.items("val")[0]
    assert item.metadata == {
        "quality": "Good",
        "sex": "F",
        "age": 56.0,
        "ef_percent": 54.0,
        "fps": 48.4,
        "frames": 9,
        "labels": 2,
        "half_sequence": True,
    }


def test_only_ed_and_es_are_labelled_and_arrays_are_turned(release: Path) -> None:
    cine = open_data(f"camus:{release}").items("train")[0].read()
    frames, labels = miniatures.draw_beat(9, 96, 120, seed=1)
    assert np.array_equal(cine.frames, frames)  # rows are rows: 96 high, 120 wide
    assert set(cine.labels) == {0, 8}
    assert np.array_equal(cine.labels[0], labels[0] == 1)
    assert np.array_equal(cine.labels[8], labels[8] == 1)
    assert cine.phases == {0: "ED", 8: "ES"}
    assert cine.spacing_mm == pytest.approx((0.3, 0.4))
    assert cine.fps == 48.4
    assert cine.warnings == ()


def test_a_reversed_half_sequence_keeps_its_time(release: Path) -> None:
    cine = open_data(f"camus:{release}").items("train")[3].read()
    assert cine.phases == {8: "ED", 0: "ES"}
    assert cine.labels[8].sum() > cine.labels[0].sum()
    assert [warning.partition(":")[0] for warning in cine.warnings] == ["ES before ED"]


def test_the_still_overrules_the_cfg(tmp_path: Path) -> None:
    miniatures.write_camus_release(tmp_path)
    cfg = tmp_path / "database_nifti" / "patient0001" / "Info_4CH.cfg"
    cfg.write_text(cfg.read_text().replace("ES: 9", "ES: 7"))
    cine = open_data(f"camus:{tmp_path}").items("train")[1].read()
    assert cine.phases == {0: "ED", 8: "ES"}
    assert cine.warnings[0].startswith("ED or ES frame other than the cfg says: ES is frame 9, the cfg says 7")


def test_a_subset_gives_stills_and_one_note(tmp_path: Path) -> None:
    miniatures.write_camus_release(tmp_path)
    for path in (tmp_path / "database_nifti").rglob("*"):
        if "2CH" in path.name or "sequence" in path.name or path.suffix == ".cfg":
            path.unlink()
    (tmp_path / "database_split" / "subgroup_testing.txt").unlink()
    (tmp_path / "patients_info.csv").write_text(
        "Patient,ED,ES,NbFrame,Sex,Age,ImageQuality,EF,FrameRate\npatient0001,1,9,9,M,70,Poor,31,50.5\n"
    )
    data = open_data(f"camus:{tmp_path}")
    assert data.splits == ("train", "val")
    assert data.notes == [
        "Of the release this folder lacks 2CH views, half sequences, Info_*.cfg files, a testing list; "
        "what is there is used."
    ]
    items = data.items("train")
    assert [item.name for item in items[:2]] == ["patient0001_4CH_ED", "patient0001_4CH_ES"]
    assert items[0].metadata["ef_percent"] == 31
    assert items[1].read().phases == {0: "ES"}
    with pytest.raises(DataError, match=r"no list subgroup_testing\.txt"):
        data.items("test")
    with pytest.raises(ConfigError, match="unknown split 'all'"):
        data.items("all")


def test_a_patient_without_a_half_sequence_gives_stills(tmp_path: Path) -> None:
    miniatures.write_camus_release(tmp_path)
    (tmp_path / "database_nifti" / "patient0001" / "patient0001_4CH_half_sequence.nii.gz").unlink()
    data = open_data(f"camus:{tmp_path}")
    names = [item.name for item in data.items("train")]
    assert names[:3] == ["patient0001_2CH", "patient0001_4CH_ED", "patient0001_4CH_ES"]
    assert [f.defect.what for f in data.findings()] == ["No half sequence where others have one"]


def test_missing_files_patients_and_strangers(tmp_path: Path) -> None:
    miniatures.write_camus_release(tmp_path)
    base = tmp_path / "database_nifti"
    (base / "patient0001" / "patient0001_4CH_ES_gt.nii.gz").unlink()
    (base / "patient0099").mkdir()
    with (tmp_path / "database_split" / "subgroup_validation.txt").open("a") as file:
        file.write("\npatient0077\n")
    data = open_data(f"camus:{tmp_path}")
    assert [(f.defect.what, f.where) for f in data.findings()] == [
        ("Listed file missing", "patient0001/patient0001_4CH_ES_gt.nii.gz"),
        ("Listed patient missing", "patient0077"),
        ("File that is not listed", "patient0099"),
    ]
    with pytest.raises(DataError, match=r"patient0001_4CH_ES_gt\.nii\.gz: missing from patient0001"):
        data.items("train")[1].read()
    with pytest.raises(DataError, match="missing from patient0077"):
        data.items("val")[-1].read()


def test_a_mask_that_fits_only_when_turned_is_turned(tmp_path: Path) -> None:
    miniatures.write_camus_release(tmp_path)
    _, labels = miniatures.draw_beat(9, 96, 120, seed=1)
    path = tmp_path / "database_nifti" / "patient0001" / "patient0001_4CH_ED_gt.nii.gz"
    miniatures.write_nifti(path, np.ascontiguousarray(labels[:1].transpose(0, 2, 1)), (0.4, 0.3))
    cine = open_data(f"camus:{tmp_path}").items("train")[1].read()
    assert np.array_equal(cine.labels[0], labels[0] == 1)
    assert cine.warnings[0].startswith("Mask stored transposed")


@pytest.mark.parametrize(("turn", "where"), [(lambda m: m[:, ::-1], "above"), (lambda m: np.roll(m, 0), None)])
def test_the_atrium_tells_the_orientation(tmp_path: Path, turn: object, where: str | None) -> None:
    miniatures.write_camus_release(tmp_path)
    _, labels = miniatures.draw_beat(9, 96, 120, seed=1)
    path = tmp_path / "database_nifti" / "patient0001" / "patient0001_4CH_ED_gt.nii.gz"
    miniatures.write_nifti(path, np.ascontiguousarray(turn(labels[:1])), (0.3, 0.4))  # type: ignore[operator]
    warnings = open_data(f"camus:{tmp_path}").items("train")[1].read().warnings
    assert [w.partition(" in ")[0] for w in warnings] == (
        [f"Left atrium not below the ventricle: {where} it"] if where else []
    )


def test_the_first_release(first: Path) -> None:
    data = open_data(f"camus:{first}")
    assert [item.name for item in data.items("train")] == ["patient0009_2CH", "patient0009_4CH"]
    assert [item.group for item in data.items("val")] == ["patient0010", "patient0010"]
    test = data.items("test")
    assert [(item.name, item.group) for item in test] == [
        ("testing_patient0009_2CH", "testing/patient0009"),
        ("testing_patient0009_4CH", "testing/patient0009"),
    ]
    assert test[0].read().labels == {}
    item = data.items("train")[1]
    assert {k: item.metadata[k] for k in ("ef_percent", "edv_ml", "esv_ml")} == {
        "ef_percent": 54.0,
        "edv_ml": 94.3,
        "esv_ml": 43.4,
    }
    cine = item.read()
    frames, labels = miniatures.draw_beat(9, 96, 120, seed=9)
    assert np.array_equal(cine.frames, frames)
    assert cine.spacing_mm == (0.3, 0.4)  # row, column; the file says "0.4 0.3"
    assert np.array_equal(cine.labels[8], labels[8] == 1)
    assert cine.phases == {0: "ED", 8: "ES"}


def test_nifti_and_metaimage_of_one_picture_are_equal(tmp_path: Path) -> None:
    frames, _ = miniatures.draw_beat(3, 40, 64)
    from edgeecho.cine import read_cine

    miniatures.write_nifti(tmp_path / "a.nii.gz", frames, (0.2, 0.5))
    nifti = read_cine(tmp_path / "a.nii.gz")
    for packed in (False, True):
        for element in ("MET_UCHAR", "MET_SHORT", "MET_FLOAT"):
            miniatures.write_metaimage(tmp_path / "b.mhd", frames, (0.2, 0.5), packed=packed, element=element)
            meta = read_metaimage(tmp_path / "b.mhd")
            assert np.array_equal(nifti.frames, meta.frames)
            assert meta.spacing_mm == pytest.approx(nifti.spacing_mm)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DimSize = 64 40 3", "DimSize = 64 40 4", "cut short: 7680 of 10240 bytes"),
        ("DimSize = 64 40 3", "DimSize = 64000 64000 3", "at most 8192 a side"),
        ("DimSize = 64 40 3", "Dim = 64 40 3", "'DimSize' is missing or odd"),
        ("MET_UCHAR", "MET_OTHER", "'MET_OTHER' is missing or odd"),
        ("ElementDataFile = b.raw", "ElementDataFile = ../b.raw", "is not read"),
        ("ElementDataFile = b.raw", "ElementDataFile = c.raw", "cannot be read: No such file"),
        ("CompressedData = False", "CompressedData = True", "damaged"),
    ],
)
def test_metaimage_that_is_damaged(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "b.mhd"
    miniatures.write_metaimage(path, miniatures.draw_beat(3, 40, 64)[0], (0.2, 0.5))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(VideoError, match=message):
        read_metaimage(path)


def test_a_folder_that_is_no_camus(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a folder database_nifti/ with patientXXXX/ inside"):
        open_data(f"camus:{tmp_path}")


# Made cines


def test_camus_cines_begin_and_end_with_the_experts_masks(camus: Path) -> None:
    data = open_data(f"camus-cines:{camus}")
    assert (data.kind, data.licence, data.splits) == ("camus-cines", "CC-BY-NC-SA-4.0", ("train", "val"))
    items, stills = data.items("val"), open_data(f"camus:{camus}").items("val")
    assert len(items) == len(stills) // 2
    cine = items[0].read()
    assert set(cine.labels) == set(range(len(cine.frames)))
    assert (len(cine.frames), cine.fps) == (items[0].metadata["frames"], items[0].metadata["fps"])
    np.testing.assert_array_equal(items[0].read().frames, cine.frames)
    area = np.array([cine.labels[k].sum() for k in range(len(cine.frames))])
    scale = cine.labels[0].size / stills[0].read().labels[0].size
    for phase, still in zip(("ED", "ES"), stills[:2], strict=True):
        marked = [k for k, p in cine.phases.items() if p == phase]
        assert marked
        assert area[marked].mean() == pytest.approx(scale * still.read().labels[0].sum(), rel=0.03)


def test_camus_cines_need_both_stills(tmp_path: Path) -> None:
    root = write_camus(tmp_path, training=2, validation=1)
    (root / "database_nifti" / "patient0001" / "patient0001_4CH_ES.nii.gz").unlink()
    with pytest.raises(DataError, match=r"patient0001_4CH_ES\.nii\.gz: missing"):
        open_data(f"camus-cines:{root}").items("train")[0].read()
