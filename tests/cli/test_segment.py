"""`edgeecho segment`: the files that it writes, and one clear line for everything that can be wrong."""

import json
import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.report import Marks
from tests.cli.conftest import MODEL, Command
from tests.helpers import the_error

CONTRACT = (
    "input frames height width fps spacing_mm roi area_px ed_frames es_frames beats ef_percent edv_ml esv_ml "
    "sv_ml heart_rate_bpm spread withheld verdict reasons flip inverted quality doubtful warnings model"
)


def write_avi(path: Path, frames: np.ndarray) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, frames.shape[2:0:-1], True)
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_segment_writes_five_files(command: Command, npz: Path, tmp_path: Path, heart: np.ndarray) -> None:
    out = tmp_path / "results"
    code, stdout, stderr = command("segment", npz, "--out", out, "--threads", 1)
    assert (code, "Traceback" in stderr) == (0, False), stderr
    assert sorted(p.name for p in out.iterdir()) == [
        f"heart.{suffix}" for suffix in ("html", "json", "npz", "png", "webm")
    ]
    assert stdout.startswith("heart.npz: 30 frames, ")
    licence = "cl_unet_edge: weights under CC-BY-NC-SA-4.0. Research software, not a medical device."
    assert [line for line in stderr.splitlines() if "weights under" in line] == [licence]
    figures = json.loads((out / "heart.json").read_text())
    assert set(figures) >= set(CONTRACT.split())
    assert (figures["input"], figures["frames"], figures["fps"]) == (str(npz), 30, 25)
    assert (figures["height"], figures["width"], figures["spacing_mm"]) == (128, 128, [0.9, 0.8])
    with np.load(out / "heart.npz") as arrays:
        mask, area_px = arrays["mask"], arrays["area_px"]
    assert (mask.dtype, mask.shape, area_px.dtype) == (np.uint8, heart.shape, np.float32)
    assert mask.max() <= 1
    assert figures["area_px"] == area_px.tolist() == mask.sum(axis=(1, 2)).tolist()
    assert (out / "heart.webm").read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    capture = cv2.VideoCapture(str(out / "heart.webm"))
    assert sum(iter(lambda: capture.read()[0], False)) == 30
    assert cv2.imread(str(out / "heart.png")).ndim == 3


def test_flags_reach_the_result(command: Command, npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ["--fps", 50, "--spacing-mm", "0.5,0.4", "--roi", "10,12,100,90", "--flip", "lr", "--precision", "fp32"]
    code, _, stderr = command("segment", npz, "--out", out, *flags)
    assert code == 0, stderr
    figures = json.loads((out / "heart.json").read_text())
    assert (figures["fps"], figures["spacing_mm"], figures["roi"]) == (50, [0.5, 0.4], [10, 12, 100, 90])
    assert figures["model"]["precision"] == "fp32"
    assert (figures["flip"], figures["inverted"]) == ("lr", False)


def test_one_frame_is_no_error(command: Command, tmp_path: Path, heart: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "still.png"), heart[0])
    code, stdout, stderr = command("segment", tmp_path / "still.png", "--out", tmp_path / "out")
    assert code == 0, stderr
    assert "1 frame, 0 beats, no EF: 1 frame: no beat to measure -> " in stdout
    figures = json.loads((tmp_path / "out" / "still.json").read_text())
    assert figures["ef_percent"] is None
    assert "1 frame: no beat to measure" in figures["warnings"]
    assert "1 frame: no beat to measure" in stderr
    with np.load(tmp_path / "out" / "still.npz") as arrays:
        assert arrays["mask"].shape == (1, 128, 128)


def test_the_same_input_gives_the_same_files(command: Command, npz: Path, tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 2)):
        assert command("segment", npz, "--out", tmp_path / name, "--threads", threads)[0] == 0
    for name in ("heart.json", "heart.npz", "heart.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    # WebM's muxer draws a random number for each track; the pictures are compared in test_report.py.
    a, b = ((tmp_path / name / "heart.webm").read_bytes() for name in "ab")
    assert len(a) == len(b)


def test_a_folder_with_a_bad_file_goes_on(command: Command, npz: Path, tmp_path: Path, heart: np.ndarray) -> None:
    folder = tmp_path / "cines"
    folder.mkdir()
    shutil.copy(npz, folder / "a.npz")
    (folder / "b.avi").write_text("no video")
    write_avi(folder / "c.avi", heart)
    code, stdout, stderr = command("segment", folder, "--out", tmp_path / "out")
    assert code == 1
    errors = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "b.avi" in errors[0]
    assert [line.partition(":")[0] for line in stdout.splitlines()] == ["a.npz", "c.avi"]
    names = {p.name for p in (tmp_path / "out").iterdir()} - {"results.parquet"}
    assert names == {f"{stem}{suffix}" for stem in "ac" for suffix in (".json", ".npz", ".webm", ".png", ".html")} | {
        "results.csv",
        "index.html",
    }


def test_what_many_cines_have_in_common_is_printed_once(command: Command, tmp_path: Path, heart: np.ndarray) -> None:
    folder = tmp_path / "cines"
    folder.mkdir()
    for name in "abc":
        np.savez(folder / f"{name}.npz", frames=heart, fps=25)
    np.savez(folder / "d.npz", frames=heart, spacing_mm=(0.9, 0.9))
    (folder / "e.avi").write_text("no video")
    (folder / "f.avi").write_bytes(b"")
    code, stdout, stderr = command("segment", folder, "--out", tmp_path / "out")
    assert code == 1
    assert len(stdout.splitlines()) == 4
    lines = stderr.splitlines()
    assert [line for line in lines if "pixel spacing unknown" in line] == [
        "3 of 6 cines: pixel spacing unknown: no volumes in mL, and EF is right only if pixels are square"
    ]
    assert [line for line in lines if "frame rate unknown" in line] == ["d.npz: frame rate unknown: no heart rate"]
    assert sum("weights under" in line for line in lines) == 1
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert len(errors) == 2
    assert lines[-3:] == ["2 of 6 cines failed:", *(f"  {error}" for error in errors)]
    for name in "abc":  # each result has its own
        warnings = json.loads((tmp_path / "out" / f"{name}.json").read_text())["warnings"]
        assert sum("pixel spacing unknown" in warning for warning in warnings) == 1


def test_a_name_that_is_not_utf8(command: Command, tmp_path: Path, heart: np.ndarray) -> None:
    """OpenCV would end the process."""
    folder, out = tmp_path / os.fsdecode(b"m\xe4rz"), tmp_path / os.fsdecode(b"\xfc")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    write_avi(tmp_path / "a.avi", heart).rename(folder / os.fsdecode(b"caf\xe9.avi"))
    (folder / os.fsdecode(b"\xe8.avi")).write_text("no video")
    for _ in range(2):  # its own results are no input
        code, stdout, stderr = command("segment", folder, "--out", folder / "out")
        assert code == 1, stderr
        assert [line.partition(":")[0] for line in stdout.splitlines()] == [r"caf\xe9.avi"]
        (error,) = (line for line in stderr.splitlines() if line.startswith("error: "))
        assert r"m\xe4rz/\xe8.avi" in error
    (written,) = (folder / "out").glob("*.json")
    text = written.read_bytes().decode("utf-8")
    assert json.loads(text)["input"] == rf"{tmp_path}/m\xe4rz/caf\xe9.avi"
    assert command("segment", folder / os.fsdecode(b"caf\xe9.avi"), "--out", out)[0] == 0
    assert {path.suffix for path in out.iterdir()} == {".json", ".npz", ".webm", ".png", ".html"}


def test_results_within_an_input_folder_are_no_input(command: Command, npz: Path, tmp_path: Path) -> None:
    for _ in range(2):
        code, stdout, stderr = command("segment", tmp_path, "--out", tmp_path / "out")
        assert code == 0, stderr
        assert len(stdout.splitlines()) == 1


def test_what_an_earlier_run_wrote_is_no_input(command: Command, npz: Path, tmp_path: Path) -> None:
    assert command("segment", npz, "--out", tmp_path / "earlier")[0] == 0
    (tmp_path / "other").mkdir()
    for name in ("heart.webm", "heart.json"):  # a pair alone, under a folder of its own
        shutil.copy(tmp_path / "earlier" / name, tmp_path / "other" / name)
    code, stdout, stderr = command("segment", tmp_path, "--out", tmp_path / "out")
    assert code == 0, stderr
    assert [line.partition(":")[0] for line in stdout.splitlines()] == ["heart.npz"]
    (tmp_path / "other" / "heart.json").write_text('{"input": "of another program"}')
    code, stdout, _ = command("segment", tmp_path, "--out", tmp_path / "out")
    assert [line.partition(":")[0] for line in stdout.splitlines()] == ["heart.npz", "heart.webm"]


def test_two_inputs_of_one_name_do_not_overwrite_each_other(command: Command, npz: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(npz, tmp_path / name / "heart.npz")
    code, stdout, _ = command("segment", tmp_path / "one" / "heart.npz", tmp_path / "two", "--out", tmp_path / "out")
    assert code == 0
    assert len(list((tmp_path / "out").glob("*.json"))) == len(stdout.splitlines()) == 2


def bad_input(name: str, folder: Path, heart: np.ndarray) -> Path:
    if name == "missing.avi":
        return folder / name
    path = folder / name
    if name == "empty.avi":
        path.write_bytes(b"")
    elif name == "text.avi":
        path.write_text("This is no video.\n" * 50)
    elif name == "truncated.avi":
        write_avi(path, heart)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "no_frames.npz":
        np.savez(path, frames=np.zeros((0, 64, 64), np.uint8))
    elif name == "tiny.png":
        cv2.imwrite(str(path), np.full((5, 5), 90, np.uint8))
    elif name == "black.npz":
        np.savez(path, frames=np.zeros((6, 64, 64), np.uint8))
    elif name == "no_pixels.dcm":
        pydicom = pytest.importorskip("pydicom")
        dataset = pydicom.dcmread(pydicom.examples.get_path("ybr_color"))
        del dataset.PixelData
        dataset.save_as(path)
    elif name == "empty_folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.avi", "no such file or folder"),
        ("empty.avi", "the file is empty"),
        ("text.avi", "not a video"),
        ("truncated.avi", "cut short"),
        ("no_pixels.dcm", "pixel"),
        ("no_frames.npz", "no frames"),
        ("tiny.png", "5x5 pixels are too small"),
        ("black.npz", "every pixel is black"),
        ("empty_folder", "empty_folder"),
    ],
)
def test_inputs_that_are_wrong(command: Command, tmp_path: Path, heart: np.ndarray, name: str, says: str) -> None:
    path, out = bad_input(name, tmp_path, heart), tmp_path / "out"
    result = command("segment", path, "--out", out)
    line = the_error(result, out)
    assert result[0] == 1
    assert says in line
    if name != "black.npz":
        assert name in line
    else:
        assert "check the input" in line


def test_models_that_are_wrong(command: Command, npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    flipped = bytearray((MODEL / "clip.int8.onnx").read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "flipped.onnx").write_bytes(flipped)
    wanted = {
        str(tmp_path / "model.onnx"): "model.onnx: found 0 EdgeEcho checksums",
        str(tmp_path / "flipped.onnx"): "flipped.onnx: checksum does not hold, the file is damaged",
        str(npz): "heart.npz: not a model file",
        "unheard_of": "no model 'unheard_of': neither a file nor an installed model (installed: ",
        str(tmp_path / "none.onnx"): "neither a file nor an installed model",
    }
    for model, says in wanted.items():
        assert says in the_error(command("segment", npz, "--out", out, "--model", model), out)


def test_outputs_that_cannot_be_written(command: Command, npz: Path, tmp_path: Path) -> None:
    # A file in the way: the tests may run as root, whom no rights stop.
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        result = command("segment", npz, "--out", out)
        line = the_error((result[0], result[1], result[2]), tmp_path / "file")
        assert "cannot write" in line
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--fps", "0"], "fps must be positive and below 10000, got 0"),
        (["--fps", "nan"], "fps must be positive and below 10000, got nan"),
        (["--spacing-mm", "0.5"], "--spacing-mm takes 2 numbers with commas between, got '0.5'"),
        (["--spacing-mm", "0,1"], "spacing_mm must be two positive numbers"),
        (["--roi", "1,2,3"], "--roi takes 4 numbers with commas between"),
        (["--roi", "1,2,0,5"], "region must have a positive size"),
        (["--roi", "nan,0,50,50"], "--roi takes 4 numbers"),
        (["--roi", "0,0,inf,50"], "--roi takes 4 numbers"),
        (["--flip", "upside"], "unknown flip 'upside'"),
        (["--runtime", "tflite"], "unknown runtime 'tflite'"),
        (["--threads", "0"], "threads must be a whole number from 1"),
        (["--precision", "int4"], "unknown precision 'int4'; known: int8, fp16, fp32"),
    ],
)
def test_flags_that_make_no_sense_are_wrong_usage(
    command: Command, npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], says: str
) -> None:
    monkeypatch.setattr("edgeecho.batch.segment_cine.read_cine", lambda *_, **__: pytest.fail("a file was read first"))
    result = command("segment", npz, npz, "--out", tmp_path / "out", *flags)
    assert says in the_error(result, tmp_path / "out")
    assert result[0] == 2


@pytest.mark.parametrize(
    ("roi", "says"),
    [
        ("0,0,90000,90000", "over 8 times the frame"),
        ("127,0,60,60", "has 1x60 pixels of the 128x128 frame in it; give"),
    ],
)
def test_a_region_that_does_not_fit_the_cine(command: Command, npz: Path, tmp_path: Path, roi: str, says: str) -> None:
    result = command("segment", npz, "--out", tmp_path / "out", "--roi", roi)
    assert says in the_error(result, tmp_path / "out")
    assert result[0] == 1


def test_a_doubtful_answer_is_marked(
    command: Command, tmp_path: Path, heart: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Marks] = []
    monkeypatch.setattr("edgeecho.report.results.write_curve", lambda _, __, ___, marks, ____: drawn.append(marks))
    np.savez(tmp_path / "noise.npz", frames=np.random.default_rng(0).integers(0, 256, (30, 96, 96), dtype=np.uint8))
    code, stdout, stderr = command("segment", tmp_path / "noise.npz", "--out", tmp_path / "out")
    assert code == 0, stderr
    figures = json.loads((tmp_path / "out" / "noise.json").read_text())
    assert (figures["doubtful"], figures["verdict"], figures["ef_percent"]) == (True, "withhold", None)
    printed = re.search(r"(?:no EF|EF withheld): (.*) -> ", stdout)
    assert printed
    first = printed.group(1)
    assert first in [reason["text"] for reason in figures["reasons"] if reason["level"] == "withhold"]
    assert drawn[0].headline in ("no EF", "EF withheld")
    assert drawn[0].remark == f"withhold: {first}"


def test_results_may_go_beside_the_input_but_not_over_it(command: Command, tmp_path: Path) -> None:
    import shutil

    import pydicom

    shutil.copyfile(pydicom.examples.get_path("ybr_color"), tmp_path / "loop.dcm")
    code, _, stderr = command("segment", tmp_path / "loop.dcm", "--out", tmp_path)
    assert code == 0, stderr
    assert (tmp_path / "loop.json").is_file()
    np.savez(tmp_path / "own.npz", frames=np.tile(np.arange(16, 80, dtype=np.uint8), (3, 64, 1)))
    before = (tmp_path / "own.npz").read_bytes()
    code, _, stderr = command("segment", tmp_path / "own.npz", "--out", tmp_path)
    assert code == 1
    assert "its results would overwrite it; choose another --out" in stderr
    assert (tmp_path / "own.npz").read_bytes() == before
