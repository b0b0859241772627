"""Formatting of figures, names and sentences in every table, page and chart of a result."""

import json
import math
from collections.abc import Iterable
from typing import Any, TypeGuard

from edgeecho.benchmarks.run.result import BenchResult, Row

MISSING = "-"


def number(value: Any, digits: int = 0) -> str:
    """Format a number with spaces between groups of three digits, such as `6 280.2`; `-` for anything else."""
    return f"{value:,.{digits}f}".replace(",", " ") if is_number(value) else MISSING


def significant(value: Any, digits: int = 3) -> str:
    """Format a number with significant digits and without exponents: 0.0531, 0.285, 16.9, 6 831."""
    if not is_number(value):
        return MISSING
    whole = math.floor(math.log10(abs(value))) + 1 if value else 1
    return number(value, min(max(digits - whole, 0), 6))


def speedup(value: Any) -> str:
    """Format a speed-up, such as `192x`."""
    return f"{significant(value, 3 if is_number(value) and value >= 10 else 2)}x" if is_number(value) else MISSING


def percent(value: Any) -> str:
    """Format a fraction as a percentage, such as `3.4 %`."""
    return f"{significant(100 * value, 2 if value < 1 else 3)} %" if is_number(value) else MISSING


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a JSON value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number_at(values: dict[str, Any] | None, key: str) -> float | None:
    """Return a number of a row's `accuracy`, `live` or another group; None if it is missing."""
    value = (values or {}).get(key)
    return float(value) if value is not None and is_number(value) else None


def json_text(value: Any) -> str:
    """Format a JSON value as one line of text."""
    if value is None:
        return MISSING
    if isinstance(value, dict):
        return "; ".join(f"{k}: {json_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(json_text, value))
    return value if isinstance(value, str) else json.dumps(value)


def failures(row: Row) -> list[tuple[str, str]]:
    """Return what failed of a row, by name, and the reason: the row itself, or an extra measurement."""
    whole = [(row_name(row), row.error)] if row.error else []
    return whole + [(f"{row_name(row)}, {what}", str(why)) for what, why in (row.failed or {}).items()]


def thread_count(count: Any) -> str:
    """Format a number of threads, such as `1 thread`."""
    return f"{count} thread{'' if count == 1 else 's'}"


def row_name(row: Row) -> str:
    """Return the name of a row, such as `cl_unet_edge stream openvino int8`."""
    form = row.form if row.form == "stream" else None
    return " ".join(part for part in (row.model, form, row.runtime, row.precision_asked) if part)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows by their time a frame; failed rows come last."""
    return sorted(rows, key=lambda row: (row.p50_ms is None, row.ms_per_frame or row.p50_ms or 0))


def mean_dice(row: Row) -> float | None:
    """Return the mean Dice of ED and ES, 0-1, or the one that is known; None if neither is."""
    values = [value for key in ("dice_ed", "dice_es") if (value := number_at(row.accuracy, key)) is not None]
    return sum(values) / len(values) if values else None


def clip_text(result: BenchResult) -> str:
    """Describe the clip, such as `clips of 32 frames of 112 x 112, 1 thread`."""
    clip, count = result.protocol.get("clip"), result.protocol.get("threads")
    words = [f"clips of {clip[0]} frames of {clip[-1]} x {clip[-1]}"] if isinstance(clip, list) and clip else []
    return ", ".join([*words, *([thread_count(count)] if count else [])])


def machine_text(result: BenchResult) -> str:
    """Describe CPU, cores and engines in one line."""
    machine = result.machine
    versions = machine.get("versions") if isinstance(machine.get("versions"), dict) else {}
    engines = [f"{k} {v}" for k, v in (versions or {}).items() if v and k in ("onnxruntime", "openvino")]
    cores = machine.get("usable_cores")
    return ", ".join([str(machine.get("cpu") or "unknown CPU"), *([f"{cores} cores"] if cores else []), *engines])


def load_warning(result: BenchResult) -> str | None:
    """Return a warning if other processes used the machine; None if not, or if it is unknown."""
    busy, cores = result.machine.get("load_average_at_start"), result.machine.get("usable_cores")
    count = result.protocol.get("threads")
    if not (is_number(busy) and is_number(cores) and is_number(count)) or busy + count <= cores + 0.5:
        return None
    return (
        f"The machine was busy (load average {busy} on {cores} cores): trust the ratios more than the milliseconds, "
        "and run it again when idle."
    )


def accuracy_text(result: BenchResult) -> str | None:
    """Describe the data sets on which Dice and EF were measured; None if no row has accuracy."""
    found = {}
    for row in result.rows:
        if row.accuracy:
            where = " ".join(str(row.accuracy[key]) for key in ("data", "split") if row.accuracy.get(key))
            found[where or "unknown data"] = f"n {number(row.accuracy.get('n'))}"
    if not found:
        return None
    return (
        "Accuracy on " + "; ".join(f"{where} ({count})" for where, count in found.items()) + ": Dice 0-1, mean over "
        "frames; EF error in points, mean of its size."
    )
