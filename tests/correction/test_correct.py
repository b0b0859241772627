"""Corrections of a result: what the hand did is computed again, recorded, shown, and can be taken back."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho import file_group
from edgeecho.batch import CineOptions, ModelChoice, Settings, run_batch
from edgeecho.batch.run import prepare_batch
from edgeecho.correction import Correction, correct, read_correction, restore
from edgeecho.correction.edited_mask import fill_outline, read_edited_mask
from edgeecho.correction.labels import add_labels
from edgeecho.data import open_data
from edgeecho.errors import DataError, MissingExtraError, OutputError
from edgeecho.file_group import change_together
from edgeecho.measure import discs_of, ef_percent
from edgeecho.report.draw import outlines
from edgeecho.report.stored import StoredResult
from tests.helpers import draw_heart


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a drawn cine."""
    folder = tmp_path_factory.mktemp("made")
    heart = draw_heart(np.random.default_rng(0), frames=30)[0]
    np.savez(folder / "heart.npz", frames=heart, fps=25, spacing_mm=(0.9, 0.8))
    settings = Settings(out=str(folder / "out"), choice=ModelChoice(model="cl_unet_nano", threads=1))
    (outcome,) = run_batch(prepare_batch([str(folder / "heart.npz")], CineOptions(), settings), lambda *_: None)
    assert not outcome.error
    return folder / "out" / "heart.json"


@pytest.fixture
def stored(made: Path, tmp_path: Path) -> StoredResult:
    """A copy of that result, to be changed, with one beat that is measured."""
    for path in made.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return StoredResult.open(tmp_path / "heart.json")


def ellipse(stored: StoredResult, rows: int, columns: int) -> np.ndarray:
    mask = np.zeros(stored.mask.shape[1:], np.uint8)
    cv2.ellipse(mask, (64, 64), (columns, rows), 0, 0, 360, 1, -1)
    return mask


def by_hand(ed: np.ndarray, es: np.ndarray, spacing: tuple[float, float]) -> float:
    return ef_percent(discs_of(ed, spacing).volume(), discs_of(es, spacing).volume())


def test_chosen_frames_and_edited_masks_give_the_ef_by_hand(stored: StoredResult) -> None:
    large, small = ellipse(stored, 40, 25), ellipse(stored, 33, 18)
    correction = Correction(ed_frame=3, es_frame=11, masks={3: large, 11: small}, accepted=True)
    corrected = correct(stored, correction).stored
    figures = corrected.figures
    assert figures["ef_percent"] == pytest.approx(by_hand(large, small, (0.9, 0.8)), abs=1e-9)
    assert figures["edv_ml"] == pytest.approx(discs_of(large, (0.9, 0.8)).volume() / 1000)
    assert figures["verdict"] == "report"
    assert figures["ef_interval"] is None
    assert figures["corrected_frames"] == [3, 11]
    assert figures["area_px"][3] == large.sum()
    assert [beat["by_hand"] for beat in figures["beats"] if beat["is_used"]] == ["chosen"]
    assert "ED at frame 3 and ES at frame 11, chosen by hand" in figures["corrections"]
    assert np.array_equal(corrected.mask[[3, 11]], [large, small])
    page = corrected.json_path.with_suffix(".html").read_text()
    assert "Corrected by a person" in page
    assert f"EF {figures['ef_percent']:.0f}%" in page


def test_a_correction_can_be_taken_back(stored: StoredResult) -> None:
    before, mask = stored.figures, stored.mask
    once = correct(stored, Correction(masks={3: ellipse(stored, 40, 25)}, accepted=True)).stored
    twice = correct(once, Correction(ed_frame=3, es_frame=11, masks={3: ellipse(stored, 42, 25)})).stored
    assert len(twice.figures["corrections"]) == 4
    back = restore(twice).stored
    assert {k: v for k, v in back.figures.items() if k != "area_px"} == {
        k: v for k, v in before.items() if k != "area_px"
    }
    assert back.figures["area_px"] == before["area_px"]
    assert np.array_equal(back.mask, mask)
    with pytest.raises(DataError, match="nothing to take back"):
        restore(back)


def with_beats(stored: StoredResult, *pairs: tuple[int, int], reasons: Any = (), of_beats: Any = ()) -> StoredResult:
    """Return the result with ellipses at the ED and ES of beats, and given reasons; `of_beats` leave the beats out."""
    mask = stored.mask.copy()
    beats = []
    for number, (ed, es) in enumerate(pairs):
        mask[ed], mask[es] = ellipse(stored, 40, 25), ellipse(stored, 33, 16 + 3 * number)
        volumes = [discs_of(mask[frame], (0.9, 0.8)).volume() / 1000 for frame in (ed, es)]
        figures = {"edv_ml": volumes[0], "esv_ml": volumes[1], "sv_ml": volumes[0] - volumes[1]}
        rest = {
            "ef_percent": ef_percent(*volumes),
            "heart_rate_bpm": 60.0,
            "is_used": not of_beats,
            "reasons": list(of_beats),
        }
        beats.append({"ed_frame": ed, "es_frame": es, **figures, **rest})
    with np.load(stored.json_path.with_suffix(".npz")) as arrays:
        kept = dict(arrays)
    np.savez(stored.json_path.with_suffix(".npz"), **(kept | {"mask": mask}))  # type: ignore[arg-type]
    verdict = "withhold" if any(reason["level"] == "withhold" for reason in reasons) else "report"
    stored.json_path.write_text(
        json.dumps(stored.figures | {"beats": beats, "reasons": list(reasons), "verdict": verdict})
    )
    return StoredResult.open(stored.json_path)


def test_a_beat_left_out_does_not_count(stored: StoredResult) -> None:
    stored = with_beats(stored, (2, 8), (14, 20), (22, 28))
    efs = [beat["ef_percent"] for beat in stored.figures["beats"]]
    corrected = correct(stored, Correction(exclude_beats=(3,))).stored
    assert corrected.figures["ef_percent"] == pytest.approx(np.median(efs[:2]))
    assert [beat["is_used"] for beat in corrected.figures["beats"]] == [True, True, False]
    again = correct(corrected, Correction(exclude_beats=(2,))).stored
    assert again.figures["ef_percent"] == pytest.approx(efs[0])


def test_a_hand_on_the_beats_does_not_vouch_for_the_view(stored: StoredResult) -> None:
    """A withheld EF stays withheld until a person accepts the outlines."""
    view = {"code": "view_unlikely", "level": "withhold", "text": "the network is unsure"}
    stored = with_beats(stored, (2, 8), (14, 20), reasons=[view])
    corrected = correct(stored, Correction(exclude_beats=(1,))).stored
    assert (corrected.figures["verdict"], corrected.figures["ef_percent"]) == ("withhold", None)
    assert corrected.figures["withheld"]["ef_percent"] is not None
    accepted = correct(corrected, Correction(accepted=True)).stored
    assert accepted.figures["verdict"] == "report"
    assert accepted.figures["ef_percent"] == corrected.figures["withheld"]["ef_percent"]
    assert accepted.figures["reasons"][0]["text"] == "the network is unsure (accepted by a person)"


UNSURE = {"code": "view_unlikely", "level": "withhold", "text": "the network is unsure (confidence 0.92): no heart?"}


def test_a_chosen_beat_does_not_vouch_for_the_view(stored: StoredResult) -> None:
    """Doubts about the picture that left every beat out hold for a beat that a person chooses, until accepted."""
    stored = with_beats(stored, (2, 8), reasons=[UNSURE], of_beats=["view_unlikely"])
    chosen = correct(stored, Correction(ed_frame=2, es_frame=8)).stored
    assert (chosen.figures["verdict"], chosen.figures["ef_percent"]) == ("withhold", None)
    assert UNSURE in chosen.figures["reasons"]
    accepted = correct(chosen, Correction(accepted=True)).stored
    ef = stored.figures["beats"][0]["ef_percent"]
    assert (accepted.figures["verdict"], accepted.figures["ef_percent"]) == ("report", pytest.approx(ef))


def test_accepting_gives_the_ef_of_beats_that_were_left_out(stored: StoredResult) -> None:
    stored = with_beats(stored, (2, 8), reasons=[UNSURE], of_beats=["view_unlikely"])
    for _ in range(2):
        stored = correct(stored, Correction(accepted=True)).stored
        (beat,), (reason,) = stored.figures["beats"], stored.figures["reasons"]
        assert (stored.figures["verdict"], stored.figures["ef_percent"]) == ("report", beat["ef_percent"])
        assert (reason["level"], reason["text"]) == ("note", UNSURE["text"] + " (accepted by a person)")
        assert reason["text"] in stored.figures["warnings"]


def test_what_is_found_after_accepting_counts(stored: StoredResult) -> None:
    """A person accepts the doubts that were shown, not those of later changes; nor that there is no EF."""
    stored = correct(with_beats(stored, (2, 8), (14, 20)), Correction(accepted=True)).stored
    larger = correct(stored, Correction(masks={2: ellipse(stored, 55, 35)})).stored
    assert "beats_disagree" in {reason["code"] for reason in larger.figures["reasons"] if reason["level"] != "note"}
    none = correct(larger, Correction(exclude_beats=(1, 2), accepted=True)).stored
    assert (none.figures["verdict"], none.figures["ef_percent"]) == ("withhold", None)


def test_two_corrections_at_once(stored: StoredResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is written if the result has changed since it was opened, or another process is changing it."""
    monkeypatch.setattr(file_group, "WAIT_S", 0.3)
    stored = with_beats(stored, (2, 8), (14, 20))
    first = correct(stored, Correction(exclude_beats=(1,))).stored
    before = {path: path.read_bytes() for path in stored.json_path.parent.iterdir()}
    with pytest.raises(OutputError, match="it has changed meanwhile; give the correction again"):
        correct(stored, Correction(accepted=True))
    with (
        change_together([stored.json_path.with_suffix(".npz")]),
        pytest.raises(OutputError, match=r"npz: another process is writing it; wait .* or remove \S+"),
    ):
        correct(first, Correction(accepted=True))
    assert {path: path.read_bytes() for path in stored.json_path.parent.iterdir()} == before


def test_frames_of_an_earlier_choice_are_not_marked(stored: StoredResult) -> None:
    stored = with_beats(stored, (2, 8), (14, 20))
    before = stored.figures["ed_frames"]
    for ed, es in ((2, 8), (14, 20)):
        stored = correct(stored, Correction(ed_frame=ed, es_frame=es)).stored
        assert stored.figures["ed_frames"] == sorted({*before, ed})


def test_every_beat_left_out_leaves_no_ef(stored: StoredResult) -> None:
    stored = with_beats(stored, (2, 8))
    figures = correct(stored, Correction(exclude_beats=(1,))).stored.figures
    assert (figures["ef_percent"], figures["verdict"]) == (None, "withhold")


@pytest.mark.parametrize(
    ("correction", "says"),
    [
        (Correction(), "nothing to correct"),
        (Correction(ed_frame=3), "give ED and ES together"),
        (Correction(ed_frame=3, es_frame=3), "as two frames"),
        (Correction(ed_frame=3, es_frame=30), "has frames 0 to 29, got frame 30"),
        (Correction(exclude_beats=(99,)), "numbered from 1; got beat 99"),
        (Correction(accepted=True, input_sha256="0" * 64), "of another cine"),
    ],
)
def test_corrections_that_do_not_fit(stored: StoredResult, correction: Correction, says: str) -> None:
    before = {path.name: path.read_bytes() for path in stored.json_path.parent.iterdir()}
    with pytest.raises(DataError, match=says):
        correct(stored, correction)
    assert before == {path.name: path.read_bytes() for path in stored.json_path.parent.iterdir()}


def test_a_volume_that_does_not_fall_is_refused(stored: StoredResult) -> None:
    masks = {3: ellipse(stored, 33, 18), 11: ellipse(stored, 40, 25)}
    with pytest.raises(DataError, match="volume does not fall from ED to ES"):
        correct(stored, Correction(ed_frame=3, es_frame=11, masks=masks))


def test_the_outline_of_a_mask_gives_the_mask(stored: StoredResult) -> None:
    mask = ellipse(stored, 40, 25)
    (line,) = outlines(mask)
    again = fill_outline(line, *mask.shape)
    assert np.count_nonzero(again != mask) <= 0.01 * mask.sum()
    square = np.array([[9.5, 19.5], [29.5, 19.5], [29.5, 39.5], [9.5, 39.5]])
    assert fill_outline(square, 64, 64)[20:40, 10:30].all()
    assert fill_outline(square, 64, 64).sum() == 400
    assert fill_outline(square - 20, 64, 64).sum() == 200  # cut at the edge


@pytest.mark.parametrize("kind", ["png", "npz", "labelme", "coco"])
def test_masks_of_other_programs(kind: str, tmp_path: Path) -> None:
    wanted = np.zeros((50, 60), np.uint8)
    wanted[10:30, 20:40] = 1
    corners = [[19.5, 9.5], [39.5, 9.5], [39.5, 29.5], [19.5, 29.5]]
    path = tmp_path / f"mask.{'json' if kind in ('labelme', 'coco') else kind}"
    if kind == "png":
        cv2.imwrite(str(path), wanted * 255)
    elif kind == "npz":
        np.savez(path, mask=wanted)
    elif kind == "labelme":
        wall = {"label": "wall", "points": [[0, 0], [50, 0], [50, 40]]}
        path.write_text(json.dumps({"shapes": [wall, {"label": "LV", "points": corners}]}))
    else:
        flat = [value for corner in corners for value in corner]
        path.write_text(json.dumps({"annotations": [{"category_id": 1, "segmentation": [flat]}]}))
    assert np.array_equal(read_edited_mask(path, 50, 60), wanted)
    if kind in ("png", "npz"):
        with pytest.raises(DataError, match="a mask of 60 x 50 pixels for frames of 61 x 50"):
            read_edited_mask(path, 50, 61)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("{}", "no correction"),
        ('{"edgeecho_correction": 2}', "version 2 of corrections"),
        ('{"edgeecho_correction": 1, "ed": -1}', "expected a whole number"),
        ('{"edgeecho_correction": 1, "ed": 1.5}', "expected a whole number"),
        ('{"edgeecho_correction": 1, "outlines": {"3": [[1, 2]]}}', "at least 3 points"),
        ('{"edgeecho_correction": 1, "outlines": {"3": [[1, 2], [3, 4], [5, NaN]]}}', "not finite"),
        ('{"edgeecho_correction": 1, "outlines": [1]}', "makes no sense"),
    ],
)
def test_corrections_that_are_none(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=says):
        read_correction(tmp_path / "a.json")


def test_corrected_frames_are_training_data(stored: StoredResult, tmp_path: Path) -> None:
    large, small = ellipse(stored, 40, 25), ellipse(stored, 33, 18)
    correction = Correction(ed_frame=3, es_frame=11, masks={3: large, 11: small, 5: large})
    corrected = correct(stored, correction).stored
    for _ in range(2):  # the rows of the same cine are replaced
        assert "3 labelled frames" in add_labels(corrected, tmp_path / "set")
    with (tmp_path / "set" / "labels.csv").open(newline="") as file:
        assert [(row["frame"], row["phase"]) for row in csv.DictReader(file)] == [("3", "ED"), ("5", ""), ("11", "ES")]
    (item,) = open_data(f"cine:{tmp_path / 'set'}").items("train")
    cine = item.read()
    assert {frame: int(mask.sum()) for frame, mask in cine.labels.items()} == {
        3: large.sum(), 5: large.sum(), 11: small.sum()
    }  # fmt: skip


def test_going_on_keeps_a_correction_that_lacks_files(made: Path, stored: StoredResult) -> None:
    """Without its video a result is segmented again, but not one that a person corrected; products are made of it."""
    pytest.importorskip("pydicom", reason="products are written by pydicom")
    corrected = correct(stored, Correction(ed_frame=3, es_frame=11, masks={3: ellipse(stored, 40, 25)})).stored
    corrected.json_path.with_suffix(".webm").unlink()
    choice, out = ModelChoice(model="cl_unet_nano", threads=1), str(corrected.json_path.parent)
    settings = Settings(out=out, choice=choice, resume=True, products=("fhir",))
    cine = str(made.parents[1] / "heart.npz")
    (outcome,) = run_batch(prepare_batch([cine], CineOptions(), settings), lambda *_: None)
    assert outcome.was_done
    assert outcome.figures == corrected.figures
    assert {Path(file).name for file in outcome.files} == {
        f"heart.{end}" for end in ("npz", "png", "html", "json", "fhir.json")
    }
    assert "Corrected by a person" in (Path(out) / "heart.fhir.json").read_text()
    restore(corrected)
    (outcome,) = run_batch(prepare_batch([cine], CineOptions(), settings), lambda *_: None)
    assert not outcome.was_done


def test_a_missing_extra_is_named_before_the_result_is_touched(
    stored: StoredResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored.json_path.with_suffix(".sr.dcm").write_bytes(b"a report")
    before = {path.name: path.read_bytes() for path in stored.json_path.parent.iterdir()}
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match="pydicom is not installed"):
        correct(stored, Correction(accepted=True))
    assert before == {path.name: path.read_bytes() for path in stored.json_path.parent.iterdir()}


def test_the_video_goes_if_the_cine_is_gone(stored: StoredResult) -> None:
    figures = stored.figures | {"input": "/nowhere/heart.npz"}
    stored.json_path.write_text(json.dumps(figures))
    done = correct(StoredResult.open(stored.json_path), Correction(masks={3: ellipse(stored, 40, 25)}))
    assert "not there any more, so the video of the result was removed" in done.notes[0]
    assert not stored.json_path.with_suffix(".webm").exists()


def test_what_still_has_the_figures_before_is_named(stored: StoredResult) -> None:
    assert not correct(stored, Correction(accepted=True)).notes
    stored.json_path.with_name("index.html").write_text("all cines")
    notes = restore(StoredResult.open(stored.json_path)).notes
    assert notes == ("index.html: still with the figures before; `edgeecho segment ... --resume` makes them again",)
