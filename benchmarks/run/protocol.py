"""Rules of the benchmark: how long a row is timed, and their description in the result."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from edgeecho.benchmarks.peers.peers import PEERS, YARDSTICK
from edgeecho.benchmarks.profile.counting import COUNTER
from edgeecho.benchmarks.run.live import MAX_MISSED_FRACTION
from edgeecho.benchmarks.run.result import RUNS_FOR_PERCENTILE
from edgeecho.benchmarks.run.worker import WARM_UP_RUNS
from edgeecho.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Limits of the timing of a row: it ends with `min_runs` and `min_seconds`, or `max_seconds` and `least_runs`."""

    min_seconds: float = 3.0
    min_runs: int = 20
    max_seconds: float = 20.0
    """Limit of the timed runs of slow rows."""
    least_runs: int = 3
    """Fewest runs of the slowest row."""
    rounds: int = 4
    """Turns over which a row's runs are spread."""
    warm_up_seconds: float = 0.5
    end_to_end_runs: int = 5
    """Timed runs of a whole cine, after one that warms up."""

    def __post_init__(self) -> None:
        if min(self.min_seconds, self.max_seconds, self.warm_up_seconds) < 0:
            raise ConfigError("seconds must not be negative")
        if min(self.min_runs, self.least_runs, self.rounds, self.end_to_end_runs) < 1:
            raise ConfigError(f"runs and rounds must be at least 1, got min_runs {self.min_runs}")

    def runs_missing(self, times_ms: list[float], estimate_ms: float) -> int:
        """Return how many more runs a row needs; 0 if it has enough."""
        n, seconds = len(times_ms), sum(times_ms) / 1000
        if n >= self.min_runs and seconds >= self.min_seconds:
            return 0
        if n >= self.least_runs and seconds >= self.max_seconds:
            return 0
        each = (sum(times_ms) / n if n else estimate_ms) / 1000
        wanted = max(self.min_runs - n, math.ceil((self.min_seconds - seconds) / each))
        allowed = max(self.least_runs - n, math.floor((self.max_seconds - seconds) / each))
        return max(1, min(wanted, allowed))


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Measurements beside the time of the network."""

    end_to_end: bool = True
    """Time a whole cine from its file to its figures, for our clip models."""
    rate: float | None = None
    """Frames per second at which our streams are driven; None leaves it out."""
    live_seconds: float = 10.0
    data: str | None = None
    """`KIND:DIR` on which trained rows are evaluated; None leaves it out."""
    split: str = "val"
    profile: bool = False
    """Time each layer."""
    boards: tuple[str, ...] = ()
    """Boards for which the time is estimated."""

    def __post_init__(self) -> None:
        if self.rate is not None and not 1 <= self.rate <= 1000:
            raise ConfigError(f"rate must be from 1 to 1000 frames a second, got {self.rate:g}")

    def steps(self, rows: int) -> int:
        """Return the number of progress steps for `rows` rows."""
        return rows * (2 if self.data else 1)


def describe_protocol(rules: Rules, extras: Extras, threads: int, clip: np.ndarray, is_given: bool) -> dict[str, Any]:
    """Describe the rules in words and numbers, for the result.

    Args:
        rules: Limits of the timing.
        extras: Other measurements.
        threads: Threads of every engine.
        clip: Frames that rows are timed on.
        is_given: Whether the clip is the caller's.
    """
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "timed": "the network alone: uint8 frames at network size in, uint8 prob out; no crop, resizing or mask",
        "clip": list(clip.shape),
        "frames": "given" if is_given else "speckle with a beating cavity, seed 0",
        "threads": threads,
        "isolation": "one process a row; all are open at once, one works at a time; where less than a quarter of the "
        "machine's memory is free, a row's process ends after its turn and the next one warms up anew",
        "order": f"interleaved: all rows in turn, {rules.rounds} turns or more",
        "warm_up": f"the first run and on to {rules.warm_up_seconds} s, at least {WARM_UP_RUNS} runs; not in the times",
        "min_runs": rules.min_runs,
        "min_seconds": rules.min_seconds,
        "max_seconds": rules.max_seconds,
        "least_runs": rules.least_runs,
        "outliers": "none dropped; times_ms holds every run",
        "percentiles": {f"p{q}_ms": f"null below {n} runs" for q, n in RUNS_FOR_PERCENTILE.items()},
        "load_ms": "read, verify the checksum, compile; the engine's import is not in it",
        "form": "clip: one run answers all frames of the clip; stream: one run answers one more live frame, its state "
        "carried; a frame-by-frame peer's stream is its clip graph, one frame a run",
        "ms_per_live_frame": "a stream's p50; for a clip row the whole clip again, since that is what one more frame "
        "of a live window costs",
        "memory": "resident, MB = 2^20 bytes: start_rss_mb before the engine is imported, loaded_rss_mb warm, "
        "peak_rss_mb the most that the row's process ever held, interpreter and engine included",
        "precision_run": "read back from the engine's executable graph, convolution by convolution; OpenVINO is asked "
        "for f32 where a graph is not int8, since its own default may be bf16; bf16 rows ask for 16 bits",
        "macs": COUNTER,
        "yardstick": f"{YARDSTICK} fp32 clip in ONNX Runtime of the same run: speedup_vs_unet3d = its ms_per_frame / "
        "ms_per_frame; live_speedup_vs_unet3d = its ms_per_live_frame / ms_per_live_frame",
        "peers": f"{', '.join(PEERS)}: random weights (seed 0), our exporter, int8 calibrated on the clip: speed only",
        "accuracy": f"{extras.data.partition(':')[0]} {extras.split}, as edgeecho eval"
        if extras.data
        else "not measured",
        "end_to_end": "Motion JPEG file to figures, stages of the predictor" if extras.end_to_end else "not measured",
        "live": f"{extras.rate:g} frames a second for {extras.live_seconds:g} s, 640 x 480, push to answer; keeps up: "
        f"after the first second at most {MAX_MISSED_FRACTION:.0%} of frames late, and none waiting at the end"
        if extras.rate
        else "not measured",
        "energy": "not measured",
    }
