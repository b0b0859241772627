"""Wrong views: the same cine for the same seed, and the motion that makes each of them wrong."""

import numpy as np
import pytest

from edgeecho.cine import Cine, to_grey
from edgeecho.errors import ConfigError
from edgeecho.metrics import dice
from edgeecho.synthetic.phantom import draw_cine
from edgeecho.synthetic.tissue_fan import TissueFan
from edgeecho.synthetic.turned import KINDS, TURNED, turn
from edgeecho.synthetic.wrong_hearts import MIN_SECONDS, colour_frames
from edgeecho.synthetic.wrong_views import WRONG


@pytest.fixture(scope="module")
def cines() -> dict[str, Cine]:
    """One cine of every kind."""
    return {kind: draw(2) for kind, draw in WRONG.items()}


def areas(cine: Cine) -> np.ndarray:
    return np.array([cine.labels[index].sum() for index in sorted(cine.labels)], float)


def centres(cine: Cine) -> np.ndarray:
    """Column and row of the middle of each label, (N, 2)."""
    return np.array([np.argwhere(cine.labels[index])[:, ::-1].mean(axis=0) for index in sorted(cine.labels)])


def change(frames: np.ndarray) -> float:
    """Mean difference from frame to frame in grey levels."""
    return float(np.abs(np.diff(frames.astype(float), axis=0)).mean())


@pytest.mark.parametrize("kind", WRONG)
def test_a_seed_is_a_cine(kind: str, cines: dict[str, Cine]) -> None:
    cine, again, other = cines[kind], WRONG[kind](2), WRONG[kind](3)
    assert np.array_equal(cine.frames, again.frames)
    assert all(np.array_equal(mask, again.labels[index]) for index, mask in cine.labels.items())
    assert cine.frames.shape != other.frames.shape or not np.array_equal(cine.frames, other.frames)
    assert cine.fps
    assert len(cine.frames) >= 12
    assert min(cine.frames.shape[1:]) >= 200
    assert cine.frames.max() > 100
    assert cine.name.endswith(" 2")


@pytest.mark.parametrize("kind", [kind for kind in WRONG if kind != "frozen heart"])
def test_frames_differ(kind: str, cines: dict[str, Cine]) -> None:
    assert change(cines[kind].frames) > 0.05


def test_a_frozen_heart_has_one_frame(cines: dict[str, Cine]) -> None:
    assert change(cines["frozen heart"].frames) == 0


def test_the_ring_beats(cines: dict[str, Cine]) -> None:
    area = areas(cines["short axis"])
    assert 0.1 < 1 - area.min() / area.max() < 0.7
    assert np.ptp(centres(cines["short axis"]), axis=0).max() < 1.5
    # the cavity is darker than the muscle about it
    cine = cines["short axis"]
    mask = cine.labels[0] > 0
    ring = (np.asarray(cine.labels[int(np.argmax(area))]) > 0) & ~(cine.labels[int(np.argmin(area))] > 0)
    at_es = cine.frames[int(np.argmin(area))]
    assert cine.frames[0][mask].mean() < 0.7 * at_es[ring].mean()


def test_a_zoomed_heart_changes_its_area_and_not_its_form(cines: dict[str, Cine]) -> None:
    cine = cines["zoomed still heart"]
    area = areas(cine)
    assert 1.15 < area.max() / area.min() < 1.75
    small, large = (np.argwhere(cine.labels[int(at)]) for at in (np.argmin(area), np.argmax(area)))
    ratio = np.ptp(large, axis=0) / np.ptp(small, axis=0)
    assert ratio[0] == pytest.approx(ratio[1], abs=0.06)
    assert ratio.mean() ** 2 == pytest.approx(area.max() / area.min(), rel=0.08)


@pytest.mark.parametrize("kind", ["rocked still heart", "shifted still heart"])
def test_a_moved_heart_keeps_its_area(kind: str, cines: dict[str, Cine]) -> None:
    area, places = areas(cines[kind]), centres(cines[kind])
    assert np.ptp(area) < 0.1 * area.max()
    assert np.ptp(places, axis=0).max() > 8


def test_a_heart_across_lies_across_an_upright_fan(cines: dict[str, Cine]) -> None:
    cine = cines["heart across"]
    assert np.ptp(areas(cine)) > 0.1 * areas(cine).max()
    rows, columns = np.nonzero(cine.labels[0])
    spread = np.cov(columns, rows)
    axis = np.linalg.eigh(spread)[1][:, 1]
    assert abs(axis[0]) > 0.6  # of the cavity, (across, down)
    lit = cine.frames.max(axis=0) > 12
    assert lit[150].sum() > 2 * lit[30].sum()  # the fan is narrow at the top


def test_four_hearts_fill_four_tiles(cines: dict[str, Cine]) -> None:
    cine = cines["four hearts"]
    assert len(cine.frames) >= int(MIN_SECONDS * 30)
    half_height, half_width = (side // 2 for side in cine.frames.shape[1:])
    for tile in (
        cine.frames[:, :half_height, :half_width],
        cine.frames[:, :half_height, half_width:],
        cine.frames[:, half_height:, :half_width],
        cine.frames[:, half_height:, half_width:],
    ):
        assert (tile.max(axis=0) > 12).mean() > 0.2
        assert change(tile) > 0.1


def test_the_strip_scrolls_to_the_left(cines: dict[str, Cine]) -> None:
    frames = cines["M-mode"].frames
    inner = frames[:, 20:-20, 30:-30]
    step = int(2 * 224 / (2 * 3.0) / 30)
    assert np.array_equal(inner[1][:, :-3], inner[0][:, step : step + inner.shape[2] - 3])


def test_the_heart_is_gone_at_the_end(cines: dict[str, Cine]) -> None:
    cine = cines["probe moves away"]
    count = len(cine.frames)
    assert sorted(cine.labels) == list(range(count // 2))
    assert np.abs(cine.frames[-1].astype(float) - cine.frames[0]).mean() > 3 * change(cine.frames[: count // 2])


def test_colour_is_colour_and_is_marked(cines: dict[str, Cine]) -> None:
    frames, below = colour_frames(2)
    cine = cines["colour Doppler"]
    assert frames.shape == (*below.frames.shape, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(to_grey(frames), cine.frames)
    assert cine.coloured is not None
    assert 0.02 < cine.coloured.mean() < 0.4
    grey = (frames == frames[..., :1]).all(axis=-1)
    assert np.array_equal(cine.frames[grey], below.frames[grey])
    assert (cine.coloured & (cine.labels[0] > 0)).sum() > 0.3 * cine.labels[0].sum()


def test_tissue_has_the_level_that_is_drawn() -> None:
    fan = TissueFan(np.random.default_rng(0))
    level = fan.blank(150) * (1 - fan.inside(0, 0.5 * fan.depth_mm, 20, 20))
    picture, mask = fan.show(level, 0.0), fan.mask(0, 0.5 * fan.depth_mm, 17, 17) > 0
    assert picture[mask].mean() < 10
    assert picture[fan.screen.sector & ~(fan.mask(0, 0.5 * fan.depth_mm, 24, 24) > 0)].mean() > 80
    assert picture[~fan.screen.sector].max() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_turned_hearts_keep_their_labels(kind: str) -> None:
    upright = draw_cine(1)
    cine = turn(upright, kind)
    assert np.array_equal(TURNED[kind](1).frames, cine.frames)
    assert cine.fps == upright.fps
    for index, mask in upright.labels.items():
        level = upright.frames[index][mask > 0].mean()
        expected = 255 - level if kind == "inverted" else level
        assert cine.frames[index][cine.labels[index] > 0].mean() == pytest.approx(expected)
    back = {"turned by 90": "turned by 270", "turned by 270": "turned by 90"}.get(kind, kind)
    assert np.array_equal(turn(cine, back).frames, upright.frames)


def test_the_apex_goes_where_the_name_has_it() -> None:
    picture = np.zeros((1, 20, 30), np.uint8)
    picture[0, 0, 15] = 200  # the probe at the top
    cine = Cine(picture, spacing_mm=(1.0, 2.0), labels={0: picture[0] // 200})

    def bright(kind: str) -> tuple[int, int]:
        row, column = np.argwhere(turn(cine, kind).frames[0])[0]
        return int(row), int(column)

    assert bright("mirrored") == (0, 14)
    assert bright("apex down") == (19, 15)
    assert bright("turned by 90") == (14, 0)
    assert bright("turned by 180") == (19, 14)
    assert bright("turned by 270") == (15, 19)
    assert turn(cine, "turned by 90").spacing_mm == (2.0, 1.0)
    assert turn(cine, "turned by 180").spacing_mm == (1.0, 2.0)
    assert dice(turn(cine, "turned by 90").labels[0], turn(cine, "turned by 90").frames[0] > 0) == 1
    with pytest.raises(ConfigError, match="unknown kind 'upright'; known: mirrored"):
        turn(cine, "upright")
