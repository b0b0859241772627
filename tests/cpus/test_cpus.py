"""The comparison that `make test-cpus` and `make test-arm` make; the emulated processors are run by hand."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pydicom")
pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).parent))
import answer
import compare as cpus
import elementwise
import pairs
import processors
import run

from edgeecho.measure import BeatMeasurement
from edgeecho.reasons import Finding, Level, Reason

Answers = dict[str, np.ndarray]
INT8 = "model/clip.int8.onnx"


def answers(prob: np.ndarray, ef: float = 60.0) -> Answers:
    """Answers to one cine, as the worker writes them."""
    mask = (prob >= 128).astype(np.uint8)
    return {
        "sonosite.prob": prob,
        "sonosite.mask": mask,
        "sonosite.area_px": mask.sum((1, 2)).astype(np.float32),
        "sonosite.ed_frames": np.array([0]),
        "sonosite.es_frames": np.array([1]),
        "sonosite.beats": np.array([[0, 1, 90.0, 36.0, ef, np.nan, 54.0]]),
        "sonosite.ef": np.float64(ef),
        "kernels": np.array(""),
    }


def differences(tmp_path: Path, other: Answers, native: Answers) -> cpus.Difference:
    np.savez(tmp_path / "other.npz", **other)
    np.savez(tmp_path / "native.npz", **native)
    found = cpus.compare(tmp_path / "other.npz", tmp_path / "native.npz")
    assert isinstance(found, cpus.Difference)
    return found


def picture() -> np.ndarray:
    """Two frames with a cavity in their upper half."""
    prob = np.zeros((2, 10, 10), np.uint8)
    prob[:, :5] = 200
    return prob


def test_a_beat_is_its_numbers() -> None:
    doubt = Finding(Reason.VIEW_UNLIKELY, Level.REVIEW, "the network is unsure")
    for findings in ((), (doubt,)):
        beat = BeatMeasurement(0, 1, 90.0, 36.0, 60.0, None, 54.0, findings)
        np.testing.assert_array_equal(answer.numbers(beat), [0, 1, 90.0, 36.0, 60.0, np.nan, 54.0])


def test_differences_are_counted(tmp_path: Path) -> None:
    other = picture()
    other[0, 0, 0] = 127  # one pixel of 50 leaves the mask of the first frame
    other[1, 0, 0] = 199
    found = differences(tmp_path, answers(other, 59.5), answers(picture()))
    assert (found.values, found.differ, found.levels) == (200, 2, 73)
    assert (found.cavity_px, found.mask_px, found.ef_points) == (100, 1, 0.5)
    assert found.dice == pytest.approx(2 * 49 / 99)
    assert found.unequal == ("areas", "beats", "EF")
    row = cpus.Row("model/clip.int8.xml", "Haswell", found)
    assert row.failed  # a Dice below 0.99
    assert row.cells == "2 of 200 | 73 | 1 of 100 | 0.9899 | 0.50 | areas, beats, EF differ | FAILS"


@pytest.mark.parametrize("array", ["prob", "mask", "area_px", "ed_frames", "es_frames", "beats", "ef"])
def test_one_bit_fails_int8_in_onnx_runtime(tmp_path: Path, array: str) -> None:
    changed = answers(picture())
    copy = np.atleast_1d(changed[f"sonosite.{array}"].copy())
    copy.view(np.uint8).reshape(-1)[0] ^= 1
    changed[f"sonosite.{array}"] = copy.reshape(changed[f"sonosite.{array}"].shape)
    found = differences(tmp_path, changed, answers(picture()))
    assert cpus.Row(INT8, "Haswell", found).failed
    assert cpus.Row("model/stream.int8.ort", "Haswell", found).failed
    assert not found.equal


def test_equal_answers_pass(tmp_path: Path) -> None:
    found = differences(tmp_path, answers(picture()), answers(picture()))
    row = cpus.Row(INT8, "Haswell", found)
    assert found.equal
    assert not row.failed
    assert row.cells == "0 of 200 | 0 | 0 of 100 | 1.0000 | 0.00 | equal | "
    empty = differences(tmp_path, answers(np.zeros((1, 4, 4), np.uint8)), answers(np.zeros((1, 4, 4), np.uint8)))
    assert not cpus.Row(INT8, "Haswell", empty).failed  # no mask at all, and no Dice


def test_another_number_of_beats_fails(tmp_path: Path) -> None:
    fewer = answers(picture()) | {"sonosite.beats": np.empty((0, 7)), "sonosite.ed_frames": np.empty(0, np.int64)}
    found = differences(tmp_path, fewer, answers(picture()))
    assert found.unequal == ("beats",)
    assert cpus.Row(INT8, "Haswell", found).failed


def test_each_kind_of_file_has_its_limit(tmp_path: Path) -> None:
    other = picture()
    other[0, 0, 0] = 199
    found = differences(tmp_path, answers(other), answers(picture()))
    files = ("clip.fp32.onnx", "clip.int8.xml", "clip.int8.onnx", "x.int8.ort")
    assert [found.is_within_limit(file) for file in files] == [True, True, False, False]
    one_ef = differences(tmp_path, answers(picture(), np.nan), answers(picture()))
    assert not one_ef.is_within_limit("clip.int8.xml")
    no_ef = differences(tmp_path, answers(picture(), np.nan), answers(picture(), np.nan))
    assert (no_ef.ef_points, no_ef.equal) == (0, True)


def test_a_refused_file_fails(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", error="clip.int8.xml: OpenVINO refuses it")
    np.savez(tmp_path / "native.npz", **answers(picture()))
    found = cpus.compare(tmp_path / "other.npz", tmp_path / "native.npz")
    assert found == "refused: clip.int8.xml: OpenVINO refuses it"
    assert cpus.Row("model/clip.int8.xml", "Nehalem", found).failed
    assert not cpus.Row("model/clip.int8.xml", "cortex-a72", "not run", skipped=True).failed


def test_equal_processors_share_a_line(tmp_path: Path) -> None:
    same = differences(tmp_path, answers(picture()), answers(picture()))
    rows = [cpus.Row(INT8, name, same) for name in ("Nehalem", "cortex-a53")]
    rows.insert(1, cpus.Row(INT8, "Haswell", "no answer"))
    lines = cpus.table(rows).splitlines()[2:]
    assert [line.split(" | ")[1] for line in lines] == ["Nehalem, cortex-a53", "Haswell"]
    assert {line.count("|") for line in cpus.table(rows).splitlines()} == {10}


def test_the_fingerprint_covers_the_real_cine_alone(tmp_path: Path) -> None:
    path = tmp_path / "model.clip.int8.onnx.npz"
    np.savez(path, **answers(picture()))
    first = cpus.fingerprint([path])
    np.savez(path, **answers(picture()) | {"phantom.prob": picture()})
    assert cpus.fingerprint([path]) == first
    np.savez(path, **answers(picture(), 60.0000001))
    assert cpus.fingerprint([path]) != first


def test_instruction_sets_are_read() -> None:
    text = "model name\t: A\nflags\t\t: sse4_2 avx2 avx512f avx512_vnni amx_int8 fma\n"
    assert processors.describe_native(text) == "A with SSE4.2, AVX2, AVX512, AVX512-VNNI, AMX"
    assert processors.describe_native("Features\t: asimd asimddp\n").endswith(" with NEON, dot product")
    assert processors.describe_native("").endswith(" with unknown instruction sets")


@pytest.mark.parametrize("flipped", ["", "prob", "mask", "area_px", "beats"])
def test_the_exit_status(
    flipped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole command, with workers that write made-up answers."""

    def write(command: list[str], out: Path, cines: Path, tasks: list[run.Task], jobs: int) -> str:
        out.mkdir()
        for task in tasks:
            found = answers(picture())
            if flipped and command == ["Haswell"] and task.label == "cl_unet_nano/stream.int8.onnx":
                found[f"sonosite.{flipped}"].reshape(-1)[-1] += 1
            np.savez(task.answers(out), **found)
        return ""

    monkeypatch.setattr(run, "run_tasks", write)
    monkeypatch.setattr(run, "write_cines", lambda path: None)
    monkeypatch.setattr(run.Processors, "command", lambda self, name: [name])
    monkeypatch.setattr(sys, "argv", ["run.py", "--cache", str(tmp_path), "--cpus", "Nehalem,Haswell"])
    with pytest.raises(SystemExit) as ended:
        run.main()
    assert ended.value.code == ("error: 1 of 28 comparisons are over the limit" if flipped else 0)
    printed = capsys.readouterr().out
    assert f"int8 in ONNX Runtime: {int(bool(flipped))} of 16 comparisons differ in a bit" in printed
    assert printed.count("FAILS") == bool(flipped)


def test_an_export_that_fails_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--cache", str(tmp_path), "--export", "nothing"])
    with pytest.raises(SystemExit) as ended:
        run.main()
    assert str(ended.value.code).startswith("error: no model 'nothing'")


def test_a_worker_that_fails_is_reported(tmp_path: Path) -> None:
    task = run.Task(tmp_path / "model" / "clip.int8.onnx", ("sonosite",), "2d")
    task.file.parent.mkdir()
    task.file.touch()
    died = run.run_tasks(
        [sys.executable, "-c", "raise SystemExit('no such kernel')"], tmp_path / "a", tmp_path, [task], 1
    )
    assert died == "the worker ended with 1: no such kernel"
    row = run.row_of(task, "a", tmp_path, died)
    assert row.failed
    assert row.cells.startswith("no answer: the worker ended with 1")


def test_files_written_for_x86_are_left_out_on_arm(tmp_path: Path) -> None:
    native3d = run.Task(tmp_path / "clip.int8.xml", ("sonosite",), "none")
    assert native3d.skipped_on("cortex-a72")
    assert not native3d.skipped_on("Haswell")
    assert not run.Task(tmp_path / "stream.int8.xml", ("sonosite",), "2d").skipped_on("cortex-a72")


def test_every_pair_of_an_addition_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scale, zero = np.float32(0.5), np.uint8(10)
    elementwise.write_operator(tmp_path / "add.onnx", "Add", [(scale, zero)] * 3)
    monkeypatch.setattr(sys, "argv", ["pairs.py", str(tmp_path / "out.npy"), str(tmp_path / "add.onnx")])
    pairs.main()
    a, b = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), np.clip(a + b - 10, 0, 255)[None])


def test_additions_of_a_packaged_file_are_found() -> None:
    (model,) = (folder for folder in run.packaged_models() if folder.name == "cl_unet_nano")
    found = list(elementwise.operators(model / "clip.int8.onnx"))
    assert [kind for kind, _ in found] == ["Add"] * 3
    assert all(scale.dtype == np.float32 and zero.dtype == np.uint8 for _, scales in found for scale, zero in scales)


def test_an_unknown_processor_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--cache", "x", "--cpus", "Haswell,i486"])
    with pytest.raises(SystemExit):
        run.parse()
    assert "unknown processors i486" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["run.py", "--cache", "x", "--cpus", "native"])
    assert isinstance(options := run.parse(), argparse.Namespace)
    assert options.cpus == []
