"""Estimate of the time of a network on a board, by the roofline model; not a measurement.

A layer cannot be faster than its MACs at the peak rate, nor than its bytes at the memory's rate. The roofline is the
sum over the layers of the slower of both. The calibration measures the ratio of the real time to the roofline on this
machine, with the same file; the estimate assumes the same ratio on the board.
"""

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from edgeecho.benchmarks.profile.boards import Board
from edgeecho.benchmarks.profile.layers import Layer
from edgeecho.benchmarks.profile.peak_throughput import measure_peak_gmac_per_s
from edgeecho.errors import ConfigError

LABEL = "estimate, not a measurement"
HIGH_FACTOR = 2.0
"""Factor from the point estimate to the high end, an assumption. This machine's peak is the rate of a kernel of ONNX
Runtime, a board's is that of its instructions; how much slower a kernel is there was not measured."""
COPY_BYTES = 64 << 20
TIMED_COPIES = 7


def copy_gb_per_s(threads: int = 1, copy_bytes: int = COPY_BYTES) -> float:
    """Measure the bytes read and written a second on this machine while every thread copies a large array."""
    pairs = [(np.ones(copy_bytes, np.uint8), np.empty(copy_bytes, np.uint8)) for _ in range(threads)]
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(1 + TIMED_COPIES):
            start = time.perf_counter()
            list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs))
            seconds.append(time.perf_counter() - start)
    return 2 * copy_bytes * threads / statistics.median(seconds[1:]) / 1e9


def roofline(layers: Iterable[Layer], peaks: Mapping[str, float], gb_per_s: float) -> tuple[float, float]:
    """Return (ms of all layers, ms of the layers that are bound by computing) of one run.

    Args:
        layers: Layers of the graph.
        peaks: Peak throughput in GMAC/s, by precision.
        gb_per_s: Memory throughput.
    """
    total_ms = compute_ms = 0.0
    for layer in layers:
        by_macs = layer.macs / peaks[layer.precision] / 1e6 if layer.macs else 0.0
        by_bytes = layer.bytes_moved / gb_per_s / 1e6
        total_ms += max(by_macs, by_bytes)
        compute_ms += by_macs if by_macs >= by_bytes else 0.0
    return total_ms, compute_ms


def calibrate(
    layers: Sequence[Layer],
    measured_ms: float,
    frames: int,
    threads: int,
    known_peaks: Mapping[str, float] | None = None,
    gb_per_s: float | None = None,
) -> dict[str, Any]:
    """Measure the ratio of a network's time in ONNX Runtime to its roofline, on this machine.

    Args:
        layers: Layers of the graph, from `graph_layers`.
        measured_ms: Time of one run on this machine, with `threads`.
        frames: Frames of a run: T of a clip, 1 of a stream.
        threads: Threads of the engine.
        known_peaks: Peak throughput in GMAC/s by precision, from a profile; missing ones are measured.
        gb_per_s: Throughput of a copy in memory; None measures it.

    Raises:
        ConfigError: If a number is not positive.
    """
    if min(measured_ms, frames, threads) <= 0:
        raise ConfigError(f"time, frames and threads must be positive, got {measured_ms}, {frames}, {threads}")
    peaks = dict(known_peaks or {})
    for precision in {layer.precision for layer in layers if layer.macs} - set(peaks):
        peaks[precision] = measure_peak_gmac_per_s("ort", precision, threads)
    gb_per_s = gb_per_s or copy_gb_per_s(threads)
    expected_ms, _ = roofline(layers, peaks, gb_per_s)
    return {
        "measured_ms": round(measured_ms, 4),
        "roofline_ms": round(expected_ms, 4),
        "ratio": round(measured_ms / expected_ms, 4),
        "frames": frames,
        "threads": threads,
        "ceilings": {name: round(rate, 2) for name, rate in sorted(peaks.items())},
        "copy_gb_per_s": round(gb_per_s, 2),
    }


def estimate(layers: Sequence[Layer], board: Board, threads: int, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Estimate the time of one frame on a board.

    Args:
        layers: Layers of the graph, from `graph_layers`, each in its own precision.
        board: Board, from `find_boards`.
        threads: Threads on the board; more than its cores count as its cores.
        calibration: Result of `calibrate` of the same graph.

    Returns:
        An element of `Row.estimates`, in ms a frame. `low_ms` is the bare roofline with the best instructions of the
        core. `ms_per_frame` is the roofline of the instructions that ONNX Runtime uses there, times the ratio of the
        calibration, and `high_ms` is `HIGH_FACTOR` times that. `bound_by` is the part of the roofline's time that is
        bound by computing and by memory.

    Raises:
        ConfigError: If `threads` is not positive.
    """
    if threads < 1:
        raise ConfigError(f"threads must be at least 1, got {threads}")
    precisions = sorted({layer.precision for layer in layers if layer.macs})
    best, usual = (
        {name: board.peak_gmac_per_s(name, threads, as_kernels_run=flag) for name in precisions}
        for flag in (False, True)
    )
    frames, ratio = calibration["frames"], calibration["ratio"]
    low_ms, _ = roofline(layers, best, board.copy_gb_per_s.value)
    usual_ms, compute_ms = roofline(layers, usual, board.copy_gb_per_s.value)
    facts = board.facts()
    return {
        "board": board.name,
        "title": board.title,
        "label": LABEL,
        "threads": min(threads, board.cores),
        "ms_per_frame": round(usual_ms * ratio / frames, 3),
        "low_ms": round(low_ms * min(1.0, ratio) / frames, 3),
        "high_ms": round(HIGH_FACTOR * usual_ms * ratio / frames, 3),
        "bound_by": {
            "compute": round(compute_ms / usual_ms, 3),
            "memory": round(1 - compute_ms / usual_ms, 3),
        },
        "calibration": dict(calibration),
        "peak_gmac_per_s": {name: round(rate, 2) for name, rate in usual.items()},
        "copy_gb_per_s": board.copy_gb_per_s.value,
        "sources": {name: fact.source for name, fact in facts.items()},
        "unverified": [name for name, fact in facts.items() if not fact.is_verified],
    }
