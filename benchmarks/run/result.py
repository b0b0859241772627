"""Result of a benchmark, and its JSON file. No run is dropped, and percentiles need enough runs."""

import json
import math
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.peers.peers import YARDSTICK
from edgeecho.errors import DataError
from edgeecho.files import read_regular

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)
MAX_FILE_BYTES = 1 << 26
"""Largest result file that is read; a hundred rows of a thousand runs are a megabyte."""
YARDSTICK_ROW = (YARDSTICK, "ort", "fp32")
"""Model, runtime and precision of the row that speed-ups are over."""
STAGES = ("decode", "region", "resize", "network", "mask", "measure")
"""Stages of `Row.end_to_end`, in their order."""
RUNS_FOR_PERCENTILE = {50: 1, 90: 10, 99: 100}
"""Percentile to the fewest runs for it; with fewer it is null."""


def percentile(times_ms: list[float], q: int) -> float | None:
    """Return a percentile over all runs; None if there are too few."""
    if len(times_ms) < RUNS_FOR_PERCENTILE[q]:
        return None
    return round(float(np.percentile(times_ms, q)), 4)


@dataclass(kw_only=True)
class Row:
    """Figures of one row. None means unknown or not measured; `error` has the reason of a failure in one line."""

    model: str
    runtime: str
    precision_asked: str | None
    precision_run: str | None = None
    """Precision that ran, read from the engine: `int8`, `fp32`, or `int8 15/18` if 15 of 18 convolutions did."""
    form: str | None = None
    threads: int
    params: int | None = None
    macs_per_frame: int | None = None
    file_bytes: int | None = None
    """Size of the model file; OpenVINO: of .xml and .bin; a user's ONNX file: with its external data."""
    load_ms: float | None = None
    first_ms: float | None = None
    weights: str | None = None
    """`trained`, or `random` (seeded: such a row is about speed alone)."""
    frames_per_run: int | None = None
    """Frames of one timed run: T of a clip, 1 of a stream."""
    n: int = 0
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    ms_per_frame: float | None = None
    """p50_ms / frames_per_run."""
    ms_per_live_frame: float | None = None
    """Time of one more live frame: a stream's run, or a whole window again for a clip."""
    frames_per_second: float | None = None
    start_rss_mb: float | None = None
    """Resident memory of the row's process before its engine was imported."""
    loaded_rss_mb: float | None = None
    """Resident memory after loading and warm-up."""
    peak_rss_mb: float | None = None
    speedup_vs_unet3d: float | None = None
    """ms_per_frame of the yardstick over this row's, one run."""
    live_speedup_vs_unet3d: float | None = None
    """ms_per_live_frame of the yardstick over this row's, one run."""
    accuracy: dict[str, Any] | None = None
    """{data, split, n, dice_ed, dice_es, ef_mae, ef_n}; Dice 0-1 (mean over frames), EF error in points (mean
    |error|)."""
    live: dict[str, Any] | None = None
    """Live measurement of `--rate`: {fps, frames, keeps_up, used_p50, used_p90, used_p99, late_max_ms,
    start_late_max_ms, missed, waiting_at_end, first_ms}. `used` is the used part of a frame's time, and `missed` the
    number of frames after the first second whose result came after the next frame."""
    end_to_end: dict[str, Any] | None = None
    """{input, frames, n, decode_ms, region_ms, resize_ms, network_ms, mask_ms, measure_ms, total_ms}: medians of a
    whole cine, in ms."""
    profile: dict[str, Any] | None = None
    """Profile of `--profile`: {layers: [{name, op, precision, macs, ms, gmac_per_s, of_ceiling}], ceiling_gmac_per_s,
    ceilings, total_ms, macs, run_ms, runs, conv_ms, of_ceiling}. A ceiling is a peak throughput."""
    estimates: list[dict[str, Any]] | None = None
    """Estimates of `--estimate`: [{board, ms_per_frame, low_ms, high_ms, bound_by: {compute, memory}, calibration,
    sources}]."""
    cores_used: float | None = None
    """CPU time of the process per second of timed runs: below `threads` when others took the cores."""
    convolutions_run: dict[str, int] | None = None
    """Convolutions by the precision that they ran in."""
    runtime_version: str | None = None
    sha256: str | None = None
    """SHA-256 of the model file: of the .xml, whose seal covers the .bin; of a user's ONNX file `OnnxFile.sha256`, with
    its external data."""
    failed: dict[str, str] | None = None
    """Extra measurements that failed, by their field (`live`, `profile`, `precision_run` ...), with the reason in one
    line."""
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
    """Rows of one benchmark, with the machine and the rules."""

    machine: dict[str, Any]
    protocol: dict[str, Any]
    rows: list[Row]
    complete: bool = True
    """False when it was interrupted; what was measured until then is kept."""
    schema_version: int = SCHEMA_VERSION

    def finish(self) -> None:
        """Fill in the figures that are computed from the times, and the error of rows that were not timed."""
        for row in self.rows:
            row.summarise()
            if not self.complete and not row.n and not row.error:
                row.error = "interrupted before it was timed"
        self.compare()

    def compare(self) -> None:
        """Fill in the speed-ups over the yardstick's row of this result."""
        base = self.yardstick()
        for row in self.rows:
            if base and base.p50_ms and base.ms_per_frame and row.ms_per_frame and row.ms_per_live_frame:
                row.speedup_vs_unet3d = round(base.ms_per_frame / row.ms_per_frame, 3)
                row.live_speedup_vs_unet3d = round(base.p50_ms / row.ms_per_live_frame, 3)

    def yardstick(self) -> Row | None:
        """Return the row that speed-ups are over: the standard 3D U-Net's fp32 clip in ONNX Runtime."""
        named = (r for r in self.rows if (r.model, r.runtime, r.precision_asked) == YARDSTICK_ROW)
        return next((row for row in named if row.form in ("clip", None)), None)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> "BenchResult":
        """Read what `to_json` wrote, of this schema or the one before, whose ms a frame are computed.

        Raises:
            DataError: If the file cannot be read or is no result of `edgeecho bench`.
        """
        path = Path(path)
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DataError(f"{path.name}: larger than {MAX_FILE_BYTES >> 20} MB; no result of edgeecho bench")
            values = json.loads(read_regular(path))
        except OSError as error:
            raise DataError(f"cannot read {path.name}: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path.name}: not JSON; give a file that edgeecho bench --json wrote") from error
        try:
            return cls.from_dict(values)
        except DataError as error:
            raise DataError(f"{path.name}: {error}") from error

    @classmethod
    def from_dict(cls, values: Any) -> "BenchResult":
        """Make a result from the values of `to_dict`; keys that this version does not know are left out.

        Raises:
            DataError: If it is no result, or of an unknown schema.
        """
        if not isinstance(values, dict) or "rows" not in values:
            raise DataError("no result of edgeecho bench; give a file that its --json wrote")
        version = values.get("schema_version")
        if version not in READABLE_VERSIONS or isinstance(version, bool):
            readable = " and ".join(map(str, READABLE_VERSIONS))
            raise DataError(f"schema version {version!r}; this EdgeEcho reads {readable}")
        for key, kind in (("machine", dict), ("protocol", dict), ("rows", list)):
            if not isinstance(values.get(key), kind):
                raise DataError(f"no result of edgeecho bench: {key} is missing or no {kind.__name__}")
        rows = [_row(row, i) for i, row in enumerate(values["rows"])]
        result = cls(
            machine=values["machine"],
            protocol=values["protocol"],
            rows=rows,
            complete=values.get("complete") is not False,
        )
        if version == 1:
            result._fill_in_frames()
        return result

    def _fill_in_frames(self) -> None:
        """Fill in form and frames of schema 1, which has clips of the protocol's length alone."""
        clip = self.protocol.get("clip")
        if isinstance(clip, list) and clip and isinstance(clip[0], int) and clip[0] > 0:
            for row in self.rows:
                row.form = row.form or "clip"
                row.frames_per_run = clip[0]
                row.ms_per_frame = row.p50_ms and round(row.p50_ms / clip[0], 4)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the result as indented JSON, with the times of a row on one line."""
        values = self.to_dict()
        times = [row.pop("times_ms") for row in values["rows"]]
        for i, row in enumerate(values["rows"]):
            row["times_ms"] = f"@times{i}@"
        text = json.dumps(values, indent=2, ensure_ascii=False)
        for i, numbers in enumerate(times):
            text = text.replace(f'"@times{i}@"', json.dumps([round(t, 4) for t in numbers]))
        return text + "\n"


def _row(values: Any, number: int) -> Row:
    """Make a row from a file's values, and check the type of each field."""
    if not isinstance(values, dict):
        raise DataError(f"row {number} is no object")
    row: dict[str, Any] = {}
    for column in fields(Row):
        value = values.get(column.name)
        if value is not None:
            kind = column.type.__name__ if column.type in (str, int) else str(column.type)
            if not _fits(value, kind):
                raise DataError(f"row {number}: {column.name} is {str(value)[:40]!r}, expected {kind}")
            row[column.name] = value
    for name in ("model", "runtime", "precision_asked", "threads"):
        if name not in values or (name not in row and name != "precision_asked"):
            raise DataError(f"row {number}: {name} is missing")
        row.setdefault(name, None)
    return Row(**row)


def _fits(value: Any, kind: str) -> bool:
    """Return whether a JSON value is of an annotated type such as `float | None`; numbers must be finite."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if kind.startswith("str"):
        return isinstance(value, str)
    if kind.startswith("int"):
        return is_number and isinstance(value, int)
    if kind.startswith("float"):
        return is_number
    if kind.startswith("dict"):
        return isinstance(value, dict)
    return isinstance(value, list) and ("float" not in kind or all(_fits(v, "float") for v in value))
