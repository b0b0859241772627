"""Live measurement of a stream, with a simulated clock."""

from types import SimpleNamespace

import numpy as np
import pytest

from edgeecho.benchmarks.run.live import run_live


def _drive(costs_s: list[float], fps: float = 10.0, quiet: int = 10) -> dict[str, object]:
    """Return the result of pushes of given durations, with a clock that only they and sleep advance."""
    time = SimpleNamespace(now=0.0)
    costs = iter([0.05] * quiet + costs_s)  # a quiet first second

    def push(frame: np.ndarray) -> None:
        time.now += next(costs)

    def sleep(seconds: float) -> None:
        time.now += seconds

    frames = np.zeros((2, 4, 4), np.uint8)
    return run_live(push, frames, fps, (quiet + len(costs_s)) / fps, lambda: time.now, sleep)


def test_a_stream_that_keeps_up() -> None:
    found = _drive([0.05] * 20)
    assert found["frames"] == 30
    assert found["keeps_up"] is True
    assert found["used_p50"] == pytest.approx(0.5)
    assert found["used_p90"] == pytest.approx(0.5)
    assert found["used_p99"] is None  # of 20 frames
    assert (found["missed"], found["late_max_ms"]) == (0, 0.0)


def test_a_stream_that_falls_behind() -> None:
    found = _drive([0.15] * 20)
    assert found["keeps_up"] is False
    assert found["missed"] == 20
    assert found["late_max_ms"] == pytest.approx(20 * 50)  # 50 ms more with each frame
    assert found["waiting_at_end"] == 10


def test_a_stream_far_too_slow_is_given_up() -> None:
    found = _drive([5.0] * 20)
    assert found["frames"] == 12  # of 3 seconds asked, after 11
    assert found["keeps_up"] is False


def test_one_late_frame_makes_others_wait_until_it_is_caught_up() -> None:
    late_start = _drive([0.25] + [0.05] * 199, quiet=0)
    assert (late_start["missed"], late_start["keeps_up"]) == (0, True)
    assert late_start["start_late_max_ms"] == pytest.approx(150)
    found = _drive([0.25] + [0.05] * 199)
    assert found["missed"] == 3  # 150, 100 and 50 ms late; then in time
    assert found["late_max_ms"] == pytest.approx(150)
    assert found["keeps_up"] is False  # 3 of 200
    assert _drive([0.15] + [0.05] * 199)["keeps_up"] is True
