"""Live frames: equality with the whole cine, the view, resets and ends, refusals, and `--stream`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

import edgeecho
from edgeecho.errors import ConfigError, ModelFileError, ShapeError
from edgeecho.preprocess import Roi
from edgeecho.reasons import Reason
from tests.helpers import draw_heart

ROI = Roi(0, 0, 96, 96)


@pytest.fixture(scope="module")
def beating() -> np.ndarray:
    """Drawn cine of 4 beats of 20 frames, uint8 (80, 96, 96)."""
    return draw_heart(np.random.default_rng(8), frames=80, height=96, width=96, depth=0.25)[0]


@pytest.fixture
def live(tiny_bundle: Path) -> edgeecho.StreamingPredictor:
    return edgeecho.stream(tiny_bundle, threads=1, fps=25, spacing_mm=(0.9, 0.8), roi=ROI, flip="none")


def test_live_frames_get_what_the_cine_gets(
    tiny_bundle: Path, live: edgeecho.StreamingPredictor, beating: np.ndarray
) -> None:
    assert (live.view, live.is_view_fixed) == (None, False)
    whole = edgeecho.load(tiny_bundle, threads=1).segment(beating, 25, spacing_mm=(0.9, 0.8), roi=ROI, flip="none")
    answers = [live.push(frame) for frame in beating]
    assert [a is None for a in answers] == [i < live.delay_frames for i in range(80)]
    results = [a for a in answers if a] + live.flush()
    assert [r.frame for r in results] == list(range(80))
    np.testing.assert_array_equal(np.stack([r.mask for r in results]), whole.mask)
    assert [r.area_px for r in results] == whole.area_px.tolist()
    assert live.beats == tuple(whole.beats)
    assert live.measured == whole.measurement
    assert live.findings == tuple(f for f in whole.findings if f.reason != Reason.SPACING_UNKNOWN)
    assert live.is_view_fixed
    assert all(r.view is live.view for r in results)
    said = [beat for r in results for beat in r.beats]
    assert len(said) >= 2  # before the end
    assert said == whole.beats[: len(said)]
    first = next(r for r in results if r.beats)
    assert first.frame < 75
    assert {f.reason for f in first.findings} <= {Reason.VIEW_UNLIKELY}  # the tiny network is not so sure
    assert results[first.frame - 1].verdict == "withhold"
    median = None if first.verdict == "withhold" else np.median([beat.ef_percent for beat in first.beats])
    assert first.ef_percent == median
    assert results[first.frame - 1].ef_percent is None


def test_a_cine_in_one_call(tiny_bundle: Path, live: edgeecho.StreamingPredictor, beating: np.ndarray) -> None:
    clip = edgeecho.load(tiny_bundle, threads=1)
    live.push(beating[7])
    done: list[tuple[int, int]] = []
    found = live.segment(beating[:30], 25, progress=lambda n, t: done.append((n, t)))
    expected = clip.segment(beating[:30], 25)
    assert (found.model.form, expected.model.form) == ("stream", "clip")
    assert found.mask.tobytes() == expected.mask.tobytes()
    a, b = found.to_dict(), expected.to_dict()
    del a["model"], b["model"]
    assert a == b
    assert done[-1] == (30, 30)
    results = [live.push(beating[7]) for _ in range(live.delay_frames)]  # the live stream goes on where it was
    assert results[-1].frame == 0
    np.testing.assert_array_equal(results[-1].mask, clip.segment(beating[7:8], roi=ROI, flip="none").mask[0])


def test_the_view_stays_once_it_is_fixed_until_reset(tiny_bundle: Path, beating: np.ndarray) -> None:
    """The tiny network was trained on upright hearts alone and is not sure of them, so the flip is given."""
    stream = edgeecho.stream(tiny_bundle, threads=1, fps=25, flip="none")
    stream.push(np.zeros((96, 96), np.uint8))  # a black frame is no error
    assert (stream.view.roi, stream.is_view_fixed) == (ROI, False)
    for frame in beating:
        stream.push(frame)
    assert stream.is_view_fixed
    fixed = stream.view
    for frame in beating[:10]:
        stream.push(np.pad(frame[:, 20:], ((0, 0), (0, 20))))
    assert stream.view is fixed
    with pytest.raises(ShapeError, match=r"frame of \(90, 96\), the stream began with \(96, 96\); call reset\(\)"):
        stream.push(beating[1][:90])
    stream.reset()
    assert (stream.view, stream.is_view_fixed) == (None, False)
    stream.push(np.repeat(beating[1][:90, :, None], 3, axis=2))  # RGB
    assert stream.view.roi == Roi(0, -3, 96, 96)


def test_flush_ends_and_the_next_frame_begins(live: edgeecho.StreamingPredictor, beating: np.ndarray) -> None:
    assert live.flush() == []
    runs = []
    for _ in range(2):
        pushed = [live.push(frame) for frame in beating[:6]]
        runs.append([r for r in pushed if r] + live.flush())
        assert live.measured.beats == ()
        assert live.measured.warnings  # says why
    first, second = runs
    assert [r.frame for r in first] == [r.frame for r in second] == list(range(6))
    assert all((a.mask == b.mask).all() for a, b in zip(first, second, strict=True))


def test_a_mirrored_live_view(tiny_bundle: Path, live: edgeecho.StreamingPredictor, beating: np.ndarray) -> None:
    mirrored = edgeecho.stream(tiny_bundle, threads=1, flip="lr", roi=Roi(0, 0, 96, 96))
    for frame in beating[:3]:
        live.push(frame)
        mirrored.push(frame[:, ::-1])
    for a, b in zip(live.flush(), mirrored.flush(), strict=True):
        np.testing.assert_array_equal(a.mask, b.mask[:, ::-1])
        assert a.mask.any()


def test_frames_and_settings_that_make_no_sense(tiny_bundle: Path, live: edgeecho.StreamingPredictor) -> None:
    for frame in (np.zeros((1, 96, 96), np.uint8), np.zeros((96, 96), np.float32), np.zeros((0, 96), np.uint8)):
        with pytest.raises(ShapeError):
            live.push(frame)
    for settings, says in (
        ({"fps": -1}, "fps must be positive"),
        ({"flip": "diagonal"}, "unknown flip 'diagonal'"),
        ({"spacing_mm": (0, 1)}, "spacing_mm must be"),
        ({"runtime": "torch"}, "PyTorch has no stream; take ort or openvino"),
    ):
        with pytest.raises(ConfigError, match=says):
            edgeecho.stream(tiny_bundle, **settings)


def test_another_form_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"clip\.int8\.onnx: holds a clip, ort opens a stream here"):
        edgeecho.stream(tiny_bundle / "clip.int8.onnx")
    with pytest.raises(ModelFileError, match=r"stream\.int8\.xml: holds a stream, openvino opens a clip here"):
        edgeecho.load(tiny_bundle / "stream.int8.xml")
    with pytest.raises(ConfigError, match=r"tiny\.safetensors: PyTorch has no stream; give a stream graph"):
        edgeecho.stream(tiny_bundle / "tiny.safetensors")
    shutil.copy(tiny_bundle / "clip.int8.onnx", tmp_path)
    with pytest.raises(ModelFileError, match=r"has no stream\.int8\.onnx; it holds clip\.int8\.onnx; take a folder"):
        edgeecho.stream(tmp_path)


def test_stream_flags(
    command: Callable[..., tuple[int, str, str]], tiny_bundle: Path, camus: Path, tmp_path: Path
) -> None:
    frames = draw_heart(np.random.default_rng(4), frames=12)[0]
    np.savez(tmp_path / "heart.npz", frames=frames, fps=25)
    masks = {}
    for form, flags in (("stream", ["--stream"]), ("clip", [])):
        out = tmp_path / form
        code, _, stderr = command("segment", tmp_path / "heart.npz", "--model", tiny_bundle, "--out", out, *flags)
        assert code == 0, stderr
        assert json.loads((out / "heart.json").read_text())["model"]["form"] == form
        with np.load(out / "heart.npz") as arrays:
            masks[form] = arrays["mask"]
        figures = tmp_path / f"{form}.json"
        code, _, stderr = command("eval", tiny_bundle, "--data", f"camus:{camus}", "--json", figures, *flags)
        assert code == 0, stderr
    np.testing.assert_array_equal(masks["stream"], masks["clip"])
    scores = [json.loads((tmp_path / f"{form}.json").read_text()) for form in ("stream", "clip")]
    assert [score["model_info"]["form"] for score in scores] == ["stream", "clip"]
    assert scores[0]["videos"] == scores[1]["videos"]
