"""Degradation in training: the same for one seed, masks moved with the pictures, nothing drawn where it is off."""

import numpy as np
import pytest

from edgeecho.metrics import dice
from edgeecho.synthetic.degrade.degradation import DEGRADATIONS
from edgeecho.synthetic.phantom import PhantomHeart
from edgeecho.train import degrade as module
from edgeecho.train.config import ClipConfig
from edgeecho.train.degrade import TRAINED, degrade
from edgeecho.train.drawn_hearts import Phantoms


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, np.ndarray]:
    """Three frames of 64 pixels and their soft masks."""
    frames, masks = PhantomHeart(2, 64).frames(np.array([0.0, 0.2, 0.4]))
    return frames, masks * np.uint8(255)


def test_off_by_default_and_without_a_draw(clip: tuple[np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    degraded, clean, masks = degrade(*clip, rng, ClipConfig().ladder)
    assert degraded is clip[0]
    assert clean is clip[0]
    assert masks is clip[1]
    assert rng.uniform() == np.random.default_rng(1).uniform()


def test_the_share_of_clips_and_the_same_clip_again(clip: tuple[np.ndarray, np.ndarray]) -> None:
    changed = 0
    for seed in range(60):
        first, again = (degrade(*clip, np.random.default_rng(seed), 0.5) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
        assert all(each.shape == clip[0].shape and each.dtype == np.uint8 for each in first)
        changed += first[0] is not clip[0]
    assert 18 <= changed <= 42


@pytest.mark.parametrize("name", TRAINED)
def test_every_degradation_of_training(
    name: str, clip: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masks and the clean frames of a teacher move with the picture, and stay where it stays."""
    monkeypatch.setattr(module, "TRAINED", (name,))
    monkeypatch.setattr(module, "MAX_DRAWN", 1)
    degraded, clean, masks = degrade(*clip, np.random.default_rng(4), 1.0)
    assert not np.array_equal(degraded, clip[0])
    if DEGRADATIONS[name].change:
        assert clean is clip[0]
        assert masks is clip[1]
    else:
        assert dice(masks[0] > 127, clip[1][0] > 127) < 0.97
        inside, before = clean[0][masks[0] > 127].mean(), clip[0][0][clip[1][0] > 127].mean()
        assert inside == pytest.approx(before, rel=0.1)


def test_a_black_clip_stays_black() -> None:
    black = np.zeros((2, 32, 32), np.uint8)
    assert not degrade(black, black, np.random.default_rng(0), 1.0)[0].any()


def test_clips_are_degraded_and_then_augmented() -> None:
    plain, degraded = (
        Phantoms().clip(np.random.default_rng(7), ClipConfig(frames=3, augment=0.0, ladder=share), 64)
        for share in (0.0, 1.0)
    )
    assert np.array_equal(plain.frames, plain.clean)
    assert not np.array_equal(degraded.frames, degraded.clean)
