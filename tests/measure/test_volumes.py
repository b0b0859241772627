"""Long axis, areas and volumes of solids whose size is known on paper."""

import numpy as np
import pytest

from edgeecho.errors import ConfigError, MeasurementError, ShapeError
from edgeecho.measure import (
    area_length_volume_ml,
    area_mm2,
    discs_of,
    largest_component,
    length_mm,
    long_axis,
    simpson_biplane_volume_ml,
    simpson_volume_ml,
)
from edgeecho.measure.measurement import median, spread
from tests.measure.drawn import ellipse, half_ellipsoid_ml


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


def test_one_disc_is_the_least() -> None:
    mask = ellipse(80, 25)
    one, many = discs_of(mask, n=1), discs_of(mask)
    assert one.diameters.shape == (1,)
    assert one.diameters[0] == pytest.approx(many.diameters.mean(), rel=1e-9)
    with pytest.raises(ConfigError, match="n must be positive, got None and 0"):
        discs_of(mask, n=0)


def test_spread_and_median_of_few_values() -> None:
    assert spread([1.0, None, 3.0]) == 1.0
    assert spread([1.0, None]) is None
    assert (median([1.0, None, 3.0]), median([None])) == (2.0, None)
