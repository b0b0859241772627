"""Region and orientation of a cine: the rule on a network by hand, and drawn hearts with the packaged default."""

import numpy as np
import pytest

import edgeecho
from edgeecho.cine import Cine
from edgeecho.preprocess import AUTO, FLIPS, Orientation, Roi, crop, find_roi, unflip_images
from edgeecho.reasons import Reason
from edgeecho.runtime import Predictor
from edgeecho.runtime.trust_constants import CLEAR_MARGINS, MAX_PANELS, MIN_SAME_REGION
from edgeecho.runtime.view import View
from edgeecho.runtime.view_regions import overlap
from edgeecho.runtime.view_search import ViewSearch
from edgeecho.synthetic.wrong_views import four_hearts
from tests.runtime.turned_hearts import CLEAR_SEEDS, turned, upright

SIZE = 112


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return edgeecho.load(threads=1)


class CornerLook:
    """Network by hand: a mask in the middle, whose level is `right` if the picture is upright, else `wrong`.

    An upright picture is brightest in the upper left quarter, then in the upper right one. Inverted grey levels
    have the level `inverted`.
    """

    def __init__(self, right: int = 250, wrong: int = 200, inverted: int = 180) -> None:
        self.right, self.wrong, self.inverted, self.looks = right, wrong, inverted, 0

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        self.looks += 1
        prob = np.zeros((SIZE, SIZE), np.uint8)
        quarters = [picture[y : y + 56, x : x + 56].mean() for y in (0, 56) for x in (0, 56)]
        level = self.right if np.argsort(quarters)[:1:-1].tolist() == [0, 1] else self.wrong
        prob[30:80, 40:70] = self.inverted if np.median(picture) > 128 else level
        return prob


def marked(flip: str = "none") -> np.ndarray:
    """Frame of 112 x 112 without an apex, with a bright and a less bright corner, which `flip` puts upright."""
    picture = np.full((SIZE, SIZE), 60, np.uint8)
    picture[4:40, 4:40], picture[4:40, 72:108] = 200, 120
    return np.ascontiguousarray(unflip_images(picture, flip))


def searched(look: CornerLook, frame: np.ndarray, samples: int = 1, **settings: object) -> ViewSearch:
    search = ViewSearch(look, SIZE, 128, (frame.shape[0], frame.shape[1]), **settings)  # type: ignore[arg-type]
    for _ in range(samples):
        search.add(frame)
        for _ in search.sample(frame):
            pass
    return search


# The rule


def test_the_mirrored_picture_is_always_compared() -> None:
    look = CornerLook()
    view = searched(look, marked("lr")).view()
    assert view.orientation == Orientation("lr")
    assert view.confidence == pytest.approx(250 / 255)
    assert view.margin == pytest.approx(50 / 255)
    assert view.is_clear
    assert searched(look, marked()).view().orientation == Orientation("none")


def test_all_orientations_are_compared_where_no_apex_is_seen_and_confidence_is_low() -> None:
    look = CornerLook(wrong=200)
    view = searched(look, marked("ud")).view()
    assert (view.orientation, view.is_clear) == (Orientation("ud"), True)
    assert look.looks == 8  # the best is clear: neither around the mask nor at inverted levels
    clear = CornerLook(right=250, wrong=246)
    assert searched(clear, marked("ud")).view().orientation.flip in ("none", "lr")  # 246 / 255 is clear
    assert clear.looks == 2
    tied = searched(CornerLook(right=200, wrong=200), marked()).view()
    assert (tied.orientation, tied.margin, tied.is_clear) == (Orientation("none"), 0.0, False)


def test_a_given_flip_is_the_only_one() -> None:
    look = CornerLook()
    view = searched(look, marked("lr"), flip="none", roi=Roi(0, 0, SIZE, SIZE)).view()
    assert (view.orientation, view.is_clear, view.margin) == (Orientation("none"), True, 1.0)
    assert look.looks == 1
    assert searched(look, marked(), flip="cwlr").view().orientation == Orientation("cwlr")


def test_a_given_region_is_kept() -> None:
    roi = Roi(-10, 5, 90, 90)
    view = searched(CornerLook(wrong=150, right=150), marked(), roi=roi).view()
    assert (view.roi, view.fan, view.panels) == (roi, None, ())


def test_a_small_margin_needs_more_samples() -> None:
    for wrong in range(244, 251):
        look, margin = CornerLook(right=250, wrong=wrong), (250 - wrong) / 255
        for count in range(1, 5):
            needed = min(least for samples, least in CLEAR_MARGINS if samples <= count)
            view = searched(look, marked("lr"), count).view()
            assert view.is_clear == (margin >= needed), (wrong, count)
    needs = [least for _, least in CLEAR_MARGINS]
    assert needs == sorted(needs, reverse=True)


def test_an_orientation_that_differs_needs_a_confidence_of_its_own() -> None:
    look = CornerLook(right=238, wrong=200)  # 0.933
    assert not searched(look, marked("lr"), 4).view().is_clear
    assert searched(look, marked(), 4).view().is_clear


def test_inverted_grey_levels_are_inverted_again() -> None:
    look = CornerLook(right=250, wrong=248, inverted=200)
    view = searched(look, 255 - marked(), 4).view()
    assert view.orientation == Orientation("none", inverted=True)
    assert searched(look, 255 - marked(), 4, flip="none").view().orientation == Orientation("none")


def test_frames_after_a_restart_are_not_remembered() -> None:
    search = searched(CornerLook(), marked("lr"))
    search.restart()
    assert search.samples == 0
    assert not search.is_lit
    search.add(marked())
    for _ in search.sample(marked()):
        pass
    assert search.view().orientation == Orientation("none")


def test_a_view_turned_to_its_rival() -> None:
    view = View(Roi(1, 2, 3, 4), Orientation("lr", inverted=True), rival="none")
    assert view.turned_to_rival().orientation == Orientation("none", inverted=True)
    assert view.turned_to_rival().roi == view.roi


def test_the_inside_of_the_fan_in_the_network_s_picture(predictor: Predictor) -> None:
    cine = upright(8)
    height, width = cine.frames.shape[1:]
    view = view_of(predictor, cine)
    inside = view.inside(SIZE, (height, width), cine.pixel_shape)
    assert inside is not None
    lit = crop(cine.frames.max(axis=0)[None], view.roi)[0]
    rows, columns = (np.arange(SIZE) * side // SIZE for side in lit.shape)
    shown = lit[np.ix_(rows, columns)] > 20
    assert (shown & inside).sum() > 0.98 * shown.sum()
    assert inside.sum() < 1.25 * shown.sum()
    assert View(view.roi, view.orientation).inside(SIZE, (height, width), cine.pixel_shape) is None


# Drawn hearts with the packaged default


def view_of(predictor: Predictor, cine: Cine, flip: str = AUTO) -> View:
    from edgeecho.runtime.cine_run import find_view

    return find_view(predictor.look, predictor.spec, cine, None, flip)


@pytest.mark.parametrize("flip", FLIPS)
@pytest.mark.parametrize("seed", CLEAR_SEEDS)
def test_every_orientation_is_recognised(predictor: Predictor, seed: int, flip: str) -> None:
    view = view_of(predictor, turned(upright(seed), flip))
    assert (view.orientation, view.is_clear) == (Orientation(flip), True)


@pytest.mark.parametrize("flip", ["lr", "cw"])
def test_a_turned_heart_has_the_ef_of_the_upright_one(predictor: Predictor, flip: str) -> None:
    straight, other = (predictor.segment(turned(upright(0), name)) for name in ("none", flip))
    assert other.flip == flip
    assert other.ef_percent == pytest.approx(straight.ef_percent, abs=2)
    assert (other.verdict, straight.verdict) == ("report", "report")
    codes = {finding.reason for finding in other.findings}
    assert codes <= {Reason.MIRRORED, Reason.TURNED, Reason.SPACING_UNKNOWN}
    assert codes & {Reason.MIRRORED, Reason.TURNED}


def test_inverted_grey_levels_of_a_drawn_heart(predictor: Predictor) -> None:
    cine = upright(5)
    result = predictor.segment(255 - cine.frames, cine.fps)
    assert result.to_dict()["inverted"] is True
    assert result.ef_percent == pytest.approx(predictor.segment(cine.frames, cine.fps).ef_percent, abs=2)
    assert {finding.reason for finding in result.findings} == {Reason.INVERTED, Reason.SPACING_UNKNOWN}


def test_hearts_side_by_side_are_named_as_regions(predictor: Predictor) -> None:
    cine = four_hearts(0)
    result = predictor.segment(cine)
    assert (result.verdict, result.ef_percent) == ("withhold", None)
    found = {finding.reason: finding.text for finding in result.findings}
    assert 1 <= found[Reason.REGION_UNSURE].count("--roi") - 1 <= MAX_PANELS
    assert result.to_dict()["withheld"] is not None


def test_the_region_is_that_of_the_fan(predictor: Predictor) -> None:
    cine = upright(8)
    view = view_of(predictor, cine)
    assert overlap(view.roi, find_roi(cine.frames, cine.pixel_shape)) >= MIN_SAME_REGION


@pytest.mark.parametrize(
    ("a", "b", "part"),
    [
        (Roi(0, 0, 10, 10), Roi(0, 0, 10, 10), 1),
        (Roi(0, 0, 10, 10), Roi(5, 0, 10, 10), 50 / 150),
        (Roi(0, 0, 10, 10), Roi(2, 2, 5, 5), 25 / 100),
        (Roi(0, 0, 10, 10), Roi(10, 0, 10, 10), 0),
        (Roi(-5, -5, 10, 10), Roi(20, 20, 4, 4), 0),
    ],
)
def test_overlap_of_regions(a: Roi, b: Roi, part: float) -> None:
    assert overlap(a, b) == overlap(b, a) == part
