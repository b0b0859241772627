"""The measurement in C against the one in Python."""

import json
import subprocess

import numpy as np
import pytest

from edgeecho.reasons import Reason
from edgeecho.synthetic.phantom import PhantomHeart
from studies.device_measure import (
    SOURCES,
    CMeter,
    compare_curves,
    compare_masks,
    compile_c,
    differences,
    has_compiler,
    load,
    volume_of,
)
from studies.measure_inputs import ellipses
from studies.measure_sweep import draw
from tests.helpers import draw_heart

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C compiler: cc not found")

DRIVER = SOURCES.parents[1] / "tests" / "measure_driver.c"
SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return load(tmp_path_factory.mktemp("measure"))


def assert_same(library, masks, fps, spacing, areas=None):
    """Check that C and Python measure the same, and return the C meter."""
    areas = masks.sum(axis=(1, 2)).astype(float) if areas is None else areas
    meter = CMeter(library, masks.shape[1:], fps, spacing)
    assert differences(meter, masks, areas, fps, spacing) == []
    return meter


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5), (0.4, 0.7)])
@pytest.mark.parametrize("fps", [None, 50.0])
def test_drawn_ellipse_hearts(library, fps, spacing):
    for seed, period in enumerate((16, 30, 47)):
        masks = draw_heart(np.random.default_rng(seed), frames=220, period=period)[1]
        assert len(assert_same(library, masks, fps, spacing).beats) >= 4


@pytest.mark.parametrize("bpm", [40, 75, 150])
@pytest.mark.parametrize("fps", [20, 60, 120])
def test_half_ellipsoids(library, fps, bpm):
    drawn = draw(np.random.default_rng((bpm, fps)), fps, bpm, af=bpm == 75)
    noise = np.random.default_rng(fps).normal(size=len(drawn.mask))
    area = drawn.mask.sum(axis=(1, 2)) * (1 + 0.01 * noise)
    assert assert_same(library, drawn.mask, fps, (0.8, 0.8)).beats
    assert_same(library, drawn.mask, fps, (0.8, 0.8), area)


@pytest.mark.parametrize("seed", range(6))
def test_phantoms(library, seed):
    heart = PhantomHeart(seed, region_px=160 if seed % 2 else None)
    masks = np.stack([heart.screen.mask(heart.pose(float(time)).endo) for time in heart.times()]).astype(np.uint8)
    assert assert_same(library, masks, heart.fps, heart.spacing_mm).beats
    meter = CMeter(library, masks.shape[1:], heart.fps, heart.spacing_mm)
    for mask in masks[::10]:
        meter.push(mask, 1.0)
        assert meter.volume == pytest.approx(volume_of(mask, heart.spacing_mm), rel=1e-9)


@pytest.mark.slow
def test_random_curves(library):
    beats, found = compare_curves(library, [(11, n) for n in range(400)])
    assert found == []
    assert beats > 300


def test_random_masks(library):
    measured, found = compare_masks(library, [(12, n) for n in range(700)])
    assert found == []
    assert measured > 400


def test_a_difference_is_found(library):
    """The comparison above finds differences of frame rate, spacing and frames."""
    masks = draw_heart(np.random.default_rng(0), frames=100, period=25)[1]
    area = masks.sum(axis=(1, 2)).astype(float)
    shape = masks.shape[1:]
    assert differences(CMeter(library, shape, 50, (0.5, 0.5)), masks, area, 50, (0.5, 0.5)) == []
    assert differences(CMeter(library, shape, 51, (0.5, 0.5)), masks, area, 50, (0.5, 0.5))
    assert differences(CMeter(library, shape, 50, (0.5, 0.501)), masks, area, 50, (0.5, 0.5))
    meter = CMeter(library, shape, 50, (0.5, 0.5))
    meter.push(masks[0], area[0])
    assert differences(meter, masks, area, 50, (0.5, 0.5))


@pytest.mark.slow
def test_a_long_stream(library):
    rng = np.random.default_rng(4)
    phase = np.cumsum(1 / (40 + 12 * np.sin(np.arange(10_000) / 900) + rng.normal(size=10_000)))
    level = 0.5 + 0.5 * np.cos(2 * np.pi * phase)
    drawn = ellipses(64)
    masks = drawn[(63 * (0.2 + 0.8 * level)).astype(int)]
    areas = 900 * (1 + 0.5 * level) + rng.normal(size=10_000)
    areas[rng.integers(10_000, size=60)] = 0
    areas[4000:4100] = 0
    areas[7000:7006] *= 3
    assert len(assert_same(library, masks, 50.0, (0.5, 0.5), areas).beats) > 200


@pytest.mark.parametrize("frames", [0, 1, 2, 4, 5, 9])
def test_very_short_cines(library, frames):
    masks = draw_heart(np.random.default_rng(1), frames=frames, period=16)[1]
    for fps in (None, 5.0, 50.0):
        assert_same(library, masks, fps, (1.0, 1.0))


@pytest.mark.parametrize("part", [slice(0, 16), slice(4, 30), slice(10, 60), slice(0, 33)])
def test_pieces_of_a_beat(library, part):
    masks = draw_heart(np.random.default_rng(2), frames=60, period=32)[1][part]
    assert_same(library, masks, 40.0, (1.0, 1.0))


def test_empty_masks_and_masks_that_do_not_fall(library):
    masks = draw_heart(np.random.default_rng(3), frames=150, period=30)[1]
    area = masks.sum(axis=(1, 2)).astype(float)
    gaps = masks.copy()
    gaps[60:64] = gaps[90:120] = 0
    assert_same(library, gaps, 50.0, None)
    assert assert_same(library, np.zeros_like(masks), 50.0, None).summary["reason"] == Reason.NO_VENTRICLE
    for others in (np.zeros_like(masks), np.broadcast_to(masks[:1], masks.shape)):
        assert assert_same(library, others, 50.0, None, area).summary["reason"] == Reason.NOT_MEASURABLE


def test_a_reset_forgets(library):
    masks = draw_heart(np.random.default_rng(5), frames=140, period=25)[1]
    meter = CMeter(library, masks.shape[1:], 50, (0.5, 0.5))
    for mask in masks[:127]:
        meter.push(mask, float(mask.sum()))
    assert meter.beats
    meter.reset()
    assert meter.beats == []
    assert np.isnan(meter.volume)
    assert differences(meter, masks[3:], masks[3:].sum(axis=(1, 2)), 50, (0.5, 0.5)) == []


def test_a_cine_after_the_end_of_another_goes_on_counting(library):
    """Frames count on as in Python; a device resets in between."""
    masks = draw_heart(np.random.default_rng(6), frames=90, period=25)[1]
    meter = CMeter(library, masks.shape[1:], 50, None)
    for _ in range(2):
        for mask in masks:
            meter.push(mask, float(mask.sum()))
        meter.finish()
    eds = [beat["ed_frame"] for beat in meter.beats]
    assert eds == sorted(eds)
    assert eds[len(eds) // 2 :] == [ed + 90 for ed in eds[: len(eds) // 2]]


def test_medians_are_over_the_beats_that_are_kept(library):
    frames = np.arange(6 * 5000)
    level = 0.5 + 0.5 * np.cos(np.pi * frames / 3)
    drawn = ellipses(64, (20, 36))
    weakening = 1 - 0.5 * frames / len(frames)
    masks = drawn[(63 * (1 - weakening * (1 - level))).astype(int)]
    meter = CMeter(library, masks.shape[1:], 20.0, (1.0, 1.0))
    for mask, area in zip(masks, 800 + 600 * level, strict=True):
        meter.push(mask, area)
    kept, summary = meter.beats, meter.summary
    assert len(kept) == 4096 < summary["beats"]
    for name in ("ef_percent", "edv_ml", "esv_ml", "sv_ml", "heart_rate_bpm"):
        assert summary[name] == np.median([beat[name] for beat in kept])


@pytest.mark.parametrize(
    ("width", "height", "fps"), [(0, 9, 50), (9, 0, 50), (4097, 9, 50), (9, 9, -1), (9, 9, np.nan), (9, 9, 1001)]
)
def test_sizes_out_of_bounds(library, width, height, fps):
    assert library.ee_beat_meter_size(width, height, fps) == 0
    memory = np.zeros(200_000, np.uint64)
    assert library.ee_beat_meter_init(memory.ctypes.data, memory.nbytes, width, height, fps, 0, 0) is None


@pytest.mark.parametrize(("width", "height", "fps"), [(1, 1, 8), (112, 112, 50), (641, 480, 59.94), (4096, 4096, 1000)])
def test_memory_is_as_in_the_header(library, width, height, fps):
    stated = 12 * height * ((width + 1) // 2 + 1) + 4 * height * width + 128 * 4096
    stated += (69 + 6 * height) * (2 * round(6 * fps) + round(0.2 * fps) + 1)
    assert 0 <= library.ee_beat_meter_size(width, height, fps) - stated < 2000
    assert library.ee_beat_meter_size(width, height, 0) == library.ee_beat_meter_size(width, height, 50)
    assert library.ee_beat_meter_size(width, height, 3) == library.ee_beat_meter_size(width, height, 8)


@pytest.mark.slow
def test_symbols_begin_with_ee(tmp_path):
    shared = compile_c(tmp_path / "measure.so", flags=("-shared", "-fPIC"))
    try:
        listed = subprocess.run(["nm", "-D", "--defined-only", shared], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("nm not found")
    names = [line.split()[-1] for line in listed.stdout.splitlines()]
    assert [name for name in names if not name.startswith("ee_")] == []


@pytest.mark.slow
def test_driver_under_the_sanitizers(tmp_path):
    try:
        driver = compile_c(tmp_path / "driver", [DRIVER], SANITIZERS)
    except subprocess.CalledProcessError:
        pytest.skip("the compiler has no sanitizers")
    done = subprocess.run([driver, "abuse"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_what_a_push_costs(tmp_path):
    driver = compile_c(tmp_path / "driver", [DRIVER])
    done = subprocess.run([driver, "time", "112", "112", "2000"], capture_output=True, text=True, check=True)
    cost = json.loads(done.stdout)
    assert cost["beats"] > 40
    assert cost["p50_us"] < 200  # 10 on the machine it was written on
