"""Integer resampling against values by hand and golden arrays; regions and their masks."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ConfigError, ShapeError
from edgeecho.preprocess import Roi, axis_weights, crop, mask_from_network, resample, to_network
from tests.preprocess import make_golden

SIZES = [
    (1, 1),
    (1, 7),
    (7, 1),
    (2, 3),
    (3, 2),
    (112, 112),
    (112, 400),
    (400, 112),
    (113, 112),
    (111, 112),
    (8192, 112),
]


def matrix(source: int, target: int) -> np.ndarray:
    """The weights as a dense int64 (target, source)."""
    values, columns, starts = axis_weights(source, target)
    dense = np.zeros((target, source), np.int64)
    np.add.at(dense, (np.repeat(np.arange(target), np.diff(starts)), columns), values)
    return dense


# Weights


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_weights_add_up_and_are_never_negative(source: int, target: int) -> None:
    values, columns, starts = axis_weights(source, target)
    assert (matrix(source, target).sum(axis=1) == 2048).all()
    assert values.min() >= 0
    assert columns.min() >= 0
    assert columns.max() < source
    assert (values.dtype, columns.dtype, starts.dtype) == (np.int32, np.int32, np.int32)


@pytest.mark.parametrize(("source", "target"), [*SIZES[:7], (37, 23), (23, 37)])
def test_weights_are_those_of_the_specification(source: int, target: int) -> None:
    wanted = [[row.get(k, 0) for k in range(source)] for row in make_golden.weights(source, target)]
    assert matrix(source, target).tolist() == wanted


def test_two_to_three_is_bilinear_between_centres() -> None:
    # Centres of the three stand at -1/6, 1/2 and 7/6 of the two; the outer ones are held.
    assert matrix(2, 3).tolist() == [[2048, 0], [1024, 1024], [0, 2048]]


def test_three_to_five_is_bilinear_between_centres() -> None:
    # At -1/5, 2/5, 1, 8/5, 11/5. 2/5 of 2048 = 819.2, 3/5 of 2048 = 1228.8.
    assert matrix(3, 5).tolist() == [[2048, 0, 0], [1229, 819, 0], [0, 2048, 0], [0, 819, 1229], [0, 0, 2048]]


def test_three_to_two_is_a_box() -> None:
    # Each covers one and a half: 2/3 and 1/3. Running sums 1365.33 and 2048, or 682.67 and 2048.
    assert matrix(3, 2).tolist() == [[1365, 683, 0], [0, 683, 1365]]


@pytest.mark.parametrize(("source", "target"), [(0, 4), (4, 0), (-1, 4)])
def test_no_pixels_cannot_be_resampled(source: int, target: int) -> None:
    with pytest.raises(ConfigError, match=f"cannot resample {source} pixels to {target}"):
        axis_weights(source, target)


# Images


def test_golden_arrays() -> None:
    with np.load(make_golden.PATH) as golden:
        assert int(golden["count"]) == len(make_golden.SIZES)
        for k in range(int(golden["count"])):
            wanted = golden[f"output_{k}"]
            np.testing.assert_array_equal(resample(golden[f"input_{k}"], *wanted.shape[1:]), wanted, err_msg=str(k))


def test_golden_arrays_are_what_their_script_writes(tmp_path: Path) -> None:
    make_golden.main(tmp_path / "again.npz", tmp_path / "again.bin")
    with np.load(tmp_path / "again.npz") as again, np.load(make_golden.PATH) as golden:
        assert again.files == golden.files
        for name in again.files:
            np.testing.assert_array_equal(again[name], golden[name])
    assert (tmp_path / "again.bin").read_bytes() == make_golden.FOR_C.read_bytes()


def test_the_same_size_is_a_copy(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (2, 9, 7), dtype=np.uint8)
    same = resample(images, 9, 7)
    np.testing.assert_array_equal(same, images)
    same[:] = 0
    assert images.any()


@pytest.mark.parametrize("level", [0, 1, 127, 128, 254, 255])
@pytest.mark.parametrize(("size", "target"), [((3, 700), (112, 112)), ((531, 2), (112, 5)), ((40, 30), (112, 112))])
def test_a_flat_image_stays_flat(level: int, size: tuple[int, int], target: tuple[int, int]) -> None:
    assert (resample(np.full((1, *size), level, np.uint8), *target) == level).all()


def test_four_to_one_is_the_rounded_mean_halves_up(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (3, 32, 48), dtype=np.uint8)
    sums = images.reshape(3, 8, 4, 12, 4).sum(axis=(2, 4), dtype=np.int64)
    np.testing.assert_array_equal(resample(images, 8, 12), (sums + 8) // 16)
    assert (sums % 16 == 8).any()  # the halves are there


def test_a_half_is_rounded_up() -> None:
    assert resample(np.array([[[0, 1]]], np.uint8), 1, 1).item() == 1
    assert resample(np.array([[[0, 0, 0, 1]]], np.uint8), 1, 1).item() == 0


@pytest.mark.parametrize(
    ("size", "target"), [((45, 61), (16, 16)), ((16, 16), (45, 61)), ((20, 61), (31, 16)), ((600, 800), (112, 112))]
)
def test_equal_to_an_exact_matrix_product(
    rng: np.random.Generator, size: tuple[int, int], target: tuple[int, int]
) -> None:
    image = rng.integers(0, 256, size, dtype=np.uint8)
    rows, columns = (matrix(s, t).astype(np.float64) for s, t in zip(size, target, strict=True))
    exact = rows @ image.astype(np.float64) @ columns.T  # below 2^53, so float64 is exact
    np.testing.assert_array_equal(resample(image[None], *target)[0], np.floor(exact / 2**22 + 0.5))


def test_white_does_not_overflow_even_at_the_largest_size() -> None:
    assert 255 * 2**22 + 2**21 < 2**31
    assert (resample(np.full((1, 8192, 8192), 255, np.uint8), 112, 112) == 255).all()


def test_each_frame_is_resampled_by_itself(rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (3, 20, 30), dtype=np.uint8)
    for frame, alone in zip(resample(images, 16, 16), images, strict=True):
        np.testing.assert_array_equal(frame, resample(alone[None], 16, 16)[0])


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (np.zeros((4, 4), np.uint8), r"got uint8 \(4, 4\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"got uint8 \(1, 4, 4, 3\)"),
        (np.zeros((1, 4, 4), np.float32), r"got float32 \(1, 4, 4\)"),
    ],
)
def test_what_is_no_grey_cine(images: np.ndarray, got: str) -> None:
    with pytest.raises(ShapeError, match=got):
        resample(images, 2, 2)


# Region


def test_a_region_inside_is_cut_out() -> None:
    frames = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    assert crop(frames, Roi(1, 2, 3, 2)).tolist() == [[[11, 12, 13], [16, 17, 18]]]


def test_a_region_over_the_edge_reads_black() -> None:
    frames = np.full((1, 2, 2), 9, np.uint8)
    assert crop(frames, Roi(-1, 1, 4, 3)).tolist() == [[[0, 9, 9, 0], [0, 0, 0, 0], [0, 0, 0, 0]]]
    assert crop(frames, Roi(-9, -9, 4, 3)).tolist() == [[[0, 0, 0, 0]] * 3]


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_region_has_a_size(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=f"region must have a positive size, got {size[0]}x{size[1]}"):
        Roi(0, 0, *size)


def test_a_mask_comes_back_to_the_pixels_it_came_from() -> None:
    y, x = np.mgrid[0:300, 0:400]
    drawn = (((x - 190) / 50) ** 2 + ((y - 160) / 80) ** 2 < 1).astype(np.uint8)[None]
    roi = Roi(60, 20, 260, 260)
    back = mask_from_network(to_network(drawn * 255, roi, 112), roi, 300, 400)
    assert back.dtype == np.uint8
    assert 2 * (back & drawn).sum() / (back.sum() + drawn.sum()) > 0.995
    assert np.argwhere(back[0]).mean(axis=0) == pytest.approx([160, 190], abs=0.2)


def test_a_full_answer_fills_the_region_and_nothing_else() -> None:
    mask = mask_from_network(np.full((2, 112, 112), 255, np.uint8), Roi(-10, 30, 50, 40), 60, 80)
    wanted = np.zeros((2, 60, 80), np.uint8)
    wanted[:, 30:60, 0:40] = 1
    np.testing.assert_array_equal(mask, wanted)
    assert not mask_from_network(np.full((1, 16, 16), 255, np.uint8), Roi(80, 0, 9, 9), 60, 80).any()


def test_the_threshold_is_cavity() -> None:
    prob = np.array([[[127, 128], [129, 0]]], np.uint8)
    assert mask_from_network(prob, Roi(0, 0, 2, 2), 2, 2).tolist() == [[[0, 1], [1, 0]]]
    assert mask_from_network(prob, Roi(0, 0, 2, 2), 2, 2, threshold=129).tolist() == [[[0, 0], [1, 0]]]


@pytest.mark.parametrize("size", [16, 112])
@pytest.mark.parametrize(
    "roi", [Roi(10, 5, 60, 50), Roi(-20, -7, 130, 90), Roi(30, 40, 200, 11), Roi(0, 0, 16, 112), Roi(79, 59, 40, 40)]
)
@pytest.mark.parametrize("threshold", [1, 128, 200, 255])
def test_a_mask_is_the_resampled_answer_at_the_threshold(
    rng: np.random.Generator, size: int, roi: Roi, threshold: int
) -> None:
    prob = rng.integers(0, 256, (6, size, size), dtype=np.uint8)
    prob[1:4] *= rng.random((3, size, size)) < 0.01  # almost nothing
    prob[2, 1:] = prob[3, :, :-1] = 0  # nothing but an edge
    prob[4] = 0
    full = np.zeros((6, 400, 400), np.uint8)  # the region on a wide canvas, then the frame cut out of it
    full[:, roi.y + 100 : roi.y + 100 + roi.height, roi.x + 100 : roi.x + 100 + roi.width] = (
        resample(prob, roi.height, roi.width) >= threshold
    )
    np.testing.assert_array_equal(
        mask_from_network(prob, roi, 60, 80, threshold), full[:, 100 : 100 + 60, 100 : 100 + 80]
    )
