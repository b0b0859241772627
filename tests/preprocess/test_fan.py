"""Fans on drawn screens: found among text and bars, dark, small, several; their hull, apex and region."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edgeecho.errors import VideoError
from edgeecho.preprocess import Fan, Grid, Roi, apex_side, fan_region, find_fans, find_roi, hull_of, to_network
from edgeecho.synthetic.phantom import draw_cine
from tests.helpers import draw_heart
from tests.preprocess.screens import add_furniture, draw_fan


def grid_of(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> Grid:
    grid = Grid(*frames.shape[1:], spacing_mm)
    for frame in frames:
        grid.add(frame)
    return grid


def is_close(roi: Roi, fan: np.ndarray, pixels: int) -> bool:
    """Whether the square is that of the fan to within `pixels`: a cell is 6 pixels, and opening rounds off corners."""
    rows, columns = np.flatnonzero(fan.any(axis=1)), np.flatnonzero(fan.any(axis=0))
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    centre = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    found = roi.x + roi.width / 2, roi.y + roi.height / 2
    return abs(roi.width - side) <= pixels and max(abs(a - b) for a, b in zip(centre, found, strict=True)) <= pixels


def fan_cells(cells: np.ndarray) -> Fan:
    """Return the fan of all cells that are set."""
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    return Fan(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1, cells)


# Found where it is


def dark(frames: np.ndarray) -> np.ndarray:
    return np.rint(255 * (frames / 255) ** 2).astype(np.uint8)


@pytest.mark.parametrize("change", [lambda frames: frames, dark], ids=["as drawn", "gamma 2"])
@pytest.mark.parametrize("count", [20, 1])
def test_a_fan_among_furniture(
    rng: np.random.Generator, count: int, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    frames, fan = draw_fan(rng, count)
    roi = find_roi(change(add_furniture(frames)))
    assert roi.width == roi.height
    assert is_close(roi, fan, 14)
    assert is_close(find_roi(change(frames)), fan, 14)


def test_a_small_fan_on_a_large_screen(rng: np.random.Generator) -> None:
    frames, fan = draw_fan(rng, 8)
    small = np.zeros((8, 720, 1280), np.uint8)
    small[:, 200:536, 500:948] = [cv2.resize(frame, (448, 336), interpolation=cv2.INTER_AREA) for frame in frames]
    place = np.zeros((720, 1280), bool)
    place[200:536, 500:948] = cv2.resize(fan.astype(np.uint8), (448, 336)) > 0
    for frame in small:
        cv2.putText(frame, "PATIENT 0042", (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 200, 2)
    assert is_close(find_roi(small), place, 48)  # four cells


def test_a_fan_below_a_fiftieth_of_the_screen_is_left_to_the_network(rng: np.random.Generator) -> None:
    frames = np.zeros((2, 1200, 1600), np.uint8)
    frames[:, 500:980, 500:1140] = draw_fan(rng, 2)[0]  # 75,000 of 2,560,000 pixels of the square: enough
    assert find_roi(frames).width < 500
    frames = np.pad(frames, ((0, 0), (400, 400), (400, 400)))  # of 5,760,000
    assert find_roi(frames) == Roi(0, -200, 2400, 2400)


def test_a_frame_that_stands_still_is_found_like_a_still(rng: np.random.Generator) -> None:
    frames, _ = draw_fan(rng, 1)
    frames = add_furniture(frames)
    assert find_roi(np.repeat(frames, 12, axis=0)) == find_roi(frames)


def test_noise_all_over_the_screen_is_passed_by_a_higher_level(rng: np.random.Generator) -> None:
    frames, fan = draw_fan(rng, 12)
    noisy = np.maximum(frames, (10 * (rng.random((12, 1, 1)) < 0.5)).astype(np.uint8))
    found = grid_of(noisy).fans()
    first, last = (fan_region(fans[0], 480, 640) for fans in (found[0], found[-1]))
    assert (first.width, first.height) == (640, 640)  # above level 5 all cells flicker
    assert is_close(last, fan, 14)


def test_two_fans_side_by_side_are_two_in_order_of_size(rng: np.random.Generator) -> None:
    frames, _ = draw_fan(rng, 6)
    large = frames[:, :, 90:570]
    small = np.stack([cv2.resize(frame, (336, 336), interpolation=cv2.INTER_AREA) for frame in large])
    screen = np.concatenate([np.pad(small, ((0, 0), (0, 144), (0, 0))), large], axis=2)
    (first, second) = grid_of(screen).fans()[0]
    assert first.cells.sum() > second.cells.sum() > first.cells.sum() / 3
    assert first.left > second.right
    assert fan_region(first, *screen.shape[1:]).x > 300


def test_a_component_below_a_third_is_no_panel() -> None:
    picture = np.zeros((112, 112), np.uint8)
    picture[10:50, 10:50] = picture[60:83, 60:83] = 100  # 1600 cells and 529 cells
    assert [fan.box for fan in find_fans(picture, picture)[0]] == [(10, 50, 10, 50)]
    picture[60:84, 60:83] = 100  # 552 cells
    assert [fan.box for fan in find_fans(picture, picture)[0]] == [(10, 50, 10, 50), (60, 84, 60, 83)]


def test_text_and_bars_alone_are_no_fan() -> None:
    picture = np.zeros((112, 112), np.uint8)
    picture[:, 10:12] = picture[40:42, :] = 200
    assert find_fans(picture, picture) == []
    frames = np.zeros((2, 112, 112), np.uint8) + picture
    assert find_roi(frames) == Roi(0, 0, 112, 112)


def test_what_moves_decides_where_enough_of_it_does() -> None:
    bright, low = np.zeros((2, 112, 112), np.uint8)
    bright[20:60, 20:60] = 100  # moves
    bright[70:110, 20:99] = low[70:110, 20:99] = 100  # lit, at rest, and larger
    assert find_fans(bright, low)[0][0].box == (20, 60, 20, 60)
    low[20:50, 20:60] = 100  # 400 of 4760 lit cells move
    assert find_fans(bright, low)[0][0].box == (70, 110, 20, 99)


@pytest.mark.parametrize("level", [0, 5])
def test_a_black_cine_has_no_fan(level: int) -> None:
    with pytest.raises(VideoError, match=f"every pixel is black .brightest {level}.; check the input"):
        find_roi(np.full((3, 64, 64), level, np.uint8))
    assert find_roi(np.full((3, 64, 64), 6, np.uint8)) == Roi(0, 0, 64, 64)


# Its region


def test_a_picture_of_inverted_levels_is_bright() -> None:
    frames = draw_cine(0).frames[:8] // 2  # this heart is bright, as few are
    assert not grid_of(frames).is_bright
    inverted = grid_of(255 - frames)
    assert inverted.is_bright
    inverted.invert()
    assert not inverted.is_bright
    picture = np.zeros((112, 112), np.uint8)
    picture[:40] = 100
    for bright_rows, is_bright in ((9, False), (10, True)):  # of 40 lit rows a quarter
        picture[:bright_rows] = 128
        grid = Grid(112, 112)
        grid.add(picture)
        assert grid.is_bright == is_bright


def test_square_in_millimetres() -> None:
    frames = np.zeros((1, 224, 224), np.uint8)
    frames[:, 64:160, 32:192] = 90  # 96 rows of 0.4 mm = 38.4 mm, 160 columns of 0.1 mm = 16 mm
    assert find_roi(frames) == find_roi(frames, (0.1, 0.1)) == Roi(32, 32, 160, 160)
    anisotropic = find_roi(frames, (0.4, 0.1))
    assert (anisotropic.y, anisotropic.height, anisotropic.width) == (64, 96, 384)
    assert anisotropic.x + anisotropic.width / 2 == pytest.approx(112, abs=4)


def test_a_region_may_reach_over_the_edge(rng: np.random.Generator) -> None:
    frames = draw_heart(rng, frames=4, height=100, width=160)[0]
    roi = find_roi(frames)
    assert roi.width == roi.height > 100
    assert roi.y < 0
    assert to_network(frames, roi, 32).shape == (4, 32, 32)


# Hull and apex


def drawn_cells(half_angle: float = 0.6, size: int = 100) -> np.ndarray:
    """Cells of a fan with its apex at the top, bool (G, G)."""
    y, x = np.mgrid[:size, :size]
    return (np.hypot(x - 50, y - 5) < 85) & (np.abs(np.arctan2(x - 50, y - 5)) < half_angle)


def test_a_hull_fills_what_a_fan_lacks() -> None:
    whole = drawn_cells()
    bitten = whole.copy()
    bitten[40:60, 40:60] = False  # dark blood
    bitten[50:70, :20] = bitten[30:45, 60:] = False  # drop-out at the sides
    hull = hull_of(fan_cells(bitten))
    assert not (bitten & ~hull).any()
    assert 2 * (hull & whole).sum() / (hull.sum() + whole.sum()) > 0.97


def test_a_hull_against_every_half_plane_by_hand() -> None:
    cells = np.zeros((9, 9), bool)
    cells[2, 4] = cells[6, 1] = cells[6, 7] = True
    hull = hull_of(fan_cells(cells))
    expected = [[], [], [4], [4], [3, 4, 5], [2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7], [], []]
    assert [np.flatnonzero(row).tolist() for row in hull] == expected


@pytest.mark.parametrize("half_angle", [0.4, 0.6, 0.75])
@pytest.mark.parametrize(("turns", "side"), [(0, "top"), (1, "left"), (2, "bottom"), (3, "right")])
def test_the_apex_on_each_side(turns: int, side: str, half_angle: float) -> None:
    cells = np.ascontiguousarray(np.rot90(drawn_cells(half_angle), turns))
    assert apex_side(hull_of(fan_cells(cells))) == side


def test_a_square_and_a_disc_have_no_apex() -> None:
    square = np.zeros((60, 60), bool)
    square[10:50, 10:50] = True
    y, x = np.mgrid[:60, :60]
    for cells in (square, np.hypot(x - 30, y - 30) < 25):
        assert apex_side(hull_of(fan_cells(cells))) is None
