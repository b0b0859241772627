"""The device runtime gives Python's numbers: masks, beats, figures, and the description of a model."""

import json
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from edgeecho.cine import read_cine
from edgeecho.model.device_file import SUFFIX
from edgeecho.model.sealed_file import read_verified
from edgeecho.preprocess import find_roi
from edgeecho.synthetic.phantom import draw_cine
from tests.device.building import MODEL, SPACING_MM, as_pgm, drawn_cine, run


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_masks_and_beats_are_pythons(
    comparing: ModuleType, library: Path, models: Path, tmp_path: Path, precision: str
) -> None:
    model = models / f"stream.{precision}{SUFFIX}"
    device, graph = comparing.Device(str(library), str(model)), comparing.graph_of(model, tmp_path)
    sizes = [(112, 112), (231, 300), (480, 640)]
    for seed, (height, width) in enumerate(sizes if precision == "int8" else sizes[:1]):
        cine = drawn_cine(seed, height, width)
        found = comparing.compare(
            partial(comparing.by_library, device), graph, cine, roi=find_roi(cine.frames, SPACING_MM)
        )
        assert found.is_within(0), found
        assert found.beats[0] > 1
    device.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_phantoms_are_pythons(
    comparing: ModuleType, library: Path, stream_model: Path, tmp_path: Path, seed: int
) -> None:
    device, graph = comparing.Device(str(library), str(stream_model)), comparing.graph_of(stream_model, tmp_path)
    found = comparing.compare(partial(comparing.by_library, device), graph, draw_cine((5, seed)), roi=None, flip="auto")
    assert found.is_within(0), found
    device.close()


def test_a_real_cine_is_pythons(comparing: ModuleType, library: Path, stream_model: Path, tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    device, graph = comparing.Device(str(library), str(stream_model)), comparing.graph_of(stream_model, tmp_path)
    cine = read_cine(pydicom.examples.get_path("ybr_color"))
    found = comparing.compare(partial(comparing.by_library, device), graph, cine, roi=None, flip="auto")
    assert found.is_within(0), found
    device.close()


def test_the_format_of_onnx_runtime_has_the_same_results(built: Path, stream_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from edgeecho.export.write.ort_device_file import write_ort_device_file

    converted = tmp_path / f"stream.int8.ort{SUFFIX}"
    write_ort_device_file(MODEL / "stream.int8.onnx", converted)
    frames = drawn_cine(5, 120, 160).frames[:12]
    results = []
    for model in (stream_model, converted):
        masks = tmp_path / "masks.pgm"
        lines = run(built / "examples" / "push_frames", model, f"masks={masks}", stdin=as_pgm(frames)).splitlines()
        rows = [{k: v for k, v in json.loads(line).items() if k != "push_ms"} for line in lines]
        results.append((rows, masks.read_bytes()))
    assert results[0] == results[1]
    assert results[0][1].count(1) > 1000  # empty masks would be equal
    assert "proven answers: 6 of 6 frames" in run(built / "examples" / "selftest", converted)


def test_the_description_of_a_model(comparing: ModuleType, library: Path, stream_model: Path) -> None:
    spec = read_verified(stream_model).spec
    device = comparing.Device(str(library), str(stream_model), threads=2)
    info = device.describe()
    device.close()
    assert info["sha256"] not in ("", "0" * 64)
    for name in ("name", "licence", "intended_use", "revision", "precision", "size_px", "threshold"):
        assert info[name] == getattr(spec, name)
    assert (info["frames_before"], info["delay_frames"]) == spec.context_frames
    assert info["parameters"] == spec.params
    assert info["engine"].startswith("ONNX Runtime ")
