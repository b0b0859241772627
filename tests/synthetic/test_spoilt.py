"""Spoilt pictures: each rung changes the picture in the stated way, the same for the same seed."""

import numpy as np
import pytest

from edgeecho.errors import ConfigError, VideoError
from edgeecho.metrics import dice
from edgeecho.synthetic.fan import Fan
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.small_on_screen import Place
from edgeecho.synthetic.spoilt import RUNGS, SMALL, place_on, spoil


@pytest.fixture(scope="module")
def clean() -> tuple[np.ndarray, np.ndarray]:
    """Four frames of a phantom of 128 x 128 pixels and their masks."""
    return PhantomHeart(1, 128).frames(np.array([0.0, 0.1, 0.2, 0.3]))


@pytest.fixture(scope="module")
def drawn_fan() -> np.ndarray:
    """Two frames of an even fan of level 100, 60 pixels deep and 45 degrees to both sides, with a letter beside it."""
    y, x = np.indices((80, 140))
    radius, angle = np.hypot(x - 70, y - 5), np.arctan2(x - 70, y - 5)
    frame = np.where((radius <= 60) & (np.abs(angle) <= np.pi / 4), 100, 0).astype(np.uint8)
    frame[4:10, 10:12] = 200
    return np.stack([frame, frame])


def spread(values: np.ndarray) -> float:
    return float(values.astype(float).std())


@pytest.mark.parametrize("rung", RUNGS)
def test_the_same_seed_gives_the_same_bytes(rung: str, clean: tuple[np.ndarray, np.ndarray]) -> None:
    frames = clean[0]
    before = frames.copy()
    first, again = spoil(rung, frames, 3), spoil(rung, frames, 3)
    assert first.dtype == np.uint8
    assert first.shape == frames.shape or rung in SMALL
    assert len(first) == len(frames)
    assert np.array_equal(first, again)
    assert np.array_equal(frames, before)
    assert first.shape != frames.shape or not np.array_equal(first, frames)


@pytest.mark.parametrize("rung", ["gain 0.5 and noise of 8", "noise of 20", "haze of 60"])
def test_another_seed_gives_other_noise(rung: str, clean: tuple[np.ndarray, np.ndarray]) -> None:
    assert not np.array_equal(spoil(rung, clean[0], 3), spoil(rung, clean[0], 4))


@pytest.mark.parametrize("rung", ["gain 0.4", "attenuation to 0.25", "noise of 20", "haze of 60", "24 beams"])
def test_faults_of_the_receiver_spare_the_screen(rung: str, drawn_fan: np.ndarray) -> None:
    outside = ~Fan.of(drawn_fan).inside
    assert np.array_equal(spoil(rung, drawn_fan, 0)[:, outside], drawn_fan[:, outside])
    assert drawn_fan[0, 5, 10] == 200


def test_gain_and_grey_levels(clean: tuple[np.ndarray, np.ndarray]) -> None:
    frames = clean[0]
    inside = Fan.of(frames).inside
    values = frames[:, inside].astype(float)
    assert np.array_equal(spoil("gain 0.4", frames, 0)[:, inside], np.rint(0.4 * values))
    assert np.array_equal(spoil("gamma 2", frames, 0), np.rint(255 * (frames / 255) ** 2))
    assert set(np.unique(spoil("4 bits", frames, 0))) <= set(range(0, 256, 17))
    assert len(np.unique(spoil("3 bits", frames, 0))) <= 8
    rejected = spoil("levels under 30 black", frames, 0)
    assert np.array_equal(rejected[frames >= 30], frames[frames >= 30])
    assert (rejected[:, inside][frames[:, inside] < 30] == 0).all()


def test_black_and_contrast_of_the_whole_picture(drawn_fan: np.ndarray) -> None:
    raised, flat = spoil("black raised to 30", drawn_fan, 0), spoil("half contrast", drawn_fan, 0)
    assert (raised[0, 79, 0], raised[0, 30, 70]) == (30, 30 + round(100 * 225 / 255))
    assert (flat[0, 79, 0], flat[0, 30, 70]) == (64, 114)


def test_attenuation_falls_linearly_with_depth(drawn_fan: np.ndarray) -> None:
    faded = spoil("attenuation to 0.25", drawn_fan, 0)[0].astype(float)
    assert faded[6, 70] >= 98
    assert faded[35, 70] == pytest.approx(100 * (1 - 0.75 / 2), abs=3)
    assert faded[64, 70] == pytest.approx(26, abs=3)


def test_noise_has_its_strength_and_is_new_in_every_frame(drawn_fan: np.ndarray) -> None:
    inside = drawn_fan[0] == 100
    noisy = spoil("noise of 20", drawn_fan, 0).astype(float)
    assert spread(noisy[0, inside]) == pytest.approx(20, rel=0.05)
    assert spread(noisy[1, inside] - noisy[0, inside]) == pytest.approx(20 * np.sqrt(2), rel=0.05)
    dim = spoil("gain 0.5 and noise of 8", drawn_fan, 0).astype(float)
    assert dim[0, inside].mean() == pytest.approx(50, abs=1)
    assert spread(dim[0, inside]) == pytest.approx(8, rel=0.05)


def test_haze_lies_in_the_near_field(drawn_fan: np.ndarray) -> None:
    added = spoil("haze of 60", drawn_fan, 0)[0].astype(float) - drawn_fan[0].astype(float)
    assert 40 < added[8:14, 68:73].mean() < 85
    assert added[62:, :].max() < 5


def test_blur_and_compression_remove_detail(clean: tuple[np.ndarray, np.ndarray]) -> None:
    frames = clean[0]

    def detail(images: np.ndarray) -> float:
        return float(np.abs(np.diff(images.astype(float), axis=2)).mean())

    assert detail(spoil("blur of 2 px of 112", frames, 0)) < 0.5 * detail(frames)
    blocks = spoil("JPEG quality 15", frames, 0)
    assert 1 < np.abs(blocks.astype(float) - frames).mean() < 20


def test_beams_are_wide_across_and_sharp_along(drawn_fan: np.ndarray) -> None:
    y, x = np.indices(drawn_fan.shape[1:])
    lines = drawn_fan.copy()
    lines[:, (np.abs(np.arctan2(x - 70, y - 5) - 0.2) < 0.012) & (lines[0] > 0)] = 250  # one line along a beam
    rings = drawn_fan.copy()
    rings[:, (np.abs(np.hypot(x - 70, y - 5) - 45) < 1) & (rings[0] > 0)] = 250  # one ring across the beams
    row = spoil("24 beams", lines, 0)[0, 5 + 40].astype(float)
    column = spoil("24 beams", rings, 0)[0, :, 70].astype(float)
    assert row.max() < 200
    assert (row > 110).sum() >= 4
    assert column[49:52].max() > 200
    assert column[44] == pytest.approx(100, abs=5)


@pytest.mark.parametrize(("rung", "part"), SMALL.items())
def test_a_small_sector_lies_at_its_place(rung: str, part: float, clean: tuple[np.ndarray, np.ndarray]) -> None:
    frames, masks = clean
    screen, place = spoil(rung, frames, 5), place_on(rung, frames, 5)
    assert screen.shape == (len(frames), place.screen_height, place.screen_width)
    box = Fan.of(frames).box
    assert box[2] / screen.shape[2] == pytest.approx(part, abs=0.01)
    x, y, width, height = place.box(0, 0, 128, 128, (128, 128))
    assert np.array_equal(screen[:, y : y + height, x : x + width], frames)
    moved = place.masks(masks)
    assert np.array_equal(moved[:, y : y + height, x : x + width], masks)
    assert moved.sum() == masks.sum()
    beside = screen[0].copy()
    beside[y : y + height, x : x + width] = 0
    assert beside.max() >= 180


def test_a_large_picture_is_made_smaller_with_its_masks() -> None:
    y, x = np.indices((300, 600))
    frame = np.where(np.abs(x - 300) <= y, 90, 0).astype(np.uint8)
    mask = ((x - 300) ** 2 + (y - 200) ** 2 < 40**2).astype(np.uint8)
    place = Place.choose(frame[None], 0, 0.3)
    assert place.screen_width == 1024
    assert place.width == pytest.approx(0.3 * 1024, abs=4)
    moved = place.masks(mask[None])[0]
    scale = place.width / 600
    assert moved.sum() == pytest.approx(mask.sum() * scale**2, rel=0.02)
    u, v = (np.indices(moved.shape)[axis] for axis in (1, 0))
    centre = (place.x + 300 * scale, place.y + 200 * scale)
    assert dice(moved, (u - centre[0]) ** 2 + (v - centre[1]) ** 2 < (40 * scale) ** 2) > 0.97


def test_masks_stay_on_the_other_rungs(clean: tuple[np.ndarray, np.ndarray]) -> None:
    frames, masks = clean
    assert np.array_equal(place_on("gain 0.4", frames, 0).masks(masks), masks)


def test_the_fan_of_a_drawn_fan(drawn_fan: np.ndarray) -> None:
    fan = Fan.of(drawn_fan)
    assert dice(fan.inside, (drawn_fan[0] == 100).astype(np.uint8)) > 0.98
    assert fan.top == pytest.approx((70, 5), abs=2)
    assert fan.angles == pytest.approx((-np.pi / 4, np.pi / 4), abs=0.06)
    assert np.array_equal(fan.extend(drawn_fan[0])[fan.inside], drawn_fan[0][fan.inside])
    assert fan.extend(drawn_fan[0])[:5].min() >= 90


def test_bad_input_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"unknown rung 'gain'; known: gain 0\.4"):
        spoil("gain", np.zeros((1, 32, 32), np.uint8), 0)
    with pytest.raises(VideoError, match="the largest lit part has 0 pixels"):
        spoil("gain 0.4", np.zeros((1, 32, 32), np.uint8), 0)
