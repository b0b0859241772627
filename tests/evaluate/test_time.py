"""Figures over time: ED and ES, beats that are found, consistency and roughness."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.data import Item
from edgeecho.metrics import CAMUS_TRAINING, MIN_CINES, Thresholds
from tests.evaluate.drawn_items import beating, dense_cines, evaluate, stills, value


class TestTime:
    def test_stills_say_nothing_about_time(self) -> None:
        scores = evaluate(stills())
        assert scores.counts["cines"] == 0
        assert scores.populations == []
        assert not [f for f in scores.figures if f.topic in ("time", "phase_frames") or "consistency" in f.topic]

    def test_ed_and_es_frames(self) -> None:
        scores = evaluate([beating("p0"), beating("p1")], lambda mask: np.roll(mask, 3, axis=0))
        for phase in ("ED", "ES"):
            assert value(scores, "phase_frames", "found", phase) == 100
            assert value(scores, "phase_frames", "bias", phase) == pytest.approx(3, abs=1)
            frames, ms = (value(scores, "phase_frames", name, phase) for name in ("mae", "mae_ms"))
            assert ms == pytest.approx(frames * 1000 / 30)

    def test_a_beat_that_is_not_found(self) -> None:
        scores = evaluate([beating()], lambda mask: np.repeat(mask[:1], len(mask), axis=0))
        assert value(scores, "phase_frames", "found", "ED") == 0
        assert scores.figure("phase_frames", "mae", "ED") is None
        assert scores.patients[0].beats_ef_percent is None

    def test_ef_of_found_beats(self) -> None:
        assert value(evaluate([beating("p0"), beating("p1")]), "ef_beats_masks", "mae") < 1

    @pytest.mark.slow
    def test_thresholds_come_from_dense_references_or_are_the_stored_ones(self) -> None:
        stored = Thresholds.read()
        sparse = evaluate([beating()])
        assert sparse.populations == [replace(CAMUS_TRAINING, thresholds=stored)]
        assert sparse.notes == []
        assert value(sparse, "consistency_mm", "inconsistent_frames") == 0
        assert value(sparse, "consistency_mm", "max_error", "lv_area") > 0
        assert sparse.figure("time", "area_pearson_r") is None

        few = evaluate(dense_cines(MIN_CINES - 1))
        assert few.populations == sparse.populations
        dense = evaluate(dense_cines(MIN_CINES))
        assert dense.populations[0].thresholds is not None
        assert dense.populations[0].thresholds.source == (
            "largest |e| over 1800 reference masks of 20 cines by frame rate, drawn val; too strict if interpolated"
        )
        assert value(dense, "consistency_mm", "inconsistent_frames") == 0
        assert value(dense, "time", "frame_to_frame_dice_less_reference") == 0
        assert value(dense, "time", "roughness_over_reference") == 1
        assert value(dense, "time", "area_pearson_r") == pytest.approx(1)
        assert value(dense, "time", "area_mae") == 0
        assert value(dense, "overlap", "dice_mean", "other") == 1
        figure = dense.figure("overlap", "dice_pooled", "other")
        assert figure is not None
        assert figure.n == MIN_CINES * 88

    def test_a_frame_rate_without_thresholds_is_not_judged(self) -> None:
        scores = evaluate([beating("p0"), beating("p1", fps=5), beating("p2", fps=None)])
        figure = scores.figure("consistency_mm", "inconsistent_frames")
        assert figure is not None
        assert figure.n == 1
        assert scores.notes == [
            "2 of 3 cines have no frame rate, or one without thresholds of consistency in mm: their inconsistent "
            "frames are not counted."
        ]

    def test_the_error_of_an_area_curve_by_hand(self) -> None:
        def half(mask: np.ndarray) -> np.ndarray:
            changed = mask.copy()
            changed[:, :46] = 0
            return changed

        scores = evaluate([beating(dense=True)], half)
        reference = beating().read().frames // 200
        areas, own = reference.sum(axis=(1, 2), dtype=float), half(reference).sum(axis=(1, 2), dtype=float)
        assert value(scores, "time", "area_mae") == pytest.approx(100 * np.abs(own - areas).mean() / areas.max())
        assert value(scores, "time", "area_pearson_r") == pytest.approx(np.corrcoef(own, areas)[0, 1])

    @pytest.mark.slow
    def test_a_frame_that_jumps_is_inconsistent(self) -> None:
        def jump(mask: np.ndarray) -> np.ndarray:
            changed = mask.copy()
            changed[20] = cv2.erode(mask[20], np.ones((7, 7), np.uint8))
            return changed

        scores = evaluate(dense_cines(MIN_CINES), jump)
        assert value(scores, "consistency_mm", "inconsistent_frames", "lv_area") == pytest.approx(100 * 3 / 90)
        assert value(scores, "consistency_mm", "inconsistent_cines") == 100
        assert value(scores, "time", "frame_to_frame_dice_less_reference") < 0
        assert value(scores, "time", "roughness_less_reference") > 0

    def test_in_pixels_the_bounds_are_those_of_the_references(self) -> None:
        few = evaluate([beating(spacing_mm=None)])
        assert few.populations == []
        assert few.notes == [
            "No temporal consistency in pixels: its bounds need 20 reference masks of one frame size, "
            "drawn val has 2 of 1 sizes."
        ]
        alike = evaluate([beating(f"p{n}", spacing_mm=None) for n in range(10)])
        assert alike.notes[0].startswith("No temporal consistency in pixels: drawn val: 20 reference masks do not give")

        upright = beating().read().frames
        turn = cv2.getRotationMatrix2D((40, 46), 10, 1)
        masks = np.stack([cv2.warpAffine(f, turn, (80, 96), flags=cv2.INTER_NEAREST) for f in upright]) // 200
        other = Cine(masks * np.uint8(200), labels={30: masks[30], 45: masks[45]}, phases={30: "ED", 45: "ES"})
        items = [beating(f"p{n}", spacing_mm=None) for n in range(5)]
        items += [Item(f"q{n}", f"q{n}", "val", "4CH", lambda: other) for n in range(5)]
        scores = evaluate(items)
        assert [p.unit for p in scores.populations] == ["px"]
        assert scores.populations[0].bounds_from == "lowest and highest value over 20 reference masks, drawn val"
        assert scores.figure("consistency_px", "max_error", "lv_area") is not None

    def test_without_a_frame_rate(self) -> None:
        scores = evaluate([beating(fps=None)])
        assert scores.figure("time", "roughness") is None
        assert scores.figure("phase_frames", "mae_ms", "ED") is None
        assert value(scores, "time", "frame_to_frame_dice") > 0.9
