"""A stream at a fixed rate, as a probe drives it: does it keep up, and how much of a frame's time does it take?"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edgeecho.benchmarks.run.result import percentile

MAX_MISSED_FRACTION = 0.01
"""Part of the frames that may be answered late in a stream that keeps up: an operating system takes its turns."""
START_UP_SECONDS = 1.0
"""At the beginning, when the region is found and the state is filled; whether a stream keeps up is asked after it."""
MAX_DURATION_FACTOR = 3
"""A stream that falls behind is stopped after so many times the seconds that were asked."""


def run_live(
    push: Callable[[np.ndarray], object],
    frames: np.ndarray,
    fps: float,
    seconds: float,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Push frames as they come, every 1 / fps seconds; one that comes while another is worked on waits.

    The first frame, with what a stream pays once for it, makes the next ones wait; how late the first second was is
    told apart.

    Args:
        push: Takes one frame, uint8 (H, W), and returns when its answer is there.
        frames: uint8 (T, H, W), shown over and over.
        fps: Frames per second.
        seconds: How long.
        now: Clock, in seconds.
        sleep: Waits so many seconds.

    Returns:
        `Row.live`: `used` is the time of a push as part of 1 / fps; `late_max_ms` how long after the next frame
        had come the latest answer was there, 0 if none was late, and `start_late_max_ms` the same of the first second;
        `missed` how many were late after it; `waiting_at_end` frames that had come
        and not been taken.
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
