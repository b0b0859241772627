"""The loss against values by hand, and the cardiac cycle on synthetic videos."""

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeecho.synthetic.rhythm import Rhythm  # noqa: E402
from edgeecho.train.config import LossConfig  # noqa: E402
from edgeecho.train.cycle import cycle_signal  # noqa: E402
from edgeecho.train.interpolate_labels import interpolate_labels  # noqa: E402
from edgeecho.train.losses import (  # noqa: E402
    MIN_AREA_DEVIATION,
    Target,
    beat_loss,
    cycle_loss,
    smoothness_loss,
    supervised_loss,
    total_loss,
)


def standard(values: list[float]) -> torch.Tensor:
    signal = torch.tensor([values], dtype=torch.float32)
    return (signal - signal.mean()) / signal.std(correction=0)


ONE = torch.ones(1)


def test_the_labelled_frames_on_paper() -> None:
    target = torch.zeros(1, 2, 2, 2)
    target[..., 0, :] = 1
    zero = torch.zeros_like(target)
    both = torch.tensor([[1.0, 1.0]])
    # p = 1/2 everywhere: entropy ln 2; overlap 2 * 1 + 1 = 3 over 2 + 2 + 1 = 5.
    assert float(supervised_loss(zero, target, both)) == pytest.approx(np.log(2) + 1 - 3 / 5)
    assert float(supervised_loss((target - 0.5) * 100, target, both)) == pytest.approx(0, abs=1e-6)
    wrong = target.clone()
    wrong[0, 1] = 0.5 - target[0, 1]
    assert float(supervised_loss((wrong - 0.5) * 100, target, torch.tensor([[1.0, 0.0]]))) < 1e-6
    assert float(supervised_loss(zero, target, torch.zeros(1, 2))) == 0
    assert float(supervised_loss(zero, target, both / 4)) == pytest.approx((np.log(2) + 1 - 3 / 5) / 4)


def test_an_area_that_follows_the_cycle_costs_little() -> None:
    cycle = standard([3, 2, 1, 2, 3, 2])
    moves = 0.25 / math.hypot(0.25, MIN_AREA_DEVIATION)  # deviation over mean, against that of a still area
    assert float(cycle_loss(0.2 + 0.2 * cycle, cycle, ONE)) == pytest.approx(0, abs=0.01)
    assert float(cycle_loss(0.2 + 0.05 * cycle, cycle, ONE)) == pytest.approx(1 - moves, abs=1e-4)
    assert float(cycle_loss(0.2 - 0.05 * cycle, cycle, ONE)) == pytest.approx(1 + moves, abs=1e-4)
    assert float(cycle_loss(torch.full((1, 6), 0.2), cycle, ONE)) == pytest.approx(1)
    assert float(cycle_loss(0.2 - 0.05 * cycle, cycle, ONE / 2)) == pytest.approx((1 + moves) / 2, abs=1e-4)
    assert float(cycle_loss(0.2 - 0.05 * cycle, cycle, 0 * ONE)) == 0
    still = torch.full((1, 6), 0.2, requires_grad=True)
    cycle_loss(still, cycle, ONE).backward()
    assert float(still.grad.abs().max()) < 100  # and not NaN


def test_flicker_costs_and_a_beat_does_not() -> None:
    cycle = standard([3, 2, 1, 2, 3, 2, 1, 2])
    assert float(smoothness_loss(0.2 + 0.05 * cycle, cycle, ONE)) == pytest.approx(0, abs=1e-9)
    flicker = torch.zeros(1, 8)
    flicker[0, 3] = 0.02
    found = float(smoothness_loss(0.2 + 0.05 * cycle + flicker, cycle, ONE))
    assert found > 1e-3
    assert float(smoothness_loss(0.2 + 0.05 * cycle + 2 * flicker, cycle, ONE)) == pytest.approx(4 * found, rel=0.1)
    slow, sudden = standard([4, 3, 2.3, 1.7, 1.2, 0.9, 0.7, 0.6]), standard([1, -1] * 4)
    costs = [float(smoothness_loss(0.2 + 0.05 * c + flicker, c, ONE)) for c in (slow, cycle, sudden)]
    assert costs[0] > 2 * costs[1] > 4 * costs[2]  # a cycle that jumps by itself excuses flicker
    assert float(smoothness_loss(flicker, cycle, 0 * ONE)) == 0
    assert float(smoothness_loss(flicker[:, :3], cycle[:, :3], ONE)) == 0


def test_beats_of_one_heart_agree() -> None:
    cycle = standard([3, 2, 1, 2, 3, 2, 1, 2, 3])
    same = 0.2 + 0.05 * cycle
    assert float(beat_loss(same, cycle, ONE)) == pytest.approx(0, abs=1e-9)
    other = same.clone()
    other[0, 5:] *= 0.8
    assert float(beat_loss(other, cycle, ONE)) > 1e-3
    falling = standard([3, 2, 1])
    assert float(beat_loss(torch.tensor([[0.3, 0.1, 0.2]]), falling, ONE)) == 0  # one beat: nothing to compare


def test_terms_can_be_switched_off() -> None:
    logits = torch.randn(2, 1, 6, 8, 8, generator=torch.Generator().manual_seed(1))
    labelled = torch.arange(6).expand(2, 6) < 3
    target = Target(torch.zeros(2, 6, 8, 8), labelled, ~labelled, torch.randn(2, 6), torch.ones(2))
    _, all_terms = total_loss(logits, target, LossConfig(smooth=1.0))
    assert set(all_terms) == {"labels", "cycle", "interpolation", "smooth", "beats"}
    nothing = LossConfig(cycle=0.0, interpolation=0.0, smooth=0.0, beats=0.0)
    plain, terms = total_loss(logits, target, nothing)
    assert set(terms) == {"labels"}
    assert float(plain) == pytest.approx(float(terms["labels"]))
    for name in ("cycle", "interpolation"):
        half, terms = total_loss(logits, target, replace(nothing, **{name: 0.5}))
        assert float(half) == pytest.approx(float(terms["labels"] + 0.5 * terms[name]), rel=1e-5)


def discs(radii: list[float]) -> np.ndarray:
    y, x = np.indices((64, 64))
    return np.stack([255 * (np.hypot(y - 31.5, x - 31.5) < r) for r in radii]).astype(np.uint8)


def test_a_frame_between_two_labels_is_drawn_between_them() -> None:
    labels = discs([20, 0, 0, 0, 10, 0])
    cycle = np.array([1, 0.5, 0, -0.5, -1, 1.4], np.float32)
    masks, interpolated = interpolate_labels(labels, {0: "ED", 4: "ES"}, cycle)
    assert interpolated.tolist() == [False, True, True, True, False, True]
    radii = np.sqrt((masks / 255.0).sum(axis=(1, 2)) / np.pi)
    assert radii == pytest.approx([20, 17.5, 15, 12.5, 10, 20], abs=0.15)
    assert (masks[[0, 4]] == labels[[0, 4]]).all()


@pytest.mark.parametrize(
    ("phases", "cycle"),
    [
        ({0: "ED"}, [1, 0, -1]),
        ({0: "ED", 2: "ES"}, [0.1, 0, -0.1]),
        ({0: "ED", 2: "ES"}, [-1, 0, 1]),
        ({0: ""}, [1, 0, -1]),
    ],
)
def test_without_two_labels_apart_nothing_is_drawn(phases: dict[int, str], cycle: list[float]) -> None:
    masks, interpolated = interpolate_labels(discs([20, 0, 10]), phases, np.array(cycle, np.float32))
    assert not interpolated.any()
    assert not masks[1].any()


def beating_video(frames: int, per_beat: float, noise: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc that beats in bright tissue, (T, 56, 56), and its area."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((56, 56))
    tissue = rng.integers(80, 180, (56, 56))
    radius = 12 + 4 * np.cos(2 * np.pi * np.arange(frames) / per_beat)
    inside = np.hypot(y - 26, x - 30) < radius[:, None, None]
    video = np.where(inside, 30, tissue) + noise * rng.standard_normal(inside.shape)
    return np.clip(video, 0, 255).astype(np.uint8), inside.sum(axis=(1, 2))


@pytest.mark.parametrize(("frames", "fps"), [(8, None), (16, None), (100, 50.0)])
def test_the_cycle_of_a_beating_disc(frames: int, fps: float | None) -> None:
    video, area = beating_video(frames, 12 if fps is None else 40, noise=8)
    found = cycle_signal(video, fps)
    assert abs(np.corrcoef(found.signal, area)[0, 1]) > 0.95
    assert found.confidence > 0.5
    assert found.signal.mean() == pytest.approx(0, abs=1e-5)
    assert found.signal.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_without_labels_a_full_heart_is_up(seed: int) -> None:
    """The sign follows from the rhythm: a heart is longer near its largest volume than near its smallest."""
    rng = np.random.default_rng(seed)
    times = np.arange(160) / 50
    volume, _ = Rhythm.draw(rng, 3.2, 70.0).at(times)
    y, x = np.indices((56, 56))
    radius = 8 + 6 * volume
    video = np.where(np.hypot(y - 26, x - 30) < radius[:, None, None], 30, rng.integers(80, 180, (56, 56)))
    found = cycle_signal(video.astype(np.uint8), 50.0)
    assert np.corrcoef(found.signal, volume)[0, 1] > 0.9


@pytest.mark.slow
def test_gain_and_drift_do_not_lead_the_cycle() -> None:
    video, area = beating_video(150, 40, noise=5)
    gain = 1 + 0.3 * np.sin(np.arange(150) / 3)
    bright = np.clip(video * gain[:, None, None], 0, 255).astype(np.uint8)
    assert abs(np.corrcoef(cycle_signal(bright, 50.0).signal, area)[0, 1]) > 0.9
    drifting = np.stack([np.roll(frame, k // 12, axis=1) for k, frame in enumerate(video)])
    assert abs(np.corrcoef(cycle_signal(drifting, 50.0).signal, area)[0, 1]) > 0.8


def test_noise_and_stillness_have_little_confidence() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (40, 56, 56)).astype(np.uint8)
    assert cycle_signal(noise, 50.0).confidence < 0.25
    still = cycle_signal(np.repeat(noise[:1], 10, axis=0))
    assert still.confidence == 0
    assert not still.signal.any()
    assert cycle_signal(noise[:2]).confidence == 0
