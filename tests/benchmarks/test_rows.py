"""Rows of our models and of peers: streams, 16 bits, whole cines, accuracy, failures."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.benchmarks.peers.peers import PEERS, Peer
from edgeecho.benchmarks.render.files import render_csv
from edgeecho.benchmarks.render.markdown import render_markdown
from edgeecho.benchmarks.render.page import render_page
from edgeecho.benchmarks.render.table import render_table
from edgeecho.benchmarks.run import bench, end_to_end
from edgeecho.benchmarks.run.accuracy import summarise
from edgeecho.benchmarks.run.bench import run_bench
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.end_to_end import draw_cine, time_stages
from edgeecho.benchmarks.run.entries import Entry, entries
from edgeecho.benchmarks.run.error_text import without_folders
from edgeecho.benchmarks.run.loaded_row import load_row
from edgeecho.benchmarks.run.process import RowProcess
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.benchmarks.run.result import YARDSTICK, BenchResult, Row
from edgeecho.benchmarks.run.runner import Runner
from edgeecho.cine import read_cine
from edgeecho.errors import ConfigError, DataError, EdgeEchoError
from edgeecho.evaluate import evaluate_model
from edgeecho.model.index_seal import write_index_file
from edgeecho.model.registry import locate
from edgeecho.nn import count_parameters
from edgeecho.runtime import load, stream
from edgeecho.runtime.engines.engine import open_engine
from tests.benchmarks.printed import printed
from tests.helpers import MakeOnce

SIZE = 48
"""Frame size of the tiny bundle, in pixels."""
CLIP = speckle_clip(8, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=10, max_seconds=1.0, warm_up_seconds=0.0, rounds=2, end_to_end_runs=1)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def result(tiny_bundle: Path, camus: Path, make_once: MakeOnce) -> BenchResult:
    folder = make_once("bench-rows", lambda folder: run_rows(tiny_bundle, camus, folder / "result.json"))
    return BenchResult.from_dict(json.loads((folder / "result.json").read_text()))


def run_rows(tiny_bundle: Path, camus: Path, written: Path) -> None:
    """Run every form, engine and precision of a tiny bundle."""
    extras = Extras(rate=50.0, live_seconds=0.4, data=f"camus:{camus}")
    asked = ([str(tiny_bundle)], ["ort", "openvino"], ["fp32", "bf16", "int8"])
    written.write_text(run_bench(*asked, rules=RULES, extras=extras, frames=CLIP).to_json())


def test_every_form_engine_and_precision_is_a_row(result: BenchResult) -> None:
    assert [(row.error, row.failed) for row in result.rows] == [(None, None)] * 10
    names = {(row.form, row.runtime, row.precision_asked) for row in result.rows}
    expected = {(f, r, p) for f in ("clip", "stream") for r in ("ort", "openvino") for p in ("fp32", "int8")}
    assert names == expected | {("clip", "openvino", "bf16"), ("stream", "openvino", "bf16")}
    for row in result.rows:
        assert row.frames_per_run == (8 if row.form == "clip" else 1)
        assert row.precision_run == row.precision_asked or row.precision_asked == "bf16"
        assert (row.live is not None) == (row.form == "stream")
        assert (row.end_to_end is not None) == (row.form == "clip")
        assert (row.profile, row.estimates) == (None, None)


@pytest.mark.parametrize("runtime", ["ort", "openvino"])
def test_rows_are_profiled_and_estimated(tiny_bundle: Path, runtime: str) -> None:
    extras = Extras(end_to_end=False, profile=True, boards=("rpi4", "rpi5"))
    rows = run_bench([str(tiny_bundle)], [runtime], ["int8"], rules=RULES, extras=extras, frames=CLIP).rows
    assert [(row.form, row.error, row.failed) for row in rows] == [(form, None, None) for form in ("clip", "stream")]
    for row in rows:
        assert row.profile is not None
        assert sum(layer["macs"] for layer in row.profile["layers"]) == (row.macs_per_frame or 0) * row.frames_per_run
        assert row.profile["ceiling_gmac_per_s"] > 0
        boards = [found["board"] for found in row.estimates or ()]
        assert boards == (["rpi4", "rpi5"] if runtime == "ort" else [])


def test_streams_and_clips_are_as_good_as_each_other(result: BenchResult) -> None:
    found = {(r.form, r.runtime, r.precision_asked): r.accuracy for r in result.rows}
    assert found["clip", "openvino", "bf16"] is None  # edgeecho eval has no such precision
    clip, streamed = found["clip", "ort", "int8"], found["stream", "ort", "int8"]
    assert clip == streamed
    assert clip is not None
    assert clip["data"] == "camus"
    assert 0.5 < clip["dice_ed"] <= 1


def test_accuracy_is_that_of_eval(result: BenchResult, tiny_bundle: Path, camus: Path) -> None:
    scores = evaluate_model(str(tiny_bundle), f"camus:{camus}", "val", "ort", "fp32")
    row = next(r for r in result.rows if (r.form, r.runtime, r.precision_asked) == ("clip", "ort", "fp32"))
    assert row.accuracy == summarise(scores)


def test_the_clock_takes_the_steps_of_the_predictor(tiny_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "cine.avi"
    draw_cine(CLIP, path)
    predictor, cine = load(tiny_bundle, threads=1), read_cine(path)
    assert cine.frames.shape == (64, 480, 640)
    stages: dict[str, float] = {}
    assert np.array_equal(end_to_end._segment(predictor, cine, stages), predictor.segment(cine, flip="none").mask)
    assert set(stages) == set(end_to_end.STAGES) - {"decode"}
    found = time_stages(predictor, path, runs=2)
    assert (found["frames"], found["n"]) == (64, 2)
    assert found["total_ms"] >= found["network_ms"] > 0


def test_a_folder_of_ours_with_the_name_of_a_peer_is_left_alone(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "unet2d"
    shutil.copytree(tiny_bundle, folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("edgeecho.benchmarks.run.session.export_peer_files", None)  # nothing is to be exported
    extras = Extras(end_to_end=False)
    (row,) = run_bench([str(folder)], ["ort"], ["int8"], forms=["clip"], rules=RULES, extras=extras, frames=CLIP).rows
    assert (row.error, row.weights) == (None, "trained")
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("data", "split", "kind", "words"),
    [
        ("nonsense:DIR", "val", ConfigError, "unknown data kind"),
        ("camus:nowhere", "val", EdgeEchoError, "nowhere"),
        ("phantom:", "validation", ConfigError, "unknown split 'validation'"),
    ],
)
def test_data_is_looked_at_before_anything_is_timed(
    tmp_path: Path, data: str, split: str, kind: type[EdgeEchoError], words: str
) -> None:
    def never(*step: object) -> None:
        raise AssertionError(step)

    with pytest.raises(kind, match=words):
        run_bench(["unet3d"], extras=Extras(data=data, split=split), work_dir=tmp_path / "work", progress=never)
    assert not (tmp_path / "work").exists()


def test_what_fails_beside_the_times_leaves_them_alone(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **settings: object) -> None:
        raise DataError("/home/someone/data/a.avi: cannot be read")

    request = Runner.request

    def refuse(runner: Runner, what: str, **settings: object) -> dict[str, object]:
        return broken() if what == "end_to_end" else request(runner, what, **settings)

    monkeypatch.setattr("edgeecho.benchmarks.run.accuracy.evaluate_model", broken)
    monkeypatch.setattr(Runner, "request", refuse)
    asked = ([str(tiny_bundle)], ["ort"], ["int8"])
    result = run_bench(*asked, forms=["clip"], rules=RULES, extras=Extras(data="phantom:"), frames=CLIP)
    (row,) = result.rows
    assert row.error is None
    assert row.n >= 3
    assert row.precision_run == "int8"
    why = "a.avi: cannot be read"
    assert row.failed == {"end_to_end": why, "accuracy": why}
    assert BenchResult.from_dict(json.loads(result.to_json())).rows[0].failed == row.failed
    for text in (printed(render_table, result), render_markdown(result), render_page(result), render_csv(result)):
        assert "accuracy" in text
        assert why in text
        assert "someone" not in text


@pytest.mark.parametrize(("word", "read_back"), [("measuring", ["int8", None]), ("evaluating", ["int8", "fp32"])])
def test_ctrl_c_after_the_timing_keeps_all_times(tiny_bundle: Path, word: str, read_back: list[str | None]) -> None:
    seen: list[str] = []

    def interrupt(step: int, steps: int, what: str) -> None:
        seen.extend([what] if what.startswith(word) else [])
        if len(seen) == 2:
            raise KeyboardInterrupt

    extras = Extras(end_to_end=False, data="phantom:")
    asked = ([str(tiny_bundle)], ["ort"], ["int8", "fp32"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgeecho.benchmarks.run.accuracy.evaluate_model", lambda *given, **settings: None)
        patch.setattr("edgeecho.benchmarks.run.accuracy.summarise", lambda scores: {"data": "phantom"})
        result = run_bench(*asked, forms=["clip"], rules=RULES, extras=extras, frames=CLIP, progress=interrupt)
    assert result.complete is False
    assert [(row.error, row.failed, row.n >= 3) for row in result.rows] == [(None, None, True)] * 2
    assert [row.precision_run for row in result.rows] == read_back
    assert [row.accuracy is not None for row in result.rows] == [word == "evaluating", False]


def test_messages_name_files_not_folders() -> None:
    for given, expected in (
        ("/tmp/x/clip.onnx: damaged", "clip.onnx: damaged"),
        ("write it with `edgeecho export ../mine/tiny --int8`", "write it with `edgeecho export tiny --int8`"),
        ("[Errno 2] No such file: '/home/me/a b.bin'", "[Errno 2] No such file: 'a b.bin'"),
        ("grey / 255, frames/s, 15/18, see https://a.org/b/c", "grey / 255, frames/s, 15/18, see https://a.org/b/c"),
    ):
        assert without_folders(given) == expected


def test_live_cost_is_a_stream_frame_or_a_whole_window() -> None:
    rows = [
        Row(model=YARDSTICK, form="clip", runtime="ort", precision_asked="fp32", threads=1, frames_per_run=8),
        Row(model="unet2d", form="stream", runtime="ort", precision_asked="fp32", threads=1, frames_per_run=1),
    ]
    rows[0].times_ms, rows[1].times_ms = [800.0], [2.0]
    for row in rows:
        row.summarise()
    BenchResult(machine={}, protocol={}, rows=rows).compare()
    assert [(row.ms_per_frame, row.ms_per_live_frame) for row in rows] == [(100, 800), (2, 2)]
    assert [(row.speedup_vs_unet3d, row.live_speedup_vs_unet3d) for row in rows] == [(1, 1), (50, 400)]


def test_a_peer_that_sees_single_frames_streams_its_clip_graph(tiny_bundle: Path) -> None:
    entry = Entry("unet2d", str(tiny_bundle), "ort", "int8", "stream", "peer")
    opened = load_row({**entry.job(), "threads": 1}, CLIP)
    engine = open_engine(locate(tiny_bundle, "ort", "int8"), 1).engine
    assert opened.frames_per_run == 1
    for frame in [*CLIP, *CLIP][: len(CLIP) + 2]:  # round and round
        assert np.array_equal(opened.run(), engine.infer(frame[None]))


def test_pytorch_runs_peers_and_ours(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Peer("unet2d", {"widths": [8, 8, 8], "decoder_widths": [8, 8]}, forms=("clip", "stream"))
    monkeypatch.setitem(PEERS, "unet2d", small)
    rows = entries(["unet2d"], ["torch"], ["fp32", "int8"], ["clip", "stream"], Path())
    assert [(row.form, row.precision) for row in rows] == [("clip", "fp32")]
    opened = load_row({**rows[0].job(), "threads": 1}, CLIP)
    assert np.asarray(opened.run()).shape == CLIP.shape
    assert opened.report["params"] == count_parameters(small.build())
    extras = Extras(end_to_end=False)
    (row,) = run_bench([str(tiny_bundle)], ["torch"], rules=RULES, extras=extras, frames=CLIP).rows
    assert (row.error, row.failed, row.precision_run) == (None, None, "fp32")
    assert row.n >= 10


def test_where_memory_is_short_rows_are_parked(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def begin(job: dict[str, Any]) -> RowProcess:
        begun.append(job["form"])
        return RowProcess(job)

    monkeypatch.setattr("edgeecho.benchmarks.run.runner.RowProcess", begin)
    monkeypatch.setattr("edgeecho.benchmarks.run.runner.memory_is_short", lambda: True)
    extras = Extras(end_to_end=False)
    rows = run_bench([str(tiny_bundle)], ["ort"], ["int8"], rules=RULES, extras=extras, frames=CLIP).rows
    assert [(row.error, row.failed, row.precision_run) for row in rows] == [(None, None, "int8")] * 2
    assert all(row.n >= 10 for row in rows)
    assert begun == ["clip", "stream"] * 4  # opened, two turns, and how it ran


def test_the_command_line(command: Command, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "run_bench", partial(run_bench, rules=RULES, frames=CLIP))  # soon done
    out, log = tmp_path / "out", tmp_path / "b.json"
    asked = ("--models", tiny_bundle, "--runtimes", "ort", "--precisions", "int8", "--out", out, "--json", log)
    code, printed, _ = command("bench", "--device", "cpu", *asked)
    assert code == 0
    assert "tiny" in printed
    assert sorted(p.name for p in out.iterdir()) == ["bench.csv", "bench.html", "bench.json", "bench.md"]
    assert json.loads(log.read_text())["rows"][0]["end_to_end"]["frames"] == 64
    code, printed, _ = command("bench", "compare", log, out / "bench.json")
    assert code == 0
    for wrong, words in (
        (("--device", "gpu"), "unknown device 'gpu'; known: cpu"),
        (("--threads", "0"), "threads must be from 1"),
        (("--estimate", "toaster"), "unknown board 'toaster'"),
        (("--pack", tmp_path), "no pack there"),
        (("--data", "nonsense:DIR"), "unknown data kind 'nonsense'"),
    ):
        code, _, said = command("bench", *wrong)
        assert code == 2
        assert words in said
    for flag, place in (("--out", log), ("--json", log / "b.json")):  # a file, where a folder should be
        monkeypatch.setattr(bench, "run_bench", None)  # refused before it runs
        code, _, said = command("bench", flag, place)
        assert code == 1
        assert "cannot write" in said


def test_a_stream_row_is_pushed_frame_by_frame(tiny_bundle: Path) -> None:
    (entry,) = entries([str(tiny_bundle)], ["ort"], ["int8"], ["stream"], Path())
    opened = load_row({**entry.job(), "threads": 1}, CLIP)
    live = stream(tiny_bundle, threads=1)
    answers = [opened.run() for _ in CLIP]
    given = [live._frames.push(frame[0]) for frame in CLIP]
    for answer, expected in zip(answers, given, strict=True):
        assert (answer is None) == (expected is None)
        assert answer is None or np.array_equal(answer, expected)


def test_a_file_that_its_bundle_does_not_list_is_no_row_a_lost_one_is(tiny_bundle: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    shutil.copytree(tiny_bundle, part)

    def rows() -> set[str]:
        asked = entries([str(part)], ["ort", "openvino"], ["fp32", "int8"], ["clip", "stream"], tmp_path)
        return {entry.label.removeprefix("part ") for entry in asked}

    everything = rows()
    names = ("stream.fp32.onnx", "stream.fp32.edgeecho")
    for name in names:
        (part / name).unlink()
    assert rows() == everything
    index = json.loads((part / "bundle.json").read_text())
    for name in names:
        del index["files"][name]
    write_index_file(part / "bundle.json", index)
    assert rows() == everything - {"stream ort fp32"}
