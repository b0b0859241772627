"""Soaks: a stream over very many frames, streams side by side in threads, and many openings of a model.

    python -m tests.robustness.soak stream --runtime ort --frames 1000000
    python -m tests.robustness.soak threads --frames 100000
    python -m tests.robustness.soak open --times 10000

Each prints a line of JSON every tenth of its way, so that a run that is stopped has its figures too: the number so far,
the resident memory, and p50, p99 and the longest time of a push or an opening in milliseconds. Frames are a drawn
heart's, 128 x 128, in a loop with pauses: every 1,000 frames the stream is reset, or ended by `flush`, in turns.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

import edgeecho
from tests.helpers import draw_heart

RESET_FRAMES = 1000
PERIOD_FRAMES = 30
TENTHS = 10


def resident_mb() -> float:
    """Resident memory of this process in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


class Times:
    """Durations in microseconds, kept as a histogram, whose memory does not grow with their number."""

    def __init__(self) -> None:
        self._counts = np.zeros(1 << 20, np.int64)
        self.longest_ms = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration."""
        self._counts[min(int(seconds * 1e6), len(self._counts) - 1)] += 1
        self.longest_ms = max(self.longest_ms, 1000 * seconds)

    def percentile_ms(self, percent: float) -> float:
        """Return the duration that so many percent do not exceed, in milliseconds; 0 without any."""
        reached = np.cumsum(self._counts)
        return float(np.searchsorted(reached, reached[-1] * percent / 100)) / 1000 if reached[-1] else 0.0

    def to_dict(self) -> dict[str, float]:
        """Return the figures that are printed."""
        return {
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "longest_ms": round(self.longest_ms, 3),
        }


def push_frames(runtime: str, model: str, frames: int, report: bool, name: str = "") -> Times:
    """Push so many frames through a stream of one thread, and print a line every tenth of the way."""
    heart = draw_heart(np.random.default_rng(1), frames=PERIOD_FRAMES, period=PERIOD_FRAMES)[0]
    predictor = edgeecho.stream(model, runtime=runtime, threads=1, fps=float(PERIOD_FRAMES), spacing_mm=(1.0, 1.0))
    times, step = Times(), max(1, frames // TENTHS)
    for number in range(frames):
        start = time.perf_counter()
        predictor.push(heart[number % PERIOD_FRAMES])
        times.add(time.perf_counter() - start)
        if (number + 1) % RESET_FRAMES == 0:
            if (number // RESET_FRAMES) % 2:
                predictor.flush()
            predictor.reset()
        if report and (number + 1) % step == 0:
            say(soak="stream", runtime=runtime, model=model, frames=number + 1, **times.to_dict())
    if name:
        say(soak=name, runtime=runtime, model=model, frames=frames, **times.to_dict())
    return times


def push_in_threads(runtimes: list[str], model: str, frames: int) -> None:
    """Run a stream for each runtime at once, each in a thread of its own."""
    runs = [
        threading.Thread(target=push_frames, args=(runtime, model, frames, True, "threads")) for runtime in runtimes
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()


def open_often(runtime: str, model: str, times_open: int) -> None:
    """Open a stream, push a frame, forget it; and again."""
    frame = draw_heart(np.random.default_rng(1))[0][0]
    times, step = Times(), max(1, times_open // TENTHS)
    for number in range(1, times_open + 1):
        start = time.perf_counter()
        edgeecho.stream(model, runtime=runtime, threads=1).push(frame)
        times.add(time.perf_counter() - start)
        if number % step == 0:
            say(soak="open", runtime=runtime, model=model, times=number, **times.to_dict())


def say(**values: object) -> None:
    """Print a line of JSON with the resident memory."""
    sys.stdout.write(json.dumps({**values, "resident_mb": round(resident_mb(), 1)}) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["stream", "threads", "open"])
    parser.add_argument("--runtime", default="ort", choices=["ort", "openvino"])
    parser.add_argument("--model", default="cl_unet_nano")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=10_000)
    given = parser.parse_args()
    if given.kind == "stream":
        push_frames(given.runtime, given.model, given.frames, report=True)
    elif given.kind == "threads":
        push_in_threads(["ort", "openvino"], given.model, given.frames)
    else:
        open_often(given.runtime, given.model, given.times)


if __name__ == "__main__":
    main()
