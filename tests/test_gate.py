"""The gate of int8: what it lets pass, what it gives back to float, what it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

from conftest import draw_heart, export, tampered  # noqa: E402

import edgeecho.export.bundle as bundle_module  # noqa: E402
import edgeecho.export.gate as gate_module  # noqa: E402
from edgeecho.cine import Cine  # noqa: E402
from edgeecho.errors import ExportError  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.export.proof import compare_masks  # noqa: E402
from edgeecho.export.quantize import count_int8, quantize  # noqa: E402
from edgeecho.export.ranges import Ranges  # noqa: E402
from edgeecho.measure import BeatMeasurement  # noqa: E402
from edgeecho.measure.volumes import disc_volume  # noqa: E402
from edgeecho.runtime import Segmentation, load  # noqa: E402


def test_openvino_is_judged_by_itself(tiny_bundle: Path) -> None:
    figures = json.loads((tiny_bundle / "bundle.json").read_text())["gate"]["figures"]
    assert {row["file"] for row in figures} == {"clip.int8.onnx", "clip.int8.xml"}


def test_an_int8_graph_with_other_masks_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Giving convolutions back to float, one by one, does not help this one, so nothing is written."""
    said: list[str] = []
    monkeypatch.setattr(
        gate_module, "quantize", lambda graph, ranges, **asked: quantize(tampered(graph, 0.3), ranges, **asked)
    )
    options = Options(formats=("onnx",), calib=f"camus:{camus}")
    with pytest.raises(ExportError, match=r"int8 differs from fp32 in Dice: 0\.\d+, limit 0\.99, even with \d+ of \d+"):
        bundle_module.export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", options, progress=said.append)
    assert list(tmp_path.iterdir()) == []
    assert len([text for text in said if text.startswith("back to float")]) > 2


def test_a_convolution_that_spoils_int8_goes_back_to_float(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One convolution is made to lose by int8; the gate finds it, leaves it in float, and the bundle says so."""
    fp32 = onnx.load(tiny_bundle / "clip.fp32.onnx")
    names = [node.name for node in fp32.graph.node if node.op_type == "Conv"]

    def spoilt(graph: onnx.ModelProto, ranges: Ranges, **asked: object) -> onnx.ModelProto:
        spared = names[-2] in asked.get("keep_float", ())
        return quantize(graph if spared else tampered(graph, 0.3, -2), ranges, **asked)

    monkeypatch.setattr(gate_module, "quantize", spoilt)
    result = export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", formats=("onnx",), calib=f"camus:{camus}")
    assert result.kept_float == [names[-2]]
    index = json.loads((result.folder / "bundle.json").read_text())
    assert index["gate"]["kept_float"] == [names[-2]]
    assert all(figure["holds"] for figure in index["gate"]["figures"])
    done, convolutions = count_int8(onnx.load(result.folder / "clip.int8.onnx"))
    assert done == convolutions - 1
    assert f"given back to float | {names[-2]} |" in (result.folder / "CARD.md").read_text()


def test_int8_that_finds_no_beat_any_more() -> None:
    """EF is then that of its masks at fp32's own frames; that the beat is gone is a figure of its own."""
    frames, labels = draw_heart(np.random.default_rng(7), frames=60)
    cine = Cine(frames, fps=30.0, labels=dict(enumerate(labels)))
    fp32 = replace(load(threads=1).segment(cine), mask=labels, ef_percent=60.0)
    ed, es = int(labels.sum((1, 2)).argmax()), int(labels.sum((1, 2)).argmin())
    ef = 100 * (1 - disc_volume(labels[es], None) / disc_volume(labels[ed], None))
    fp32 = replace(
        fp32, beats=[BeatMeasurement(ed, es, None, None, ef, None)], ed_frames=[ed], es_frames=[es], ef_percent=ef
    )
    none = replace(fp32, beats=[], ed_frames=[], es_frames=[], ef_percent=None)

    def figures(int8: Segmentation) -> dict[str, tuple[float, bool]]:
        answers = [gate_module.Answers([result]) for result in (int8, fp32)]
        return {v.figure: (v.value, v.holds) for v in gate_module.judge("int8", "fp32", *answers, [cine])}

    assert figures(fp32)["no beat any more"] == (0, True)
    assert figures(none)["no beat any more"] == (1, False)
    assert figures(none)["EF, worst"] == (pytest.approx(0, abs=1e-9), True)
    assert "ED, ES frames" not in figures(none)
    empty = replace(none, mask=np.zeros_like(labels))
    assert figures(empty)["EF, mean"] == (float("inf"), False)


def test_masks_that_are_all_empty_prove_nothing() -> None:
    nothing = [np.zeros((2, 16, 16), np.uint8)]
    assert not compare_masks("clip.int8.onnx", "PyTorch", nothing, nothing, 128).holds
    assert not compare_masks("clip.int8.onnx", "PyTorch", [], [], 128).holds
