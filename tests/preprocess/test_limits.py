"""Limits of regions, of fans and of what is burnt in, each tried from both sides on pictures drawn cell by cell."""

from typing import Any

import numpy as np
import pytest

from edgeecho.errors import ConfigError, VideoError
from edgeecho.preprocess import Grid, Orientation, Roi, apex_side, cover_text, find_fans, find_roi, to_network
from edgeecho.preprocess.burnt_in import _strokes
from edgeecho.preprocess.fan import Fan
from edgeecho.preprocess.orientation import FLIPS, check_flip, flip_images, unflip_images
from edgeecho.preprocess.region import as_roi, check_roi, crop, fan_region, whole_frame
from edgeecho.preprocess.resample import axis_weights, mask_from_network, resample

# Regions


@pytest.mark.parametrize(
    ("roi", "fits"),
    [
        (Roi(0, 0, 16, 16), True),
        (Roi(0, 0, 15, 40), False),
        (Roi(0, 0, 40, 15), False),
        (Roi(-48, 0, 64, 64), True),  # a quarter of the region lies in the frame, 16 columns of it
        (Roi(-49, 0, 65, 64), False),  # less than a quarter
        (Roi(84, 0, 64, 64), True),
        (Roi(85, 0, 64, 64), False),
        (Roi(0, -48, 64, 64), True),
        (Roi(0, 64, 64, 64), True),
        (Roi(0, 65, 64, 64), False),
        (Roi(-500, -500, 1100, 1100), True),  # holds the whole frame
        (Roi(-300, -60, 350, 200), True),  # half of the frame
        (Roi(-330, -60, 350, 200), False),  # a fifth of it
        (Roi(200, 0, 64, 64), False),
    ],
)
def test_least_parts_of_region_and_frame(roi: Roi, fits: bool) -> None:
    """Of a frame of 80 rows and 100 columns."""
    if fits:
        check_roi(roi, 80, 100)
    else:
        with pytest.raises(ConfigError, match=r"pixels of the 100x80 frame in it; give X,Y,W,H of at least 16x16"):
            check_roi(roi, 80, 100)


def test_a_region_has_a_size() -> None:
    assert Roi(0, 0, 1, 1).width == 1
    for width, height in ((0, 1), (1, 0)):
        with pytest.raises(ConfigError, match="region must have a positive size"):
            Roi(0, 0, width, height)


@pytest.mark.parametrize(("side", "fits"), [(320, True), (321, False)])
def test_a_region_of_eight_frames_at_most(side: int, fits: bool) -> None:
    frames = np.zeros((1, 30, 40), np.uint8)
    if fits:
        assert to_network(frames, Roi(0, 0, side, 8), 8).shape == (1, 8, 8)
    else:
        with pytest.raises(ConfigError, match="is over 8 times the frame's 40 pixels"):
            to_network(frames, Roi(0, 0, side, 8), 8)


def test_the_smallest_square() -> None:
    assert whole_frame(80, 100) == Roi(0, -10, 100, 100)
    assert whole_frame(100, 80) == Roi(-10, 0, 100, 100)
    assert whole_frame(80, 100, (2.0, 1.0)) == Roi(-30, 0, 160, 80)  # 160 mm of rows
    assert whole_frame(1, 3, (4.0, 1.0)) == Roi(-1, 0, 4, 1)


def test_a_fan_in_cells_as_a_region_in_pixels() -> None:
    """A frame of 100x200 is a square of 200, of 50 cells of 4 pixels, whose first row is at -50."""
    fan = Fan(20, 30, 5, 25, np.zeros((50, 50), bool))
    assert fan_region(fan, 100, 200) == Roi(20, 10, 80, 80)
    above = Fan(2, 22, 0, 10, np.zeros((50, 50), bool))  # rows before the frame are left out
    assert fan_region(above, 100, 200) == Roi(0, -1, 40, 40)
    beyond = Fan(30, 50, 40, 50, np.zeros((50, 50), bool))
    assert fan_region(beyond, 100, 200) == Roi(160, 65, 40, 40)


def test_a_region_is_cut_out_black_where_it_leaves_the_frame() -> None:
    frames = np.arange(12, dtype=np.uint8).reshape(1, 3, 4) + 1
    assert crop(frames, Roi(1, 1, 2, 2)).tolist() == [[[6, 7], [10, 11]]]
    assert crop(frames, Roi(-1, -1, 2, 2)).tolist() == [[[0, 0], [0, 1]]]
    assert crop(frames, Roi(3, 2, 2, 2)).tolist() == [[[12, 0], [0, 0]]]
    assert not crop(frames, Roi(4, 0, 2, 2)).any()
    assert not crop(frames, Roi(0, 3, 2, 2)).any()


# Frames that are looked at


@pytest.mark.parametrize(("frames", "looked_at"), [(1, 1), (31, 31), (32, 16), (47, 24), (48, 16), (160, 16)])
def test_about_sixteen_frames_of_a_cine_are_looked_at(frames: int, looked_at: int) -> None:
    seen = []

    class Counted(Grid):
        def add(self, frame: np.ndarray) -> None:
            seen.append(int(frame[0, 0]))

    Counted(20, 20).add_cine(np.arange(frames, dtype=np.uint8)[:, None, None].repeat(20, 1).repeat(20, 2))
    assert len(seen) == looked_at
    assert seen[:2] == [0, max(1, frames // 16)][: len(seen)]


def test_a_grid_has_112_cells_a_side_at_most() -> None:
    assert Grid(300, 100).brightest.shape == (112, 112)
    assert Grid(40, 60).brightest.shape == (60, 60)


@pytest.mark.parametrize(("level", "lit"), [(5, False), (6, True)])
def test_a_picture_is_lit_above_level_5(level: int, lit: bool) -> None:
    grid = Grid(40, 40)
    grid.add(np.full((40, 40), level, np.uint8))
    assert grid.is_lit is lit
    if not lit:
        with pytest.raises(VideoError, match=r"every pixel is black \(brightest 5\)"):
            grid.fans()


@pytest.mark.parametrize(("cells", "level", "bright"), [(400, 128, True), (399, 128, False), (400, 127, False)])
def test_a_picture_is_bright_if_a_quarter_of_it_always_is(cells: int, level: int, bright: bool) -> None:
    """Of 1600 lit cells; a cell counts if it is bright in every frame."""
    grid = Grid(40, 40)
    picture = np.where(np.arange(1600).reshape(40, 40) < cells, level, 50).astype(np.uint8)
    grid.add(picture)
    grid.add(np.maximum(picture, 200))
    assert grid.is_bright is bright
    grid.invert()
    assert (grid.darkest.min(), grid.brightest.max()) == (55, 205)


# Fans


def picture(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """Draw boxes (top, bottom, left, right, level) on a grid, uint8 (100, 100)."""
    made = np.zeros((100, 100), np.uint8)
    for top, bottom, left, right, level in boxes:
        made[top:bottom, left:right] = level
    return made


@pytest.mark.parametrize(("level", "found"), [(5, 0), (6, 1), (12, 1), (13, 2), (30, 2), (31, 3)])
def test_levels_of_a_fan(level: int, found: int) -> None:
    lit = picture((20, 60, 20, 60, level))
    assert len(find_fans(lit, lit)) == found


@pytest.mark.parametrize(("right", "found"), [(40, 0), (41, 1)])
def test_a_fan_has_more_than_a_fiftieth_of_the_grid(right: int, found: int) -> None:
    """Ten rows of 20 cells are 200 of 10,000, which is not yet enough."""
    lit = picture((20, 30, 20, right, 255))
    assert bool(find_fans(lit, lit)) is bool(found)


@pytest.mark.parametrize(("rows", "count"), [(13, 1), (14, 2)])
def test_a_panel_has_a_third_of_the_largest(rows: int, count: int) -> None:
    """Of 40 x 40 cells a third is 533.3: 13 rows of 40 are 520, 14 are 560."""
    lit = picture((2, 42, 2, 42, 255), (60, 60 + rows, 2, 42, 255))
    assert [len(fans) for fans in find_fans(lit, lit)] == [count] * 3


@pytest.mark.parametrize(("gap", "count"), [(1, 1), (2, 1), (3, 2)])
def test_gaps_of_two_cells_are_closed(gap: int, count: int) -> None:
    lit = picture((10, 50, 10, 40, 255), (10, 50, 40 + gap, 70, 255))
    assert len(find_fans(lit, lit)[0]) == count


@pytest.mark.parametrize(("width", "joined"), [(2, False), (3, True)])
def test_lines_of_two_cells_are_removed(width: int, joined: bool) -> None:
    lit = picture((10, 50, 10, 40, 255), (20, 20 + width, 40, 80, 255))
    assert (find_fans(lit, lit)[0][0].right > 40) is joined


@pytest.mark.parametrize(("rows", "moves"), [(10, False), (11, True)])
def test_what_moves_decides_if_it_is_more_than_a_quarter(rows: int, moves: bool) -> None:
    """Of 1600 lit cells 400 move, or 440."""
    bright = picture((10, 50, 10, 50, 200))
    dark = bright.copy()
    dark[10 : 10 + rows, 10:50] = 100
    assert (find_fans(bright, dark)[0][0].bottom < 50) is moves


@pytest.mark.parametrize(("near", "far", "side"), [(11, 20, "top"), (12, 20, None), (20, 11, "bottom"), (20, 12, None)])
def test_an_apex_is_narrower_than_six_tenths(near: int, far: int, side: str | None) -> None:
    """Breadths a quarter of the way from both ends; to the left and to the right the same."""
    hull = np.zeros((40, 40), bool)
    for rows, breadth in ((slice(0, 20), near), (slice(20, 40), far)):
        hull[rows, 20 - breadth // 2 : 20 - breadth // 2 + breadth] = True
    assert apex_side(hull) == side
    assert apex_side(hull.T) == {"top": "left", "bottom": "right", None: None}[side]


# Resampling on paper


def test_weights_of_a_box_and_of_a_line() -> None:
    """From 3 pixels to 2 each has 2/3 of the source: 1365 of 2048 and the rest; from 2 to 3 the middle has halves."""
    values, columns, starts = axis_weights(3, 2)
    assert (values.tolist(), columns.tolist(), starts.tolist()) == ([1365, 683, 683, 1365], [0, 1, 1, 2], [0, 2, 4])
    values, columns, starts = axis_weights(2, 3)
    assert values.tolist() == [2048, 0, 1024, 1024, 0, 2048] or values.tolist() == [2048, 0, 1024, 1024, 2048, 0]
    assert starts.tolist() == [0, 2, 4, 6]
    assert axis_weights(1, 1)[0].tolist() == [2048, 0]
    for source, target in ((0, 1), (1, 0)):
        with pytest.raises(ConfigError, match=f"cannot resample {source} pixels to {target}"):
            axis_weights(source, target)


def test_halves_are_rounded_up() -> None:
    assert resample(np.array([[[0, 1]]], np.uint8), 1, 1).tolist() == [[[1]]]
    assert resample(np.array([[[0, 0, 1]]], np.uint8), 1, 1).tolist() == [[[0]]]
    assert resample(np.array([[[10, 20]]], np.uint8), 1, 4).tolist() == [[[10, 13, 18, 20]]]


@pytest.mark.parametrize(("level", "is_cavity"), [(127, 0), (128, 1)])
def test_a_pixel_is_cavity_from_128_on(level: int, is_cavity: int) -> None:
    prob = np.full((1, 4, 4), level, np.uint8)
    mask = mask_from_network(prob, Roi(1, 2, 3, 4), 8, 8)
    expected = np.zeros((8, 8), int)
    expected[2:6, 1:4] = is_cavity
    assert mask[0].tolist() == expected.tolist()
    assert mask_from_network(prob, Roi(1, 2, 3, 4), 8, 8, threshold=level).sum() == 12


# Orientation


def test_flips_of_four_pixels() -> None:
    image = np.array([[1, 2], [3, 4]])
    flipped = {
        "none": [[1, 2], [3, 4]],
        "lr": [[2, 1], [4, 3]],
        "ud": [[3, 4], [1, 2]],
        "lrud": [[4, 3], [2, 1]],
        "cw": [[3, 1], [4, 2]],
        "ccw": [[2, 4], [1, 3]],
        "cwlr": [[1, 3], [2, 4]],
        "ccwlr": [[4, 2], [3, 1]],
    }
    assert tuple(flipped) == FLIPS
    for flip, expected in flipped.items():
        assert flip_images(image, flip).tolist() == expected
        assert unflip_images(flip_images(image, flip), flip).tolist() == image.tolist()
        assert check_flip(flip) == flip
    assert (check_flip(None), check_flip("auto")) == ("none", "auto")
    with pytest.raises(ConfigError, match="unknown flip 'up'; known: auto, none, lr"):
        check_flip("up")


def test_a_view_is_upright_with_its_own_grey_levels() -> None:
    assert Orientation() == Orientation("none", False)


@pytest.mark.parametrize("region", [(1, 2), (1, 2, 3, 4, 5), 7, "abcd"])
def test_a_region_that_is_none(region: Any) -> None:
    with pytest.raises(ConfigError, match="region must be"):
        as_roi(region)
    assert as_roi((1, 2, 3, 4)) == Roi(1, 2, 3, 4)


# Burnt-in text


@pytest.mark.parametrize(
    ("height", "width", "level", "is_text"),
    [(60, 8, 40, True), (60, 8, 39, False), (60, 9, 40, False), (1000, 20, 40, True), (1000, 21, 40, False)],
)
def test_strokes_of_text_are_thin_and_bright(height: int, width: int, level: int, is_text: bool) -> None:
    """Narrower than 9 pixels, or in tall frames than one in 50 parts of the height, made odd."""
    darkest = np.zeros((height, 60), np.uint8)
    darkest[:, 20 : 20 + width] = level
    assert bool(_strokes(darkest).any()) is is_text


@pytest.mark.parametrize(("change", "size", "kept"), [(40, 3, True), (39, 3, False), (200, 1, False)])
def test_what_moves_outside_the_fan_is_kept(change: int, size: int, kept: bool) -> None:
    """A pixel that changes by 40 levels, with two others beside it, and what is within two pixels of it."""
    frames = np.zeros((4, 60, 60), np.uint8)
    frames[2, 30, 30 : 30 + size] = change
    frames[:, 32, 31], frames[:, 33, 31] = 7, 7
    found = cover_text(frames)
    assert bool(found[0, 32, 31] == 7) is kept
    assert found[0, 33, 31] == 0


def test_a_black_cine_has_no_region() -> None:
    with pytest.raises(VideoError, match="every pixel is black"):
        find_roi(np.zeros((3, 40, 40), np.uint8))
