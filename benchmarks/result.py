"""What a benchmark found, as figures and as JSON. Nothing is dropped and nothing is claimed that n does not carry."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

SCHEMA_VERSION = 2
RUNS_FOR_PERCENTILE = {50: 1, 90: 10, 99: 100}
"""Runs from which on a percentile is given; below, it is null."""


def percentile(times_ms: list[float], q: int) -> float | None:
    """A percentile of every run, none dropped; None where there are too few runs for it."""
    if len(times_ms) < RUNS_FOR_PERCENTILE[q]:
        return None
    return round(float(np.percentile(times_ms, q)), 4)


@dataclass(kw_only=True)
class Row:
    """One contestant's figures. None: not known or not measured; with `error`, one line that says why."""

    model: str
    runtime: str
    precision_asked: str | None
    precision_run: str | None = None
    """Read back from the engine: `int8`, `fp32`, or `int8 15/18` when only so many convolutions ran in it."""
    form: str | None = None
    threads: int
    params: int | None = None
    macs_per_frame: int | None = None
    file_bytes: int | None = None
    """OpenVINO: .xml and .bin."""
    load_ms: float | None = None
    first_ms: float | None = None
    weights: str | None = None
    """`trained`, or `random` (seeded: such a row is about speed alone)."""
    frames_per_run: int | None = None
    """Frames that one timed run answers: T of a clip, 1 of a stream."""
    n: int = 0
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    ms_per_frame: float | None = None
    """p50_ms / frames_per_run."""
    ms_per_live_frame: float | None = None
    """What one more live frame costs: a stream's run; a whole window again where a network needs one."""
    frames_per_second: float | None = None
    start_rss_mb: float | None = None
    """Resident memory of the row's process before its engine was imported."""
    loaded_rss_mb: float | None = None
    """Once the model was loaded and warm."""
    peak_rss_mb: float | None = None
    speedup_vs_unet3d: float | None = None
    """ms_per_frame of the yardstick over this row's, one run."""
    live_speedup_vs_unet3d: float | None = None
    """The same of ms_per_live_frame."""
    accuracy: dict[str, Any] | None = None
    """{data, split, n, dice_ed, dice_es, ef_mae, ef_n}; Dice 0-1 (mean over frames), EF error in points (mean |error|)."""
    live: dict[str, Any] | None = None
    """Of `--rate`: {fps, frames, keeps_up, used_p50, used_p90, used_p99, late_max_ms, missed}; `used` is the part of a
    frame's time that was taken, `missed` how many frames were answered after the next had come."""
    end_to_end: dict[str, Any] | None = None
    """{input, frames, n, decode_ms, region_ms, resize_ms, network_ms, mask_ms, measure_ms, total_ms}: medians of a whole
    cine, in ms."""
    profile: dict[str, Any] | None = None
    """Of `--profile`: {layers: [{name, op, precision, macs, ms, gmac_per_s, of_ceiling}], ceiling_gmac_per_s, total_ms,
    conv_ms, of_ceiling}."""
    estimates: list[dict[str, Any]] | None = None
    """Of `--estimate`: [{board, ms_per_frame, low_ms, high_ms, bound_by: {compute, memory}, calibration, sources}]."""
    cores_used: float | None = None
    """CPU time of the process per second of timed runs: below `threads` when others took the cores."""
    convolutions_run: dict[str, int] | None = None
    """Convolutions by the precision that they ran in."""
    runtime_version: str | None = None
    sha256: str | None = None
    """Of the model file (of the .xml, whose seal covers the .bin)."""
    error: str | None = None
    times_ms: list[float] = field(default_factory=list)
    """Every timed run, in order."""

    def summarise(self) -> None:
        """Fill in n, percentiles, time a frame and rate from `times_ms`."""
        self.n = len(self.times_ms)
        self.p50_ms, self.p90_ms, self.p99_ms = (percentile(self.times_ms, q) for q in RUNS_FOR_PERCENTILE)
        if self.p50_ms and self.frames_per_run:
            self.ms_per_frame = round(self.p50_ms / self.frames_per_run, 4)
            self.ms_per_live_frame = self.p50_ms
            self.frames_per_second = round(1000 * self.frames_per_run / self.p50_ms, 2)


@dataclass(kw_only=True)
class BenchResult:
    """All rows of one run, with the machine and the rules."""

    machine: dict[str, Any]
    protocol: dict[str, Any]
    rows: list[Row]
    complete: bool = True
    """False when it was interrupted; what was measured until then is kept."""
    schema_version: int = SCHEMA_VERSION

    def compare(self, yardstick: str) -> None:
        """Fill in the speed-ups over the yardstick's fp32 ONNX Runtime clip row of this very run."""
        wanted = (yardstick, "clip", "ort", "fp32")
        base = next((r for r in self.rows if (r.model, r.form, r.runtime, r.precision_asked) == wanted and r.p50_ms), None)
        for row in self.rows:
            if base and base.p50_ms and base.ms_per_frame and row.ms_per_frame and row.ms_per_live_frame:
                row.speedup_vs_unet3d = round(base.ms_per_frame / row.ms_per_frame, 3)
                row.live_speedup_vs_unet3d = round(base.p50_ms / row.ms_per_live_frame, 3)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return asdict(self)

    def to_json(self) -> str:
        """The result as indented JSON; a row's many times stand on one line."""
        values = self.to_dict()
        times = [row.pop("times_ms") for row in values["rows"]]
        for i, row in enumerate(values["rows"]):
            row["times_ms"] = f"@times{i}@"
        text = json.dumps(values, indent=2, ensure_ascii=False)
        for i, numbers in enumerate(times):
            text = text.replace(f'"@times{i}@"', json.dumps([round(t, 4) for t in numbers]))
        return text + "\n"
