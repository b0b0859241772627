"""Walls and valves of drawn pictures: whether they stand out from the blood, and the layers of the wall."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edgeecho.synthetic.compression import Compression, LogLaw
from edgeecho.synthetic.outlines import SIDE
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import VARIED
from edgeecho.synthetic.screen import BEAMS, RANGES
from edgeecho.synthetic.tissue_picture import TissuePicture
from edgeecho.synthetic.tissues import Tissues
from edgeecho.synthetic.visibility import Settings, visible_share, visible_valve

CLEAR = np.ones((RANGES, BEAMS), np.float32)
LINEAR = np.arange(256).astype(np.uint8)
HEART = PhantomHeart((2, 0), 128, VARIED)


def tissues(**levels: float) -> Tissues:
    """Return even tissues: blood of 20, walls of 150, without layers."""
    plain = replace(HEART._scanner._look.tissues, blood=20.0, septum=150.0, lateral=150.0, apex=150.0, valve=150.0)
    plain = replace(plain, segments=np.ones(2 * SIDE - 2), directional=0.0, border=0.0, inner=1.0, trabeculae=1.0)
    return replace(plain, **levels)  # type: ignore[arg-type]


def settings(
    gain: np.ndarray = CLEAR, noise: float = 0, tone: np.ndarray = LINEAR, law: Compression | None = None
) -> Settings:
    """Return settings of a scanner: 60 dB unless a law is given, without noise."""
    return Settings(law or LogLaw(60.0), gain, noise * CLEAR, tone)


def test_the_outline_of_a_drawn_picture_is_visible() -> None:
    brighter = []
    for seed in range(12):
        heart = PhantomHeart((2, seed), 128, VARIED)
        images, masks = heart.frames(np.zeros(1))
        wall = heart.screen.mask(heart.pose(0.0).epi) & (1 - masks[0])
        brighter.append(images[0][masks[0] > 0].mean() < images[0][wall > 0].mean())
    assert np.mean(brighter) > 0.85


@pytest.mark.parametrize("shown", [visible_share, visible_valve])
def test_what_hides_a_border_lowers_the_visible_share(shown) -> None:  # type: ignore[no-untyped-def]
    def share(given: Settings) -> float:
        return float(shown(HEART.screen, HEART._rest, tissues(), given))

    assert share(settings()) > 0.7
    assert share(settings(noise=1)) == 0  # noise as bright as the brightest tissue
    assert share(settings(CLEAR / 1e4)) == 0  # no gain
    assert share(settings(tone=np.full(256, 90, np.uint8))) == 0  # no contrast
    left = CLEAR.copy()
    left[:, BEAMS // 2 :] = 1e-4  # a shadow over the right half
    assert share(settings(left)) < share(settings())


@pytest.mark.parametrize(
    ("range_db", "step", "is_visible"), [(35, 40, True), (35, 24, False), (85, 7, False), (85, 20, True)]
)
def test_a_border_is_visible_in_grey_levels_and_in_decibels(range_db: float, step: float, *, is_visible: bool) -> None:
    """24 levels of 35 dB are 3.3 dB, less than the 5.6 dB of speckle; 7 levels of 85 dB are 2.3 dB."""
    level = 60.0 + step
    faint = tissues(blood=60.0, septum=level, lateral=level, apex=level, valve=level)
    given = settings(law=LogLaw(range_db))
    for shown in (visible_share, visible_valve):
        assert (shown(HEART.screen, HEART._rest, faint, given) > 0.7) == is_visible


def test_a_valve_can_be_hidden_while_the_wall_is_visible() -> None:
    faint = tissues(valve=24.0)
    assert visible_share(HEART.screen, HEART._rest, faint, settings()) > 0.7
    assert visible_valve(HEART.screen, HEART._rest, faint, settings()) == 0


def drawn_along_the_wall(t: Tissues, depths: np.ndarray) -> np.ndarray:
    """Return grey levels in the middle of the septum; depths are 0 at its inner side and 1 at its outer one."""
    pose = HEART._rest
    at = SIDE // 2
    points = pose.endo[at] + depths[:, None] * (pose.epi[at] - pose.endo[at])
    drawn = TissuePicture(HEART.screen, np.zeros((RANGES, BEAMS), np.uint8)).draw(pose, t)
    column, row = np.rint(HEART.screen.points_to_beams(points)).astype(int).T
    return np.asarray(drawn[row, column], float)


def test_the_inner_layer_of_the_wall_has_its_own_contrast() -> None:
    inside, outside = np.array([0.15, 0.3]), np.array([0.7, 0.85])
    dim = tissues(inner=0.5, inner_depth=0.5)
    np.testing.assert_allclose(drawn_along_the_wall(dim, inside), 20 + 0.5 * 130, atol=1)
    np.testing.assert_allclose(drawn_along_the_wall(dim, outside), 150, atol=1)
    np.testing.assert_allclose(drawn_along_the_wall(tissues(), inside), 150, atol=1)
    visible = [visible_share(HEART.screen, HEART._rest, replace(dim, inner=part), settings()) for part in (0.05, 0.5)]
    assert visible[0] == 0 < visible[1]


def test_the_lining_fades_towards_the_cavity() -> None:
    seed = next(s for s in range(40) if PhantomHeart((4, s), 128, VARIED)._anatomy.trabecular > 3.5)
    heart = PhantomHeart((4, seed), 128, VARIED)
    pose = heart._rest
    at = int(np.linalg.norm(pose.endo - pose.trabeculae, axis=1)[8:-8].argmax()) + 8
    parts = np.array([-0.4, 0.12, 0.38, 0.75, 1.4])  # 0 at the wall, 1 at the dark cavity
    points = pose.endo[at] + parts[:, None] * (pose.trabeculae[at] - pose.endo[at])
    empty = np.zeros((RANGES, BEAMS), np.uint8)
    drawn = TissuePicture(heart.screen, empty).draw(replace(pose, papillary=(), strands=()), tissues(trabeculae=0.8))
    blurred = cv2.blur(drawn, (3, 3))
    column, row = np.rint(heart.screen.points_to_beams(points)).astype(int).T
    levels = blurred[row, column].astype(float)
    assert (np.diff(levels) < 0).all()
    assert levels[0] == 150
    assert levels[-1] == 20
