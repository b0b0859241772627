"""Comparison of two results: changes are found, noise is no change, and a slow machine is no slow network."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeecho.benchmarks.compare.compare import compare_runs, render_comparison
from edgeecho.benchmarks.compare.comparison import (
    FASTER,
    INCONCLUSIVE,
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
from edgeecho.benchmarks.run.result import BenchResult, Row
from tests.benchmarks.made_results import made_result
from tests.benchmarks.printed import printed

MODEL = "cl_unet_edge"


def changed(result: BenchResult, factor: float, model: str = MODEL) -> BenchResult:
    """Return the result with one network's times multiplied."""
    rows = [replace(row) for row in result.rows]
    for row in rows:
        if row.model == model and row.ms_per_frame:
            row.times_ms = [time * factor for time in row.times_ms]
            row.ms_per_frame *= factor
            row.p50_ms = (row.p50_ms or 0) * factor
    return replace(result, rows=rows)


def with_many_yardstick_runs(result: BenchResult) -> BenchResult:
    """Give the yardstick thirty runs in place of three."""
    rows = [replace(row) for row in result.rows]
    for row in rows:
        if row.model == "unet3d":
            row.times_ms = [1000 * row.ms_per_frame * (1 + 0.01 * (i % 7 - 3)) for i in range(30)]  # type: ignore[operator]
    return replace(result, rows=rows)


def verdicts(comparison: Comparison, model: str = MODEL) -> set[str]:
    return {change.verdict for change in comparison.changes if change.old.model == model and not change.old.error}


@pytest.mark.slow
def test_twenty_percent_is_found_and_one_percent_is_noise() -> None:
    old, new = made_result(0), made_result(1)
    found = compare(old, changed(new, 1.2))
    assert verdicts(found) == {SLOWER}
    assert verdicts(found, "cl_unet_nano") == {NOISE}
    assert verdicts(compare(old, changed(new, 1 / 1.2))) == {FASTER}
    assert verdicts(compare(old, changed(new, 1.01))) == {NOISE}
    assert "Slower beyond noise" in printed(render_comparison, found)


@pytest.mark.parametrize("runs", [6, 30, 120])
def test_intervals_hold_the_truth_as_often_as_they_say(runs: int) -> None:
    """Compare 60 pairs of rows that differ by a tenth: at most 8 intervals of 95 % may miss it; 3 are expected."""
    rng, missed = np.random.default_rng(runs), 0

    def result(scale: float) -> BenchResult:
        rows = [row(scale * (10 + rng.gamma(2, 0.3, runs)), str(i)) for i in range(60)]
        return BenchResult(machine={}, protocol={}, rows=rows)

    for change in compare(result(1.0), result(1.1)).changes:
        assert change.ratio
        missed += not (change.ratio.low or 9) < 1.1 < (change.ratio.high or 0)
    assert missed <= 8


def row(times_ms: Sequence[float] | np.ndarray, model: str = "x") -> Row:
    """Return a stream's row with these times."""
    made = Row(model=model, runtime="ort", precision_asked="int8", threads=1, times_ms=[float(t) for t in times_ms])
    made.frames_per_run = 1
    made.summarise()
    return made


@pytest.mark.slow
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
    assert "No row changed beyond noise" in printed(render_comparison, found)


@pytest.mark.slow
def test_a_yardstick_of_three_runs_leaves_doubt() -> None:
    old, new = made_result(0), made_result(1)
    assert verdicts(compare(old, changed(new, 1.08))) == {PERHAPS + SLOWER}
    sure = compare(with_many_yardstick_runs(old), with_many_yardstick_runs(changed(new, 1.08)))
    assert verdicts(sure) == {SLOWER}


def test_a_yardstick_that_moves_alone_is_said() -> None:
    old = with_many_yardstick_runs(made_result(0))
    assert verdicts(compare(old, with_many_yardstick_runs(changed(old, 1.3, "unet3d")))) == {YARDSTICK_ONLY}


def test_without_a_yardstick_no_change_is_told_from_drift() -> None:
    old, new = made_result(0), made_result(1)
    for result in (old, new):
        result.rows = [row for row in result.rows if row.model != "unet3d"]
    for drifted in (changed(new, 1.2), changed(new, 1 / 1.2)):
        found = compare(old, drifted)
        assert verdicts(found) == {INCONCLUSIVE}
        assert verdicts(found, "cl_unet_nano") == {NOISE}
        assert all(change.corrected is None for change in found.changes)
        values = found.to_dict()
        assert {row["verdict"] for row in values["rows"]} == {INCONCLUSIVE, NOISE, NOT_TOLD}
        assert (values["yardstick"], values["no_yardstick"]) == (None, "neither result has one")
        text = " ".join(printed(render_comparison, found).split())
        assert "Inconclusive: cl_unet_edge" in text
        assert "that cannot be told from drift of the machine" in text
        assert "No yardstick (the standard 3D U-Net's fp32 in ONNX Runtime): neither result has one." in text
        assert "er beyond noise:" not in text


def _set(**values: object) -> Callable[[BenchResult], None]:
    """Return a function that sets fields of a result's yardstick."""

    def change(result: BenchResult) -> None:
        yardstick = result.yardstick()
        assert yardstick
        for key, value in values.items():
            setattr(yardstick, key, value)

    return change


def _drop(result: BenchResult) -> None:
    result.rows = [row for row in result.rows if row is not result.yardstick()]


def _machine(key: str, value: object) -> Callable[[BenchResult], None]:
    return lambda result: result.machine.update({key: value})


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_drop, "the second result has none"),
        (_set(error="it died", ms_per_frame=None), "it failed in the second result"),
        (_set(ms_per_frame=None, times_ms=[]), "it was not timed in the second result"),
        (_set(times_ms=[6816.0]), "its runs in the second result are 1, fewer than 2"),
        (_set(threads=2), "it ran on 1 thread, now on 2"),
        (_set(frames_per_run=16), "it is timed on other work: runs of 32 frames, now of 16"),
        (_set(params=5), "it is of another network: params 19068097, now 5"),
        (_set(macs_per_frame=5), "it is of another network: macs_per_frame"),
        (_set(precision_run="bf16"), "it is of another precision: precision_run fp32, now bf16"),
        (_set(runtime_version="2.0"), "its time holds what changed in ONNX Runtime too: 1.32.0, now 2.0"),
        (_machine("cpu", "Another"), "the machine is another: cpu Made-up CPU, now Another"),
        (_machine("flags", ["avx2"]), "the machine is another: flags avx2, fma, now avx2"),
        (_machine("usable_cores", 8), "the machine is another: usable_cores 2, now 8"),
    ],
)
def test_a_yardstick_that_does_not_tell_the_drift_is_none(spoil: Callable[[BenchResult], None], why: str) -> None:
    old, new = (with_many_yardstick_runs(made_result(seed, runs=20)) for seed in (0, 1))
    new = changed(new, 1.2)
    spoil(new)
    found = compare(old, new)
    assert verdicts(found) == {INCONCLUSIVE}
    assert found.yardstick is None
    assert (found.no_yardstick or "").startswith(why)
    assert f"No yardstick (the standard 3D U-Net's fp32 in ONNX Runtime): {why}" in " ".join(
        printed(render_comparison, found, 400).split()
    )


def test_another_engine_of_other_rows_leaves_the_yardstick_alone() -> None:
    old, new = with_many_yardstick_runs(made_result(0)), with_many_yardstick_runs(changed(made_result(1), 1.2))
    for row in new.rows:
        row.runtime_version = "2027.0" if row.runtime == "openvino" else row.runtime_version
    assert verdicts(compare(old, new)) == {SLOWER}


def test_the_yardstick_itself_is_the_machine() -> None:
    old = with_many_yardstick_runs(made_result(0))
    found = compare(old, with_many_yardstick_runs(changed(old, 1.3, "unet3d")))
    (yardstick,) = (change for change in found.changes if change.is_yardstick)
    assert yardstick.verdict == MACHINE
    slower = " ".join(printed(render_comparison, found).split()).partition("Slower beyond noise")[2]
    assert yardstick.name not in slower.partition(". ")[0]


@pytest.mark.slow
def test_a_row_that_slows_less_than_the_machine_is_not_faster() -> None:
    """Compare a row a tenth slower with a yardstick 1.4 times as slow: both exceed noise, in opposite directions."""
    old = with_many_yardstick_runs(made_result(0))
    found = compare(old, with_many_yardstick_runs(changed(changed(old, 1.1), 1.4, "unet3d")))
    assert verdicts(found) == {INCONCLUSIVE}
    assert "changed in opposite directions" in printed(render_comparison, found, 200)
    few = made_result(0)  # the same, where three runs of the yardstick leave doubt
    assert verdicts(compare(few, changed(changed(few, 1.06), 1.12, "unet3d"))) == {MACHINE}


def test_clips_of_another_length_or_size_are_not_compared() -> None:
    old, new = made_result(0), changed(made_result(1), 1.2)
    for row in new.rows:
        row.frames_per_run = row.frames_per_run and (16 if row.form == "clip" else row.frames_per_run)
    new.protocol = {**new.protocol, "clip": [16, 1, 112, 112]}
    found = compare(old, new)
    clips = [c for c in found.changes if c.old.form == "clip" and c.old.p50_ms]
    assert {(c.verdict, c.ratio, c.corrected, c.notes[0]) for c in clips} == {
        (NOT_TOLD, None, None, "not comparable: runs of 32 frames, now of 16")
    }
    streams = {c.verdict for c in found.changes if c.old.form == "stream" and c.old.model == MODEL}
    assert streams == {INCONCLUSIVE}  # the same work, but the yardstick's is not
    new = replace(changed(made_result(1), 1.2), protocol={**old.protocol, "clip": [32, 1, 96, 96]})
    found = compare(old, new)
    assert {c.verdict for c in found.changes} == {NOT_TOLD}
    assert "not comparable: frames of 112 x 112, now of 96 x 96" in printed(render_comparison, found)


def test_few_or_scattered_runs_are_not_told() -> None:
    few = compare(made_result(0, runs=4), changed(made_result(1, runs=4), 1.2))
    assert verdicts(few) == {NOT_TOLD}
    wild = compare(made_result(0, runs=6, noise=0.3), changed(made_result(1, runs=6, noise=0.3), 1.1))
    assert SLOWER not in verdicts(wild)
    assert Ratio(1.2, None, None).verdict == NOT_TOLD
    assert [Ratio(*r).verdict for r in ((1.02, 1.01, 1.03), (1.2, 0.9, 1.5), (1.2, 1.1, 1.3))] == [NOISE, NOISE, SLOWER]


def test_slow_spells_widen_the_interval() -> None:
    """Correlated runs have a wider interval than as many independent ones."""
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
    text = " ".join(printed(render_comparison, found).split())
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
    text = printed(render_comparison, compare(made_result(0), made_result(1)), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


def test_nothing_in_common_is_said() -> None:
    empty = BenchResult(machine={}, protocol={}, rows=[])
    assert "no row in common" in printed(render_comparison, compare(empty, made_result()))
