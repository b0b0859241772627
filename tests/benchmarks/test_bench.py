"""Benchmark with real processes on tiny networks, MACs computed by hand, and failures of single rows."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper

from edgeecho.benchmarks.peers import peers
from edgeecho.benchmarks.peers.peers import Peer
from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.benchmarks.profile.readback import precision_label
from edgeecho.benchmarks.render.table import render_table
from edgeecho.benchmarks.run.bench import run_bench
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.entries import Entry
from edgeecho.benchmarks.run.process import RowError, RowProcess
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.benchmarks.run.result import BenchResult, percentile
from edgeecho.cli.console import show, table_console
from edgeecho.errors import ConfigError, OutputError, ShapeError
from edgeecho.export.graph.clip import clip_graph
from edgeecho.export.int8.quantize import quantize
from edgeecho.export.int8.ranges import find_ranges
from edgeecho.export.write.sealed import write_onnx, write_openvino
from edgeecho.nn import build, new_spec
from edgeecho.runtime.engines.engine import usable_cores
from tests.benchmarks.printed import printed
from tests.helpers import MakeOnce

CONTRACT = {
    *("model", "runtime", "precision_asked", "precision_run", "form", "threads", "params", "macs_per_frame", "n"),
    *("file_bytes", "load_ms", "first_ms", "p50_ms", "p90_ms", "p99_ms", "frames_per_second", "peak_rss_mb"),
    "speedup_vs_unet3d",
}
STANDARD = {"in_channels": 1, "classes": 1}
YARDSTICK = ("unet3d", "ort", "fp32")
RULES = Rules(min_seconds=0.0, min_runs=12, max_seconds=1.0, warm_up_seconds=0.0)
CLIP = speckle_clip(8, 32)
QUICK: dict[str, Any] = {"rules": RULES, "extras": Extras(end_to_end=False), "frames": CLIP}


@pytest.fixture(scope="module")
def tiny(make_once: MakeOnce) -> Path:
    return make_once("bench", lambda folder: write_tiny(folder / "tiny")) / "tiny"


def write_tiny(folder: Path) -> None:
    """Write a folder as `edgeecho export` does, of a tiny CLUNet."""
    torch.manual_seed(0)
    spec = new_spec("cl_unet_edge", widths=(8, 16), encoder_time=(False, True), decoder_time=(True,))
    graph = clip_graph(build(spec), 32)
    for precision, model in (("fp32", graph), ("int8", quantize(graph, find_ranges(graph, [CLIP[:, 0]])))):
        sealed = replace(spec, form="clip", size_px=32, precision=precision)
        write_onnx(folder / f"clip.{precision}.onnx", model, sealed)
        write_openvino(folder / f"clip.{precision}.xml", model, sealed)


@pytest.fixture(scope="module")
def full(tiny: Path, make_once: MakeOnce) -> BenchResult:
    """The tiny CLUNet against a tiny 3D U-Net, all runtimes and precisions."""
    folder = make_once("bench-full", lambda folder: run_full(tiny, folder))
    return BenchResult.from_dict(json.loads((folder / "result.json").read_text()))


def run_full(tiny: Path, work_dir: Path) -> None:
    """Run the benchmark, twice for its peer, and write `result.json`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(peers.PEERS, "unet3d", Peer("unet3d", {**STANDARD, "base_channels": 4}))
        said: list[tuple[int, int, str]] = []
        result = run_bench([str(tiny), "unet3d"], work_dir=work_dir, progress=lambda *step: said.append(step), **QUICK)
        assert said[0][2] == "exporting unet3d"
        assert [step for step, _, _ in said] == list(range(1, said[0][1] + 1))
        before = {p: p.stat().st_mtime_ns for p in (work_dir / "unet3d").iterdir()}
        again = run_bench(["unet3d"], ["ort"], ["int8"], work_dir=work_dir, **QUICK)
        assert again.rows[0].error is None
        assert before == {p: p.stat().st_mtime_ns for p in (work_dir / "unet3d").iterdir()}  # used again
        assert again.rows[0].speedup_vs_unet3d is None  # no yardstick in that run
        assert ["Speed-up:" in printed(render_table, found) for found in (result, again)] == [True, False]
    (work_dir / "result.json").write_text(result.to_json())


def test_json_contract(full: BenchResult, tiny: Path) -> None:
    values = json.loads(full.to_json())
    assert values["schema_version"] == 2
    assert values["complete"] is True
    assert {"machine", "protocol", "rows"} <= set(values)
    assert values["protocol"]["clip"] == [8, 1, 32, 32]
    assert values["machine"]["usable_cores"] == usable_cores()
    assert len(values["rows"]) == 8
    for row in values["rows"]:
        assert set(row) >= CONTRACT
        assert row["error"] is None
        assert row["n"] == len(row["times_ms"]) >= 3
        assert row["p50_ms"] > 0
        assert row["load_ms"] > 0
        assert row["first_ms"] > 0
        assert row["form"] == "clip"
        assert row["frames_per_run"] == 8
        assert row["ms_per_frame"] == pytest.approx(row["p50_ms"] / 8, abs=1e-4)
        assert row["ms_per_live_frame"] == row["p50_ms"]
        assert row["weights"] == ("random" if row["model"] == "unet3d" else "trained")
        assert 10 < row["start_rss_mb"] < row["loaded_rss_mb"] <= row["peak_rss_mb"]
        assert row["frames_per_second"] == pytest.approx(8000 / row["p50_ms"], rel=0.01)
        assert (row["p90_ms"] is None) == (row["n"] < 10)
        assert (row["p99_ms"] is None) == (row["n"] < 100)
        assert row["p90_ms"] is None or row["p50_ms"] <= row["p90_ms"]
        assert len(row["sha256"]) == 64
    yardstick = next(r for r in values["rows"] if (r["model"], r["runtime"], r["precision_asked"]) == YARDSTICK)
    assert yardstick["speedup_vs_unet3d"] == 1.0
    pair = next(r for r in values["rows"] if (r["model"], r["runtime"]) == ("tiny", "openvino"))
    assert pair["file_bytes"] == sum((tiny / f"clip.fp32.{end}").stat().st_size for end in ("xml", "bin"))
    assert str(tiny.parent) not in full.to_json()


@pytest.mark.parametrize(
    ("model", "runtime", "precision", "ran"),
    [
        ("tiny", "ort", "fp32", "fp32"),
        ("tiny", "ort", "int8", "int8"),
        ("tiny", "openvino", "fp32", "fp32"),
        ("tiny", "openvino", "int8", "int8"),
        ("unet3d", "ort", "fp32", "fp32"),
        ("unet3d", "ort", "int8", "int8 15/18"),  # ONNX Runtime has no integer ConvTranspose
        ("unet3d", "openvino", "fp32", "fp32"),
        ("unet3d", "openvino", "int8", "int8"),
    ],
)
def test_the_precision_that_ran_is_read_back(
    full: BenchResult, model: str, runtime: str, precision: str, ran: str
) -> None:
    row = next(r for r in full.rows if (r.model, r.runtime, r.precision_asked) == (model, runtime, precision))
    assert row.precision_run == ran


def test_int8_of_ours_is_integers_from_end_to_end(tiny: Path, tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    ort.InferenceSession(tiny / "clip.int8.onnx", options, providers=["CPUExecutionProvider"])
    operators = {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node}
    assert "QLinearConv" in operators
    assert not operators & {"Conv", "FusedConv", "QuantizeLinear", "DequantizeLinear", "Cast", "Sigmoid"}


def test_a_process_reports_its_own_memory_not_its_parents(tiny: Path) -> None:
    parents = np.ones(80_000_000)  # 610 MB
    result = run_bench([str(tiny)], ["ort"], ["int8"], **QUICK)
    assert 20 < result.rows[0].peak_rss_mb < parents.nbytes / 2**20 / 2


def test_a_bad_file_is_an_error_of_its_row(tiny: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    data = bytearray((broken / "clip.int8.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (broken / "clip.int8.onnx").write_bytes(data)
    (broken / "clip.int8.xml").unlink()
    rows = run_bench([str(broken)], **QUICK).rows
    errors = {(row.runtime, row.precision_asked): row.error for row in rows}
    assert "checksum" in errors["ort", "int8"]
    assert "has no clip.int8.xml" in errors["openvino", "int8"]
    assert errors["ort", "fp32"] is None
    assert [row.n > 0 for row in rows] == [row.error is None for row in rows]


def test_a_missing_engine_is_an_error_of_its_row(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "openvino.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    ours, theirs = run_bench([str(tiny)], precisions=["int8"], **QUICK).rows
    assert ours.error is None
    assert theirs.error == "openvino is not installed: pip install 'edgeecho[openvino]'"


def test_a_file_is_one_row_and_another_size_is_refused(tiny: Path) -> None:
    result = run_bench([str(tiny / "clip.int8.xml")], **{**QUICK, "frames": speckle_clip(4, 48)})
    assert [(r.runtime, r.precision_asked) for r in result.rows] == [("openvino", None)]
    assert "the benchmark's clip has 4 of 48 px" in str(result.rows[0].error)


def test_a_process_that_dies_is_reported(tiny: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "frames.npy", CLIP)
    job = {**Entry("tiny", str(tiny), "ort", "fp32").job(), "threads": 1, "warm_up_seconds": 0.0}
    process = RowProcess({**job, "frames_file": str(tmp_path / "frames.npy")})
    with pytest.raises(RowError, match="fixed rate"):
        process.request("live", fps=50.0, seconds=1.0, cine="")
    assert len(process.request("run", runs=2)["ms"]) == 2  # what failed was only what was asked
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(RowError, match="signal 9"):
        process.request("run", runs=1)
    process.close()


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C reach Python, also if a shell that runs the tests in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_keeps_what_was_measured(tiny: Path) -> None:
    def interrupt(step: int, steps: int, what: str) -> None:
        if "turn 2" in what:
            os.kill(os.getpid(), signal.SIGINT)

    result = run_bench([str(tiny)], ["ort"], **QUICK, progress=interrupt)
    assert json.loads(result.to_json())["complete"] is False
    assert [row.n for row in result.rows] == [3, 3]  # a quarter of twelve
    early = run_bench([str(tiny)], ["ort"], **QUICK, progress=lambda *step: os.kill(os.getpid(), signal.SIGINT))
    assert [row.error for row in early.rows] == ["interrupted before it was timed"] * 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": ["nobody"]}, "unknown model 'nobody'"),
        ({"models": []}, "no model"),
        ({"runtimes": ["tflite"]}, "unknown runtime 'tflite'; known: ort, openvino, torch"),
        ({"precisions": ["int4"]}, "unknown precision 'int4'; known: fp32, bf16, int8"),
        ({"threads": 0}, "threads must be from 1 to"),
        ({"threads": usable_cores() + 1}, "threads must be from 1 to"),
        ({"forms": ["film"]}, "unknown form 'film'; known: clip, stream"),
        ({"forms": ["stream"]}, "unet3d: no row of these forms"),
        ({"own_files": [Path("nowhere.onnx")]}, "nowhere.onnx: --model takes an ONNX file"),
        ({"pack": Path("nowhere")}, "nowhere: no pack there"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        run_bench(**{"models": ["unet3d"], **settings})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rules(min_runs=0), "at least 1"),
        (lambda: Rules(min_seconds=-1), "negative"),
        (lambda: Extras(rate=0.0), "rate must be from 1 to 1000"),
    ],
)
def test_bad_rules(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_bad_clip_and_bad_folder(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match=r"got uint8 \(8, 32, 32\)"):
        run_bench(["unet3d"], frames=CLIP[:, 0])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        run_bench(["unet3d"], work_dir=tmp_path / "file")


def test_percentiles_only_where_n_carries_them() -> None:
    times = [float(i) for i in range(1, 101)]
    assert percentile([7.0], 50) == 7.0
    assert percentile(times[:9], 90) is None
    assert percentile(times[:10], 90) == pytest.approx(9.1)
    assert percentile(times[:99], 99) is None
    assert percentile(times, 99) == pytest.approx(99.01)
    assert percentile([1.0, 1.0, 100.0], 50) == 1.0


def test_how_many_runs() -> None:
    rules = Rules(min_seconds=2, min_runs=20, max_seconds=10, least_runs=3)
    assert rules.runs_missing([], 10.0) == 200  # 2 s of 10 ms
    assert rules.runs_missing([], 400.0) == 20
    assert rules.runs_missing([], 1000.0) == 10  # the cap
    assert rules.runs_missing([], 9000.0) == 3
    assert rules.runs_missing([9000.0] * 3, 1.0) == 0
    assert rules.runs_missing([100.0] * 20, 1.0) == 0


def test_precision_label() -> None:
    assert precision_label({"int8": 4}) == "int8"
    assert precision_label({"fp32": 3, "int8": 15}) == "int8 15/18"
    assert precision_label(None) is None


def _graph(nodes: list[onnx.NodeProto], shape: list[int | str], weights: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    tensors = [helper.make_tensor(k, TensorProto.FLOAT, s, np.zeros(s, np.float32)) for k, s in weights.items()]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "counted", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def test_counting_by_hand() -> None:
    node = helper.make_node
    conv = node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1], group=2)
    # T = 5 of (4, 8, 8) to (6, 4, 4); every output needs 4 / 2 * 3 * 3 products
    assert count_macs(_graph([conv], ["T", 4, 8, 8], {"w": (6, 2, 3, 3)}), 5) == 5 * 6 * 4 * 4 * 18
    up = node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2, 2])
    # every one of 3 * 4 * 5 * 6 inputs goes into 7 * 2 * 2 * 2 products
    assert count_macs(_graph([up], [1, 3, 4, 5, 6], {"w": (3, 7, 2, 2, 2)}), 1) == 3 * 4 * 5 * 6 * 56
    chain = [node("MatMul", ["x", "a"], ["m"]), node("Gemm", ["m", "b"], ["g"], transB=1), node("Relu", ["g"], ["y"])]
    assert count_macs(_graph(chain, ["T", 10], {"a": (10, 20), "b": (30, 20)}), 2) == 2 * 20 * 10 + 2 * 30 * 20


def _unet3d_macs(c: int, voxels: int) -> int:
    """Count the standard 3D U-Net by hand: (in, out, kernel, voxels / 8 ** level) of each convolution."""
    doubles = [(1, c, 2 * c), (2 * c, 2 * c, 4 * c), (4 * c, 4 * c, 8 * c), (8 * c, 8 * c, 16 * c)]
    total = sum((a * b + b * d) * 27 * voxels // 8**level for level, (a, b, d) in enumerate(doubles))
    for level, k in ((2, 16 * c), (1, 8 * c), (0, 4 * c)):
        half = k // 2
        total += k * k * 8 * voxels // 8 ** (level + 1)  # up-convolution, over its input
        total += ((k + half) * half + half * half) * 27 * voxels // 8**level
    return total + 2 * c * voxels


@pytest.mark.slow
def test_the_standard_3d_unet_counts_374_gmac() -> None:
    assert round(_unet3d_macs(32, 32 * 112 * 112) / 1e9) == 374
    assert peers.PEERS["unet3d"].config == new_spec("unet3d").config == {**STANDARD, "base_channels": 32}
    small = clip_graph(build(new_spec("unet3d", base_channels=8)), 112, frames=32)
    assert count_macs(small, 32) == _unet3d_macs(8, 32 * 112 * 112)


def test_counts_agree_between_precisions_and_rows(full: BenchResult, tiny: Path) -> None:
    for row in full.rows:
        expected = _unet3d_macs(4, 8 * 32 * 32) // 8 if row.model == "unet3d" else None
        assert row.macs_per_frame == (expected or count_macs(tiny / "clip.int8.onnx", 8) // 8)


def test_table_is_legible_at_120_columns(full: BenchResult) -> None:
    rows = [replace(full.rows[0]), *full.rows[1:]]
    rows[0].error = "tiny.onnx: checksum [does] not hold"
    machine = full.machine | {"load_average_at_start": 99.0}
    text = printed(render_table, replace(full, rows=rows, machine=machine, complete=False))
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 120
    for words in ("int8 15/18", "1.0x", "tiny.onnx: checksum [does] not hold", "machine was busy", "partial"):
        assert words in text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_table_is_legible_at_80_columns_and_in_a_pipe(
    full: BenchResult, is_terminal: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = table_console()
    show(render_table(full, pipe.width), pipe)
    text = printed(render_table, full, 80) if is_terminal else capsys.readouterr().out
    assert "…" not in text
    assert "int8 15/18" in text
    assert ("MMAC" in text) is not is_terminal
