"""Two results against each other: changes are found, noise is called noise, a slow machine is no slow network."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_results import made_result
from rich.console import Console

from edgeecho.benchmarks.compare import compare_runs, print_comparison
from edgeecho.benchmarks.comparison import (
    FASTER,
    MACHINE,
    NOISE,
    NOT_TOLD,
    PERHAPS,
    SLOWER,
    YARDSTICK_ONLY,
    Comparison,
    Ratio,
    compare,
)
from edgeecho.benchmarks.result import BenchResult, Row

MODEL = "cl_unet_edge"


def changed(result: BenchResult, factor: float, model: str = MODEL) -> BenchResult:
    """The result with one network's times multiplied."""
    rows = [replace(row) for row in result.rows]
    for row in rows:
        if row.model == model and row.ms_per_frame:
            row.times_ms = [time * factor for time in row.times_ms]
            row.ms_per_frame *= factor
            row.p50_ms = (row.p50_ms or 0) * factor
    return replace(result, rows=rows)


def with_many_yardstick_runs(result: BenchResult) -> BenchResult:
    """The yardstick of a patient person: thirty runs in place of three."""
    rows = [replace(row) for row in result.rows]
    for row in rows:
        if row.model == "unet3d":
            row.times_ms = [1000 * row.ms_per_frame * (1 + 0.01 * (i % 7 - 3)) for i in range(30)]  # type: ignore[operator]
    return replace(result, rows=rows)


def verdicts(comparison: Comparison, model: str = MODEL) -> set[str]:
    return {change.verdict for change in comparison.changes if change.old.model == model and not change.old.error}


def printed(comparison: Comparison, width: int = 120) -> str:
    out = io.StringIO()
    print_comparison(comparison, Console(file=out, width=width, force_terminal=True, color_system=None))
    return out.getvalue()


def test_twenty_percent_is_found_and_one_percent_is_noise() -> None:
    old, new = made_result(0), made_result(1)
    found = compare(old, changed(new, 1.2))
    assert verdicts(found) == {SLOWER}
    assert verdicts(found, "cl_unet_nano") == {NOISE}
    assert verdicts(compare(old, changed(new, 1 / 1.2))) == {FASTER}
    assert verdicts(compare(old, changed(new, 1.01))) == {NOISE}
    assert "Slower beyond noise" in printed(found)


@pytest.mark.parametrize("runs", [6, 30, 120])
def test_intervals_hold_the_truth_as_often_as_they_say(runs: int) -> None:
    """Of 60 pairs of rows that differ by a tenth, at most 8 intervals of 95 % may miss it; 3 are expected."""
    rng, missed = np.random.default_rng(runs), 0

    def result(scale: float) -> BenchResult:
        rows = [row(scale * (10 + rng.gamma(2, 0.3, runs)), str(i)) for i in range(60)]
        return BenchResult(machine={}, protocol={}, rows=rows)

    for change in compare(result(1.0), result(1.1)).changes:
        assert change.ratio
        missed += not (change.ratio.low or 9) < 1.1 < (change.ratio.high or 0)
    assert missed <= 8


def row(times_ms: Sequence[float] | np.ndarray, model: str = "x") -> Row:
    """A stream's row of these times."""
    made = Row(model=model, runtime="ort", precision_asked="int8", threads=1, times_ms=[float(t) for t in times_ms])
    made.frames_per_run = 1
    made.summarise()
    return made


def test_one_seed_one_answer_also_from_files(tmp_path: Path) -> None:
    old, new = made_result(0), made_result(1)
    found = compare(old, new)
    assert found == compare(old, new)
    files = tmp_path / "a.json", tmp_path / "b.json"
    for path, result in zip(files, (old, new), strict=True):
        path.write_text(result.to_json())
    values = compare_runs(*files).to_dict()
    assert values == json.loads(json.dumps(found.to_dict()))
    assert [row["verdict"] for row in values["rows"]] == [change.verdict for change in found.changes]


def test_a_slower_machine_is_not_a_slower_network() -> None:
    found = compare(made_result(0), made_result(1, slower=1.3))
    assert verdicts(found) == verdicts(found, "cl_unet_nano") == {MACHINE}
    assert found.yardstick
    assert found.yardstick.value == pytest.approx(1.3, abs=0.05)
    assert "No row changed beyond noise" in printed(found)


def test_a_yardstick_of_three_runs_leaves_doubt() -> None:
    old, new = made_result(0), made_result(1)
    assert verdicts(compare(old, changed(new, 1.08))) == {PERHAPS + SLOWER}
    sure = compare(with_many_yardstick_runs(old), with_many_yardstick_runs(changed(new, 1.08)))
    assert verdicts(sure) == {SLOWER}


def test_a_yardstick_that_moves_alone_is_said() -> None:
    old = with_many_yardstick_runs(made_result(0))
    assert verdicts(compare(old, with_many_yardstick_runs(changed(old, 1.3, "unet3d")))) == {YARDSTICK_ONLY}


def test_without_a_yardstick_the_times_alone_decide() -> None:
    old, new = made_result(0), made_result(1)
    for result in (old, new):
        result.rows = [row for row in result.rows if row.model != "unet3d"]
    found = compare(old, changed(new, 1.2))
    assert verdicts(found) == {SLOWER}
    assert all(change.corrected is None for change in found.changes)
    assert "No yardstick" in printed(found)


def test_few_or_scattered_runs_are_not_told() -> None:
    few = compare(made_result(0, runs=4), changed(made_result(1, runs=4), 1.2))
    assert verdicts(few) == {NOT_TOLD}
    wild = compare(made_result(0, runs=6, noise=0.3), changed(made_result(1, runs=6, noise=0.3), 1.1))
    assert SLOWER not in verdicts(wild)
    assert Ratio(1.2, None, None).verdict == NOT_TOLD
    assert [Ratio(*r).verdict for r in ((1.02, 1.01, 1.03), (1.2, 0.9, 1.5), (1.2, 1.1, 1.3))] == [NOISE, NOISE, SLOWER]


def test_slow_spells_widen_the_interval() -> None:
    """Runs that resemble their neighbours say less than as many that do not."""
    spelled, steady_times = [10.0] * 30 + [12.0] * 30, [10.0, 10.2] * 30
    results = [BenchResult(machine={}, protocol={}, rows=[row(times)]) for times in (spelled, steady_times)]
    spells, steady = (compare(result, result).changes[0].ratio for result in results)
    assert spells
    assert steady
    assert (spells.high or 0) - (spells.low or 0) > 0.15 > (steady.high or 0) - (steady.low or 0)


def test_what_else_changed_is_listed() -> None:
    old, new = made_result(0), made_result(0)
    row = new.rows[0]
    row.sha256, row.precision_run, row.params = "f" * 64, "fp32 18/19", 5
    row.accuracy = {**(row.accuracy or {}), "dice_ed": 0.9, "split": "test"}
    new.rows[1].error, new.rows[1].ms_per_frame = "it [died]", None
    gone = new.rows.pop(4)
    new.rows.append(replace(gone, model="<b>new</b>"))
    new.rows[2].threads = 2
    new.machine = {**new.machine, "cpu": "Another", "versions": {**new.machine["versions"], "onnxruntime": "2.0"}}
    new.protocol = {**new.protocol, "clip": [16, 1, 112, 112]}
    new.complete = False
    found = compare(old, new)
    text = " ".join(printed(found).split())
    for words in (
        *("another file (", "now ffffffff", "ran in fp32, now fp32 18/19", "parameters 967 516, now 5"),
        *("Dice ED 0.948, now 0.900", "accuracy on camus val, now on camus test", "failed: it [died]"),
        *("another machine: cpu Made-up CPU, now Another", "onnxruntime 1.32.0, now 2.0", "another rules: clip"),
        *("second result is partial", "Only in the second: ", "<b>new</b>", "Only in the first: "),
    ):
        assert words in text
    assert (len(found.only_old), len(found.only_new)) == (2, 2)


@pytest.mark.parametrize("width", [80, 100])
def test_table_fits_the_terminal(width: int) -> None:
    text = printed(compare(made_result(0), made_result(1)), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_nothing_in_common_is_said() -> None:
    empty = BenchResult(machine={}, protocol={}, rows=[])
    assert "no row in common" in printed(compare(empty, made_result()))
