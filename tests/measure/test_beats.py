"""Measurements on solids of known volume and on area curves made on paper."""

import json
import subprocess
import sys

import numpy as np
import pytest

from edgeecho.errors import ConfigError, MeasurementError, ShapeError
from edgeecho.measure import (
    View,
    area_length_volume_ml,
    area_mm2,
    discs_of,
    find_beats,
    find_cycle,
    largest_component,
    length_mm,
    long_axis,
    measure,
    measure_biplane,
    simpson_biplane_volume_ml,
    simpson_volume_ml,
)


def ellipse(length, half_width, *, shape=(300, 260), spacing=(1.0, 1.0), tilt=0.0, whole=False, up=False):
    """A half ellipse, flat side down, or with `whole` an ellipse of twice the length; mm; tilt in degrees."""
    rows, columns = np.indices(shape)
    y = (rows + 0.5 - shape[0] / 2) * spacing[0]
    x = (columns + 0.5 - shape[1] / 2) * spacing[1]
    angle = np.radians(tilt)
    u = (y * np.cos(angle) + x * np.sin(angle)) * (-1 if up else 1)
    v = x * np.cos(angle) - y * np.sin(angle)
    if not whole:
        u = u - length / 2
    inside = (u / length) ** 2 + (v / half_width) ** 2 <= 1
    return (inside if whole else inside & (u <= 0)).astype(np.uint8)


def half_ellipsoid_ml(length, half_width):
    return 2 / 3 * np.pi * length * half_width**2 / 1000


@pytest.mark.parametrize("tilt", [-50, -20, 0, 15, 40, 55])
@pytest.mark.parametrize(("length", "half_width"), [(90, 28), (80, 35)])
def test_half_ellipsoid_has_its_volume(length, half_width, tilt):
    mask = ellipse(length, half_width, tilt=tilt)
    assert simpson_volume_ml(mask, (1.0, 1.0)) == pytest.approx(half_ellipsoid_ml(length, half_width), rel=0.02)
    assert long_axis(mask).length == pytest.approx(length, rel=0.01)


@pytest.mark.parametrize("tilt", [0, 30, -45])
def test_spacing_may_differ_between_rows_and_columns(tilt):
    mask = ellipse(85, 27, shape=(360, 200), spacing=(0.5, 0.8), tilt=tilt)
    assert simpson_volume_ml(mask, (0.5, 0.8)) == pytest.approx(half_ellipsoid_ml(85, 27), rel=0.02)
    assert long_axis(mask, (0.5, 0.8)).length == pytest.approx(85, rel=0.01)


@pytest.mark.parametrize("tilt", [0, 25, -40])
def test_whole_ellipsoid_has_its_volume(tilt):
    mask = ellipse(60, 30, tilt=tilt, whole=True)
    assert simpson_volume_ml(mask, (1.0, 1.0)) == pytest.approx(2 * half_ellipsoid_ml(60, 30), rel=0.02)


def test_points_of_the_axis():
    axis = long_axis(ellipse(90, 30))
    assert axis.apex == pytest.approx((105, 129.5), abs=1.5)
    assert axis.base == pytest.approx((194.5, 129.5), abs=1.5)
    assert sorted(axis.corners, key=lambda p: p[1])[0] == pytest.approx((194, 100), abs=2)


def test_mirroring_changes_nothing():
    mask = ellipse(88, 26, tilt=25)
    assert discs_of(mask[:, ::-1]).volume() == pytest.approx(discs_of(mask).volume(), rel=0.002)


def test_the_base_is_the_deeper_end_unless_shown():
    assert long_axis(ellipse(90, 30)).apex[0] < long_axis(ellipse(90, 30)).base[0]
    upside_down = long_axis(ellipse(90, 30, up=True))
    assert upside_down.apex[0] > upside_down.base[0]


def test_a_wide_ventricle_keeps_its_upright_axis():
    assert long_axis(ellipse(80, 42)).length == pytest.approx(80, rel=0.01)


def test_small_masks_of_a_112_pixel_frame():
    volume = discs_of(ellipse(36, 13, shape=(112, 112), tilt=20)).volume()
    assert volume == pytest.approx(1000 * half_ellipsoid_ml(36, 13), rel=0.04)


def test_a_mask_cut_by_the_frame_measures_what_is_there():
    cut = ellipse(90, 30, shape=(300, 260))[:180]  # lower 15 of 90 mm are outside
    z = np.linspace(0, 75, 7501)
    truth = np.pi * np.trapezoid(30**2 * (1 - ((90 - z) / 90) ** 2), z)
    assert discs_of(cut).volume() == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize("row", [130, 150, 165])
def test_a_slit_does_not_end_the_axis(row):
    """A shadow or a line of text divides the cavity, except for a strip."""
    mask = ellipse(90, 30)
    mask[row : row + 4, 115:] = 0
    assert long_axis(mask).length == pytest.approx(90, rel=0.02)


def test_only_the_largest_region_counts():
    mask = ellipse(90, 30)
    alone = discs_of(mask).volume()
    mask[5:12, 5:20] = 1
    assert discs_of(mask).volume() == pytest.approx(alone)
    region, corner = largest_component(mask)
    assert region.sum() == mask.sum() - 7 * 15
    assert corner == (5, 5)


@pytest.mark.parametrize("mask", [np.zeros((50, 60), np.uint8), np.eye(50, dtype=np.uint8)])
def test_nothing_to_measure_is_an_error(mask):
    with pytest.raises(MeasurementError, match="connected pixels; its axis needs at least 30"):
        simpson_volume_ml(mask, (1.0, 1.0))


def test_a_line_of_pixels_does_not_crash():
    mask = np.zeros((60, 60), np.uint8)
    mask[30, 5:55] = 1
    assert discs_of(mask).volume() < 100


def test_a_cine_is_not_a_mask():
    with pytest.raises(ShapeError, match="pass one frame"):
        long_axis(np.ones((2, 9, 9)))


def test_area_and_length_are_in_millimetres():
    mask = ellipse(85, 27, shape=(360, 200), spacing=(0.5, 0.8))
    assert area_mm2(mask, (0.5, 0.8)) == pytest.approx(np.pi / 2 * 85 * 27, rel=0.01)
    assert length_mm(mask, (0.5, 0.8)) == pytest.approx(85, rel=0.01)


@pytest.mark.parametrize("tilt", [0, 20])
def test_area_length_is_exact_for_a_half_ellipsoid(tilt):
    assert area_length_volume_ml(ellipse(90, 28, tilt=tilt), (1.0, 1.0)) == pytest.approx(
        half_ellipsoid_ml(90, 28), rel=0.02
    )


def test_biplane_sees_that_the_widths_differ():
    four, two = ellipse(90, 30, tilt=10), ellipse(90, 22, shape=(360, 200), spacing=(0.6, 0.9), tilt=-15)
    truth = 2 / 3 * np.pi * 90 * 30 * 22 / 1000
    assert simpson_biplane_volume_ml(four, two, (1.0, 1.0), (0.6, 0.9)) == pytest.approx(truth, rel=0.02)
    assert simpson_biplane_volume_ml(four, four, (1.0, 1.0)) == pytest.approx(simpson_volume_ml(four, (1.0, 1.0)))


def test_biplane_takes_the_longer_length():
    four, two = ellipse(90, 30), ellipse(80, 30)
    truth = 2 / 3 * np.pi * 90 * 30 * 30 / 1000
    assert simpson_biplane_volume_ml(four, two, (1.0, 1.0)) == pytest.approx(truth, rel=0.02)


def test_a_volume_with_another_length_is_scaled():
    mask = ellipse(80, 25)
    longer = simpson_volume_ml(mask, (1.0, 1.0), length_mm=2 * length_mm(mask, (1.0, 1.0)))
    assert longer == pytest.approx(2 * simpson_volume_ml(mask, (1.0, 1.0)))


def test_a_spacing_of_nothing_is_an_error():
    with pytest.raises(ConfigError, match=r"must be positive, got \(0\.0, 1\.0\)"):
        simpson_volume_ml(ellipse(80, 25), (0.0, 1.0))


# --- beats ---------------------------------------------------------------------------------------------------------


def ventricle(phase):
    """Relative area over a beat that starts at ED: contraction to 0.35, filling, diastasis, atrial kick."""
    phase = np.mod(phase, 1)
    filling = 0.4 * (1 - np.cos(np.pi * np.clip((phase - 0.35) / 0.22, 0, 1)))
    kick = 0.1 * (1 - np.cos(np.pi * np.clip((phase - 0.82) / 0.18, 0, 1)))
    return np.where(phase < 0.35, 0.5 + 0.5 * np.cos(np.pi * phase / 0.35), filling + kick)


def area_curve(fps, bpm, *, seconds=4.0, start=0.9, noise=0.0, drift=0.0, fall=0.35):
    phase = np.arange(int(seconds * fps)) / fps * bpm / 60 + start
    rng = np.random.default_rng(7)
    relative = ventricle(phase) + noise * rng.normal(size=len(phase)) + drift * phase
    return (5000 * (1 - fall + fall * relative)).astype(np.float32)


@pytest.mark.parametrize("known_fps", [True, False])
@pytest.mark.parametrize("bpm", [40, 75, 150])
@pytest.mark.parametrize("fps", [20, 50, 120])
def test_every_beat_is_found_in_its_place(fps, bpm, known_fps):
    period = 60 * fps / bpm
    area = area_curve(fps, bpm)
    cycle = find_cycle(area, fps if known_fps else None)
    systoles = [t for t in (np.arange(12) + 0.45) * period if t < len(area) - 2]
    assert len(cycle.beats) == pytest.approx(len(systoles), abs=1)
    for truth, beat in zip(systoles, cycle.beats, strict=False):
        assert abs(beat.es_frame - truth) <= max(1.5, 0.02 * fps)
        assert abs(beat.ed_frame - (truth - 0.35 * period)) <= max(1.5, 0.02 * fps)
        assert beat.interval_frames == pytest.approx(period, abs=2.5)


@pytest.mark.parametrize(("noise", "drift"), [(0.05, 0.0), (0.0, 0.1), (0.0, -0.1), (0.05, 0.1)])
@pytest.mark.parametrize("fps", [50, None])
def test_noise_and_drift_hide_no_beat(fps, noise, drift):
    cycle = find_cycle(area_curve(50, 75, noise=noise, drift=drift), fps)
    assert len(cycle.beats) == 5
    np.testing.assert_allclose([b.es_frame for b in cycle.beats], 18 + 40 * np.arange(5), atol=3)


def test_irregular_beats_each_keep_their_length():
    lengths = [30, 55, 38, 70, 26]
    phase = np.concatenate([number + np.arange(n) / n for number, n in enumerate(lengths)] + [[5.0, 5.1, 5.2]])
    beats = find_beats(3000 + 1000 * ventricle(phase), 50)
    assert [b.interval_frames for b in beats] == pytest.approx(lengths, abs=2)


def test_a_half_sequence_from_ed_to_es_gives_one_beat_without_a_length():
    (beat,) = find_beats(3000 + 1000 * np.cos(np.pi * np.arange(18) / 17), 50)
    assert (beat.ed_frame, beat.es_frame) == (0, 17)
    assert beat.next_ed_frame is None
    assert beat.interval_frames is None


@pytest.mark.parametrize("fps", [50, None])
def test_a_half_sequence_from_es_to_ed_gives_one_beat_without_a_length(fps):
    cycle = find_cycle(3000 - 1000 * np.cos(np.pi * np.arange(18) / 17), fps)
    (beat,) = cycle.beats
    assert (beat.ed_frame, beat.es_frame, beat.interval_frames) == (17, 0, None)
    assert (cycle.ed_frames, cycle.es_frames) == ((17,), (0,))


@pytest.mark.parametrize(("end", "level"), [(1.1, 0), (1.25, 0), (1.15, 6), (1.25, 6)])
def test_a_loop_of_one_beat_that_is_cut_in_systole_has_its_es_before_its_ed(end, level):
    """Even where its last frames are level: the ES before was lower."""
    area = 3000 + 1000 * ventricle(np.arange(0.15, end, 1 / 40))
    area = np.concatenate([area, np.full(level, area[-1])])
    (beat,) = find_beats(area, 50)
    assert (beat.ed_frame, beat.es_frame) == pytest.approx((34, 8), abs=1)
    assert beat.interval_frames is None


def test_a_level_diastasis_at_the_end_is_no_ed():
    cycle = find_cycle(3000 + 1000 * ventricle(np.arange(0.05, 0.8, 1 / 40)), 50)
    assert cycle.beats == ()
    assert "no end-diastole beside" in cycle.reason


def test_a_beat_in_the_usual_order_comes_first():
    area = 3000 + 1000 * ventricle(np.arange(0.15, 2.05, 1 / 40))
    (beat,) = find_beats(area, 50)
    assert (beat.ed_frame, beat.es_frame) == pytest.approx((34, 48), abs=1)


def test_one_beat_cut_at_both_r_waves():
    (beat,) = find_beats(3000 + 1000 * ventricle(np.arange(41) / 40), 50)
    assert (beat.ed_frame, beat.next_ed_frame) == (0, 40)
    assert beat.es_frame == pytest.approx(14, abs=1)


def test_a_start_in_mid_systole_is_no_ed():
    cycle = find_cycle(3000 + 1000 * ventricle(np.arange(55) / 40 + 0.15), 50)
    assert len(cycle.es_frames) == 2
    assert [b.ed_frame for b in cycle.beats] == pytest.approx([34], abs=1)


def test_a_dropped_frame_is_no_systole():
    area = area_curve(50, 75)
    dropped = area.copy()
    dropped[[35, 110]] = 0, np.nan
    assert find_cycle(dropped, 50).es_frames == find_cycle(area, 50).es_frames


@pytest.mark.parametrize(
    ("area", "reason"),
    [
        (np.full(1, 900.0), "1 frame: no beat to measure"),
        (np.zeros(80), "no left ventricle found in any frame"),
        (np.full(80, np.nan), "no left ventricle found in any frame"),
        (np.where(np.arange(80) % 2, 900.0, 0), "left ventricle found in only 40 of 80 frames"),
        (np.full(80, 900.0), "changes by only 0.0%"),
        (900 + 90 * np.random.default_rng(1).normal(size=80), "noise"),
        (900 + 300 * ventricle(np.linspace(0.36, 0.99, 30)), "no end-"),
        (np.linspace(900, 600, 40), "no end-"),
    ],
)
@pytest.mark.parametrize("fps", [50, None])
def test_no_beat_has_a_reason(area, reason, fps):
    cycle = find_cycle(area, fps)
    assert not cycle.beats
    assert cycle.reason is not None
    assert reason in cycle.reason


# --- from masks to figures -----------------------------------------------------------------------------------------


def beating_half_ellipse(frames=125, fps=50, bpm=75, shape=(120, 100)):
    """EF on paper: length 90 to 75 (x 0.9), width 56 to 42: V falls by the factor 75/90 * (42/56)^2."""
    relative = ventricle(np.arange(frames) / fps * bpm / 60)
    return np.stack([ellipse(75 + 15 * r, 21 + 7 * r, shape=shape) for r in relative])


def test_ef_and_volumes_of_a_beating_half_ellipse():
    mask = beating_half_ellipse()
    result = measure(mask, mask.sum(axis=(1, 2), dtype=np.float32), 50.0, (1.0, 1.0))
    assert result.ed_frames[0] == 0
    assert result.edv_ml == pytest.approx(half_ellipsoid_ml(90, 28), rel=0.02)
    assert result.esv_ml == pytest.approx(half_ellipsoid_ml(75, 21), rel=0.02)
    assert result.ef_percent == pytest.approx(100 * (1 - 75 * 21**2 / (90 * 28**2)), abs=1)
    assert result.heart_rate_bpm == pytest.approx(75, abs=2)
    assert result.warnings == ()


def test_without_spacing_there_are_no_millilitres_but_the_same_ef():
    mask = beating_half_ellipse()
    area = mask.sum(axis=(1, 2))
    known, unknown = measure(mask, area, 50.0, (0.4, 0.4)), measure(mask, area, None, None)
    assert unknown.ef_percent == pytest.approx(known.ef_percent, abs=1e-6)
    assert unknown.edv_ml is unknown.esv_ml is unknown.heart_rate_bpm is None
    assert {(b.edv_ml, b.esv_ml, b.heart_rate_bpm) for b in unknown.beats} == {(None, None, None)}
    assert [w.split(":")[0] for w in unknown.warnings] == ["pixel spacing unknown", "frame rate unknown"]


def test_the_length_at_es_decides_on_esv():
    mask = beating_half_ellipse()
    area = mask.sum(axis=(1, 2))
    own, shared, al = (
        measure(mask, area, 50, (1.0, 1.0), **o) for o in ({}, {"disc_height": "ed"}, {"method": "area-length"})
    )
    assert shared.esv_ml == pytest.approx(own.esv_ml * 90 / 75, rel=0.01)
    assert shared.edv_ml == pytest.approx(own.edv_ml)
    assert al.ef_percent == pytest.approx(own.ef_percent, abs=1)


def test_spacing_of_rows_and_columns_decides_on_ef():
    """The same heart on flat pixels: right with their spacing, and with a warning without it."""
    relative = ventricle(np.arange(125) / 50 * 75 / 60)
    spacing = (0.5, 1.0)
    mask = np.stack([ellipse(75 + 15 * r, 21 + 7 * r, shape=(240, 100), spacing=spacing, tilt=30) for r in relative])
    result = measure(mask, mask.sum(axis=(1, 2)), 50, spacing)
    assert result.ef_percent == pytest.approx(100 * (1 - 75 * 21**2 / (90 * 28**2)), abs=1)
    assert result.edv_ml == pytest.approx(half_ellipsoid_ml(90, 28), rel=0.02)


def test_median_and_spread_over_beats():
    mask = beating_half_ellipse(frames=200)
    result = measure(mask, mask.sum(axis=(1, 2)), 50, (1.0, 1.0))
    efs = [beat.ef_percent for beat in result.beats]
    assert len(efs) >= 4
    assert result.ef_percent == np.median(efs)
    assert result.spread["ef_percent"] == pytest.approx(np.percentile(efs, 75) - np.percentile(efs, 25))
    assert result.beats[0].sv_ml == pytest.approx(result.beats[0].edv_ml - result.beats[0].esv_ml)
    one = measure(mask[:45], mask[:45].sum(axis=(1, 2)), 50, (1.0, 1.0))
    assert len(one.beats) == 1
    assert set(one.spread.values()) == {None}


def test_biplane_of_two_cines():
    four = beating_half_ellipse()
    two = beating_half_ellipse(frames=160, fps=60, shape=(140, 120))
    views = [
        View(mask=m, area_px=m.sum(axis=(1, 2)), fps=fps, spacing_mm=(1.0, 1.0)) for m, fps in ((four, 50), (two, 60))
    ]
    result = measure_biplane(*views)
    assert len(result.beats) == len(result.two_chamber_frames) >= 3
    assert result.ef_percent == pytest.approx(100 * (1 - 75 * 21**2 / (90 * 28**2)), abs=1)
    assert result.edv_ml == pytest.approx(half_ellipsoid_ml(90, 28), rel=0.02)
    assert result.heart_rate_bpm == pytest.approx(75, abs=2)
    assert result.warnings == ()
    assert measure_biplane(*views, disc_height="ed").ef_percent < result.ef_percent - 5


def test_biplane_needs_both_spacings():
    mask = beating_half_ellipse()
    views = [View(mask=mask, area_px=mask.sum(axis=(1, 2)), fps=50, spacing_mm=s) for s in ((1.0, 1.0), None)]
    result = measure_biplane(*views)
    assert result.ef_percent is None
    assert result.four_chamber.ef_percent is not None
    assert any("needs the pixel spacing of both" in w for w in result.warnings)


def test_nothing_to_measure_has_a_reason():
    mask = np.zeros((1, 40, 50), np.uint8)
    result = measure(mask, mask.sum(axis=(1, 2)), 50.0, (1.0, 1.0))
    assert result.ef_percent is None
    assert result.beats == ()
    assert result.warnings == ("1 frame: no beat to measure",)


def test_one_ed_and_one_es_give_ef_without_a_heart_rate():
    mask = beating_half_ellipse(frames=20)
    result = measure(mask, mask.sum(axis=(1, 2)), 50.0, (1.0, 1.0))
    assert result.ef_percent is not None
    assert result.heart_rate_bpm is None
    assert "no heart rate" in result.warnings[-1]


def test_a_wrong_frame_rate_is_noticed():
    mask = beating_half_ellipse()
    result = measure(mask, mask.sum(axis=(1, 2)), 10.0, (1.0, 1.0))
    assert result.heart_rate_bpm is None
    assert any("check the 10 fps" in w for w in result.warnings)


def test_the_contract_is_plain_json():
    mask = beating_half_ellipse()
    values = json.loads(json.dumps(measure(mask, mask.sum(axis=(1, 2)), 50.0, (1.0, 1.0)).to_dict()))
    assert set(values) == {
        *("ed_frames", "es_frames", "beats", "ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm", "warnings"),
        *("sv_ml", "spread"),
    }
    assert set(values["beats"][0]) == {
        *("ed_frame", "es_frame", "edv_ml", "esv_ml", "sv_ml", "ef_percent", "heart_rate_bpm"),
    }
    assert isinstance(values["ed_frames"], list)


def test_mask_and_area_must_fit():
    with pytest.raises(ShapeError, match=r"got \(3, 4, 5\) and \(2,\)"):
        measure(np.zeros((3, 4, 5), np.uint8), np.zeros(2), 50.0, None)


def test_importing_measure_loads_no_pictures_and_no_networks():
    code = (
        "import sys, edgeecho.measure; print([m for m in ('cv2', 'torch', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
