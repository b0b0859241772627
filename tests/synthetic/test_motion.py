"""Drawn hearts with complex motion: parts that move apart, tissue that leaves the plane, and labels that stay exact."""

from dataclasses import replace

import numpy as np
import pytest

from edgeecho.data import open_data
from edgeecho.errors import ConfigError
from edgeecho.measure import discs_of
from edgeecho.synthetic.motion import MAX_DELAY_S, POINTS, Motion
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.synthetic.population import MOVING, PLAIN
from edgeecho.synthetic.rhythm import Rhythm


def motion_of(seed: int = 1) -> tuple[Motion, Rhythm]:
    rng = np.random.default_rng(seed)
    rhythm = Rhythm.draw(rng, 3.0, 70.0)
    return Motion.draw(rng, rhythm), rhythm


def alike(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(np.corrcoef(a[where].astype(float), b[where].astype(float))[0, 1])


def test_complex_motion_leaves_the_rest_of_a_heart_as_it_was() -> None:
    plain, moved = PhantomHeart(5, 96), PhantomHeart(5, 96, population=MOVING)
    assert np.array_equal(plain.rhythm.r_waves_s, moved.rhythm.r_waves_s)
    assert (plain.fps, plain.frame_count) == (moved.fps, moved.frame_count)
    times = np.array([0.0, 0.3])
    assert not np.array_equal(plain.frames(times)[0], moved.frames(times)[0])
    again = PhantomHeart(5, 96, population=MOVING).frames(times)
    assert all(np.array_equal(a, b) for a, b in zip(moved.frames(times), again, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_segments_contract_up_to_100_ms_apart(seed: int) -> None:
    motion, rhythm = motion_of(seed)
    apart = float(np.ptp(motion.delays_s))
    assert 0.005 < apart <= 2 * MAX_DELAY_S
    times = np.linspace(0.3, 1.0, 140)
    curves = np.array([motion.contraction(rhythm, time, 0.0, 0.0).radial for time in times])
    assert curves.shape == (140, POINTS)
    assert np.abs(curves.max(axis=1) - curves.min(axis=1)).max() > 0.05


def test_no_scalar_describes_the_cavity() -> None:
    """At two times of equal area, in systole and in filling, the outlines differ, unlike those of a plain heart."""
    apart = []
    for population in (PLAIN, MOVING):
        heart = PhantomHeart(11, 96, population=population)
        start, stop = heart.rhythm.r_waves_s[1:3]
        times = np.linspace(start, stop, 400)
        volume = heart.volume(times)[0]
        es = int(np.argmin(volume))
        first = int(np.argmin(np.abs(volume[:es] - 0.5)))
        second = es + int(np.argmin(np.abs(volume[es:] - 0.5)))
        shapes = [heart.pose(float(times[k])).endo for k in (first, second)]
        shapes = [shape - shape.mean(axis=0) for shape in shapes]
        apart.append(float(np.linalg.norm(shapes[0] - shapes[1], axis=1).mean()))
    assert apart[0] < 0.3
    assert apart[1] > 3 * apart[0]


def test_tissue_that_leaves_the_plane_has_other_speckle() -> None:
    heart = PhantomHeart(4, 200, population=MOVING)
    pose, scanner = heart.pose(0.2), heart._scanner
    assert heart._motion
    plane = heart._motion.plane(pose, 0.2)
    images = [
        scanner.image(pose, heart._rest, 0.2, replace(plane, slices=plane.slices + away)) for away in (0.0, 0.3, 1.0)
    ]
    tissue = images[0] > 60
    assert 0.999 > alike(images[0], images[1], tissue) > alike(images[0], images[2], tissue)


def test_walls_and_blood_change_their_brightness_along_the_beat() -> None:
    heart = PhantomHeart(6, 200, population=MOVING)
    assert heart._motion
    planes = [heart._motion.plane(heart.pose(t), t) for t in np.linspace(0, 0.8, 9)]
    assert np.ptp([plane.segments for plane in planes], axis=0).max() > 0.05
    assert np.ptp([plane.blood for plane in planes]) > 0.5
    assert np.ptp([plane.slices for plane in planes]) > 0.2


def test_phases_are_extremes_of_the_area() -> None:
    cine = PhantomHeart((0, 4), 128, population=MOVING).cine()
    assert set(cine.labels) == set(range(len(cine.frames)))
    area = np.array([cine.labels[t].sum() for t in range(len(cine.frames))], float)
    assert "ES" in cine.phases.values()
    for frame, phase in cine.phases.items():
        near = area[max(0, frame - 3) : frame + 4]
        assert area[frame] >= 0.96 * near.max() if phase == "ED" else area[frame] <= 1.04 * near.min()


def test_ef_is_that_of_discs_on_the_masks() -> None:
    errors = []
    for seed in range(8):
        heart = PhantomHeart((1, seed), 300, population=MOVING)
        times = np.linspace(*heart.rhythm.r_waves_s[:2], 60)
        volume = heart.volume(times)[0]
        masks = [heart.screen.mask(heart.pose(float(times[k])).endo) for k in (np.argmax(volume), np.argmin(volume))]
        found = [discs_of(mask, heart.spacing_mm).volume() for mask in masks]
        errors.append(100 * (1 - found[1] / found[0]) - heart.ef_percent)
    assert np.median(np.abs(errors)) < 1.0


def test_the_data_set() -> None:
    data = open_data("phantom-motion:3,8")
    assert [len(data.items(split)) for split in ("train", "val", "test")] == [8, 1, 1]
    item, plain = data.items("val")[0], open_data("phantom:3,8").items("val")[0]
    assert item.name == "phantom-motion3_val_0000"
    cine = item.read()
    assert len(cine.labels) == len(cine.frames) == item.metadata["frames"] == plain.metadata["frames"]
    assert item.metadata["ef_percent"] != plain.metadata["ef_percent"]
    with pytest.raises(ConfigError, match=r"a phantom is phantom-motion:, phantom-motion:SEED or"):
        open_data("phantom-motion:x")
