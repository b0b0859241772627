"""Differences of two results other than times, and whether the yardstick measures the machine's drift despite them."""

from typing import Any

from edgeecho.benchmarks.render.formatting import json_text, number, number_at, thread_count
from edgeecho.benchmarks.run.machine import runtime_name
from edgeecho.benchmarks.run.result import BenchResult, Row

MACHINE_KEYS = ("cpu", "architecture", "usable_cores", "flags")
"""Keys of a result's `machine`; results that differ in one of them are of different machines."""
MIN_YARDSTICK_RUNS = 2
"""Fewest runs of the yardstick in each result; with fewer there is no interval."""


def other_work(a: Row, b: Row, old: BenchResult, new: BenchResult) -> str | None:
    """Return why a run of a row is other work in the second result than in the first; None if it is the same."""
    if a.frames_per_run and b.frames_per_run and a.frames_per_run != b.frames_per_run:
        return f"runs of {a.frames_per_run} frames, now of {b.frames_per_run}"
    sizes = [_size_px(result) for result in (old, new)]
    if None not in sizes and sizes[0] != sizes[1]:
        return f"frames of {sizes[0]}, now of {sizes[1]}"
    return None


def _size_px(result: BenchResult) -> str | None:
    clip = result.protocol.get("clip")
    return f"{clip[-2]} x {clip[-1]}" if isinstance(clip, list) and len(clip) == 4 else None


def yardstick_fault(old: BenchResult, new: BenchResult) -> str | None:
    """Return why the yardsticks of two results do not measure the drift of one machine; None if they do."""
    a, b = old.yardstick(), new.yardstick()
    if a is None or b is None:
        missing = [words for words, row in (("first", a), ("second", b)) if row is None]
        return f"the {missing[0]} result has none" if len(missing) == 1 else "neither result has one"
    for words, row in (("first", a), ("second", b)):
        if row.error:
            return f"it failed in the {words} result"
        if not row.ms_per_frame:
            return f"it was not timed in the {words} result"
        if len(row.times_ms) < MIN_YARDSTICK_RUNS:
            return f"its runs in the {words} result are {len(row.times_ms)}, fewer than {MIN_YARDSTICK_RUNS}"
    if a.threads != b.threads:
        return f"it ran on {thread_count(a.threads)}, now on {b.threads}"
    if work := other_work(a, b, old, new):
        return f"it is timed on other work: {work}"
    for words, key in (("network", "params"), ("network", "macs_per_frame"), ("precision", "precision_run")):
        values = getattr(a, key), getattr(b, key)
        if None not in values and values[0] != values[1]:
            return f"it is of another {words}: {key} {values[0]}, now {values[1]}"
    if a.runtime_version and b.runtime_version and a.runtime_version != b.runtime_version:
        engine = runtime_name(a.runtime)
        return f"its time holds what changed in {engine} too: {a.runtime_version}, now {b.runtime_version}"
    for key in MACHINE_KEYS:
        values = old.machine.get(key), new.machine.get(key)
        if None not in values and values[0] != values[1]:
            return f"the machine is another: {key} {json_text(values[0])}, now {json_text(values[1])}"
    return None


def notes_of(a: Row, b: Row) -> list[str]:
    """Return the differences of a row in file, precision that ran, parameters, accuracy and failures."""
    notes = []
    if a.error != b.error:
        notes.append(f"failed: {b.error}" if b.error else f"failed before: {a.error}")
    if a.sha256 and b.sha256 and a.sha256 != b.sha256:
        notes.append(f"another file ({a.sha256[:8]}, now {b.sha256[:8]})")
    if a.precision_run != b.precision_run and not (a.error or b.error):
        notes.append(f"ran in {a.precision_run or '?'}, now {b.precision_run or '?'}")
    if a.params != b.params and a.params and b.params:
        notes.append(f"parameters {number(a.params)}, now {number(b.params)}")
    for key, words, digits in (("dice_ed", "Dice ED", 3), ("dice_es", "Dice ES", 3), ("ef_mae", "EF error", 2)):
        values = number_at(a.accuracy, key), number_at(b.accuracy, key)
        if None not in values and number(values[0], digits) != number(values[1], digits):
            notes.append(f"{words} {number(values[0], digits)}, now {number(values[1], digits)}")
    with_accuracy = [" ".join(str((r.accuracy or {}).get(k)) for k in ("data", "split")) for r in (a, b) if r.accuracy]
    if len(set(with_accuracy)) == 2:
        notes.append(f"accuracy on {with_accuracy[0]}, now on {with_accuracy[1]}")
    return notes


def warnings_of(old: BenchResult, new: BenchResult) -> list[str]:
    """Return the differences of machine, software and rules, which make milliseconds incomparable."""
    found = []
    for words, a, b, keys in (
        ("machine", old.machine, new.machine, (*MACHINE_KEYS, "governor")),
        ("software", old.machine, new.machine, ("python", "versions")),
        ("rules", old.protocol, new.protocol, ("clip", "frames", "threads", "timed")),
    ):
        for key in keys:
            if a.get(key) != b.get(key):
                found.append(f"another {words}: {key} {_differing(a.get(key), b.get(key))}")
    for words, result in (("first", old), ("second", new)):
        if not result.complete:
            found.append(f"the {words} result is partial: its run was interrupted")
    return found


def _differing(a: Any, b: Any) -> str:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
        return "; ".join(f"{key} {json_text(a.get(key))}, now {json_text(b.get(key))}" for key in keys)
    return f"{json_text(a)}, now {json_text(b)}"
