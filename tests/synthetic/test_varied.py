"""Varied drawn hearts: published sizes, the annotation conventions, scanners of wide variety, and visible outlines."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edgeecho.data import open_data
from edgeecho.synthetic.compression import Compression, LogLaw, PowerLaw
from edgeecho.synthetic.outlines import SIDE
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import MOVING, VARIED
from edgeecho.synthetic.pose import Contraction
from edgeecho.synthetic.scatterers import scatterers
from edgeecho.synthetic.screen import BEAMS, RANGES, Screen
from edgeecho.synthetic.ultrasound import Scanner
from edgeecho.synthetic.varied_anatomy import draw_varied_anatomy

SCREEN = Screen(200, 200, 0.75, (100.0, 1.0), (-0.7, 0.7), (0.0, 150.0))


def scanner_of(**settings: object) -> Scanner:
    """Return a scanner of an otherwise fixed look."""
    look = PhantomHeart((2, 3), 128, VARIED)._scanner._look
    return Scanner(replace(look, blur=(1.5, 0.5), far_blur=0.0, side_lobes=0.0, **settings), SCREEN)  # type: ignore[arg-type]


def lateral_width(echo: np.ndarray) -> float:
    """Return the correlation of echoes five beams apart, of (rows, columns, 2)."""
    return float((echo[:, 5:] * echo[:, :-5]).mean() / (echo**2).mean())


def test_a_seed_is_a_heart_and_every_population_another() -> None:
    times = np.array([0.0, 0.3])
    first, again = (PhantomHeart(5, 96, VARIED).frames(times) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], PhantomHeart(5, 96, MOVING).frames(times)[0])
    item = open_data("phantom-varied:2,8").items("val")[0]
    assert item.name == "phantom-varied2_val_0000"


def test_sizes_and_function_span_the_published_ones() -> None:
    hearts = [draw_varied_anatomy(np.random.default_rng(seed)) for seed in range(300)]
    efs = np.array([heart.ef_percent() for heart in hearts[:80]])
    widths, walls = (np.array([getattr(heart, name) for heart in hearts]) for name in ("width", "septum"))
    descents = np.array([heart.length * (1 - (1 - heart.ef) ** heart.shortening) for heart in hearts])
    assert np.percentile(efs, 5) < 25
    assert np.percentile(efs, 95) > 62
    assert 40 < np.median(widths) < 55  # normal: 38 to 58 mm
    assert widths.max() > 68  # severely dilated
    assert walls.min() < 6
    assert walls.max() > 16  # severe hypertrophy
    assert np.percentile(descents, 10) < 6 < 12 < np.percentile(descents, 75)


def test_masks_are_the_dark_cavity_without_the_trabeculae() -> None:
    """The convention that the population names; EF and relative volume are those of the masks too."""
    hearts = {seed: PhantomHeart((4, seed), 128, VARIED) for seed in range(20)}
    seed = next(s for s, heart in hearts.items() if heart._anatomy.trabecular > 2.5 and heart._is_inside_sector())
    heart, other = (PhantomHeart((4, seed), 128, each) for each in (VARIED, replace(VARIED, trabeculae_inside=True)))
    times = heart.times()
    (image, mask), (other_image, larger) = heart.frames(times), other.frames(times)
    assert np.array_equal(image, other_image)
    assert (mask & (1 - larger)).sum() < 0.005 * mask.sum()  # at the ends of the base alone
    assert mask.sum() < 0.97 * larger.sum()
    area = mask.sum(axis=(1, 2)).astype(float)
    assert np.corrcoef(area, heart.volume(times)[0])[0, 1] > 0.99
    assert heart.ef_percent != other.ef_percent


def test_the_cavity_contains_muscles_and_ends_at_the_annulus() -> None:
    heart = replace(draw_varied_anatomy(np.random.default_rng(1)), muscles=((30, 0.6),), papillary=0.6, trabecular=2.0)
    layers = []
    for volume in (1.0, 0.0):
        pose = heart.pose(Contraction.of(volume))
        outline = pose.endo.astype(np.float32)
        centre = pose.papillary[0].mean(axis=0)
        assert cv2.pointPolygonTest(outline, (float(centre[0]), float(centre[1])), False) > 0
        np.testing.assert_allclose(pose.leaflets[0][0], pose.endo[0])  # the hinges of the mitral valve
        np.testing.assert_allclose(pose.leaflets[1][0], pose.endo[-1])
        thick = np.linalg.norm(pose.epi - pose.endo, axis=1)[SIDE + 5]
        layers.append((np.linalg.norm(pose.endo - pose.trabeculae, axis=1).max(), thick))
    assert layers[1][0] > 1.02 * layers[0][0]  # trabeculae are compressed towards each other in systole
    assert layers[1][1] > 1.05 * layers[0][1]  # walls thicken


def test_the_apex_of_the_cavity_descends_as_the_wall_there_grows() -> None:
    heart = replace(draw_varied_anatomy(np.random.default_rng(1)), recess=1.0, apex=9.0)
    ed, es = (heart.pose(Contraction.of(volume)) for volume in (1.0, 0.0))
    tip = SIDE - 1
    growth = 9.0 * heart.thickening * heart.ef
    assert es.endo[tip, 1] - ed.endo[tip, 1] == pytest.approx(growth)
    assert es.epi[tip, 1] == pytest.approx(ed.epi[tip, 1], abs=0.25)  # the outside rests
    half = replace(heart, recess=0.5).pose(Contraction.of(0.0))
    assert half.endo[tip, 1] - ed.endo[tip, 1] == pytest.approx(growth / 2)


def test_linings_are_thicker_at_the_apex_and_the_lateral_wall() -> None:
    lines = np.array([draw_varied_anatomy(np.random.default_rng(seed)).rough for seed in range(200)])
    septal, apical, lateral = lines[:, 6].mean(), lines[:, SIDE - 1].mean(), lines[:, -7].mean()
    assert lines.min() >= 0
    assert apical > lateral > 1.5 * septal


@pytest.mark.parametrize("thick", [2.0, 15.0])
def test_a_lining_leaves_half_of_the_room(thick: float) -> None:
    """An outline that crosses itself would have another area than its mask."""
    bare = replace(draw_varied_anatomy(np.random.default_rng(1)), trabecular=thick, rough=np.ones(2 * SIDE - 1))
    bare = replace(bare, compaction=0.0)
    for volume in (1.0, 0.0):
        endo = bare.cavity(volume)
        inner = bare.without_trabeculae(endo, volume)
        half, left = (np.linalg.norm(line - line[::-1], axis=1)[8:14] / 2 for line in (endo, inner))
        assert (left < half).all()
        assert (left > 0.5 * half).all()
        unlimited = replace(bare, most_lined=0.0).without_trabeculae(endo, volume)
        np.testing.assert_allclose(np.linalg.norm(unlimited - endo, axis=1), thick)


def test_valves_ajar_never_close_and_cords_lie_in_the_cavity() -> None:
    heart = replace(
        draw_varied_anatomy(np.random.default_rng(1)), ajar=0.5, chords=(((12, 0.7), (15, 0.5)),), strands=()
    )
    closed, half, opened = (heart.pose(Contraction.of(1.0, opening)) for opening in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(closed.leaflets[0], half.leaflets[0])
    assert not np.array_equal(half.leaflets[0], opened.leaflets[0])
    (cord,) = closed.strands
    outline = closed.trabeculae.astype(np.float32)
    assert all(cv2.pointPolygonTest(outline, (float(x), float(y)), True) > 1 for x, y in cord)
    np.testing.assert_allclose(cord[1], (closed.trabeculae[SIDE - 16] + closed.trabeculae[SIDE + 14]) / 2)


@pytest.mark.parametrize("law", [LogLaw(60.0), PowerLaw(0.35)])
def test_a_law_and_its_amplitudes_are_inverse(law: Compression) -> None:
    levels = np.array([40.0, 128.0, 255.0], np.float32)
    np.testing.assert_allclose(law.level(law.amplitude(levels)), levels, rtol=1e-4)
    speckle = np.hypot(*np.moveaxis(scatterers()[:200, :200], -1, 0))
    drawn = [law.grey(speckle * law.amplitude(levels[k : k + 1]), law.reference(speckle)) for k in range(3)]
    np.testing.assert_allclose([grey.mean() for grey in drawn], levels, rtol=0.01)
    spread = np.array([grey.std() for grey in drawn])
    if isinstance(law, LogLaw):  # speckle of 5.6 dB at every level, Rayleigh distributed
        np.testing.assert_allclose(spread * 60 / 255, 5.57, rtol=0.05)
    else:
        np.testing.assert_allclose(spread / levels, spread[2] / 255, rtol=0.01)


def test_beams_widen_away_from_the_focus_with_equal_power() -> None:
    scanner = scanner_of()
    echo = scanner._spread(scatterers()[:RANGES, :BEAMS])
    wide = Scanner(replace(scanner._look, far_blur=4.0), SCREEN)._focused(echo)
    middle, end = slice(80, 110), slice(-30, None)
    assert lateral_width(wide[middle]) == pytest.approx(lateral_width(echo[middle]))
    assert lateral_width(wide[end]) > lateral_width(echo[end]) + 0.1
    assert wide[end].std() == pytest.approx(echo[end].std(), rel=0.25)


def test_filters_take_speckle_and_keep_the_mean() -> None:
    heart = PhantomHeart((2, 3), 128, VARIED)
    look = replace(heart._scanner._look, tone=np.arange(256).astype(np.uint8))
    full, soft = (
        Scanner(replace(look, speckle=share), heart.screen).image(heart._rest, heart._rest, 0.0).astype(float)
        for share in (1.0, 0.3)
    )
    fine = [np.diff(image, axis=1).std() for image in (full, soft)]
    assert fine[1] < 0.6 * fine[0]
    assert soft.mean() == pytest.approx(full.mean(), rel=0.05)
