"""Beats as frames come: equal to the whole cine, in time, and none where no heart beats."""

import numpy as np
import pytest

from edgeecho.errors import ConfigError, DataError
from edgeecho.measure import BeatMeter, BeatTracker, find_cycle, measure
from studies.expert_ef import expert_ef
from studies.measure_sweep import draw, online_equals_whole, relative_volume, sweep


def area_curve(fps, bpm, seconds=6.0, start=0.9, *, kick=0.2):
    phase = np.arange(int(seconds * fps)) / fps * bpm / 60 + start
    return 3000 + 1700 * relative_volume(phase % 1, 0.33, 0.22, kick)


@pytest.mark.slow
def test_sweep_of_drawn_cines():
    figures = sweep(cases=1, seed=5, heart_rates=(40, 75, 150), frame_rates=(20, 50, 120))
    assert figures.found >= 0.99 * figures.beats > 40
    assert figures.ed_within_1 == figures.es_within_1 == figures.found
    assert figures.cine_ef_within_1 == figures.cases == 9
    assert figures.false == figures.online_differs == 0


def test_sweep_of_irregular_beats():
    figures = sweep(cases=1, seed=3, af=True, heart_rates=(60, 90, 130), frame_rates=(30, 60))
    assert figures.found >= 0.97 * figures.beats > 30
    assert figures.ed_within_1 >= 0.98 * figures.found
    assert figures.es_within_1 == figures.found
    assert figures.false == figures.online_differs == 0


def test_a_meter_measures_what_measure_does():
    drawn = draw(np.random.default_rng(1), 40, 80)
    whole = measure(drawn.mask, drawn.mask.sum(axis=(1, 2)), 40, (0.5, 0.5))
    meter = BeatMeter(40, (0.5, 0.5))
    reported = [beat for mask in drawn.mask for beat in meter.push(mask)]
    assert len(reported) >= 4
    assert tuple(reported) == whole.beats[: len(reported)]
    assert meter.finish() == whole


@pytest.mark.parametrize("bpm", [45, 75, 120])
@pytest.mark.parametrize("fps", [25, 50, 100])
def test_the_delay_is_as_stated(fps, bpm):
    tracker = BeatTracker(fps)
    for frame, area in enumerate(area_curve(fps, bpm)):
        for beat in tracker.push(area):
            since_ed = (frame - beat.next_ed_frame) / fps
            assert since_ed <= 0.3 * 60 / bpm + 0.1 or frame <= 2.1 * fps + 2


@pytest.mark.parametrize("bpm", [30, 200])
@pytest.mark.parametrize("fps", [20, 60, 120, None])
def test_the_slowest_and_the_fastest_heart(fps, bpm):
    area = area_curve(fps or 50, bpm, seconds=8)
    lengths = [beat.interval_frames for beat in find_cycle(area, fps).beats]
    assert len(lengths) >= 8 * bpm / 60 - 2
    assert np.median(lengths) == pytest.approx((fps or 50) * 60 / bpm, abs=1)


@pytest.mark.parametrize("fps", [20, 50, 120, None])
@pytest.mark.parametrize("noise", [0.02, 0.1, 0.4])
def test_white_noise_has_no_beats(fps, noise):
    for seed in range(8):
        area = np.maximum(1000 + 1000 * noise * np.random.default_rng(seed).normal(size=300), 1)
        cycle = find_cycle(area, fps)
        assert cycle.beats == cycle.ed_frames == ()
        assert cycle.reason


@pytest.mark.parametrize("factors", [(0.7,), (1.4,), (0.7, 1.0), (1.3, 1.0)])
@pytest.mark.parametrize("fps", [20, 50, 120])
def test_a_step_is_no_beat(fps, factors):
    area = 1000 + 5 * np.random.default_rng(0).normal(size=4 * fps)
    for number, factor in enumerate(factors):
        area[(number + 1) * fps + 7 :] = (
            factor * area[(number + 1) * fps + 7 :] / (factors[number - 1] if number else 1)
        )
    assert not find_cycle(area, fps).beats


def test_beats_are_found_on_both_sides_of_a_step_and_of_a_drift():
    area = area_curve(50, 75, seconds=10)
    area[250:] += 3000
    assert len(find_cycle(area, 50).beats) >= 9
    assert len(find_cycle(area_curve(50, 75, 10) + np.linspace(0, 4000, 500), 50).beats) >= 12


def test_a_long_gap_parts_the_cine_and_leaves_out_the_beat():
    area = area_curve(50, 75, seconds=10)
    whole = [beat.es_frame for beat in find_cycle(area, 50).beats]
    area[190:215] = 0
    parted = find_cycle(area, 50).beats
    assert {beat.es_frame for beat in parted} <= set(whole)
    assert len(parted) >= len(whole) - 2
    assert not any(beat.ed_frame < 200 < (beat.next_ed_frame or beat.es_frame) for beat in parted)
    assert online_equals_whole(area, 50)


def test_a_glitch_is_no_systole():
    area = area_curve(50, 75)
    glitch = area.copy()
    glitch[[60, 133]] = 300, 12000
    assert find_cycle(glitch, 50).es_frames == find_cycle(area, 50).es_frames


def test_of_a_plateau_the_end_is_ed():
    cycle = find_cycle(area_curve(50, 40, seconds=8, start=0.2, kick=0.0), 50)
    r_waves = (np.arange(1, 6) - 0.2) * 75
    eds = [frame for frame in cycle.ed_frames if frame > 10]
    np.testing.assert_allclose(eds[:5], r_waves, atol=5)


def test_a_stream_without_end_forgets():
    fps, drawn = 50, draw(np.random.default_rng(2), 50, 70, size_px=40)
    meter = BeatMeter(fps, None)
    held = 0
    for frame in range(3000):
        meter.push(drawn.mask[frame % 200] if frame // 1000 != 1 else np.zeros((40, 40), np.uint8))
        held = max(held, len(meter._masks))
    assert held <= 12 * fps
    assert len(meter._tracker._buffer) <= 12 * fps
    assert len(meter.finish().beats) > 35


def test_settings_that_make_no_sense():
    with pytest.raises(ConfigError, match="got 'cubes' and 'own'"):
        BeatMeter(50, None, method="cubes")
    with pytest.raises(ConfigError, match="spacing_mm must be positive"):
        BeatMeter(50, (0.3, 0.0))


def test_expert_ef_of_a_drawn_data_set(camus):
    with pytest.raises(DataError, match=r"no patient with ED, ES and a clinical EF; patients_info\.csv"):
        expert_ef(f"camus:{camus}")
    table = camus / "patients_info.csv"
    table.write_text("Patient,EF\n" + "".join(f"patient{n:04d},{40 + n}\n" for n in range(1, 9)))
    try:
        rows = expert_ef(f"camus:{camus}")
    finally:
        table.unlink()
    assert {row.n for row in rows.values()} == {8}
    assert rows["discs, ED length"].bias < rows["discs, own length"].bias
