"""EchoNet-Dynamic and EchoNet-Pediatric: every known defect of them, on drawn miniatures."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.data import Item, open_data
from edgeecho.data.datasets.echonet_dynamic import outline
from edgeecho.data.io.avi import avi_header, lost_frames
from edgeecho.data.io.traces import rasterise, stem
from edgeecho.data.quality.defects import Finding
from edgeecho.errors import DataError, MissingExtraError, VideoError
from tests.data import miniatures

draw = pytest.importorskip("skimage.draw")


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.write_dynamic(tmp_path_factory.mktemp("dynamic"))


@pytest.fixture(scope="module")
def pediatric(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return miniatures.write_pediatric(tmp_path_factory.mktemp("pediatric"))


def items_of(kind: str, root: Path) -> dict[str, Item]:
    data = open_data(f"{kind}:{root}")
    return {item.name: item for split in data.splits for item in data.items(split)}


def findings_of(kind: str, root: Path, what: str) -> list[Finding]:
    return [finding for finding in open_data(f"{kind}:{root}").findings() if finding.defect.what == what]


def official_mask(trace: np.ndarray) -> np.ndarray:
    """Make a mask as echonet/datasets/echo.py does, written anew from the published description."""
    x1, y1, x2, y2 = trace.T
    x = np.concatenate([x1[1:], np.flip(x2[1:])])
    y = np.concatenate([y1[1:], np.flip(y2[1:])])
    mask = np.zeros((112, 112), np.uint8)
    rows, columns = draw.polygon(np.rint(y).astype(int), np.rint(x).astype(int), (112, 112))
    mask[rows, columns] = 1
    return mask


def test_masks_are_those_of_the_authors_to_the_pixel(dynamic: Path) -> None:
    cine = items_of("echonet-dynamic", dynamic)["0XPLAIN"].read()
    assert cine.frames.shape == (20, 112, 112)
    assert np.array_equal(cine.labels[0], official_mask(miniatures.trace(1.0)))
    assert np.array_equal(cine.labels[8], official_mask(miniatures.trace(0.8)))
    assert cine.phases == {0: "ED", 8: "ES"}
    assert cine.fps == 50
    assert cine.spacing_mm is None


def test_a_mask_worked_out_on_paper() -> None:
    # Rounded: (2, 1), (2, 3), (5, 3), (5, 1): x 2 to 5 and y 1 to 3, both ends included, is 4 x 3 pixels.
    mask = rasterise(np.array([[2.5, 0.5001], [1.6, 3.4], [5.4, 2.6], [4.9, 1.2]]), 8, 8)
    expected = np.zeros((8, 8), np.uint8)
    expected[1:4, 2:6] = 1
    assert np.array_equal(mask, expected)
    assert not rasterise(np.array([[1e12, 1e12], [1e12, 2e12], [2e12, 1e12]]), 8, 8).any()


def test_the_axis_row_is_no_part_of_the_outline() -> None:
    points = outline(np.arange(84, dtype=float).reshape(21, 4))
    assert points.shape == (40, 2)
    assert points[0].tolist() == [4, 5]
    assert points[19].tolist() == [80, 81]
    assert points[20].tolist() == [82, 83]
    assert points[-1].tolist() == [6, 7]


def test_area_says_which_is_ed_and_time_keeps_its_order(dynamic: Path) -> None:
    items = items_of("echonet-dynamic", dynamic)
    assert items["0XEDLAST"].read().phases == {0: "ED", 8: "ES"}
    assert items["0XEDAFTERES"].read().phases == {8: "ES", 16: "ED"}
    assert [f.where for f in findings_of("echonet-dynamic", dynamic, "ED listed last")] == ["0XEDLAST"]
    found = findings_of("echonet-dynamic", dynamic, "ES before ED")
    assert [(f.where, f.detail) for f in found] == [("0XEDAFTERES", "frames 8 and 16")]


def test_suffix_and_capitals_do_not_matter(dynamic: Path) -> None:
    items = items_of("echonet-dynamic", dynamic)
    assert items["0XSUFFIX"].split == "val"
    assert len(items["0XSUFFIX"].read().labels) == 2
    assert items["0XLOWER"].split == "test"
    assert stem("a.avi") == stem(" a.AVI ") == stem("a.avi.avi") == "a"


def test_a_video_without_a_trace_has_no_labels_and_its_own_size(dynamic: Path) -> None:
    item = items_of("echonet-dynamic", dynamic)["0XUNTRACED"]
    cine = item.read()
    assert (cine.labels, item.metadata["labels"]) == ({}, 0)
    assert cine.frames.shape == (20, 192, 256)
    assert cine.warnings == ("Frames that are not 112x112: 256x192; kept at their own size.",)
    assert item.metadata["ef_percent"] == 50


def test_frames_of_another_size_than_listed_scale_the_trace(tmp_path: Path) -> None:
    miniatures.write_avi(tmp_path / "Videos" / "A.avi", miniatures.draw_beat(4, 224, 224)[0])
    (tmp_path / "FileList.csv").write_text(f"{miniatures.DYNAMIC_HEADER}\nA,50,40,80,112,112,50,4,TRAIN\n")
    rows = [f"A.avi,{','.join(map(str, row))},1" for row in miniatures.trace()]
    (tmp_path / "VolumeTracings.csv").write_text("\n".join(["FileName,X1,Y1,X2,Y2,Frame", *rows]))
    cine = items_of("echonet-dynamic", tmp_path)["A"].read()
    assert cine.labels[1].shape == (224, 224)
    assert cine.labels[1].sum() == pytest.approx(4 * official_mask(miniatures.trace()).sum(), rel=0.05)
    assert any(warning.startswith("Frames of another size than listed") for warning in cine.warnings)


@pytest.mark.parametrize(
    ("name", "frames", "what"),
    [
        ("0XREPEATED", {0, 8}, "Repeated trace rows"),
        ("0XTWOTRACES", {8}, "Several different traces of one frame"),
        ("0XODDROWS", {8}, "Trace of an odd length"),
        ("0XNAN", {8}, "Trace with coordinates that are no numbers"),
        ("0XOUTSIDE", {0, 8}, "Trace reaches outside the frame"),
    ],
)
def test_odd_traces(dynamic: Path, name: str, frames: set[int], what: str) -> None:
    assert set(items_of("echonet-dynamic", dynamic)[name].read().labels) == frames
    assert {f.where.split()[0] for f in findings_of("echonet-dynamic", dynamic, what)} == {name}


def test_repeats_leave_the_trace_itself(dynamic: Path) -> None:
    cine = items_of("echonet-dynamic", dynamic)["0XREPEATED"].read()
    assert np.array_equal(cine.labels[0], official_mask(miniatures.trace(1.0)))  # 42 rows: the block twice
    assert np.array_equal(cine.labels[8], official_mask(miniatures.trace(0.8)))  # 63 rows: each row three times


def test_coordinates_outside_are_cut_as_the_authors_do(dynamic: Path) -> None:
    trace = miniatures.trace(1.0, (15, 88))
    assert trace.min() < 0
    assert trace.max() > 112
    cine = items_of("echonet-dynamic", dynamic)["0XOUTSIDE"].read()
    assert np.array_equal(cine.labels[0], official_mask(trace))


def test_a_label_past_the_end_is_left_out_and_named(dynamic: Path) -> None:
    cine = items_of("echonet-dynamic", dynamic)["0XBEYOND"].read()
    assert set(cine.labels) == {0}
    assert cine.phases == {}
    assert cine.warnings == ("Label without a frame: frame 20 of 20; that label is left out.",)


def test_lists_show_the_rest(dynamic: Path) -> None:
    def where(what: str) -> list[str]:
        return [finding.where for finding in findings_of("echonet-dynamic", dynamic, what)]

    assert where("Trace without a listed video") == ["0XORPHAN"]
    assert where("File that is not listed") == ["0XUNLISTED.avi"]
    assert where("Listed file missing") == ["Videos/0XMISSING.avi"]
    assert where("Listed twice") == ["0XPLAIN"]
    assert where("Unknown split") == ["0XSPLIT"]
    assert where("EF that does not follow from EDV and ESV") == ["0XEFODD"]
    assert "0XSPLIT" not in items_of("echonet-dynamic", dynamic)


def test_missing_and_corrupt_videos_fail_when_they_are_read(dynamic: Path) -> None:
    items = items_of("echonet-dynamic", dynamic)
    with pytest.raises(VideoError, match=r"0XMISSING\.avi: no such file"):
        items["0XMISSING"].read()
    with pytest.raises(VideoError, match=r"0XCORRUPT\.avi: cut short"):
        items["0XCORRUPT"].read()


def test_a_video_that_lost_a_frame_inside_is_refused(tmp_path: Path) -> None:
    path = miniatures.write_dynamic(tmp_path) / "Videos" / "0XPLAIN.avi"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)  # the end of one frame and the start of the next
    path.write_bytes(data)
    lost = 20 - len(read_cine(path).frames)
    assert 1 <= lost <= 2
    with pytest.raises(VideoError, match=f"damaged: {lost} of 20 frames are lost"):
        items_of("echonet-dynamic", tmp_path)["0XPLAIN"].read()


def test_an_avi_tells_frames_and_rate_without_decoding(tmp_path: Path) -> None:
    miniatures.write_avi(tmp_path / "a.avi", miniatures.draw_beat(7)[0], 40)
    assert avi_header(tmp_path / "a.avi") == {"frames": 7, "fps": 40}
    assert lost_frames(tmp_path / "a.avi", 7) == 0
    assert lost_frames(tmp_path / "a.avi", 5) == 2
    assert avi_header(tmp_path / "none.avi") == {}
    (tmp_path / "b.avi").write_bytes(b"RIFF" + bytes(100))
    assert avi_header(tmp_path / "b.avi") == {}


def test_nothing_is_opened_before_its_turn(dynamic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr("edgeecho.data.io.traces.read_cine", refuse)
    items = items_of("echonet-dynamic", dynamic)
    assert len(items) == 15
    assert items["0XPLAIN"].metadata == {
        "ef_percent": 50.0,
        "edv_ml": 80.0,
        "esv_ml": 40.0,
        "fps": 50.0,
        "frames": 20,
        "labels": 2,
    }


def test_a_large_tree_is_listed_in_full(tmp_path: Path) -> None:
    items = items_of("echonet-dynamic", miniatures.write_many(tmp_path, 300, frames=49))
    assert len(items) == 300
    assert {item.metadata["labels"] for item in items.values()} == {2}
    assert open_data(f"echonet-dynamic:{tmp_path}").findings() == []


def test_an_item_is_small_and_can_be_pickled(dynamic: Path) -> None:
    text = pickle.dumps(items_of("echonet-dynamic", dynamic)["0XPLAIN"])
    assert len(text) < 4000
    assert len(pickle.loads(text).read().labels) == 2


def test_without_scikit_image_the_extra_is_named(dynamic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skimage.draw", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeecho\[data\]'"):
        items_of("echonet-dynamic", dynamic)["0XPLAIN"].read()


@pytest.mark.parametrize("column", ["EF", "Split", "FPS"])
def test_a_missing_column_is_named(dynamic: Path, tmp_path: Path, column: str) -> None:
    text = (dynamic / "FileList.csv").read_text()
    (tmp_path / "FileList.csv").write_text(text.replace(f",{column},", ",Other,").replace(f",{column}\n", ",Other\n"))
    with pytest.raises(DataError, match=rf"FileList\.csv: no column {column}; found FileName"):
        open_data(f"echonet-dynamic:{tmp_path}")


def test_tables_that_are_missing_or_no_text(dynamic: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected FileList\.csv, VolumeTracings\.csv and Videos/"):
        open_data(f"echonet-dynamic:{tmp_path}")
    (tmp_path / "FileList.csv").write_text((dynamic / "FileList.csv").read_text())
    with pytest.raises(DataError, match=r"VolumeTracings\.csv: missing"):
        open_data(f"echonet-dynamic:{tmp_path}").items("train")
    (tmp_path / "VolumeTracings.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a CSV text file"):
        open_data(f"echonet-dynamic:{tmp_path}").items("train")
    (tmp_path / "VolumeTracings.csv").write_text("FileName,X,Y,Frame\n")
    with pytest.raises(DataError, match="no column X1 and no column Y1"):
        open_data(f"echonet-dynamic:{tmp_path}").items("train")


def test_pediatric_views_folds_and_patients(pediatric: Path) -> None:
    items = items_of("echonet-pediatric", pediatric)
    assert [items[f"A4C/CR01-CR02-00000{n}"].split for n in (1, 2)] == ["train", "train"]
    assert items["A4C/CR05-CR06-000004"].split == "val"
    assert items["PSAX/CR07-CR08-000005"].split == "test"
    assert {item.view for name, item in items.items() if name.startswith("A4C")} == {"4CH"}
    assert items["PSAX/CR01-CR02-000001"].group == items["A4C/CR01-CR02-000002"].group == "CR01"
    metadata = items["A4C/CR01-CR02-000001"].metadata
    assert metadata == {"ef_percent": 61.5, "sex": "F", "age": 9.0, "weight_kg": 30.5, "labels": 2}


def test_pediatric_view_alone_and_any_depth(pediatric: Path) -> None:
    inside = pediatric / "pediatric_echo_avi" / "pediatric_echo_avi"
    assert len(items_of("echonet-pediatric", inside)) == 14
    alone = open_data(f"echonet-pediatric:{inside / 'PSAX'}")
    assert {item.view for item in alone.items("train")} == {"PSAX"}
    assert any("Only PSAX is here" in note for note in alone.notes)


@pytest.mark.parametrize(("base", "proof"), [(1, True), (0, True), (0, False)])
def test_frames_count_from_what_the_data_prove(tmp_path: Path, base: int, proof: bool) -> None:
    miniatures.write_pediatric(tmp_path, base, proof=proof)
    data = open_data(f"echonet-pediatric:{tmp_path}")
    cine = data.items("train")[0].read()
    assert cine.phases == {2: "ED", 8: "ES"}
    assert any("No label proves" in note for note in data.notes) is not proof
    counted = [f for f in data.findings() if f.defect.what == "Frames counted from 1"]
    assert len(counted) == base


def test_the_last_frame_of_a_video_is_kept_where_counting_begins_with_one(pediatric: Path) -> None:
    assert items_of("echonet-pediatric", pediatric)["A4C/CR01-CR02-000002"].read().phases == {19: "ED", 8: "ES"}


def test_pediatric_polygon_loses_no_point(pediatric: Path) -> None:
    cine = items_of("echonet-pediatric", pediatric)["A4C/CR01-CR02-000001"].read()
    points = np.rint(miniatures.polygon()).astype(int)
    expected = np.zeros((112, 112), np.uint8)
    rows, columns = draw.polygon(points[:, 1], points[:, 0], (112, 112))
    expected[rows, columns] = 1
    assert np.array_equal(cine.labels[2], expected)


def test_a_missing_phase_tells_the_other(pediatric: Path) -> None:
    items = items_of("echonet-pediatric", pediatric)
    assert items["A4C/CR03-CR04-000003"].read().phases == {2: "ED"}
    assert items["A4C/CR05-CR06-000004"].read().phases == {8: "ES"}


def test_points_that_are_no_numbers(pediatric: Path) -> None:
    items = items_of("echonet-pediatric", pediatric)
    assert set(items["A4C/CR07-CR08-000005"].read().labels) == {2, 8}
    cine = items["A4C/CR09-CR10-000006"].read()
    assert cine.labels == {}
    assert cine.warnings == ("Label without a frame: frame 40 of 20; that label is left out.",)
    assert items["A4C/CR11-CR12-000007"].read().labels == {}


def test_headers_give_what_the_pediatric_tables_lack(pediatric: Path) -> None:
    item = items_of("echonet-pediatric", pediatric)["A4C/CR01-CR02-000001"]
    assert item.peek is not None
    assert item.peek() == {"frames": 20, "fps": 40}
