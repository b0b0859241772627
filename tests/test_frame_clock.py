"""Times of the frames of a stream, and heart rates by them."""

import numpy as np
import pytest

from edgeecho.errors import ConfigError
from edgeecho.frame_times import FrameClock, without_pauses
from edgeecho.measure import BeatMeter


def test_a_pause_counts_as_one_step_and_missing_frames_are_counted() -> None:
    clock = FrameClock(50.0)
    times = [7.0, 7.02, 7.04, 7.10, 9.10, 9.12]  # two frames are missing, then a pause of 2 s
    assert [clock.add(time) for time in times] == pytest.approx([0, 0.02, 0.04, 0.10, 0.12, 0.14])
    assert (clock.frames, clock.dropped) == (6, 2 + 99)
    even = np.arange(20) * 0.02 + np.where(np.arange(20) > 9, 3.0, 0.0)
    clock = FrameClock(50.0)
    np.testing.assert_allclose([clock.add(time) for time in even], without_pauses(even))


def test_without_a_rate_no_step_is_a_pause() -> None:
    clock = FrameClock(None)
    assert [clock.add(time) for time in (1.0, 1.5, 9.0)] == [0.0, 0.5, 8.0]
    assert clock.dropped == 0


def test_times_that_make_no_sense_are_refused() -> None:
    clock = FrameClock(50.0)
    clock.add(1.0)
    for time, message in ((1.0, "not after the 1.0"), (None, "had a time"), (float("nan"), "finite number")):
        with pytest.raises(ConfigError, match=message):
            clock.add(time)
    assert clock.add(1.02) == pytest.approx(0.02)  # what is refused changes nothing
    untimed = FrameClock(50.0)
    untimed.add(None)
    with pytest.raises(ConfigError, match="had no time"):
        untimed.add(0.02)


@pytest.mark.parametrize("fps", [50.0, None])
def test_the_rate_is_that_of_the_times(fps: float | None) -> None:
    """A heart of 40 frames a beat at 25 frames a second beats 37.5 times a minute, whatever rate is stated."""
    meter, clock = BeatMeter(fps, None), FrameClock(None)
    rows, columns = np.mgrid[:80, :60]
    for frame in range(200):
        size = 1 + 0.2 * np.cos(2 * np.pi * frame / 40)
        mask = (((rows - 40) / 32) ** 2 + ((columns - 30) / 18) ** 2 < size).astype(np.uint8)
        meter.push(mask, time_s=clock.add(100 + frame / 25))
    rate = meter.finish().heart_rate_bpm
    assert rate == pytest.approx(37.5, rel=0.03)
