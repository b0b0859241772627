"""Drawn cines: exact labels, equal cines of equal seeds, and pictures in which the cavity is visible."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeecho.cli import app
from edgeecho.data import open_data
from edgeecho.data.datasets.phantom import Phantom
from edgeecho.errors import ConfigError
from edgeecho.measure import discs_of
from edgeecho.synthetic.anatomy import Anatomy
from edgeecho.synthetic.phantom import MAX_FRAMES, PhantomHeart, draw_cine
from edgeecho.synthetic.screen import Screen


def extremes(heart: PhantomHeart) -> tuple[float, float]:
    """Times of ED and of ES."""
    times = np.linspace(0, heart.seconds, 200)
    volume = heart.rhythm.at(times)[0]
    return float(times[np.argmax(volume)]), float(times[np.argmin(volume)])


def test_a_seed_is_a_cine() -> None:
    times = np.array([0.0, 0.1])
    first, again, other = (PhantomHeart(seed, 96).frames(times) for seed in (5, 5, 6))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_a_frame_depends_on_its_time_and_not_on_the_window() -> None:
    heart = PhantomHeart(3, 96)
    images, masks = heart.frames(np.array([0.0, 0.2, 0.4]))
    image, mask = PhantomHeart(3, 96).frames(np.array([0.4]))
    assert np.array_equal(images[2], image[0])
    assert np.array_equal(masks[2], mask[0])
    assert not np.array_equal(images[1], images[2])


def test_every_frame_is_labelled_and_phases_are_extremes_of_area() -> None:
    cine = draw_cine((0, 4))
    assert set(cine.labels) == set(range(len(cine.frames)))
    assert set(cine.phases.values()) <= {"ED", "ES"}
    assert "ES" in cine.phases.values()
    area = np.array([cine.labels[t].sum() for t in range(len(cine.frames))], float)
    for frame, phase in cine.phases.items():
        near = area[max(0, frame - 3) : frame + 4]
        assert area[frame] >= 0.97 * near.max() if phase == "ED" else area[frame] <= 1.03 * near.min()
    ed = [area[t] for t, phase in cine.phases.items() if phase == "ED"] or [area.max()]
    assert min(ed) > max(area[t] for t, phase in cine.phases.items() if phase == "ES")


def test_ef_is_that_of_discs_on_the_masks() -> None:
    errors = []
    for seed in range(16):
        heart = PhantomHeart((1, seed), 300)
        volumes = [
            discs_of(heart.screen.mask(heart.pose(time).endo), heart.spacing_mm).volume() for time in extremes(heart)
        ]
        errors.append(100 * (1 - volumes[1] / volumes[0]) - heart.ef_percent)
    assert np.median(np.abs(errors)) < 0.5
    assert np.mean(np.abs(errors) < 1.5) > 0.85


def test_hearts_differ_widely_and_within_reason() -> None:
    hearts = [PhantomHeart(seed) for seed in range(100)]
    efs, rates = [heart.ef_percent for heart in hearts], [heart.fps for heart in hearts]
    bpms = [60 / np.diff(heart.rhythm.r_waves_s).mean() for heart in hearts]
    assert min(efs) > 4
    assert max(efs) < 85
    assert min(efs) < 20
    assert max(efs) > 68
    assert 20 <= min(rates) < 30 < 90 < max(rates) <= 120
    assert 35 < min(bpms) < 55 < 110 < max(bpms) < 160
    assert all(12 <= heart.frame_count <= MAX_FRAMES for heart in hearts)
    assert all(0.1 < heart.spacing_mm[0] < 3 for heart in hearts)


def test_the_mask_is_the_outline_to_the_pixel() -> None:
    screen = Screen(100, 100, 0.5, (50.0, -200.0), (-1.5, 1.5), (0.0, 300.0))
    square = np.array([[-5.0, 110], [5, 110], [5, 120], [-5, 120]]) + 0.25  # between pixel centres
    mask = screen.mask(square)
    assert mask.sum() == 20 * 20
    assert mask[21:41, 41:61].all()


def test_the_area_of_masks_is_that_of_the_outline() -> None:
    heart = PhantomHeart((1, 0), 300)
    outline = heart.pose(0.0).endo
    x, y = outline.T
    exact = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert heart.screen.mask(outline).sum() * heart.screen.mm**2 == pytest.approx(exact, rel=0.01)


def test_the_cavity_is_darker_than_the_wall_and_lies_in_the_sector() -> None:
    darker = []
    for seed in range(16):
        heart = PhantomHeart((2, seed), 128)
        images, masks = heart.frames(np.zeros(1))
        pose = heart.pose(0.0)
        wall = heart.screen.mask(pose.epi) & (1 - masks[0])
        assert masks[0].sum() > 100
        assert not (masks[0] & ~heart.screen.sector).any()
        darker.append(images[0][masks[0] > 0].mean() < images[0][wall > 0].mean())
    assert np.mean(darker) > 0.85


def test_speckle_moves_with_the_tissue_and_partly_renews() -> None:
    heart = PhantomHeart(4, 200)
    start, near, far = heart.frames(np.array([0.0, 1 / 60, 0.9]))[0].astype(float)
    inside = heart.screen.sector

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a[inside], b[inside])[0, 1])

    assert alike(start, near) > alike(start, far) + 0.03
    assert alike(start, near) < 0.9999


def test_a_cavity_shrinks_with_its_volume() -> None:
    heart = Anatomy.draw(np.random.default_rng(0))
    widths = [float(np.ptp(heart.cavity(volume)[:, 0])) for volume in (1.0, 0.5, 0.0)]
    lengths = [float(np.ptp(heart.cavity(volume)[:, 1])) for volume in (1.0, 0.5, 0.0)]
    assert widths == sorted(widths, reverse=True)
    assert lengths == sorted(lengths, reverse=True)


def test_splits_share_no_cine() -> None:
    data = Phantom(Path("0,40"))
    items = [item for split in data.splits for item in data.items(split)]
    assert len({item.name for item in items}) == len(items) == 50
    assert len({item.metadata["ef_percent"] for item in items}) == len(items)


def test_an_item_can_be_pickled_and_describes_itself() -> None:
    item = min(open_data("phantom:7,12").items("train"), key=lambda item: item.metadata["frames"])
    cine = pickle.loads(pickle.dumps(item)).read()
    assert item.view == "4CH"
    assert item.metadata["frames"] == item.metadata["labels"] == len(cine.frames) == len(cine.labels)
    assert item.metadata["fps"] == cine.fps
    assert cine.warnings == ()


def test_what_may_stand_behind_the_colon() -> None:
    assert [len(open_data("phantom:3,16").items(split)) for split in ("train", "val", "test")] == [16, 2, 2]
    assert [item.name for item in open_data("phantom:").items("val")] == [f"phantom0_val_{i:04d}" for i in range(50)]
    for wrong in ("phantom:x", "phantom:-1", "phantom:1,0", "phantom:1,2,3", "phantom:some/dir"):
        with pytest.raises(ConfigError, match=r"phantom:SEED,COUNT"):
            open_data(wrong)
    with pytest.raises(ConfigError, match="KIND:DIR"):
        open_data("camus:")


def test_the_command_line_reads_it() -> None:
    result = CliRunner().invoke(app, ["data", "summary", "phantom:0,2"])
    assert result.exit_code == 0
    assert "Apache-2.0" in result.stdout
