"""`check` and `summarise`, the documentation of defects, and the configurations."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.cli.console import list_console, show
from edgeecho.data import KINDS, WITHOUT_FOLDER
from edgeecho.data.datasets.dataset import ItemCine
from edgeecho.data.quality.check import CheckReport, check, render_check
from edgeecho.data.quality.defects import ALL, LEVELS, READING, Finding
from edgeecho.data.quality.summary import Spread, render_summary, summarise
from edgeecho.errors import ConfigError, DataError
from edgeecho.train.config import load_config
from tests.data import miniatures

pytest.importorskip("skimage")
pytest.importorskip("nibabel")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"echonet-dynamic:{miniatures.write_dynamic(tmp_path_factory.mktemp('dynamic'))}"


def test_check_lists_every_trap_once(dynamic: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, int]] = []
    report = check(dynamic, jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert report.items == {"train": 11, "val": 2, "test": 2}
    assert seen == [(n, 15) for n in range(16)]
    counts = {defect.what: count for defect, count in report.counts().items()}
    assert counts == {
        "Unknown split": 1,
        "Listed file missing": 1,
        "Cannot be read": 1,
        "Listed twice": 1,
        "Video without a usable trace": 2,
        "Several different traces of one frame": 1,
        "Trace of an odd length": 1,
        "Trace with coordinates that are no numbers": 1,
        "EF that does not follow from EDV and ESV": 1,
        "File that is not listed": 1,
        "Trace without a listed video": 1,
        "Incomplete or another release": 1,
        "Label without a frame": 1,
        "ED listed last": 1,
        "ES before ED": 1,
        "Repeated trace rows": 2,
        "Trace reaches outside the frame": 1,
        "Frames that are not 112x112": 1,
    }
    assert not report.is_sound
    assert 0 <= report.seconds < 3600
    levels = [LEVELS.index(finding.defect.level) for finding in report.findings]
    assert levels == sorted(levels)
    corrupt = next(f for f in report.findings if f.defect.what == "Cannot be read")
    assert corrupt.where == "0XCORRUPT"
    assert "cut short" in corrupt.detail
    show(render_check(report, per_defect=1), list_console())
    out = capsys.readouterr().out
    assert "3 errors, 11 warnings, 6 notes" in out
    assert "and 1 more; --json names all" in out
    assert json.loads(json.dumps(report.to_dict()))["is_sound"] is False


def test_check_of_whole_sets_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = check(f"camus:{miniatures.write_camus_release(tmp_path)}")
    assert report.is_sound
    assert report.labels == 16
    assert {defect.what for defect in report.counts()} == {"ES before ED"}
    folder = tmp_path / "database_nifti" / "patient0002"
    for path in folder.glob("*4CH*"):
        path.unlink()
    miniatures.write_patient(folder, "4CH", seed=2)
    show(render_check(check(f"camus:{tmp_path}")), list_console())
    assert "Complete, and nothing is wrong." in capsys.readouterr().out


def test_another_number_of_frames_than_listed(tmp_path: Path) -> None:
    root = miniatures.write_dynamic(tmp_path)
    text = (root / "FileList.csv").read_text().replace(",50,20,TRAIN", ",50,25,TRAIN", 1)
    (root / "FileList.csv").write_text(text)
    found = [f for f in check(f"echonet-dynamic:{root}").findings if f.defect.what.startswith("Another number")]
    assert [(f.where, f.detail) for f in found] == [("0XPLAIN", "20, listed 25")]


def test_pediatric_and_own_data(tmp_path: Path) -> None:
    report = check(f"echonet-pediatric:{miniatures.write_pediatric(tmp_path / 'p')}")
    assert report.is_sound
    assert report.items == {"train": 8, "val": 2, "test": 4}
    (tmp_path / "o").mkdir()
    report = check(f"cine:{miniatures.write_own(tmp_path / 'o')}")
    assert {f.where for f in report.findings if f.defect.level == "error"} == {
        "gone.avi",
        "b",
        "c.npz",
        "c.npz frame 4",
    }


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(WITHOUT_FOLDER)))
def test_a_folder_that_is_no_data_set(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match="expected") as caught:
        check(f"{kind}:{tmp_path}")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError):
        check(f"{kind}:{tmp_path / 'none'}")


def test_wrong_names() -> None:
    with pytest.raises(ConfigError, match=f"known: {', '.join(KINDS)}"):
        check("echonet:/data")
    with pytest.raises(ConfigError, match="KIND:DIR"):
        summarise("camus")


def test_summary_of_lists_and_headers(dynamic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = summarise(dynamic, tmp_path / "picture.png", jobs=1)
    train = summary.splits[0]
    assert (train.items, train.patients, train.views) == (11, 11, {"4CH": 11})
    assert train.frames == Spread(11, 20, 0, 20, 20, 20, 20, 20)
    assert train.ef_percent is not None
    assert (train.ef_percent.n, train.ef_percent.maximum) == (11, 61)
    assert cv2.imread(str(tmp_path / "picture.png")).shape == (480, 1440, 3)
    show(render_summary(summary), list_console())
    assert "51.0 ± 3.3 (50 to 61)" in capsys.readouterr().out
    assert "ef_values" not in json.dumps(summary.to_dict())


def test_summary_counts_a_patients_ef_once(tmp_path: Path) -> None:
    summary = summarise(f"camus:{miniatures.write_camus_release(tmp_path)}")
    train = summary.splits[0]
    assert (train.items, train.patients, train.qualities) == (4, 2, {"Good": 2})
    assert train.ef_values == (54.0, 54.0)
    assert train.frames is not None
    assert train.frames.median == 9
    assert summary.picture is None


def test_summary_of_what_only_the_cines_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = summarise(f"cine:{miniatures.write_own(tmp_path)}", jobs=2)
    assert summary.unknown == 1
    by_split = {split.split: split for split in summary.splits}
    assert by_split["val"].fps is not None
    assert by_split["val"].fps.median == 55
    assert by_split["test"].frames is None
    show(render_summary(summary), list_console())
    assert "could not be read: 1" in capsys.readouterr().out


def test_spread_worked_out_on_paper() -> None:
    spread = Spread.of([1, 2, 3, 4])
    assert spread is not None
    assert (spread.n, spread.mean, spread.median, spread.minimum, spread.maximum) == (4, 2.5, 2.5, 1, 4)
    assert spread.sd == pytest.approx((5 / 3) ** 0.5)
    assert Spread.of([]) is None
    assert Spread.of([7]) == Spread(1, 7, 0, 7, 7, 7, 7, 7)


def test_every_defect_stands_in_the_docs() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text()
    for defect in ALL:
        assert f"| {defect.level} | {defect.what} | {defect.action} |" in text
        assert defect.level in LEVELS
    assert len({defect.what for defect in ALL}) == len(ALL)


def test_warnings_of_an_item_are_the_sentences_of_its_findings() -> None:
    rounded = "The grey levels are fractions; they were rounded."
    read = Cine(np.zeros((2, 4, 4), np.uint8), fps=25, name="a", warnings=(rounded,))
    found = [Finding(defect, "a", "frame 3: of 2") for defect in ALL if defect != READING]
    cine = ItemCine.of(read, found)
    assert cine.findings == (Finding(READING, "a", rounded.removesuffix(".")), *found)
    assert cine.warnings[0] == rounded
    assert cine.warnings[1:] == tuple(f"{f.defect.what}: frame 3: of 2; {f.defect.action}." for f in found)
    assert replace(cine, fps=30).warnings == cine.warnings
    assert (cine.frames is read.frames, cine.fps, cine.name) == (True, 25, "a")


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.stem)
def test_configurations_load(path: Path) -> None:
    config = load_config(path)
    kind, _, folder = config.data.source.partition(":")
    assert kind in KINDS
    assert folder
    assert not Path(folder).is_absolute()
    assert "In the literature" in path.read_text() or "in the literature" in path.read_text()
    assert set(tomllib.loads(path.read_text())) == {"model", "data", "clips", "loss", "optim", "run"}


def test_there_is_a_configuration_for_every_kind() -> None:
    kinds = {load_config(path).data.source.partition(":")[0] for path in (ROOT / "configs").glob("*.toml")}
    others = {"camus-cines", "phantom-motion", "phantom-varied"}  # camus makes its own; the others are drawn too
    assert kinds == set(KINDS) - others


def test_five_places_of_a_warning_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    defect = next(defect for defect in ALL if defect.level == "warning")
    found = tuple(Finding(defect, f"cine {number}") for number in range(7))
    show(render_check(CheckReport("camus", "x", {"train": 7}, 14, found, 1.0)), list_console())
    out = capsys.readouterr().out
    assert out.count("  cine ") == 5
    assert "and 2 more" in out
