"""Degradations: each changes the picture in the stated way, in the fan alone where it should, the same for one seed."""

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.errors import ConfigError, VideoError
from edgeecho.metrics import dice
from edgeecho.synthetic.degrade.degradation import DEGRADATIONS
from edgeecho.synthetic.degrade.frame_rate import kept_frames
from edgeecho.synthetic.degrade.ladder import CLEAN, LADDER, Rung, degrade_cine, find_rungs, seed_of
from edgeecho.synthetic.degrade.receiver import grains
from edgeecho.synthetic.degrade.scan_lines import DYNAMIC_RANGE_DB
from edgeecho.synthetic.fan import Fan
from edgeecho.synthetic.phantom import PhantomHeart

IN_THE_FAN = (
    *("gain", "weak signal", "attenuation", "reject", "noise", "deep noise", "haze", "reverberation", "side lobes"),
    *("lines", "samples"),
)
"""Degradations that change the fan alone."""


@pytest.fixture(scope="module")
def heart() -> Cine:
    """Six frames of a phantom of 128 x 128 pixels, with a mask on each."""
    frames, masks = PhantomHeart(1, 128).frames(np.arange(6) * 0.05)
    return Cine(frames, 20.0, (1.0, 1.0), dict(enumerate(masks)), {0: "ED", 5: "ES"})


@pytest.fixture(scope="module")
def even() -> Cine:
    """Two frames of an even fan of level 100, 60 pixels deep and 45 degrees to both sides, with a letter beside it."""
    y, x = np.indices((80, 140))
    radius, angle = np.hypot(x - 70, y - 5), np.arctan2(x - 70, y - 5)
    frame = np.where((radius <= 60) & (np.abs(angle) <= np.pi / 4), 100, 0).astype(np.uint8)
    frame[4:10, 10:12] = 200
    return Cine(np.stack([frame, frame]))


def degraded(cine: Cine, label: str, seed: int = 3) -> np.ndarray:
    """Frames of a cine on a rung, uint8 (T, H, W)."""
    (_, rung) = find_rungs(label)
    return degrade_cine(cine, rung, seed)[0].frames


def spread(values: np.ndarray) -> float:
    return float(values.astype(float).std())


@pytest.mark.parametrize("rung", LADDER, ids=lambda rung: rung.label)
def test_a_rung_is_the_same_for_the_same_seed(rung: Rung, heart: Cine) -> None:
    before = heart.frames.copy()
    (first, _), (again, _) = degrade_cine(heart, rung, 3), degrade_cine(heart, rung, 3)
    assert first.frames.dtype == np.uint8
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(heart.frames, before)
    if rung.name not in ("small", "frames"):
        assert first.frames.shape == heart.frames.shape
    assert np.array_equal(first.frames, heart.frames) == (rung.name == CLEAN)
    assert first.labels.keys() >= {0, len(first.frames) - 1}


@pytest.mark.parametrize("label", ["weak signal 0.5", "noise 20", "deep noise 40", "haze 60", "phone 15"])
def test_another_seed_draws_others(label: str, heart: Cine) -> None:
    assert not np.array_equal(degraded(heart, label, 3), degraded(heart, label, 4))


@pytest.mark.parametrize("rung", [r for r in LADDER if r.name in IN_THE_FAN], ids=lambda rung: rung.label)
def test_faults_of_the_receiver_spare_the_screen(rung: Rung, even: Cine) -> None:
    outside = ~Fan.of(even.frames).inside
    assert np.array_equal(degrade_cine(even, rung, 0)[0].frames[:, outside], even.frames[:, outside])
    assert even.frames[0, 5, 10] == 200


def test_every_degradation_is_on_the_ladder() -> None:
    assert {rung.name for rung in LADDER} == {CLEAN, *DEGRADATIONS}
    assert [sum(map(bool, (d.change, d.move, d.is_slower))) for d in DEGRADATIONS.values()] == [1] * len(DEGRADATIONS)


def test_gain_and_grey_levels(heart: Cine, even: Cine) -> None:
    frames, inside = heart.frames, Fan.of(heart.frames).inside
    assert np.array_equal(degraded(heart, "gain 0.5")[:, inside], np.rint(np.float32(0.5) * frames[:, inside]))
    assert np.array_equal(degraded(heart, "gamma 2"), np.rint(255 * (frames / 255) ** 2))
    assert set(np.unique(degraded(heart, "bits 4"))) <= set(range(0, 256, 17))
    assert len(np.unique(degraded(heart, "bits 3"))) == 8
    rejected = degraded(heart, "reject 30")
    assert np.array_equal(rejected[frames >= 30], frames[frames >= 30])
    assert (rejected[:, inside][frames[:, inside] < 30] == 0).all()
    black, flat = degraded(even, "black 30")[0], degraded(even, "contrast 0.5")[0]
    assert (black[79, 0], black[30, 70]) == (30, 30 + round(100 * 225 / 255))
    assert (flat[79, 0], flat[30, 70]) == (64, 114)


def test_attenuation_falls_linearly_with_depth(even: Cine) -> None:
    faded = degraded(even, "attenuation 0.25")[0].astype(float)
    assert faded[6, 70] >= 98
    assert faded[35, 70] == pytest.approx(100 * (1 - 0.75 / 2), abs=3)
    assert faded[64, 70] == pytest.approx(26, abs=3)


def test_noise_has_its_strength_and_is_new_in_every_frame(even: Cine) -> None:
    inside = even.frames[0] == 100
    noisy = degraded(even, "noise 20").astype(float)
    assert spread(noisy[0, inside]) == pytest.approx(20, rel=0.05)
    assert spread(noisy[1, inside] - noisy[0, inside]) == pytest.approx(20 * np.sqrt(2), rel=0.05)
    weak = degraded(even, "weak signal 0.5").astype(float)
    assert weak[0, inside].mean() == pytest.approx(50, abs=1)
    assert spread(weak[0, inside]) == pytest.approx(8, rel=0.05)
    deep, depth = degraded(even, "deep noise 40").astype(float), Fan.of(even.frames).depth
    assert spread(deep[:, inside & (depth < 0.3)]) < 4
    assert spread(deep[:, inside & (depth > 0.9)]) == pytest.approx(40 * 0.95**2, rel=0.1)


def test_noise_of_a_large_picture_has_the_grain_of_the_network() -> None:
    """A picture of 448 pixels, resampled to 112, has nearly the stated noise; white noise would have a quarter."""
    fan = Fan.from_pixels(np.ones((448, 448), bool))
    noise = grains((2, 448, 448), fan, np.random.default_rng(1))
    assert spread(noise) == pytest.approx(1, rel=0.03)
    assert spread(noise.reshape(2, 112, 4, 112, 4).mean(axis=(2, 4))) > 0.75


def test_haze_and_reverberation(even: Cine) -> None:
    added = degraded(even, "haze 60")[0].astype(float) - even.frames[0]
    assert 40 < added[8:14, 68:73].mean() < 85
    assert added[62:].max() < 5
    bands = degraded(even, "reverberation 60").astype(float) - even.frames
    assert np.array_equal(bands[0], bands[1])
    along = bands[0, :, 70]
    peaks = [k for k in range(7, 62) if along[k] > 3 and along[k] >= along[k - 1 : k + 2].max()]
    steps = np.diff(peaks)
    assert len(peaks) >= 3
    assert np.ptp(steps) <= 2
    assert 0.07 * 60 - 1 <= steps.mean() <= 0.16 * 60 + 1


def test_side_lobes_have_their_level(even: Cine) -> None:
    frames = np.where(even.frames == 100, 20, even.frames)  # nearly black
    y, x = np.indices(frames.shape[1:])
    wall = (np.abs(np.arctan2(x - 70, y - 5)) < 0.06) & (np.hypot(x - 70, y - 5) < 60)
    frames[:, wall] = 250
    spoilt = degrade_cine(Cine(frames), Rung("side lobes", 26.0), 1)[0].frames[0].astype(float)
    beside = spoilt[50][np.abs(np.arange(140) - 70) > 6]
    per_db = 255 / DYNAMIC_RANGE_DB
    assert beside.max() == pytest.approx(250 - 26 * per_db, abs=3 * per_db)  # with a little of the ground
    weaker = degrade_cine(Cine(frames), Rung("side lobes", 36.0), 1)[0].frames[0].astype(float)
    assert beside.max() - weaker[50][np.abs(np.arange(140) - 70) > 6].max() == pytest.approx(10 * per_db, abs=6)


def test_lines_are_wide_across_and_sharp_along(even: Cine) -> None:
    y, x = np.indices(even.frames.shape[1:])
    line, ring = even.frames.copy(), even.frames.copy()
    line[:, (np.abs(np.arctan2(x - 70, y - 5) - 0.2) < 0.012) & (line[0] > 0)] = 250
    ring[:, (np.abs(np.hypot(x - 70, y - 5) - 45) < 1) & (ring[0] > 0)] = 250
    row = degraded(Cine(line), "lines 24")[0, 5 + 40].astype(float)
    column = degraded(Cine(ring), "lines 24")[0, :, 70].astype(float)
    assert row.max() < 200
    assert (row > 110).sum() >= 4
    assert column[49:52].max() > 200
    assert column[44] == pytest.approx(100, abs=5)


def test_coarse_samples_are_repeated(heart: Cine) -> None:
    coarse, fan = degraded(heart, "samples 24")[0], Fan.of(heart.frames)
    ray = coarse[:, round(fan.top[0])][fan.inside[:, round(fan.top[0])]]
    assert len(ray) > 100
    assert (np.diff(ray.astype(int)) == 0).mean() > 0.7


def test_detail_is_lost(heart: Cine) -> None:
    def detail(images: np.ndarray) -> float:
        return float(np.abs(np.diff(images.astype(float), axis=2)).mean())

    assert detail(degraded(heart, "blur 2")) < 0.5 * detail(heart.frames)
    assert detail(degraded(heart, "pixels 32")) < 0.5 * detail(heart.frames)
    assert 1 < np.abs(degraded(heart, "jpeg 15").astype(float) - heart.frames).mean() < 20


def test_masks_move_with_the_picture(heart: Cine) -> None:
    frame, mask = heart.frames[0], heart.labels[0]
    marked = Cine(np.where(mask, 255, frame // 4)[None].astype(np.uint8), labels={0: mask})
    for label in ("turn 40", "mirror", "phone 20"):
        (_, rung) = find_rungs(label)
        moved, how = degrade_cine(marked, rung, 2)
        lit = (moved.frames[0] > 140).astype(np.uint8)
        assert dice(lit, moved.labels[0]) > 0.93, label
        x, y, width, height = how.box(0, 0, 128, 128, (128, 128))
        inside = moved.labels[0][max(0, y) : y + height, max(0, x) : x + width]
        assert inside.sum() == moved.labels[0].sum(), label


def test_a_turn_keeps_the_area_and_mirroring_is_exact(heart: Cine) -> None:
    turned, mirrored = degrade_cine(heart, Rung("turn", 40.0), 0)[0], degrade_cine(heart, Rung("mirror"), 0)[0]
    assert int(turned.labels[0].sum()) == pytest.approx(int(heart.labels[0].sum()), rel=0.02)
    assert dice(turned.labels[0], heart.labels[0]) < 0.9
    assert np.array_equal(mirrored.labels[0], heart.labels[0][:, ::-1])
    assert np.array_equal(mirrored.frames, heart.frames[..., ::-1])


@pytest.mark.parametrize("part", [0.45, 0.3])
def test_a_small_sector_lies_at_its_place(part: float, heart: Cine) -> None:
    screen, place = degrade_cine(heart, Rung("small", part), 5)
    assert Fan.of(heart.frames).box[2] / screen.frames.shape[2] == pytest.approx(part, abs=0.01)
    assert screen.spacing_mm == heart.spacing_mm
    x, y, width, height = place.box(0, 0, 128, 128, (128, 128))
    assert np.array_equal(screen.frames[:, y : y + height, x : x + width], heart.frames)
    assert np.array_equal(screen.labels[0][y : y + height, x : x + width], heart.labels[0])
    assert screen.labels[0].sum() == heart.labels[0].sum()
    beside = screen.frames[0].copy()
    beside[y : y + height, x : x + width] = 0
    assert beside.max() >= 180


def test_a_large_picture_is_made_smaller_with_its_masks() -> None:
    y, x = np.indices((300, 600))
    frame = np.where(np.abs(x - 300) <= y, 90, 0).astype(np.uint8)
    mask = ((x - 300) ** 2 + (y - 200) ** 2 < 40**2).astype(np.uint8)
    small, place = degrade_cine(Cine(frame[None], None, (0.2, 0.2), {0: mask}), Rung("small", 0.3), 0)
    assert small.frames.shape[2] == 1024
    left, top, width, _ = place.box(0, 0, 600, 300, (300, 600))
    assert width == pytest.approx(0.3 * 1024, abs=4)
    scale = width / 600
    assert small.spacing_mm == pytest.approx((0.2 / scale, 0.2 / scale), rel=0.01)
    assert small.labels[0].sum() == pytest.approx(mask.sum() * scale**2, rel=0.02)
    u, v = (np.indices(small.labels[0].shape)[axis] for axis in (1, 0))
    centre = (left + 300 * scale, top + 200 * scale)
    assert dice(small.labels[0], (u - centre[0]) ** 2 + (v - centre[1]) ** 2 < (40 * scale) ** 2) > 0.97


def test_fewer_frames_keep_the_marked_ones(heart: Cine) -> None:
    assert kept_frames(20, [4, 11], 3).tolist() == [1, 4, 6, 9, 11, 14, 17]
    assert kept_frames(7, [], 3).tolist() == [0, 3, 6]
    assert kept_frames(1, [0], 3).tolist() == [0]
    slower, _ = degrade_cine(heart, Rung("frames", 3.0), 0)
    assert (len(slower.frames), slower.phases) == (3, {0: "ED", 2: "ES"})
    assert slower.fps == pytest.approx(8.0)
    assert np.array_equal(slower.labels[2], heart.labels[5])
    assert slower.times_s is not None
    assert slower.times_s[-1] == pytest.approx(0.25)


def test_the_fan_of_a_drawn_fan(even: Cine) -> None:
    frames = even.frames
    fan = Fan.of(frames)
    assert dice(fan.inside, (frames[0] == 100).astype(np.uint8)) > 0.98
    assert fan.top == pytest.approx((70, 5), abs=2)
    assert fan.angles == pytest.approx((-np.pi / 4, np.pi / 4), abs=0.06)
    assert np.array_equal(fan.extend(frames[0])[fan.inside], frames[0][fan.inside])
    assert fan.extend(frames[0])[:5].min() >= 90


def test_names_of_rungs() -> None:
    assert [rung.label for rung in find_rungs("gain, noise 30 ,mirror,gain 0.4")] == [
        *("clean", "gain 0.4", "gain 0.25", "noise 30", "mirror")
    ]
    assert find_rungs(CLEAN) == LADDER[:1]
    assert seed_of("a") != seed_of("b")
    with pytest.raises(ConfigError, match=r"unknown rung 'gian 0\.4'; known: clean, gain 0\.4"):
        find_rungs("gian 0.4")
    for wrong, message in (
        ("gain -1", r"the strength of 'gain' must be a number above 0, at most 1000, got '-1'"),
        ("phone 90", r"the strength of 'phone' must be a number above 0, at most 60, got '90'"),
        ("frames 0.5", r"the strength of 'frames' must be a number of at least 1, at most 1000, got '0\.5'"),
        ("small 0.001", r"the strength of 'small' must be a number of at least 0\.01, at most 1, got '0\.001'"),
        ("gain 0", r"the strength of 'gain' must be a number above 0, at most 1000, got '0'"),
        ("mirror 2", r"'mirror' has no strength, got '2'; leave it out"),
    ):
        with pytest.raises(ConfigError, match=message):
            find_rungs(wrong)
    with pytest.raises(VideoError, match="the largest lit part has 0 pixels"):
        degrade_cine(Cine(np.zeros((1, 32, 32), np.uint8)), Rung("gain", 0.4), 0)
