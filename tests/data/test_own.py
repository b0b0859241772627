"""Own cines: a folder with a labels.csv."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.data import Item, open_data
from edgeecho.errors import DataError
from tests.data import miniatures

pytest.importorskip("skimage")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.write_own(tmp_path_factory.mktemp("own"))


def items_of(root: Path) -> dict[str, Item]:
    data = open_data(f"cine:{root}")
    return {item.name: item for split in data.splits for item in data.items(split)}


def write(root: Path, *lines: str) -> Path:
    miniatures.write_avi(root / "a.avi", miniatures.draw_beat(4)[0])
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def test_polygons_and_what_the_table_says(own: Path) -> None:
    item = items_of(own)["a.avi"]
    assert (item.split, item.group, item.view) == ("train", "p1", "4CH")
    assert item.metadata == {"ef_percent": 58.0, "labels": 2}
    cine = item.read()
    assert cine.phases == {0: "ED", 8: "ES"}
    assert cine.labels[8].sum() == 31 * 31  # from 40 to 70, both ends included
    assert cine.spacing_mm == (0.4, 0.3)
    assert cine.fps == 40


def test_a_mirrored_folder_of_frames_is_turned_with_its_mask(own: Path) -> None:
    cine = items_of(own)["b"].read()
    frames, labels = miniatures.draw_beat(20)
    assert np.array_equal(cine.frames, frames)
    assert np.array_equal(cine.labels[0], labels[0] == 1)
    assert cine.fps == 55


def test_apex_down_is_turned(tmp_path: Path) -> None:
    root = write(tmp_path, "file,frame,phase,polygon,flip", "a.avi,1,ED,10 2 20 2 20 6 10 6,ud")
    mask = items_of(root)["a.avi"].read().labels[1]
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max()) == (111 - 6, 111 - 2)
    assert (columns.min(), columns.max()) == (10, 20)


def test_a_folder_without_labels_is_to_calibrate_on(tmp_path: Path) -> None:
    for name in ("a.avi", "deep/b.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        miniatures.write_avi(tmp_path / name, miniatures.draw_beat(4)[0])
    data = open_data(f"cine:{tmp_path}")
    assert [(item.name, item.group) for item in data.items("train")] == [(n, n) for n in ("a.avi", "deep/b.avi")]
    assert data.items("val") == data.items("test") == []
    assert data.items("train")[0].read().labels == {}
    assert "No labels.csv" in data.notes[0]


def test_labels_that_cannot_be_used_are_named(own: Path) -> None:
    items = items_of(own)
    assert items["b"].read().warnings == (
        "Label that cannot be used: frame 1: the mask is 50x50, the cine 112x112; "
        "that label is left out; mend labels.csv.",
    )
    cine = items["c.npz"].read()
    assert set(cine.labels) == {3}
    assert cine.warnings == (
        "Label on a frame that the cine lacks: frame 99 of 20; that label is left out; mend labels.csv.",
    )
    found = {finding.defect.what: finding for finding in open_data(f"cine:{own}").findings()}
    assert found["Label that cannot be used"].where == "c.npz frame 4"
    assert found["Listed file missing"].where == "gone.avi"
    assert found["File that is not listed"].where == "unlisted.avi"
    assert found["Unknown view"].detail == "'PLAX'"
    assert found["Frame rate outside 15 to 200 a second"].detail == "9"
    assert found["No split given"].detail == "1 cines"


def test_area_decides_where_no_phase_is_given(tmp_path: Path) -> None:
    rows = ("a.avi,2,,10 10 90 10 90 90 10 90", "a.avi,0,,10 10 50 10 50 50 10 50", "a.avi,1,,10 10 60 10 60 60 10 60")
    root = write(tmp_path, "file,frame,phase,polygon", *rows)
    assert items_of(root)["a.avi"].read().phases == {2: "ED", 0: "ES"}


def test_a_drawn_split_keeps_a_patient_together_and_stays(tmp_path: Path) -> None:
    rows = [f"p{n}/{k}.avi,,,p{n}" for n in range(200) for k in range(2)]
    root = write(tmp_path, "file,frame,phase,patient", *rows)
    items = items_of(root)
    by_patient: dict[str, set[str]] = {}
    for item in items.values():
        by_patient.setdefault(item.group, set()).add(item.split)
    assert all(len(splits) == 1 for splits in by_patient.values())
    counts = {s: sum(item.split == s for item in items.values()) for s in ("train", "val", "test")}
    assert counts["train"] > 280
    assert min(counts["val"], counts["test"]) > 15
    assert items["p0/0.avi"].split == "train"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,frame"], "no column phase; found file, frame"),
        (["file,frame,phase,flip", "a.avi,,,left"], "flip must be lr, ud or lrud, got 'left'"),
        (["file,frame,phase,fps", "a.avi,,,-3"], "fps must be positive, got '-3'"),
        (["file,frame,phase,row_mm", "a.avi,,,0.3"], "give row_mm and column_mm, or neither"),
        (["file,frame,phase", "../a.avi,0,ED"], r"'\.\./a\.avi' is not below the folder"),
        (["file,frame,phase", "/etc/a.avi,0,ED"], "is not below the folder"),
    ],
)
def test_a_table_that_is_wrong(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_data(f"cine:{write(tmp_path, *lines)}")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.avi,x,ED,,1 1 9 1 9 9", "the frame must be a whole number from 0"),
        ("a.avi,-1,ED,,1 1 9 1 9 9", "the frame must be a whole number from 0"),
        ("a.avi,0,PEAK,,1 1 9 1 9 9", "the phase must be ED, ES or empty, got 'PEAK'"),
        ("a.avi,0,ED,m.png,1 1 9 1 9 9", "give either a mask or a polygon"),
        ("a.avi,0,ED,,", "give either a mask or a polygon"),
        ("a.avi,0,ED,,1 1 9 1 nan 9", "three points or more"),
    ],
)
def test_a_row_that_is_wrong(tmp_path: Path, row: str, message: str) -> None:
    data = open_data(f"cine:{write(tmp_path, 'file,frame,phase,mask,polygon', row)}")
    assert message in next(f.detail for f in data.findings() if f.defect.what == "Label that cannot be used")


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected cines, and labels\.csv beside them"):
        open_data(f"cine:{tmp_path}")
