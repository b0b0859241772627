"""The rules of the benchmark: how long a row is timed, and what stands in the result about it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from edgeecho.benchmarks.contest import PEERS, YARDSTICK
from edgeecho.benchmarks.counting import COUNTER
from edgeecho.benchmarks.result import RUNS_FOR_PERCENTILE
from edgeecho.benchmarks.worker import WARM_UP_RUNS
from edgeecho.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How long a row is timed: until it has `min_runs` and `min_seconds`, or `max_seconds` and `least_runs`."""

    min_seconds: float = 4.0
    min_runs: int = 20
    max_seconds: float = 20.0
    """Of timed runs; slow rows stop here."""
    least_runs: int = 3
    """Even of the slowest row."""
    rounds: int = 4
    """Turns that a row's runs are spread over."""
    warm_up_seconds: float = 0.5

    def __post_init__(self) -> None:
        if min(self.min_seconds, self.max_seconds, self.warm_up_seconds) < 0:
            raise ConfigError("seconds must not be negative")
        if min(self.min_runs, self.least_runs, self.rounds) < 1:
            raise ConfigError(f"runs and rounds must be at least 1, got min_runs {self.min_runs}")

    def runs_missing(self, times_ms: list[float], estimate_ms: float) -> int:
        """How many more runs a row needs; 0 when it has enough."""
        n, seconds = len(times_ms), sum(times_ms) / 1000
        if n >= self.min_runs and seconds >= self.min_seconds:
            return 0
        if n >= self.least_runs and seconds >= self.max_seconds:
            return 0
        each = (sum(times_ms) / n if n else estimate_ms) / 1000
        wanted = max(self.min_runs - n, math.ceil((self.min_seconds - seconds) / each))
        allowed = max(self.least_runs - n, math.floor((self.max_seconds - seconds) / each))
        return max(1, min(wanted, allowed))


def describe_protocol(rules: Rules, threads: int, clip: np.ndarray, is_given: bool) -> dict[str, Any]:
    """The rules in words and numbers, for the result.

    Args:
        rules: How long rows are timed.
        threads: Of every engine.
        clip: What they are timed on.
        is_given: The caller gave the clip.
    """
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "timed": "the network alone: uint8 frames at network size in, uint8 prob out; no crop, resizing or mask",
        "clip": list(clip.shape),
        "frames": "given" if is_given else "speckle with a beating cavity, seed 0",
        "threads": threads,
        "isolation": "one process a row; all are open at once, one works at a time",
        "order": f"interleaved: all rows in turn, {rules.rounds} turns or more",
        "warm_up": f"the first run and on to {rules.warm_up_seconds} s, at least {WARM_UP_RUNS} runs; not in the times",
        "min_runs": rules.min_runs,
        "min_seconds": rules.min_seconds,
        "max_seconds": rules.max_seconds,
        "least_runs": rules.least_runs,
        "outliers": "none dropped; times_ms holds every run",
        "percentiles": {f"p{q}_ms": f"null below {n} runs" for q, n in RUNS_FOR_PERCENTILE.items()},
        "load_ms": "read, verify the checksum, compile; the engine's import is not in it",
        "peak_rss_mb": "most resident memory of the row's process, interpreter and engine included, MB = 2^20 bytes",
        "precision_run": "read back from the engine's executable graph, convolution by convolution; OpenVINO is asked "
        "for f32 where a graph is not int8, since its own default may be bf16",
        "macs": COUNTER,
        "yardstick": f"{YARDSTICK} fp32 in ONNX Runtime of the same run: speedup_vs_unet3d = its p50 / p50",
        "peers": f"{', '.join(PEERS)}: random weights, our exporter, int8 calibrated on the clip: speed only",
        "energy": "not measured",
    }
