"""Metrics against values by hand and against an independent library."""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ConfigError, DataError, ShapeError
from edgeecho.metrics import (
    ATTRIBUTES,
    CAMUS_TRAINING,
    MIN_CINES,
    Overlap,
    Thresholds,
    agreement,
    agreement_moments,
    agreement_statistics,
    bootstrap_interval,
    bootstrap_sums,
    derive_bounds,
    derive_thresholds,
    dice,
    frame_error,
    frame_to_frame_dice,
    iou,
    mask_attributes,
    overlap,
    roughness,
    surface_distance,
    temporal_consistency,
    temporal_error,
)


def box(top: int, left: int, bottom: int, right: int, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def blob(rng: np.random.Generator, shape: tuple[int, int] = (48, 64)) -> np.ndarray:
    """A ragged region, sometimes in several parts or at the border."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.standard_normal(shape), rng.uniform(1, 5))
    return (field > rng.uniform(0, 1.2) * field.std()).astype(np.uint8)


class TestOverlap:
    def test_by_hand(self) -> None:
        a, b = box(0, 0, 2, 4), box(1, 0, 3, 4)  # 8 pixels each, one row of 4 in common
        assert dice(a, b) == 2 * 4 / 16
        assert iou(a, b) == 4 / 12

    def test_pooled_as_echonet_weighs_large_ventricles_more(self) -> None:
        small, large = overlap(box(0, 0, 1, 2), box(0, 1, 1, 3)), overlap(box(0, 0, 8, 8), box(0, 0, 8, 8))
        pooled = (small + large).dice
        assert pooled == pytest.approx(2 * (1 + 64) / ((3 + 64) + (1 + 64)))
        assert pooled > (small.dice + large.dice) / 2

    def test_empty(self) -> None:
        nothing = np.zeros((4, 4), bool)
        assert math.isnan(dice(nothing, nothing))
        assert math.isnan(iou(nothing, nothing))
        assert dice(nothing, ~nothing) == iou(nothing, ~nothing) == 0
        assert Overlap(0, 0) + Overlap(1, 2) == Overlap(1, 2)

    def test_shapes_must_match(self) -> None:
        with pytest.raises(ShapeError, match=r"\(3, 3\) and \(3, 4\)"):
            dice(np.zeros((3, 3)), np.zeros((3, 4)))


class TestSurface:
    def test_shifted_boxes_by_hand(self) -> None:
        # one pixel each, 3 rows and 4 columns apart
        a, b = box(2, 2, 3, 3), box(5, 6, 6, 7)
        assert surface_distance(a, b, None).hd95 == 5
        far = surface_distance(a, b, (0.5, 2.0))
        assert far.hd95 == far.assd == pytest.approx(math.hypot(1.5, 8))

    def test_average_and_percentile_by_hand(self) -> None:
        # a: the pixels 0 and 1 of a row; b: 0 to 9. From a all are 0; from b 0, 0, 1, 2, ..., 8.
        found = surface_distance(box(0, 0, 1, 2), box(0, 0, 1, 10), None)
        assert found.assd == pytest.approx(36 / 12)
        assert found.hd95 == pytest.approx(7.55)  # at 0.95 * 9 = 8.55: between 7 and 8

    def test_surface_is_mask_xor_erosion_also_at_the_border(self, rng: np.random.Generator) -> None:
        from scipy.ndimage import binary_erosion

        from edgeecho.metrics.surface import surface_pixels

        for mask in (*(blob(rng) for _ in range(20)), np.ones((5, 7), np.uint8)):
            surface = mask.astype(bool) ^ binary_erosion(mask)
            assert np.array_equal(surface_pixels(mask), np.argwhere(surface))

    def test_one_empty_is_a_complete_miss_and_two_are_nothing(self) -> None:
        nothing = box(0, 0, 0, 0)
        for pair in ((nothing, box(1, 1, 4, 4)), (box(1, 1, 4, 4), nothing)):
            found = surface_distance(*pair, (0.5, 2.0))
            assert found.hd95 == found.assd == pytest.approx(math.hypot(19 * 0.5, 29 * 2.0))
        both = surface_distance(nothing, nothing, None)
        assert math.isnan(both.hd95)
        assert math.isnan(both.assd)

    def test_bad_input(self) -> None:
        with pytest.raises(ShapeError, match=r"\(4,\)"):
            surface_distance(np.zeros(4), np.zeros(4), None)
        with pytest.raises(ConfigError, match="positive numbers"):
            surface_distance(box(0, 0, 1, 1), box(0, 0, 1, 1), (0.0, 1.0))


class TestAgainstMonai:
    @pytest.mark.slow
    @pytest.mark.parametrize("spacing", [None, (0.308, 0.308), (0.4, 1.7)])
    def test_random_masks(self, rng: np.random.Generator, spacing: tuple[float, float] | None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            monai = pytest.importorskip("monai.metrics")
            from monai.metrics.utils import get_edge_surface_distance
        import torch

        for _ in range(25):
            a, b = blob(rng), blob(rng)
            pair = [torch.from_numpy(m)[None, None] for m in (a, b)]
            found = surface_distance(a, b, spacing)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                hd95 = monai.compute_hausdorff_distance(
                    *pair, include_background=True, percentile=95, spacing=spacing
                ).item()
                directed = get_edge_surface_distance(pair[0][0, 0], pair[1][0, 0], spacing=spacing, symmetric=True)[1]
                assd = monai.compute_average_surface_distance(
                    *pair, include_background=True, symmetric=True, spacing=spacing
                ).item()
                their_dice = monai.compute_dice(*pair, include_background=True).item()
                their_iou = monai.compute_iou(*pair, include_background=True).item()
            exact = max(float(np.percentile(distances.double().numpy(), 95)) for distances in directed)
            assert found.hd95 == pytest.approx(exact, rel=1e-6, abs=1e-6)
            assert found.hd95 == pytest.approx(hd95, rel=1e-5)  # MONAI interpolates the percentile in float32
            assert found.assd == pytest.approx(assd, rel=1e-6, abs=1e-6)
            assert dice(a, b) == pytest.approx(their_dice, abs=1e-6)
            assert iou(a, b) == pytest.approx(their_iou, abs=1e-6)

    def test_empty_masks(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            monai = pytest.importorskip("monai.metrics")
        import torch

        empty, full = torch.zeros((1, 1, 8, 8)), torch.ones((1, 1, 8, 8))
        nothing, everything = empty[0, 0].numpy(), full[0, 0].numpy()
        assert monai.compute_dice(empty, full, include_background=True).item() == dice(nothing, everything) == 0
        assert math.isnan(monai.compute_dice(empty, empty, include_background=True).item())
        assert math.isnan(dice(nothing, nothing))


class TestAgreement:
    def test_by_hand(self) -> None:
        found = agreement([52, 58, 70], [50, 60, 70])  # differences 2, -2, 0
        assert found.n == 3
        assert found.mae == pytest.approx(4 / 3)
        assert found.rmse == pytest.approx(math.sqrt(8 / 3))
        assert found.bias == 0
        assert found.sd == pytest.approx(2)
        assert (found.loa_low, found.loa_high) == (pytest.approx(-3.92), pytest.approx(3.92))
        assert found.r2 == pytest.approx(1 - 8 / 200)
        assert found.pearson_r == pytest.approx(np.corrcoef([52, 58, 70], [50, 60, 70])[0, 1])

    def test_bias_is_prediction_less_reference_and_lowers_r2_alone(self) -> None:
        found = agreement([60, 70, 80], [50, 60, 70])
        assert (found.bias, found.sd) == (10, 0)
        assert found.pearson_r == pytest.approx(1)
        assert found.r2 == pytest.approx(1 - 300 / 200)

    def test_against_scipy(self, rng: np.random.Generator) -> None:
        from scipy.stats import pearsonr

        reference = rng.normal(1e4, 3, 200)  # a large offset must not cost digits
        predicted = reference + rng.normal(0.5, 2, 200)
        found, d = agreement(predicted, reference), predicted - reference
        assert found.pearson_r == pytest.approx(pearsonr(predicted, reference).statistic, abs=1e-9)
        assert found.sd == pytest.approx(np.std(d, ddof=1), abs=1e-9)
        assert found.r2 == pytest.approx(1 - (d**2).sum() / ((reference - reference.mean()) ** 2).sum(), abs=1e-9)

    def test_what_has_no_meaning_is_nan(self) -> None:
        assert agreement([], []).n == 0
        assert math.isnan(agreement([], []).mae)
        one = agreement([50], [48])
        assert (one.n, one.mae) == (1, 2)
        assert math.isnan(one.sd)
        assert math.isnan(one.pearson_r)
        assert math.isnan(agreement([1, 2], [3, 3]).r2)
        assert agreement([1, math.nan, 3], [1, 2, math.inf]).n == 1

    def test_lengths_must_match(self) -> None:
        with pytest.raises(ShapeError, match=r"\(2,\) and \(1,\)"):
            agreement([1, 2], [1])


def mean_of(sums: np.ndarray) -> np.ndarray:
    return np.asarray(sums[..., 0] / sums[..., 1])


class TestBootstrap:
    def test_covers_the_mean_as_the_normal_law_says(self, rng: np.random.Generator) -> None:
        values = rng.normal(50, 10, 400)
        low, high = bootstrap_interval(np.stack([values, np.ones(400)], axis=1), mean_of)
        half = 1.96 * values.std() / math.sqrt(400)
        assert low == pytest.approx(values.mean() - half, abs=0.15)
        assert high == pytest.approx(values.mean() + half, abs=0.15)

    def test_draws_patients_not_frames(self) -> None:
        # ten alike frames of each of four patients are four observations, not forty
        few = np.stack([np.array([0.8, 0.9, 0.9, 1.0]), np.ones(4)], axis=1)
        assert bootstrap_interval(few * 10, mean_of) == pytest.approx(bootstrap_interval(few, mean_of))

    def test_is_seeded_whatever_the_chunk(self, rng: np.random.Generator) -> None:
        patients, samples = 3000, 800  # more draws than are held at a time: three chunks
        totals = np.stack([rng.random(patients), np.ones(patients)], axis=1)
        even = np.full(patients, 1 / patients)
        at_once = np.random.default_rng(7).multinomial(patients, even, size=samples) @ totals
        np.testing.assert_allclose(bootstrap_sums(totals, samples=samples, seed=7), at_once, rtol=1e-12)
        found = bootstrap_interval(totals, mean_of, samples=samples, seed=7)
        assert bootstrap_interval(totals, mean_of, samples=samples, seed=7) == found
        assert bootstrap_interval(totals, mean_of, samples=samples, seed=1) != found

    def test_of_agreement(self, rng: np.random.Generator) -> None:
        reference = rng.normal(60, 8, 120)
        predicted = reference + rng.normal(-1, 4, 120)
        moments = agreement_moments(predicted, reference)
        found = agreement(predicted, reference)
        for name in ("mae", "pearson_r", "bias", "loa_low"):
            low, high = bootstrap_interval(moments, lambda s, name=name: agreement_statistics(s)[name])
            assert low < getattr(found, name) < high

    def test_one_patient_has_no_interval(self) -> None:
        assert all(map(math.isnan, bootstrap_interval(np.ones((1, 2)), mean_of)))


class TestTemporal:
    def test_error_is_the_distance_from_the_middle_of_the_neighbours(self) -> None:
        # (30 - (10 + 30) / 2) / 100 = 0.1; (30 - (30 + 50) / 2) / 100 = -0.1
        assert temporal_error(np.array([10, 30, 30, 50]), (0, 100)).tolist() == pytest.approx([0, 0.1, -0.1, 0])
        assert temporal_error(np.array([110, 130, 130, 150]), (100, 200)).tolist() == pytest.approx([0, 0.1, -0.1, 0])
        assert temporal_error(np.array([1.0, 2.0]), (0, 1)).tolist() == [0, 0]

    def test_a_straight_line_is_consistent(self) -> None:
        assert np.abs(temporal_error(np.linspace(3, 9, 20), (0, 10))).max() < 1e-12

    def test_consistency_by_hand(self) -> None:
        curves = {"a": np.array([0, 0, 10, 0, 0.0]), "b": np.array([0, 0, 0, 0, 0.0])}
        bounds = {"a": (0.0, 100.0), "b": (0.0, 1.0)}
        found = temporal_consistency(curves, bounds, {"a": 0.05, "b": 0.1})  # |e| of a: 0, 0.05, 0.1, 0.05, 0
        assert found.max_error == {"a": pytest.approx(0.1), "b": 0}
        assert found.inconsistent_frames == {"a": 0.2, "b": 0}
        assert found.any_inconsistent == 0.2
        assert found.error_to_threshold == pytest.approx((0.2 / 0.05) / 10)
        assert temporal_consistency(curves, bounds).any_inconsistent is None

    def test_thresholds_are_what_the_references_show(self) -> None:
        curve = {name: np.array([0, 0, 1, 0.0]) for name in ATTRIBUTES}
        bounds = dict.fromkeys(ATTRIBUTES, (0.0, 10.0))
        derived = derive_thresholds([(30, curve)], bounds, "one cine")
        assert [(band.fps, band.cines, band.frames) for band in derived.bands] == [((28, 40), 1, 4)]
        assert derived.at(30) == derived.at(39.9) == dict.fromkeys(ATTRIBUTES, pytest.approx(0.1))
        assert derived.at(40) is derived.at(15) is derived.at(None) is None
        assert derived.source == "largest |e| over 4 reference masks of 1 cines by frame rate, one cine"
        assert temporal_consistency(curve, bounds, derived.at(30)).any_inconsistent == 0
        for sequences in ([(30, {name: value[:2] for name, value in curve.items()})], [(400, curve)], []):
            with pytest.raises(DataError, match=r"no 1 cines of 10 to 160 .* three consecutive frames, so no"):
                derive_thresholds(sequences, bounds, "stills")
        with pytest.raises(DataError, match="no 2 cines"):
            derive_thresholds([(30, curve)], bounds, "one cine", min_cines=2)

    def test_a_fast_cine_serves_the_slower_bands_too(self) -> None:
        curve = {name: np.arange(9.0) ** 2 for name in ATTRIBUTES}  # |e| = step^2, wherever one begins
        derived = derive_thresholds([(60, curve)], dict.fromkeys(ATTRIBUTES, (0.0, 100.0)), "a parabola")
        assert {band.fps: band.thresholds["lv_area"] for band in derived.bands} == {
            (56, 80): pytest.approx(0.01),
            (28, 40): pytest.approx(0.04),
            (20, 28): pytest.approx(0.09),  # every third frame, 20 a second
        }

    def test_thresholds_are_kept_in_a_file(self, tmp_path: Path) -> None:
        curve = {name: np.array([0, 0, 1, 0.0]) for name in ATTRIBUTES}
        derived = derive_thresholds([(30, curve)], dict.fromkeys(ATTRIBUTES, (0.0, 10.0)), "one cine")
        path = tmp_path / "thresholds.json"
        path.write_text(json.dumps(derived.to_dict()))
        assert Thresholds.read(path) == derived
        for text in ("{}", "no JSON", '{"bands": [{"fps": [1, 2], "cines": 1, "frames": 3, "thresholds": {}}]}'):
            path.write_text(text)
            with pytest.raises(DataError, match=r"thresholds\.json: not a file of consistency thresholds"):
                Thresholds.read(path)

    def test_the_package_has_thresholds_and_their_source(self) -> None:
        stored = Thresholds.read()
        assert all(stored.at(fps) for fps in (12, 20, 30, 50, 75, 100))
        assert all(band.cines >= MIN_CINES for band in stored.bands)
        assert stored.command.startswith("python -m studies.consistency_thresholds phantom: --split train")
        assert stored.source.endswith(f"bounds: {CAMUS_TRAINING.bounds_from}")
        areas = [band.thresholds["lv_area"] for band in stored.bands]
        assert areas == sorted(areas, reverse=True)  # slower cines move further from frame to frame

    def test_bounds(self) -> None:
        masks = np.stack([box(2, 2, 6, 5), box(0, 0, 0, 0), box(2, 2, 12, 8)])
        masks[2, 12, 7] = 1  # leans, so that the orientation varies
        derived = derive_bounds([mask_attributes(masks, None)], "px", "two boxes")
        assert derived.bounds["lv_area"] == (12, 61)
        assert derived.bounds_from == "lowest and highest value over 2 reference masks, two boxes"
        with pytest.raises(DataError, match="do not give bounds"):
            derive_bounds([], "px", "nothing")

    def test_attributes_of_an_ellipse(self) -> None:
        row, column = np.mgrid[0:200, 0:200] - 99.5
        angle = np.radians(20)  # the lower end to the right
        along = row * np.cos(angle) + column * np.sin(angle)
        across = column * np.cos(angle) - row * np.sin(angle)
        mask = ((along / 60) ** 2 + (across / 25) ** 2 < 1)[None]
        found = mask_attributes(mask, (0.5, 0.5))
        assert found["lv_area"][0] == pytest.approx(math.pi * 60 * 25 / 4, rel=0.002)
        assert found["lv_length"][0] == pytest.approx(60, rel=0.002)
        assert found["lv_width"][0] == pytest.approx(25, rel=0.003)
        assert found["lv_orientation"][0] == pytest.approx(20, abs=0.1)

    def test_frame_to_frame_dice(self) -> None:
        masks = np.stack([box(0, 0, 2, 4), box(0, 0, 2, 4), box(1, 0, 3, 4)])
        assert frame_to_frame_dice(masks) == pytest.approx((1 + 0.5) / 2)
        assert math.isnan(frame_to_frame_dice(masks[:1]))

    def test_nearest_frame(self) -> None:
        assert frame_error([3, 40], 38) == 2
        assert frame_error([3, 40], 5) == -2
        assert frame_error([6, 4], 5) == -1
        assert frame_error([], 5) is None


class TestRoughness:
    def beat(self, fps: float, seconds: float = 4, rate_hz: float = 1.2) -> np.ndarray:
        time = np.arange(round(fps * seconds)) / fps
        return 1000 + 200 * np.cos(2 * np.pi * rate_hz * time)

    def test_a_sine_on_paper(self) -> None:
        expected = (2 * np.pi * 1.2) ** 2 / (2 * np.sqrt(2)) / 0.988
        assert roughness(self.beat(20), 20) == pytest.approx(expected, rel=0.03)

    @pytest.mark.parametrize("fps", [20, 25, 30, 40, 50, 80, 120])
    def test_is_free_of_frame_rate_length_and_scale(self, fps: float) -> None:
        expected = roughness(self.beat(20), 20)
        assert roughness(self.beat(fps), fps) == pytest.approx(expected, rel=0.03)
        assert roughness(self.beat(fps, seconds=8), fps) == pytest.approx(expected, rel=0.03)
        assert roughness(7 * self.beat(fps) + 3, fps) == pytest.approx(roughness(self.beat(fps), fps))

    def test_does_not_depend_on_where_the_beat_starts(self) -> None:
        curve = self.beat(30)
        assert roughness(np.roll(curve, 1)[1:], 30) == pytest.approx(roughness(curve[1:], 30), rel=0.02)

    @pytest.mark.parametrize("fps", [25, 30, 50, 100])
    def test_noise_counts_the_same_at_every_frame_rate(self, fps: float, rng: np.random.Generator) -> None:
        curve = self.beat(20, seconds=60)
        smooth, expected = roughness(curve, 20), roughness(curve + rng.normal(0, 20, len(curve)), 20)
        curve = self.beat(fps, seconds=60)
        assert roughness(curve + rng.normal(0, 20, len(curve)), fps) == pytest.approx(expected, rel=0.15)
        assert expected > 2 * smooth

    def test_nothing_to_say(self) -> None:
        assert math.isnan(roughness(np.ones(50), 25))
        assert math.isnan(roughness(np.array([1.0, 2.0]), 25))
        with pytest.raises(ConfigError, match="fps must be positive"):
            roughness(np.ones(5), 0)
