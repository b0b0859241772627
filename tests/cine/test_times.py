"""The time base: even and uneven times, rounding of clocks, pauses, stated rates, and where files have them."""

from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.times import TimeBase, from_rates, from_times
from edgeecho.frame_times import find_pauses, without_pauses
from edgeecho.reasons import Finding, Level, Reason
from tests.cine.files import FRAMES, turn, write_avi, write_timed

STALLS = np.cumsum([0, *([20] * 7 + [60]) * 2, 20, 20, 20])
"""Times of 20 frames in milliseconds: 50 a second, with two steps that are three times as long."""
JUMP = np.cumsum([0, *[16] * 11, *[50] * 8])
"""Times of 20 frames: 62.5, then 20 a second."""


def levels(doubts: tuple[Finding, ...]) -> list[tuple[Reason, Level]]:
    return [(doubt.reason, doubt.level) for doubt in doubts]


@pytest.mark.parametrize("fps", [24, 30000 / 1001, 50, 68, 120, 333])
def test_times_that_a_clock_rounds_are_even(fps: float) -> None:
    exact = np.arange(200) / fps
    for times_s in (np.round(exact, 3), np.floor(exact * 1000) / 1000):
        base = from_times(times_s)
        assert (base.times_s, base.doubts) == (None, ())
        assert base.fps == pytest.approx(fps, rel=0.002)
        assert from_times(times_s, fps).fps == fps  # the stated rate, where it agrees


def test_times_decide_against_a_stated_rate() -> None:
    base = from_times(np.arange(50) * 0.016, 50.0)
    assert (base.fps, base.times_s, base.doubts) == (pytest.approx(62.5), None, ())


def test_uneven_times_are_kept() -> None:
    base = from_times(5 + JUMP / 1000)
    assert base.fps == pytest.approx(62.5)
    assert base.times_s is not None
    np.testing.assert_allclose(base.times_s, JUMP / 1000, atol=1e-12)
    assert levels(base.doubts) == [(Reason.TIME_BASE_UNSURE, Level.NOTE)]
    assert base.warnings == (
        "The frames are not evenly spaced in time (steps of 16 to 50 ms, median 16 ms): "
        "the time of each frame is used.",
    )


def test_one_pause_leaves_the_rate_and_is_named() -> None:
    times_s = np.cumsum([0.0, *[0.02] * 40, 0.9, *[0.02] * 34])
    base = from_times(times_s)
    assert base.fps == pytest.approx(50)
    assert "; a pause of 0.90 s after frame 40 counts as one step in the heart rate." in base.warnings[0]
    assert find_pauses(times_s).tolist() == [40]
    np.testing.assert_allclose(without_pauses(times_s), np.arange(76) * 0.02)
    two = from_times(np.cumsum([0.0, *[0.02] * 9, 0.3, *[0.02] * 9, 0.4, *[0.02] * 9]))
    assert "; 2 pauses, the longest of 0.40 s after frame 19, count as one step each" in two.warnings[0]


def test_times_that_do_not_rise_leave_the_stated_rate_in_doubt() -> None:
    times_s = np.array([0.0, 0.02, 0.04, 0.0, 0.0])
    base = from_times(times_s, 50.0)
    assert (base.fps, base.times_s) == (50, None)
    assert levels(base.doubts) == [(Reason.TIME_BASE_UNSURE, Level.REVIEW)]
    assert "the stated rate of 50 a second is used" in base.warnings[0]
    assert from_times(times_s) == TimeBase()
    assert from_times(np.zeros(1), 25.0) == TimeBase(25.0)


def test_stated_rates() -> None:
    assert from_rates([]) == TimeBase()
    assert from_rates([("a", 50_000.0), ("b", 50.0), ("c", 46.0)]) == TimeBase(50.0)
    assert from_rates([("a", 50_000.0)]) == TimeBase(50_000.0)  # refused by the caller, with the number
    base = from_rates([("a", 30.0), ("b", 50.0)])
    assert base.fps == 30
    assert levels(base.doubts) == [(Reason.TIME_BASE_UNSURE, Level.REVIEW)]
    assert "(30 by a, 50 by b)" in base.warnings[0]


def test_dropped_frames_of_an_avi(tmp_path: Path, frames: np.ndarray) -> None:
    slots = [0, 1, 2, 3, 5, 6, 7, 10, *range(11, 11 + FRAMES - 8)]
    pictures: list[np.ndarray | None] = [None] * (slots[-1] + 1)
    for slot, frame in zip(slots, frames, strict=True):
        pictures[slot] = frame
    cine = read_cine(write_avi(tmp_path / "a.avi", pictures))
    assert len(cine.frames) == FRAMES
    assert cine.fps == pytest.approx(50)
    assert cine.times_s is not None
    np.testing.assert_allclose(cine.times_s, np.array(slots) / 50)
    assert levels(cine.doubts) == [(Reason.TIME_BASE_UNSURE, Level.NOTE)]
    assert cine.warnings == (cine.doubts[0].text,)
    stated = read_cine(tmp_path / "a.avi", fps=40)
    assert (stated.fps, stated.times_s, stated.doubts, stated.warnings) == (40, None, (), ())
    whole = read_cine(write_avi(tmp_path / "b.avi", list(frames)))
    assert (whole.fps, whole.times_s, whole.warnings) == (50, None, ())


@pytest.mark.parametrize("times_ms", [STALLS, JUMP], ids=["stalls", "jump"])
@pytest.mark.parametrize(
    ("name", "codec", "muxer"),
    [
        ("a.mp4", "libx264", {}),
        ("a.mov", "libx264", {}),
        ("fragments.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx", {}),
    ],
)
def test_presentation_times(
    tmp_path: Path, frames: np.ndarray, name: str, codec: str, muxer: dict[str, str], times_ms: np.ndarray
) -> None:
    """The count that Matroska and WebM state is duration times rate, here up to twice the number of frames."""
    cine = read_cine(write_timed(tmp_path / name, frames, times_ms, codec, muxer=muxer))
    assert cine.frames.shape == frames.shape
    assert cine.times_s is not None
    np.testing.assert_allclose(cine.times_s, times_ms / 1000, atol=0.0011)
    assert cine.fps == pytest.approx(1000 / np.median(np.diff(times_ms)), rel=0.01)
    assert levels(cine.doubts) == [(Reason.TIME_BASE_UNSURE, Level.NOTE)]


def test_the_shape_of_pixels(tmp_path: Path, frames: np.ndarray) -> None:
    even = np.arange(FRAMES) * 20
    cine = read_cine(write_timed(tmp_path / "a.mp4", frames, even, sar=2))
    assert (cine.aspect, cine.pixel_shape, cine.spacing_mm) == (0.5, (0.5, 1.0), None)
    assert "pixels of shape 2:1 (width to height)" in cine.warnings[0]
    turned = read_cine(turn(write_timed(tmp_path / "turned.mp4", frames, even, sar=2)))
    assert turned.frames.shape == (FRAMES, frames.shape[2], frames.shape[1])
    assert turned.aspect == 2
    square = read_cine(write_timed(tmp_path / "square.mp4", frames, even))
    assert (square.aspect, square.warnings) == (1, ())
    assert read_cine(tmp_path / "a.mp4", spacing_mm=(0.3, 0.3)).pixel_shape == (0.3, 0.3)
