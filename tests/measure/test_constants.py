"""Thresholds that no drawn curve comes near, each tried from both sides; `test_golden.py` pins the rest."""

import numpy as np
import pytest

from edgeecho.errors import MeasurementError
from edgeecho.measure import Beat, discs_of, find_cycle
from edgeecho.measure.area_curve import beat_range, is_periodic, noise, parabola_weights, roughness, smoothed
from edgeecho.measure.beat_meter import heart_rate
from edgeecho.measure.constants import DISCS
from edgeecho.measure.curve_buffer import Windows, windows_for
from tests.measure.drawn import area_curve


@pytest.mark.parametrize(
    ("fps", "half", "warm_up", "memory", "longest", "gap"),
    [
        (None, 2, 100, 200, 300, 10),
        (100.0, 6, 200, 400, 600, 20),
        (50.0, 3, 100, 200, 300, 10),
        (3.0, 2, 8, 24, 48, 2),  # the least of each
    ],
)
def test_windows_in_frames(fps: float | None, half: int, warm_up: int, memory: int, longest: int, gap: int) -> None:
    assert windows_for(fps) == Windows(half, warm_up, memory, longest, gap)


def test_smoothing_is_that_of_savitzky_and_golay() -> None:
    """Their table for five points: -3, 12, 17, 12, -3 over 35; for seven: -2, 3, 6, 7 over 21."""
    five, seven = parabola_weights(2), parabola_weights(3)
    assert (five[0] / five[1]).tolist() == pytest.approx([17 / 35, 12 / 35, -3 / 35])
    assert (seven[0] / seven[1]).tolist() == pytest.approx([7 / 21, 6 / 21, 3 / 21, -2 / 21])
    parabola = (np.arange(9.0) - 3) ** 2
    np.testing.assert_allclose(smoothed(parabola, 2), parabola)
    spike = np.zeros(9)
    spike[4] = 35
    assert smoothed(spike, 2)[2:7].tolist() == pytest.approx([-3, 12, 17, 12, -3])
    assert noise(spike, 2) == pytest.approx(np.std(spike - [0, 0, -3, 12, 17, 12, -3, 0, 0]))


def test_the_range_of_a_curve() -> None:
    assert beat_range(np.array([0.0, 10, 2, 9])) == 8  # the largest fall; the largest rise is 10
    assert beat_range(np.array([10.0, 0, 8])) == 8
    assert beat_range(np.array([0.0, 10])) == 5  # only a rise: half of it


def test_roughness_of_known_curves() -> None:
    assert roughness(np.arange(9.0)) == 0  # a straight line
    alternating = np.tile([1.0, -1.0], 50)
    assert roughness(alternating) == pytest.approx(2, rel=1e-3)
    sine = np.sin(2 * np.pi * np.arange(600) / 6)
    assert roughness(sine) == pytest.approx(0.5, rel=1e-2)
    assert roughness(np.random.default_rng(1).normal(size=20_000)) == pytest.approx(1, rel=0.02)


def test_a_curve_of_equal_values_has_no_roughness() -> None:
    """The variance is compared with 1e-12 of the mean square: what rounding leaves of a line counts as none."""
    curve = np.full(40, 1e6)
    curve[::2] += 0.5
    assert roughness(curve) == 0  # 6e-14 of the mean square
    curve[::2] += 4.5
    assert roughness(curve) > 1  # 6e-12 of it


def wave(share: float, frames: int = 40, period: int = 8) -> np.ndarray:
    """A sine, and beside it a part whose sign changes from one period to the next."""
    t = np.arange(frames)
    other = np.where(t // period % 2, 1, -1) * np.sin(2 * np.pi * t / period)
    return np.sqrt(share) * np.sin(2 * np.pi * t / period) + np.sqrt(1 - share) * other


@pytest.mark.parametrize(("share", "periodic"), [(0.84, False), (0.86, True), (1.0, True)])
def test_a_periodic_curve_correlates_by_70_percent(share: float, periodic: bool) -> None:
    """A part p alike and 1 - p opposed correlates by 2 p - 1."""
    assert is_periodic(wave(share, 800), 8) is periodic


def test_a_curve_that_correlates_half_a_period_later_is_not_periodic() -> None:
    """A sine of half the period does so by 1, and a mixture of energies a and 1 - a by 1 - 2 a."""
    t = np.arange(800)
    for share, periodic in ((0.34, False), (0.36, True)):
        curve = np.sqrt(share) * np.sin(2 * np.pi * t / 8) + np.sqrt(1 - share) * np.sin(2 * np.pi * t / 4)
        assert is_periodic(curve, 8) is periodic


@pytest.mark.parametrize(("frames", "periodic"), [(23, False), (24, True)])
def test_a_correlation_needs_three_periods(frames: int, periodic: bool) -> None:
    assert is_periodic(np.sin(2 * np.pi * np.arange(frames) / 8), 8) is periodic
    assert not is_periodic(np.sin(np.arange(30.0)), 1)  # half of it is no lag
    assert not is_periodic(np.ones(30), 8)


@pytest.mark.parametrize(("frames", "bpm"), [(101, None), (100, 30.0), (15, 200.0), (14, None)])
def test_heart_rates_from_30_to_200_are_reported(frames: int, bpm: float | None) -> None:
    rate, doubt = heart_rate(Beat(0, 5, frames, float(frames)), 50.0)
    assert rate == bpm
    assert (doubt is None) is (bpm is not None)


@pytest.mark.parametrize(("pixels", "enough"), [(30, True), (29, False)])
def test_a_mask_of_thirty_pixels_has_an_axis(pixels: int, enough: bool) -> None:
    mask = np.zeros((12, 12), np.uint8)
    mask[2:12, 2:5] = 1
    mask[11, 4] = pixels == 30
    if enough:
        found = discs_of(mask)
        assert (found.area, len(found.diameters), DISCS) == (30, 20, 20)
    else:
        with pytest.raises(MeasurementError, match="the mask has 29 connected pixels; its axis needs at least 30"):
            discs_of(mask)


@pytest.mark.parametrize(("every", "found"), [(6, True), (4, False)])
def test_a_beat_needs_a_ventricle_in_80_percent_of_its_frames(every: int, found: bool) -> None:
    """Every sixth frame without one leaves 83%, every fourth 75%, which is less than 80%."""
    area = area_curve(50, 75).astype(float)
    area[3::every] = np.nan
    cycle = find_cycle(area, 50)
    assert bool(cycle.beats) is found
    assert found or "left ventricle found in only" in str(cycle.reason)
