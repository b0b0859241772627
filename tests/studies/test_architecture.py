"""The search of architectures: its Pareto front, and short trainings on a miniature data set that go on where they
were."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("onnxsim")

from studies import architecture, architecture_training
from studies.architecture_plot import pareto

TINY = {
    "tiny": ("strided", {"widths": (8, 8, 8)}),
    "tiny, no residual": ("strided", {"widths": (8, 8, 8), "residual": False}),
}


def test_the_front_has_the_networks_that_none_is_faster_and_better_than() -> None:
    points = {"slow": (9.0, 0.9), "fast": (3.0, 0.7), "worse": (5.0, 0.7), "best": (8.0, 0.95), "middle": (5.0, 0.8)}
    assert pareto(points) == ["fast", "middle", "best"]


def test_rows_are_trained_once_and_printed(
    tmp_path: Path, camus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(architecture, "CANDIDATES", TINY)
    monkeypatch.setattr(architecture_training, "SIZE_PX", 48)
    small = {"clips.per_step": 2, "clips.frames": 2, "clips.phantom": 0.0, "data.held_out": 1, "run.workers": 0}
    monkeypatch.setattr(architecture_training, "SETTINGS", architecture_training.SETTINGS | small)
    line = ["architecture", "train", f"camus:{camus}", "--out", str(tmp_path), "--steps", "2", "--rows"]
    for row in TINY:
        monkeypatch.setattr("sys.argv", [*line, row])
        architecture.main()
    found = json.loads((tmp_path / "architecture.json").read_text())
    assert list(found) == list(TINY)
    assert {phase for row in found.values() for phase in row["dice"]} == {"ED", "ES"}
    clips = {path: path.stat().st_mtime_ns for path in (tmp_path / "clips.1").iterdir()}
    assert len(clips) == 2
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", [*line, ";".join(TINY)])
    architecture.main()
    text = capsys.readouterr().out
    assert text.count("| tiny") == 2
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "clips.1").iterdir()} == clips
    monkeypatch.setattr("sys.argv", [*line[:-2], "3", "--rows", "tiny"])  # with other steps it is another run
    architecture.main()
    again = json.loads((tmp_path / "architecture.json").read_text())
    assert [again[row]["steps"] for row in TINY] == [3, 2]
    assert len(list((tmp_path / "clips.1").iterdir())) == 3


def test_an_unknown_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["architecture", "show", "--out", str(tmp_path), "--rows", "resnet"])
    with pytest.raises(SystemExit):
        architecture.main()
    assert "unknown row 'resnet'" in capsys.readouterr().err
