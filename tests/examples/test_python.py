"""The Python examples, each run by the command in its first lines."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeecho.synthetic.phantom import draw_cine
from tests.helpers import draw_heart

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def run(name: str, *arguments: object) -> str:
    """Run an example and return what it prints."""
    command = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three beats of a drawn heart at 25 frames a second."""
    path = tmp_path_factory.mktemp("cine") / "heart.npz"
    frames, _ = draw_heart(np.random.default_rng(1), frames=60)
    np.savez(path, frames=frames, fps=25.0)
    return path


def test_a_cine_and_its_masks(cine: Path, tmp_path: Path) -> None:
    printed = run("segment_cine.py", cine, tmp_path / "masks.npz")
    beats = [line for line in printed.splitlines() if line.startswith("ED frame")]
    assert "the median of 3 beats" in printed
    assert len(beats) == 3
    measured = run("measure_masks.py", tmp_path / "masks.npz", 25)
    assert [line for line in measured.splitlines() if line.startswith("ED frame")] == beats
    assert "pixel spacing unknown" in measured
    assert "pixel spacing unknown" not in run("measure_masks.py", tmp_path / "masks.npz", 25, 0.5, 0.5)


def test_live_frames(tmp_path: Path) -> None:
    drawn = draw_cine(5)
    frames = np.concatenate([drawn.frames] * 3)
    np.savez(tmp_path / "heart.npz", frames=frames, fps=drawn.fps)
    lines = run("stream_frames.py", tmp_path / "heart.npz").splitlines()
    assert lines[0] == "answers come 4 frames late"
    answers, findings = lines[1 : 1 + len(frames)], lines[1 + len(frames) :]
    assert [line.partition(":")[0] for line in answers] == [f"frame {k}" for k in range(len(frames))]
    assert ", EF " in answers[-1]
    assert ", EF " not in answers[0]
    assert findings == []


def test_live_frames_without_an_ef_have_a_reason(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 96, 96), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", frames=noise, fps=25.0)
    lines = run("stream_frames.py", tmp_path / "noise.npz").splitlines()
    assert not any(", EF " in line for line in lines)
    assert any(line.startswith("withhold: ") for line in lines[31:])


def test_onnx_runtime_alone_gives_the_same_masks(tmp_path: Path) -> None:
    edgeecho = pytest.importorskip("edgeecho")
    from edgeecho.model.registry import locate

    path = locate("cl_unet_nano").path
    frames, _ = draw_heart(np.random.default_rng(2), frames=5, height=112, width=112)
    np.save(tmp_path / "frames.npy", frames)
    run("onnxruntime_only.py", path, tmp_path / "frames.npy", tmp_path / "masks.npy")
    expected = edgeecho.load(path, threads=1).probabilities(frames) >= 128
    assert (np.load(tmp_path / "masks.npy") == expected).all()
    assert expected.any()


def test_an_export_for_a_probe(cine: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "cines").mkdir()
    for name in ("one.npz", "two.npz"):
        (tmp_path / "cines" / name).write_bytes(cine.read_bytes())
    printed = run("export_for_probe.py", tiny_bundle / "clip.fp32.onnx", tmp_path / "cines", tmp_path / "out")
    assert {"clip.int8.onnx", "stream.int8.edgeecho", "CARD.md"} <= set(printed.split())


def test_every_example_is_listed() -> None:
    page = (EXAMPLES.parent / "README.md").read_text()
    for path in EXAMPLES.parent.rglob("*.*"):
        if path.suffix in (".py", ".c", ".cpp"):
            assert f"({path.relative_to(EXAMPLES.parent).as_posix()})" in page
