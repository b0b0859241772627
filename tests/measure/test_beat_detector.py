"""Beats in area curves made on paper."""

import numpy as np
import pytest

from edgeecho.measure import (
    find_beats,
    find_cycle,
)
from tests.measure.drawn import area_curve, ventricle


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
