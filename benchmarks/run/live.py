"""Live measurement: a stream at a fixed rate, whether it keeps up, and the part of a frame's time that it uses."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edgeecho.benchmarks.run.result import percentile

MAX_MISSED_FRACTION = 0.01
"""Largest part of late frames in a stream that keeps up; the operating system delays some."""
START_UP_SECONDS = 1.0
"""Time in which the region is found and the state is filled; frames in it do not count as missed."""
MAX_DURATION_FACTOR = 3
"""Factor of the requested seconds after which a stream that falls behind is stopped."""


def run_live(
    push: Callable[[np.ndarray], object],
    frames: np.ndarray,
    fps: float,
    seconds: float,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Push a frame every 1 / fps seconds; a frame that arrives while another is processed waits.

    The first frame takes longer and delays the next ones, so the latest frame of the first second is reported apart.

    Args:
        push: Function that processes one frame, uint8 (H, W).
        frames: uint8 (T, H, W), repeated.
        fps: Frames per second.
        seconds: Duration.
        now: Clock, in seconds.
        sleep: Function that waits for a number of seconds.

    Returns:
        `Row.live`. `used` is the time of a push as part of 1 / fps. `late_max_ms` is the longest delay of a result
        after the arrival of the next frame, 0 if none was late, and `start_late_max_ms` that of the first second.
        `missed` is the number of late results after the first second, `waiting_at_end` the number of frames that had
        arrived and were not processed.
    """
    period, count = 1 / fps, max(1, round(seconds * fps))
    used: list[float] = []
    late: list[float] = []
    begin = now()
    for i in range(count):
        if now() - begin > MAX_DURATION_FACTOR * seconds:
            break
        comes = begin + i * period
        if (wait := comes - now()) > 0:
            sleep(wait)
        begun = now()
        push(frames[i % len(frames)])
        done = now()
        used.append((done - begun) / period)
        late.append(done - (comes + period))
    started = min(round(START_UP_SECONDS * fps), len(late) - 1)
    start, steady = late[:started], late[started:]
    missed = sum(seconds_late > 0 for seconds_late in steady)
    waiting = int(max(0.0, late[-1] / period) + 1e-6)
    part = [percentile(used, q) for q in (50, 90, 99)]
    return {
        "fps": fps,
        "frames": len(used),
        "keeps_up": missed <= MAX_MISSED_FRACTION * len(steady) and not waiting,
        **dict(zip(("used_p50", "used_p90", "used_p99"), part, strict=True)),
        "late_max_ms": round(1000 * max(0.0, *steady), 3),
        "start_late_max_ms": round(1000 * max([0.0, *start]), 3),
        "missed": missed,
        "waiting_at_end": waiting,
        "first_ms": round(1000 * used[0] * period, 3),
    }
