"""The comparison that `make test-arm` makes; the emulated board itself is run by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pydicom")
pytest.importorskip("onnx")
sys.path.insert(0, str(Path(__file__).with_name("arm")))
import compare as arm


def write(path: Path, prob: np.ndarray, ef: float = 60.0) -> Path:
    """Answers as the worker writes them."""
    np.savez(path, **{"a.prob": prob, "a.mask": (prob >= 128).astype(np.uint8), "a.ef": ef, "kernels": ""})
    return path


def test_differences_are_counted(tmp_path: Path) -> None:
    machine = np.zeros((2, 10, 10), np.uint8)
    machine[:, :5] = 200
    board = machine.copy()
    board[0, 0, 0] = 127  # one pixel of 50 leaves the mask of the first frame
    board[1, 0, 0] = 199
    found = arm.compare(write(tmp_path / "b.npz", board, 59.5), write(tmp_path / "m.npz", machine))
    assert (found.values, found.differ, found.levels) == (200, 2, 73)
    assert (found.cavity_px, found.mask_px, found.ef_points) == (100, 1, 0.5)
    assert found.dice == pytest.approx(2 * 49 / 99)
    assert found.holds("clip.int8.xml") is False  # a Dice below 0.99
    assert arm.row("cpu", "clip.int8.xml", found).endswith("| 0.9899 | 0.50 | FAILS |")


def test_each_file_has_its_limit(tmp_path: Path) -> None:
    machine = np.full((1, 20, 20), 200, np.uint8)
    board = machine.copy()
    board[0, 0, 0] = 199
    one_level = arm.compare(write(tmp_path / "b.npz", board), write(tmp_path / "m.npz", machine))
    kept = {name: one_level.holds(name) for name in ("clip.fp32.onnx", "clip.int8.xml", "clip.int8.onnx", "x.int8.ort")}
    assert kept == {"clip.fp32.onnx": True, "clip.int8.xml": True, "clip.int8.onnx": False, "x.int8.ort": False}
    no_ef = arm.compare(write(tmp_path / "b.npz", machine, np.nan), write(tmp_path / "m.npz", machine))
    assert not no_ef.holds("clip.int8.xml")
    neither = arm.compare(write(tmp_path / "b.npz", machine, np.nan), write(tmp_path / "m.npz", machine, np.nan))
    assert neither.ef_points == 0
    same = arm.compare(write(tmp_path / "b.npz", machine), write(tmp_path / "m.npz", machine))
    assert same.holds("clip.int8.onnx")


def test_a_refused_file_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", error="clip.int8.xml: OpenVINO refuses it")
    found = arm.compare(tmp_path / "b.npz", write(tmp_path / "m.npz", np.zeros((1, 4, 4), np.uint8)))
    assert found == "refused on the board: clip.int8.xml: OpenVINO refuses it"
    assert "FAILS" in arm.row("cpu", "clip.int8.xml", found)
