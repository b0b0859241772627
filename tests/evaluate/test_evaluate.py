"""Evaluation of models with known mistakes on a tiny data set."""

import csv
import json
import math
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.cli.console import show, table_console
from edgeecho.data import Item, open_data
from edgeecho.errors import DataError, MissingExtraError
from edgeecho.evaluate import evaluate_items, evaluate_model, render_scores, write_report
from edgeecho.measure import simpson_biplane_volume_ml, simpson_volume_ml
from tests.data.miniatures import write_camus_release
from tests.evaluate.drawn_items import (
    SPACING,
    Model,
    answer,
    beating,
    broken,
    down,
    evaluate,
    still,
    stills,
    value,
    ventricle,
)


class TestFigures:
    def test_a_perfect_model(self) -> None:
        scores = evaluate(stills())
        for phase, n in (("ED", 4), ("ES", 4), ("all", 8)):
            figure = scores.figure("overlap", "dice_mean", phase)
            assert figure is not None
            assert (figure.n, figure.value, figure.low, figure.high) == (n, 1, 1, 1)
            assert value(scores, "overlap", "iou_pooled", phase) == 1
            assert value(scores, "surface", "hd95_mm", phase) == value(scores, "surface", "assd_mm", phase) == 0
        for topic in ("edv_masks", "esv_masks", "ef_masks"):
            assert value(scores, topic, "mae") == value(scores, topic, "bias") == 0
            assert value(scores, topic, "pearson_r") == pytest.approx(1)
        assert scores.counts["missed_frames"] == 0

    def test_dice_and_distances_by_hand(self) -> None:
        scores = evaluate(stills(), down)
        dices, shared, either = [], 0, 0
        for item in stills():
            label = item.read().labels[0].astype(bool)
            moved = np.roll(label, 2, axis=0)
            dices.append(2 * (label & moved).sum() / (label.sum() + moved.sum()))
            shared, either = shared + (label & moved).sum(), either + (label | moved).sum()
        assert value(scores, "overlap", "dice_mean") == pytest.approx(np.mean(dices), abs=1e-12)
        assert value(scores, "overlap", "dice_mean", "ED") == pytest.approx(np.mean(dices[::2]), abs=1e-12)
        assert value(scores, "overlap", "dice_pooled") == pytest.approx(2 * shared / (either + shared), abs=1e-12)
        assert value(scores, "surface", "hd95_mm") == pytest.approx(1.0)  # two rows of 0.5 mm

    def test_an_interval_holds_its_figure(self) -> None:
        figure = evaluate(stills(), down).figure("overlap", "dice_mean")
        assert figure is not None
        assert figure.low is not None
        assert figure.high is not None
        assert figure.value is not None
        assert figure.low < figure.value < figure.high

    def test_one_patient_has_no_interval(self) -> None:
        figure = evaluate(stills(1)).figure("overlap", "dice_mean")
        assert figure is not None
        assert (figure.low, figure.high) == (None, None)

    def test_distances_without_spacing_are_named_pixels(self) -> None:
        scores = evaluate([*stills(2, spacing_mm=None), still("q", "ED", 0.9)], down)
        pixels, millimetres = scores.figure("surface", "hd95_px"), scores.figure("surface", "hd95_mm")
        assert pixels is not None
        assert millimetres is not None
        assert (pixels.unit, pixels.n, pixels.value) == ("px", 4, pytest.approx(2))
        assert (millimetres.unit, millimetres.n, millimetres.value) == ("mm", 1, pytest.approx(1))

    def test_quality(self) -> None:
        assert value(evaluate(stills()), "quality", "dice_mean", "Good") == 1

    def test_a_missed_ventricle_counts(self) -> None:
        scores = evaluate(stills(2), np.zeros_like)
        assert value(scores, "overlap", "dice_mean") == 0
        assert value(scores, "surface", "hd95_mm") == pytest.approx(math.hypot(95 * 0.5, 79 * 0.6))
        assert scores.counts["missed_frames"] == 4
        assert (scores.counts["missing_ef"], scores.counts["reference_ef"]) == (2, 2)
        assert scores.figure("ef_masks", "mae") is None


class TestVolumes:
    def test_ed_and_es_of_a_patient_and_view_are_joined(self) -> None:
        items = [*stills(1), still("p0", "ED", 0.9, view="2CH"), still("p0", "ES", 0.6, view="2CH")]
        found = {patient.view: patient for patient in evaluate(items).patients}
        for view, ed, es in (("4CH", 1.0, 0.8), ("2CH", 0.9, 0.6)):
            edv, esv = (simpson_volume_ml(ventricle(size), SPACING) for size in (ed, es))
            assert found[view].reference.edv_ml == pytest.approx(edv)
            assert found[view].reference.ef_percent == pytest.approx(100 * (edv - esv) / edv)

    def test_against_masks_and_against_the_clinical_ef(self) -> None:
        scores = evaluate(stills(), lambda mask: cv2.erode(mask[0], np.ones((3, 3), np.uint8))[None])
        assert value(scores, "edv_masks", "bias") < 0
        model = [patient.model.ef_percent for patient in scores.patients]
        reference = [patient.reference.ef_percent for patient in scores.patients]
        assert value(scores, "ef_masks", "mae") == pytest.approx(np.abs(np.subtract(model, reference)).mean())
        assert value(scores, "ef_clinical", "bias") == pytest.approx(np.mean(model) - 50)
        assert value(scores, "ef_floor", "bias") == pytest.approx(np.mean(reference) - 50)

    def test_without_spacing_there_is_ef_but_no_volume(self) -> None:
        scores = evaluate(stills(spacing_mm=None))
        assert scores.figure("edv_masks", "mae") is None
        assert scores.patients[0].reference.edv_ml is None
        assert value(scores, "ef_masks", "mae") == 0

    def test_a_short_axis_has_no_volume(self) -> None:
        scores = evaluate([*stills(2, view="PSAX"), replace(beating("q"), view="PSAX")])
        assert value(scores, "overlap", "dice_mean") == 1
        assert not [figure for figure in scores.figures if figure.topic.startswith(("edv_", "esv_", "ef_"))]

    def test_no_clinical_ef_no_comparison_with_it(self) -> None:
        scores = evaluate([beating()])
        assert scores.figure("ef_clinical", "mae") is None
        assert scores.figure("ef_floor", "mae") is None


class TestBiplane:
    def test_camus_with_both_views(self, tmp_path: Path) -> None:
        release = write_camus_release(tmp_path)
        items = [item for split in ("train", "val", "test") for item in open_data(f"camus:{release}").items(split)]
        model = Model()
        model.segment = lambda cine, flip: answer(
            np.repeat(cine.labels[min(cine.labels)][None], len(cine.frames), 0), cine
        )
        scores = evaluate_items(model, items, "camus", "all")
        assert [(p.group, p.view) for p in scores.biplane] == [(f"patient{n:04d}", "biplane") for n in range(1, 5)]
        by_view = {item.view: item.read() for item in items if item.group == "patient0001"}
        volumes = {}
        for phase in ("ED", "ES"):
            four, two = (
                next(c.labels[i] for i, p in c.phases.items() if p == phase) for c in (by_view["4CH"], by_view["2CH"])
            )
            volumes[phase] = simpson_biplane_volume_ml(four, two, by_view["4CH"].spacing_mm)
        patient = scores.biplane[0]
        assert (patient.reference.edv_ml, patient.reference.esv_ml) == pytest.approx((volumes["ED"], volumes["ES"]))
        ef = 100 * (1 - volumes["ES"] / volumes["ED"])
        assert patient.reference.ef_percent == pytest.approx(ef)
        assert patient.model.ef_percent == pytest.approx(0)  # ED's mask in every frame
        assert patient.clinical_ef_percent == 54
        floor, against = (value(scores, f"ef_biplane_{name}", "bias") for name in ("floor", "clinical"))
        assert floor == pytest.approx(np.mean([p.reference.ef_percent for p in scores.biplane]) - 54)
        assert against == pytest.approx(np.mean([p.model.ef_percent for p in scores.biplane]) - 54)
        assert value(scores, "edv_biplane_masks", "mae") < 30
        assert len(scores.to_dict()["biplane"]) == 4

    def test_one_view_gives_none(self) -> None:
        scores = evaluate(stills())
        assert scores.biplane == []
        assert not [figure for figure in scores.figures if "biplane" in figure.topic]

    def test_a_view_without_spacing_or_es_gives_none(self) -> None:
        two = [still("p0", "ED", 1, view="2CH"), still("p0", "ES", 0.8, view="2CH")]
        assert len(evaluate([*stills(1), *two]).biplane) == 1
        assert evaluate([*stills(1), two[0]]).biplane == []
        assert evaluate([*stills(1, spacing_mm=None), *two]).biplane == []


class TestStreaming:
    def test_a_corrupt_item_in_the_middle_is_skipped_and_listed(self) -> None:
        items = stills(4)
        items[3] = Item("p2", "p2", "val", "4CH", broken)
        seen: list[tuple[int, int]] = []
        scores = evaluate_items(Model(), items, "drawn", "val", lambda done, total: seen.append((done, total)))
        assert [(f.name, f.reason) for f in scores.failed] == [
            ("p2", "p2.avi: cut short after 3 frames; copy it again")
        ]
        assert scores.counts["videos"] == 7
        assert scores.counts["failed"] == 1
        assert seen == [(n, 8) for n in range(9)]

    def test_nothing_to_evaluate(self) -> None:
        with pytest.raises(DataError, match="drawn has no items in split val"):
            evaluate([])
        with pytest.raises(DataError, match="none of the 1 items of drawn val could be evaluated; p2"):
            evaluate([Item("p2", "p2", "val", "4CH", broken)])

    def test_one_item_in_memory_at_a_time(self) -> None:
        alive: list[weakref.ref[Cine]] = []

        def read() -> Cine:
            assert all(reference() is None for reference in alive)
            cine = beating().read()
            cine = Cine(cine.frames.copy(), cine.fps, cine.spacing_mm, dict(cine.labels), cine.phases)
            alive.append(weakref.ref(cine))
            return cine

        scores = evaluate([Item(f"p{n}", f"p{n}", "val", "4CH", read) for n in range(12)])
        assert len(scores.videos) == len(alive) == 12
        assert len(scores.worst) == 8

    def test_is_the_same_every_time_and_in_any_order(self) -> None:
        once = evaluate(stills(), down).to_dict()["figures"]
        assert once == evaluate(stills(), down).to_dict()["figures"]
        for one, other in zip(once, evaluate(stills()[::-1], down).to_dict()["figures"], strict=True):
            assert one == pytest.approx(other)


class TestOutput:
    def test_json(self) -> None:
        scores = evaluate([*stills(2), beating("q")], down)
        values = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
        assert values["counts"]["labelled_frames"] == 6
        assert (values["model"], values["precision"], values["model_info"]["licence"]) == ("drawn", "fp32", "CC0-1.0")
        assert [(phase["phase"], phase["n"]) for phase in values["phases"]] == [("ED", 3), ("ES", 3)]
        assert values["dice"]["p0_4CH_ED:0"] == scores.videos[0].labelled[0].overlap.dice
        assert {"topic", "metric", "phase", "unit", "n", "value", "low", "high"} == set(values["figures"][0])

    def test_table(self, capsys: pytest.CaptureFixture[str]) -> None:
        items = [*stills(), beating("q", dense=True), Item("bad", "bad", "val", "4CH", broken)]
        scores = evaluate(items, down)
        show(render_scores(scores), table_console())
        out = capsys.readouterr().out
        for words in ("Dice, pooled", "HD95, mm", "EF, model - clinical", "frame-to-frame Dice", "inconsistent frames"):
            assert words in out
        (failed,) = scores.failed
        assert (failed.name, failed.reason) == ("bad", "p2.avi: cut short after 3 frames; copy it again")

    def test_report(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        scores = evaluate([*stills(), beating("q")], down)
        written = write_report(scores, tmp_path / "report")
        names = {"videos.csv", "patients.csv", "worst.png", "bland_altman.png", "ef_scatter.png", "dice_by_quality.png"}
        assert {path.name for path in written} == names == {path.name for path in (tmp_path / "report").iterdir()}
        assert all(cv2.imread(str(path)) is not None for path in written if path.suffix == ".png")
        rows = list(csv.DictReader((tmp_path / "report" / "videos.csv").read_text().splitlines()))
        assert len(rows) == 9
        assert float(rows[0]["dice_all"]) == scores.videos[0].labelled[0].overlap.dice
        assert rows[0]["frame_to_frame_dice"] == ""
        patients = list(csv.DictReader((tmp_path / "report" / "patients.csv").read_text().splitlines()))
        assert [row["patient"] for row in patients] == ["p0", "p1", "p2", "p3", "q"]
        assert float(patients[0]["ef_percent_clinical"]) == 50

    def test_report_of_little(self, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        cine = Cine(np.stack([ventricle() * 200] * 4))
        unlabelled = Item("u", "u", "val", "4CH", lambda: cine)
        written = write_report(evaluate([unlabelled]), tmp_path)
        assert [path.name for path in written] == ["videos.csv", "patients.csv"]

    def test_without_matplotlib_nothing_is_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'edgeecho\[report\]'"):
            write_report(evaluate(stills(1)), tmp_path / "report")
        assert not (tmp_path / "report").exists()


class TestModel:
    @pytest.mark.parametrize(("runtime", "precision"), [("ort", "int8"), ("openvino", "int8"), ("torch", "fp32")])
    def test_a_trained_one_on_a_data_set(self, tiny_bundle: Path, camus: Path, runtime: str, precision: str) -> None:
        scores = evaluate_model(str(tiny_bundle), f"camus:{camus}", "val", runtime, precision, threads=1)
        assert (scores.model.runtime, scores.model.precision) == (runtime, precision)
        assert scores.counts["patients"] == 2
        assert scores.counts["labelled_frames"] == 4
        assert value(scores, "overlap", "dice_mean") > 0.8
