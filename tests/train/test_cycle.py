"""The cycle of a clip, estimated from the seconds around it, and the confidence in it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeecho.cine import Cine
from edgeecho.train.cine_cycle import cine_cycle, long_cycle
from edgeecho.train.cycle import cycle_signal, moving_frames, without_drift

PER_BEAT = 40


def beating(frames: int, noise: float = 6, pause: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc in bright tissue that beats, and rests for a part of every beat: (T, 112, 112), and its area."""
    rng = np.random.default_rng(1)
    y, x = np.indices((112, 112))
    tissue = rng.integers(80, 180, (112, 112))
    phase = np.clip(np.arange(frames) / PER_BEAT % 1 / (1 - pause), 0, 1)
    radius = 24 + 8 * np.cos(2 * np.pi * phase)
    inside = np.hypot(y - 50, x - 56) < radius[:, None, None]
    video = np.where(inside, 30, tissue) + noise * rng.standard_normal(inside.shape)
    return np.clip(video, 1, 255).astype(np.uint8), inside.sum(axis=(1, 2))


def r(a: np.ndarray, b: np.ndarray) -> float:
    return abs(float(np.corrcoef(a, b)[0, 1]))


def test_drift_is_removed_and_a_beat_is_kept() -> None:
    times = np.arange(200) / 50
    slow, beat = np.cos(np.pi * times / 4), np.sin(2 * np.pi * 1.25 * times)
    kept = without_drift(np.stack([slow, beat], axis=1).astype(np.float32), 4.0)
    assert np.abs(kept[:, 0]).max() < 0.02
    assert r(kept[:, 1], beat) > 0.97


def test_seconds_around_a_clip_tell_the_beat_from_a_shadow_that_passes() -> None:
    video, area = beating(160)
    shade = np.linspace(0, 1, 160)[:, None, None] * np.linspace(0, 3, 112)
    passing = np.clip(video * (1 - 0.5 * np.exp(-((shade - 1.0) ** 2) / 0.05)), 1, 255).astype(np.uint8)
    shown = np.arange(60, 76)
    whole = cycle_signal(passing, 50.0)
    found = whole.clip(shown, passing[shown])
    alone = cycle_signal(passing[shown])
    assert r(found.signal, area[shown]) > 0.95
    assert r(found.signal, area[shown]) > r(alone.signal, area[shown])
    assert found.signal.mean() == pytest.approx(0, abs=1e-5)
    assert found.signal.std() == pytest.approx(1, abs=1e-3)


def test_a_clip_at_rest_counts_less_than_one_that_beats() -> None:
    video, _ = beating(160, pause=0.5)
    whole = cycle_signal(video, 50.0)
    beat, rest = (whole.clip(shown, video[shown]) for shown in (np.arange(40, 56), np.arange(62, 78)))
    assert beat.confidence > 0.9
    assert rest.confidence < 0.3


def test_parts_that_disagree_lower_the_confidence() -> None:
    video, _ = beating(120)
    other = video.copy()
    flicker = (40 * np.sin(2 * np.pi * np.arange(120) / 17))[:, None, None]
    other[:, :56] = np.clip(other[:, :56] + flicker, 1, 255)  # the upper half has a rhythm of its own
    shown = np.arange(40, 72, 2)
    plain, mixed = (cycle_signal(v, 50.0).clip(shown, v[shown]).confidence for v in (video, other))
    assert mixed < 0.9 * plain


def test_frozen_frames_at_the_ends_are_found() -> None:
    video, _ = beating(30)
    frozen = np.concatenate([np.repeat(video[:1], 5, axis=0), video, np.repeat(video[-1:], 20, axis=0)])
    assert moving_frames(frozen) == (5, 35)
    assert moving_frames(np.repeat(video[:1], 6, axis=0)) == (0, 6)
    assert moving_frames(video[:1]) == (0, 1)


def test_a_label_outside_the_clip_gives_the_sign() -> None:
    video, area = beating(120)
    mask = np.ones((112, 112), np.uint8)
    shown = np.arange(45, 61)  # from ED to ES, neither in it
    for phase, frame, sign in (("ED", 80, 1), ("ES", 20, 1), ("ES", 80, -1)):
        cine = Cine(video, 50.0, labels={frame: mask}, phases={frame: phase})
        found = cine_cycle(cine).clip(shown, video[shown])
        assert np.corrcoef(found.signal, area[shown])[0, 1] * sign > 0.95
        assert found.confidence > 0.7
    unknown = cine_cycle(replace(cine, phases={})).clip(shown, video[shown])
    assert unknown.confidence == 0
    assert not unknown.signal.any()


def test_a_clip_beyond_the_ends_repeats_frames() -> None:
    video, _ = beating(50)
    cine = Cine(video, None, labels={2: np.ones((112, 112), np.uint8)}, phases={2: "ED"})
    shown = np.clip(np.arange(-5, 11), 0, 49)
    found = cine_cycle(cine).clip(shown, video[shown])
    assert np.isfinite(found.signal).all()
    assert 0 <= found.confidence <= 1


def test_frozen_ends_have_no_part_in_the_cycle_of_a_cine() -> None:
    video, area = beating(100)
    frozen = np.concatenate([video, np.repeat(video[-1:], 80, axis=0)])
    cine = Cine(frozen, 50.0, labels={40: np.ones((112, 112), np.uint8)}, phases={40: "ED"})
    found = cine_cycle(cine)
    assert found.signal.shape == (180,)
    assert r(found.signal[:100], area) > 0.97
    assert np.ptp(found.signal[101:]) == 0


def test_a_long_cine_is_estimated_in_parts_of_one_sign() -> None:
    video, area = beating(400)
    video[200:] = np.roll(video[200:], 8, axis=2)  # the probe has moved
    found = long_cycle(video, 20.0)
    assert r(found.signal, area) > 0.95
    assert found.parts.shape == (4, 400)
    assert found.confidence > 0.7
