"""Rows beside clips: streams, 16 bits, users' own files, packs; and rates, whole cines, accuracy."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from rich.console import Console

from edgeecho.benchmarks import end_to_end
from edgeecho.benchmarks.accuracy import summarise
from edgeecho.benchmarks.bench import run_bench
from edgeecho.benchmarks.contest import speckle_clip
from edgeecho.benchmarks.counting import count_macs
from edgeecho.benchmarks.end_to_end import draw_cine, time_stages
from edgeecho.benchmarks.entries import entries
from edgeecho.benchmarks.files import render_csv
from edgeecho.benchmarks.live import run_live
from edgeecho.benchmarks.markdown import render_markdown
from edgeecho.benchmarks.opened import open_row
from edgeecho.benchmarks.pack import Pack, prepare_pack
from edgeecho.benchmarks.page import render_page
from edgeecho.benchmarks.peers import PEERS, Peer
from edgeecho.benchmarks.protocol import Extras, Rules
from edgeecho.benchmarks.result import BenchResult
from edgeecho.benchmarks.runner import Runner
from edgeecho.benchmarks.table import print_table
from edgeecho.benchmarks.words import without_folders
from edgeecho.cine import read_cine
from edgeecho.errors import ConfigError, DataError, EdgeEchoError
from edgeecho.evaluate import evaluate_model
from edgeecho.runtime import load, stream

SIZE = 48
"""Pixels of the tiny bundle."""
CLIP = speckle_clip(8, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=10, max_seconds=1.0, warm_up_seconds=0.0, rounds=2)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def result(tiny_bundle: Path, camus: Path) -> BenchResult:
    """Everything at once, on a tiny bundle."""
    extras = Extras(rate=50.0, live_seconds=0.4, data=f"camus:{camus}", profile=True, boards=("rpi4", "rpi5"))
    asked = ([str(tiny_bundle)], ["ort", "openvino"], ["fp32", "bf16", "int8"])
    return run_bench(*asked, rules=RULES, extras=extras, frames=CLIP)


def test_every_form_engine_and_precision_is_a_row(result: BenchResult) -> None:
    assert [row.error for row in result.rows] == [None] * 10
    names = {(row.form, row.runtime, row.precision_asked) for row in result.rows}
    expected = {(f, r, p) for f in ("clip", "stream") for r in ("ort", "openvino") for p in ("fp32", "int8")}
    assert names == expected | {("clip", "openvino", "bf16"), ("stream", "openvino", "bf16")}
    for row in result.rows:
        assert row.frames_per_run == (8 if row.form == "clip" else 1)
        assert row.precision_run == row.precision_asked or row.precision_asked == "bf16"
        assert row.profile is not None
        assert row.profile["layers"]
        assert (row.live is not None) == (row.form == "stream")
        assert (row.end_to_end is not None) == (row.form == "clip")
        assert (row.estimates is not None) == (row.runtime == "ort")


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
    assert np.array_equal(end_to_end._segment(predictor, cine, stages), predictor.segment(cine).mask)
    assert set(stages) == set(end_to_end.STAGES) - {"decode"}
    found = time_stages(predictor, path)
    assert found["frames"] == 64
    assert found["total_ms"] >= found["network_ms"] > 0


def _drive(costs_s: list[float], fps: float = 10.0, quiet: int = 10) -> dict[str, object]:
    """A stream of pushes that take so long, by a clock that only they and sleep move."""
    time = SimpleNamespace(now=0.0)
    costs = iter([0.05] * quiet + costs_s)  # a quiet first second

    def push(frame: np.ndarray) -> None:
        time.now += next(costs)

    def sleep(seconds: float) -> None:
        time.now += seconds

    frames = np.zeros((2, 4, 4), np.uint8)
    return run_live(push, frames, fps, (quiet + len(costs_s)) / fps, lambda: time.now, sleep)


def test_a_stream_that_keeps_up() -> None:
    found = _drive([0.05] * 20)
    assert found["frames"] == 30
    assert found["keeps_up"] is True
    assert found["used_p50"] == pytest.approx(0.5)
    assert found["used_p90"] == pytest.approx(0.5)
    assert found["used_p99"] is None  # of 20 frames
    assert (found["missed"], found["late_max_ms"]) == (0, 0.0)


def test_a_stream_that_falls_behind() -> None:
    found = _drive([0.15] * 20)
    assert found["keeps_up"] is False
    assert found["missed"] == 20
    assert found["late_max_ms"] == pytest.approx(20 * 50)  # 50 ms more with each frame
    assert found["waiting_at_end"] == 10


def test_a_stream_far_too_slow_is_given_up() -> None:
    found = _drive([5.0] * 20)
    assert found["frames"] == 12  # of 3 seconds asked, after 11
    assert found["keeps_up"] is False


def test_one_late_frame_makes_others_wait_until_it_is_caught_up() -> None:
    late_start = _drive([0.25] + [0.05] * 199, quiet=0)
    assert (late_start["missed"], late_start["keeps_up"]) == (0, True)
    assert late_start["start_late_max_ms"] == pytest.approx(150)
    found = _drive([0.25] + [0.05] * 199)
    assert found["missed"] == 3  # 150, 100 and 50 ms late; then in time
    assert found["late_max_ms"] == pytest.approx(150)
    assert found["keeps_up"] is False  # 3 of 200
    assert _drive([0.15] + [0.05] * 199)["keeps_up"] is True


def _own(path: Path, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Path:
    """A 3x3 convolution of 4 channels, by anyone's hand."""
    channels = shape[1] if isinstance(shape[1], int) else 1
    kernel = (4, channels, *[3] * (len(shape) - 2))
    weights = helper.make_tensor("w", TensorProto.FLOAT, kernel, np.ones(kernel, np.float32).ravel())
    nodes = [helper.make_node("Conv", ["f", "w"], ["y"], pads=[1] * 2 * (len(shape) - 2))]
    source = "x"
    if kind != TensorProto.FLOAT:
        nodes.insert(0, helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT))
    else:
        nodes[0].input[0] = source
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "own", [x], [y], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


@pytest.mark.parametrize(
    ("shape", "kind", "frames", "fed"),
    [
        (["N", 3, 32, 32], TensorProto.FLOAT, 8, (8, 3, 32, 32)),
        ([1, 1, "H", "W"], TensorProto.UINT8, 1, (1, 1, SIZE, SIZE)),
        (["N", 1, 16, SIZE, SIZE], TensorProto.FLOAT, 16, (1, 1, 16, SIZE, SIZE)),
    ],
)
@pytest.mark.parametrize("runtime", ["ort", "openvino"])
def test_own_files_are_fed_what_they_take(
    tmp_path: Path, runtime: str, shape: list[int | str], kind: int, frames: int, fed: tuple[int, ...]
) -> None:
    (entry,) = entries([], [runtime], ["fp32"], ["clip"], tmp_path, [_own(tmp_path / "own.onnx", shape, kind)])
    opened = open_row({**entry.job(), "threads": 1}, CLIP)
    assert opened.inputs is not None
    (given,) = opened.inputs.values()
    assert given.shape == fed
    assert opened.frames_per_run == frames
    first = given.reshape(-1, *given.shape[-2:])[0]
    scale = 1 if kind == TensorProto.UINT8 else 255
    side = np.arange(fed[-1]) * SIZE // fed[-1]
    assert np.allclose(first * scale, CLIP[0, 0][np.ix_(side, side)], atol=1e-4)
    opened.run()


def test_an_own_file_is_a_row_an_engine(tmp_path: Path) -> None:
    path = _own(tmp_path / "theirs.onnx", [1, 1, SIZE, SIZE])
    rows = run_bench([], own_files=[path], rules=RULES, frames=CLIP).rows
    assert [(row.model, row.runtime, row.error) for row in rows] == [("theirs", r, None) for r in ("ort", "openvino")]
    assert [row.precision_run for row in rows] == ["fp32", "fp32"]
    assert rows[0].macs_per_frame == SIZE * SIZE * 9 * 4
    assert rows[0].weights == "its own"


@pytest.mark.parametrize(
    ("shape", "per_frame"),
    [([1, 1, "H", "W"], SIZE * SIZE * 9 * 4), (["N", 1, 16, SIZE, SIZE], SIZE * SIZE * 27 * 4)],
)
def test_macs_of_an_own_file_are_of_what_it_is_fed(tmp_path: Path, shape: list[int | str], per_frame: int) -> None:
    path = _own(tmp_path / "free.onnx", shape)
    extras = Extras(boards=("rpi4",))
    (row,) = run_bench([], ["ort"], own_files=[path], rules=RULES, extras=extras, frames=CLIP).rows
    assert (row.error, row.failed) == (None, None)
    assert row.estimates is not None
    assert row.macs_per_frame == per_frame


def test_own_files_of_one_name_are_counted_each(tmp_path: Path) -> None:
    paths = []
    for name, size in (("a", 16), ("b", 32)):
        (tmp_path / name).mkdir()
        paths.append(_own(tmp_path / name / "net.onnx", [1, 1, size, size]))
    rows = run_bench([], ["ort"], own_files=paths, rules=RULES, frames=CLIP).rows
    assert [row.macs_per_frame for row in rows] == [16 * 16 * 9 * 4, 32 * 32 * 9 * 4]
    with pytest.raises(ConfigError, match="PyTorch runs no ONNX file"):
        run_bench([], ["torch"], own_files=paths, frames=CLIP)


def test_an_own_file_that_is_none_is_an_error_of_its_row(tmp_path: Path) -> None:
    text, flat = tmp_path / "text.onnx", tmp_path / "flat.onnx"
    text.write_text("not a model")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "flat", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), flat)
    rows = run_bench([], ["ort"], own_files=[text, flat], rules=RULES, frames=CLIP).rows
    assert "ONNX Runtime refuses it" in str(rows[0].error)
    assert "--model takes a graph of one input" in str(rows[1].error)


def test_a_pack_runs_where_nothing_can_be_exported(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Peer("unet3d", {"in_channels": 1, "classes": 1, "base_channels": 4})
    monkeypatch.setitem(PEERS, "unet3d", small)
    monkeypatch.setattr("edgeecho.benchmarks.pack.speckle_clip", lambda: CLIP)
    folder, said = tmp_path / "pack", []
    failures = prepare_pack(
        folder, [str(tiny_bundle), "unet3d"], ["ort"], ["fp32", "int8"], ["clip", "stream"], said.append
    )
    assert failures == {}
    assert said == ["packing tiny", "packing unet3d"]
    expected = count_macs(tiny_bundle / "stream.fp32.onnx", 1)
    assert Pack.read(folder).macs["tiny", "stream"] == expected
    for name in ("torch.py", "onnx.py"):
        (tmp_path / name).write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the rows' processes
    monkeypatch.setattr("edgeecho.benchmarks.bench.prepare", None)
    monkeypatch.setattr("edgeecho.benchmarks.bench.count_macs", None)
    rows = run_bench(pack=folder, runtimes=["ort"], rules=RULES, frames=CLIP).rows
    assert [row.error for row in rows] == [None] * 6
    asked = [(row.precision_asked, "int8 15/18" if row.model == "unet3d" else "int8") for row in rows]
    assert [row.precision_run for row in rows] == [int8 if p == "int8" else p for p, int8 in asked]  # read back too
    assert {(row.model, row.form) for row in rows} == {("tiny", "clip"), ("tiny", "stream"), ("unet3d", "clip")}
    assert [row.macs_per_frame for row in rows if row.form == "stream"] == [expected] * 2
    assert all(row.speedup_vs_unet3d and row.live_speedup_vs_unet3d for row in rows)


def test_a_pack_in_the_working_folder_is_not_mistaken(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folders have names of peers and of packaged models."""
    for name in ("unet2d", "cl_unet_edge"):
        shutil.copytree(tiny_bundle, tmp_path / name)
    sources = [str(tmp_path / name) for name in ("unet2d", "cl_unet_edge")]
    index = {"format": 1, "models": {"unet2d": "ours", "cl_unet_edge": "ours"}, "macs": []}
    (tmp_path / "pack.json").write_text(json.dumps(index))
    monkeypatch.chdir(tmp_path)
    found = Pack.read(Path()).entries(["ort"], ["int8"], ["clip"])
    assert [(entry.model, entry.source, entry.kind) for entry in found] == [
        (name, source, "ours") for name, source in zip(("unet2d", "cl_unet_edge"), sources, strict=True)
    ]
    assert entries(["."], ["ort"], ["int8"], ["clip"], Path())[0].model == tmp_path.name


def test_two_models_of_one_name_cannot_be_packed(tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    models = [str(tiny_bundle), str(tmp_path / "tiny")]
    failures = prepare_pack(tmp_path / "pack", models, ["ort"], ["int8"], ["clip"], lambda text: None)
    assert "two models have that name" in failures["tiny"]
    with pytest.raises(ConfigError, match="unknown model"):
        prepare_pack(tmp_path / "no", ["nobody"], ["ort"], ["int8"], ["clip"], lambda text: None)
    assert not (tmp_path / "no").exists()


def test_a_folder_of_ours_with_the_name_of_a_peer_is_left_alone(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "unet2d"
    shutil.copytree(tiny_bundle, folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("edgeecho.benchmarks.bench.prepare", None)  # nothing is to be exported
    extras = Extras(end_to_end=False)
    (row,) = run_bench([str(folder)], ["ort"], ["int8"], forms=["clip"], rules=RULES, extras=extras, frames=CLIP).rows
    assert (row.error, row.weights) == (None, "trained")
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_a_pack_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text(json.dumps({"format": 99, "models": {}, "macs": []}))
    with pytest.raises(ConfigError, match="a pack of format 99"):
        Pack.read(tmp_path)


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

    ask = Runner.ask

    def refuse(runner: Runner, what: str, **settings: object) -> dict[str, object]:
        return broken() if what == "end_to_end" else ask(runner, what, **settings)

    monkeypatch.setattr("edgeecho.benchmarks.accuracy.evaluate_model", broken)
    monkeypatch.setattr(Runner, "ask", refuse)
    asked = ([str(tiny_bundle)], ["ort"], ["int8"])
    result = run_bench(*asked, forms=["clip"], rules=RULES, extras=Extras(data="phantom:"), frames=CLIP)
    (row,) = result.rows
    assert row.error is None
    assert row.n >= 3
    assert row.precision_run == "int8"
    why = "a.avi: cannot be read"
    assert row.failed == {"end_to_end": why, "accuracy": why}
    assert BenchResult.from_dict(json.loads(result.to_json())).rows[0].failed == row.failed
    out = io.StringIO()
    print_table(result, Console(file=out))
    for text in (out.getvalue(), render_markdown(result), render_page(result), render_csv(result)):
        assert "accuracy" in text
        assert why in text
        assert "someone" not in text


@pytest.mark.parametrize(("word", "read_back"), [("asking", ["int8", None]), ("evaluating", ["int8", "fp32"])])
def test_ctrl_c_after_the_timing_keeps_all_times(tiny_bundle: Path, word: str, read_back: list[str | None]) -> None:
    seen: list[str] = []

    def interrupt(step: int, steps: int, what: str) -> None:
        seen.extend([what] if what.startswith(word) else [])
        if len(seen) == 2:
            raise KeyboardInterrupt

    extras = Extras(end_to_end=False, data="phantom:")
    asked = ([str(tiny_bundle)], ["ort"], ["int8", "fp32"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgeecho.benchmarks.accuracy.evaluate_model", lambda *given, **settings: None)
        patch.setattr("edgeecho.benchmarks.accuracy.summarise", lambda scores: {"data": "phantom"})
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


def test_live_cost_is_a_stream_frame_or_a_whole_window(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "unet3d", Peer("unet3d", {"in_channels": 1, "classes": 1, "base_channels": 4}))
    monkeypatch.setitem(
        PEERS,
        "unet2d",
        Peer("unet2d", {"widths": [8, 8, 8], "decoder_widths": [8, 8]}, forms=("clip", "stream")),
    )
    extras = Extras(end_to_end=False)
    rows = run_bench(["unet3d", "unet2d"], ["ort", "torch"], ["fp32"], rules=RULES, extras=extras, frames=CLIP).rows
    assert [row.error for row in rows] == [None] * 5
    found = {(r.model, r.form, r.runtime): r for r in rows}
    base = found["unet3d", "clip", "ort"]
    single = found["unet2d", "stream", "ort"]
    assert (single.frames_per_run, single.ms_per_live_frame) == (1, single.p50_ms)
    assert base.live_speedup_vs_unet3d == base.speedup_vs_unet3d == 1
    assert base.p50_ms is not None
    assert single.p50_ms is not None
    assert single.live_speedup_vs_unet3d == pytest.approx(base.p50_ms / single.p50_ms, rel=1e-3)
    assert single.speedup_vs_unet3d == pytest.approx(base.p50_ms / 8 / single.p50_ms, rel=2e-3)
    assert found["unet2d", "clip", "torch"].params == found["unet2d", "clip", "ort"].params


def test_the_command_line(command: Command, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeecho.benchmarks.bench.speckle_clip", lambda: CLIP)
    monkeypatch.setattr("edgeecho.benchmarks.bench.Rules", lambda: RULES)
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
        monkeypatch.setattr("edgeecho.benchmarks.bench.run_bench", None)  # refused before it runs
        code, _, said = command("bench", flag, place)
        assert code == 1
        assert "cannot write" in said


def test_a_stream_row_is_pushed_frame_by_frame(tiny_bundle: Path) -> None:
    (entry,) = entries([str(tiny_bundle)], ["ort"], ["int8"], ["stream"], Path())
    opened = open_row({**entry.job(), "threads": 1}, CLIP)
    live = stream(tiny_bundle, threads=1)
    answers = [opened.run() for _ in CLIP]
    given = [live._frames.push(frame[0]) for frame in CLIP]
    for answer, expected in zip(answers, given, strict=True):
        assert (answer is None) == (expected is None)
        assert answer is None or np.array_equal(answer, expected)
