"""Figures of a cine from its masks: EF, volumes, medians over beats, and why there are none."""

import json
import subprocess
import sys

import numpy as np
import pytest

from edgeecho.errors import ShapeError
from edgeecho.measure import BeatMeasurement, View, measure, measure_biplane
from edgeecho.measure.biplane import pair_beats
from edgeecho.reasons import Level, Reason
from tests.measure.drawn import ellipse, half_ellipsoid_ml, ventricle


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


def test_a_heart_rate_that_cannot_be_makes_the_time_base_unsure():
    """At a stated rate four times too high: 300 beats a minute."""
    mask = beating_half_ellipse()
    area = mask.sum(axis=(1, 2))
    right = measure(mask, area, 50.0, (1.0, 1.0))
    assert right.findings == ()
    fast = measure(mask, area, 200.0, (1.0, 1.0))
    assert fast.heart_rate_bpm is None
    assert {(f.reason, f.level) for f in fast.findings} == {(Reason.TIME_BASE_UNSURE, Level.REVIEW)}
    assert all(finding.text in fast.warnings for finding in fast.findings)


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


def test_a_pair_of_beats_that_cannot_be_measured_is_left_out_with_its_frames():
    mask = np.stack([ellipse(60, 15), ellipse(80, 25), ellipse(60, 16)])
    views = [View(mask=mask, area_px=mask.sum(axis=(1, 2)), fps=50, spacing_mm=(1.0, 1.0))] * 2
    rising, falling = (BeatMeasurement(ed, es, None, None, 50.0, 60.0) for ed, es in ((0, 1), (1, 2)))
    made, frames, warnings = pair_beats(tuple(views), ([rising, falling], [rising, falling]))
    assert [(beat.ed_frame, beat.es_frame) for beat in made] == frames == [(1, 2)]
    assert [warning.split(":")[0] for warning in warnings] == ["beat at frame 0 left out"]


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


def at_times(times_s, bpm=62.5):
    """Masks of the heart as a recorder takes them at these times."""
    relative = ventricle(times_s * bpm / 60)
    return np.stack([ellipse(75 + 15 * r, 21 + 7 * r, shape=(120, 100)) for r in relative])


@pytest.mark.parametrize("steps_ms", [[16] * 90 + [30] * 50, ([20] * 7 + [60]) * 20])
def test_the_heart_rate_is_that_of_the_times(steps_ms):
    times_s = 3.0 + np.cumsum([0, *steps_ms]) / 1000
    mask = at_times(times_s - 3)
    area = mask.sum(axis=(1, 2))
    fps = 1000 / np.median(steps_ms)
    result = measure(mask, area, fps, (1.0, 1.0), times_s=times_s)
    assert result.heart_rate_bpm == pytest.approx(62.5, abs=2)
    assert all(b.heart_rate_bpm == pytest.approx(62.5, abs=4) for b in result.beats)
    by_frames = [b.heart_rate_bpm for b in measure(mask, area, fps, (1.0, 1.0)).beats]
    assert max(abs(rate - 62.5) for rate in by_frames) > 10  # what frames over the median rate give


def test_a_pause_counts_as_one_step():
    """The recorder stood still for 0.9 s; the heart of the next frame is one step further."""
    steps_ms = np.full(124, 20.0)
    mask = at_times(np.arange(125) * 0.02)
    steps_ms[70] = 900
    times_s = np.cumsum([0, *steps_ms]) / 1000
    result = measure(mask, mask.sum(axis=(1, 2)), 50.0, (1.0, 1.0), times_s=times_s)
    assert result.heart_rate_bpm == pytest.approx(62.5, abs=2)


def test_times_must_fit_and_rise():
    mask = beating_half_ellipse(frames=20)
    for times_s in (np.arange(19.0), np.zeros(20)):
        with pytest.raises(ShapeError, match="times_s"):
            measure(mask, mask.sum(axis=(1, 2)), 50.0, None, times_s=times_s)


def test_the_shape_of_pixels_gives_ef_without_millilitres():
    relative = ventricle(np.arange(125) / 50 * 75 / 60)
    spacing = (1.0, 0.5)
    mask = np.stack([ellipse(75 + 15 * r, 21 + 7 * r, shape=(150, 300), spacing=spacing, tilt=20) for r in relative])
    area = mask.sum(axis=(1, 2))
    known = measure(mask, area, 50.0, spacing)
    shape = measure(mask, area, 50.0, None, aspect=2.0)
    assert shape.ef_percent == pytest.approx(known.ef_percent, abs=1e-6)
    assert abs(measure(mask, area, 50.0, None).ef_percent - known.ef_percent) > 1
    assert shape.edv_ml is None
    assert shape.warnings == ("pixel spacing unknown: no volumes in mL",)
    assert measure(mask, area, 50.0, spacing, aspect=7.0) == known


def test_the_contract_is_plain_json():
    mask = beating_half_ellipse()
    values = json.loads(json.dumps(measure(mask, mask.sum(axis=(1, 2)), 50.0, (1.0, 1.0)).to_dict()))
    assert set(values) == {
        *("ed_frames", "es_frames", "beats", "ef_percent", "edv_ml", "esv_ml", "heart_rate_bpm", "warnings"),
        *("sv_ml", "spread", "no_beat", "findings"),
    }
    assert values["no_beat"] is None
    assert measure(mask[:1], mask[:1].sum(axis=(1, 2)), 50.0, None).to_dict()["no_beat"] == "too_short"
    assert set(values["beats"][0]) == {
        *("ed_frame", "es_frame", "edv_ml", "esv_ml", "sv_ml", "ef_percent", "heart_rate_bpm"),
        *("is_used", "reasons"),
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
