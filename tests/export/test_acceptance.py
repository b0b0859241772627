"""The acceptance test of quantized files: statistics worked out by hand, good graphs, broken graphs, and the export."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

from onnx import numpy_helper  # noqa: E402

import edgeecho.export.bundle as bundle_module  # noqa: E402
import edgeecho.export.int8.search as search_module  # noqa: E402
from edgeecho.errors import ConfigError, ExportError, ModelFileError  # noqa: E402
from edgeecho.export.check.acceptance import assess, make_reference  # noqa: E402
from edgeecho.export.check.acceptance_cines import MAX_FRAMES, AcceptanceCine, acceptance_cines  # noqa: E402
from edgeecho.export.check.figures import Figure, Limits  # noqa: E402
from edgeecho.export.check.proof import CheckResult, compare_masks, open_graph  # noqa: E402
from edgeecho.export.check.verification import verify_bundle  # noqa: E402
from edgeecho.export.int8.calibrate import gather  # noqa: E402
from edgeecho.export.int8.parameters import check_parameters  # noqa: E402
from edgeecho.export.int8.quantize import count_int8, quantize  # noqa: E402
from edgeecho.export.int8.ranges import Ranges  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.export.write.sealed import Stamp, write_onnx  # noqa: E402
from edgeecho.model.registry import packaged_models  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.preprocess import Roi  # noqa: E402
from edgeecho.runtime import load  # noqa: E402
from studies.acceptance_power import broken, good  # noqa: E402
from tests.helpers import export, tampered  # noqa: E402

NANO = next(path for path in packaged_models() if path.name == "cl_unet_nano")


# Statistics


def discs(count: int = 12, side: int = 64) -> list[AcceptanceCine]:
    """Cines of two frames: a disc of grey 200 that shrinks, with known EF and its own pixels as truth."""
    y, x = np.mgrid[:side, :side]
    cines = []
    for k in range(count):
        frames = np.stack(
            [200 * (((x - 32) / (0.6 * r)) ** 2 + ((y - 32) / r) ** 2 < 1) for r in (24 + k / 4, 18.0)]
        ).astype(np.uint8)
        truth = {i: (frame > 0).astype(np.uint8) for i, frame in enumerate(frames)}
        cines.append(AcceptanceCine(f"disc {k}", frames, Roi(0, 0, side, side), (side, side), None, (0, 1), truth))
    return cines


def bright(frames: np.ndarray) -> np.ndarray:
    """A network that predicts cavity at bright pixels."""
    return np.where(frames > 100, 255, 0).astype(np.uint8)


def figures(change: float = 0.0) -> dict[str, Figure]:
    """Figures of a network that loses that part of a frame's columns on the left."""

    def other(frames: np.ndarray) -> np.ndarray:
        prob = bright(frames)
        prob[:, :, : round(change * prob.shape[2])] = 0
        return prob

    cines = discs()
    return {f.figure: f for f in assess("int8", other, make_reference(bright, cines, 128), Limits())}


def test_the_same_answers_change_nothing() -> None:
    found = figures()
    assert all(figure.holds for figure in found.values())
    assert found["disagreement"].value == pytest.approx(1)  # both at the least unit
    for name in ("ef_mean_points", "ef_median_points", "area_mean_percent", "dice_lost", "other_answer"):
        assert found[name].value == 0
    assert [found[f"{event}_shift_frames"].limit for event in ("ed", "es")] == [None, None]


def test_masks_that_lose_a_part_are_refused() -> None:
    found = figures(0.4)  # the left of every disc
    assert not found["disagreement"].holds
    assert not found["area_mean_percent"].holds
    assert found["area_mean_percent"].value == -5  # each cine adds 5 percent at most
    assert not found["dice_lost"].holds
    assert found["other_answer"].cines == 12
    assert found["disagreement"].worst[0].startswith("disc ")


def test_one_cine_decides_nothing() -> None:
    """One of forty cines with an empty mask at ES moves no figure beyond its limit."""
    cines = discs(40)
    lost = cines[7].inputs[1]

    def other(frames: np.ndarray) -> np.ndarray:
        prob = bright(frames)
        prob[(frames == lost).all(axis=(1, 2)) & (len(frames) == 2)] = 0
        return prob

    one = [replace(cine, inputs=cine.inputs.copy()) for cine in cines]
    one[7].inputs[1, 0, 0] = 1  # so that this frame alone is recognised
    lost = one[7].inputs[1]
    found = assess("int8", other, make_reference(bright, one, 128), Limits())
    assert all(figure.holds for figure in found)
    worst = {figure.figure: figure.worst[0] for figure in found}
    assert worst["ef_mean_points"].startswith("disc 7 (5")


def test_a_cine_that_noise_moves_does_not_count_for_ef() -> None:
    """The masks of the reference are so near the threshold that two levels of noise change them."""
    cines = [replace(cine, inputs=np.where(cine.inputs > 0, 128, 0).astype(np.uint8)) for cine in discs()]

    def edge(frames: np.ndarray) -> np.ndarray:
        return np.where(frames >= 128, 255, 0).astype(np.uint8)

    reference = make_reference(edge, cines, 128)
    assert not reference.stable.any()
    found = {figure.figure for figure in assess("int8", edge, reference, Limits())}
    assert "ef_mean_points" not in found
    assert "disagreement" in found


def test_a_network_that_outlines_nothing_is_refused() -> None:
    """Two empty masks are equal, but that proves nothing."""
    nothing = np.zeros_like
    found = assess("int8", nothing, make_reference(nothing, discs(), 128), Limits())
    assert [(f.figure, f.holds) for f in found[:2]] == [("disagreement", False), ("area_spread", False)]


def test_limits_are_named_and_bounded() -> None:
    assert Limits.parse(["disagreement=6", "ef_mean_points=2"]) == Limits(disagreement=6, ef_mean_points=2)
    with pytest.raises(ConfigError, match=r"unknown acceptance limit 'dice'; known: disagreement, "):
        Limits.parse(["dice=1"])
    with pytest.raises(ConfigError, match=r"acceptance limit dice_lost takes a number, got 'low'"):
        Limits.parse(["dice_lost=low"])
    with pytest.raises(ConfigError, match=r"must be above 0 and below 1000, got -1"):
        Limits(dice_lost=-1)


# Cines


@pytest.mark.slow
def test_cines_have_ed_and_es(camus: Path) -> None:
    cines = acceptance_cines(f"camus:{camus}", ("patient0001", "patient0006"), 48)
    assert [cine.name for cine in cines[:2]] == ["drawn 0-0", "drawn 0-1"]
    assert {cine.name for cine in cines[40:]} == {"held-out cine 0", "held-out cine 1"}  # cards name no patient
    assert {cine.source for cine in cines[40:]} == {"patient0001_4CH_cine", "patient0006_4CH_cine"}
    for cine in cines:
        assert cine.inputs.shape[1:] == (48, 48)
        assert len(cine.inputs) <= MAX_FRAMES
        assert cine.phases is not None
        ed, es = (int(cine.truth[frame].sum()) for frame in cine.phases)
        areas = [int(mask.sum()) for mask in cine.truth.values()]
        assert ed > 0.9 * max(areas)
        assert es < 1.1 * min(areas) + 20


def test_another_seed_draws_other_cines() -> None:
    first, same, other = (acceptance_cines(None, (), 48, seed, drawn=1)[0].inputs for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert first.shape != other.shape or (first != other).any()


# A real network


@pytest.fixture(scope="module")
def nano() -> tuple[onnx.ModelProto, list[np.ndarray]]:
    """The packaged nano, and clips that calibrate it."""
    source = read_verified(NANO / "clip.fp32.onnx")
    return onnx.load_from_string(source.data), gather(None, source.spec.size_px).calibration


@pytest.mark.slow
def test_good_graphs_are_accepted_and_broken_ones_refused(nano: tuple[onnx.ModelProto, list[np.ndarray]]) -> None:
    """On cines of another seed than that of the packaged files."""
    graph, clips = nano
    spec = read_verified(NANO / "clip.fp32.onnx").spec
    run = open_graph(graph, spec).probabilities
    reference = make_reference(run, acceptance_cines(None, (), spec.size_px, 11), 128)
    for name, int8, ranges, bits in good(graph, clips):
        found = assess(name, open_graph(int8, spec).probabilities, reference, Limits())
        assert [str(figure) for figure in found if not figure.holds] == [], name
        assert {f.figure for f in found} >= {"disagreement", "ef_mean_points", "dice_lost", "other_answer"}
        assert check_parameters(int8, graph, bits, ranges).holds, name
    names = []
    for name, int8, ranges, bits in broken(graph, clips):
        found = assess(name, open_graph(int8, spec).probabilities, reference, Limits())
        assert not all(figure.holds for figure in found), name
        told_by_parameters = not check_parameters(int8, graph, bits, ranges).holds
        assert told_by_parameters == (not name.startswith(("calibrated on", "past and future"))), name
        names.append(name)
    assert len(names) == 9


@pytest.mark.slow
def test_parameters_are_recomputed(nano: tuple[onnx.ModelProto, list[np.ndarray]]) -> None:
    """Every kind of parameter is changed where masks hardly differ."""
    graph, clips = nano
    _, int8, ranges, bits = next(good(graph, clips))
    node = next(n for n in int8.graph.node if n.op_type == "QuantizeLinear")
    kinds = [t.name for t in int8.graph.initializer if t.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.INT32)]
    weight = next(name for name in kinds if name.endswith("weight_quantized"))
    bias = next(name for name in kinds if "bias" in name and name.endswith("quantized"))
    assert check_parameters(int8, graph, bits, ranges).holds
    for name, change in (
        (weight, lambda a: np.where(a == a.flat[0], a + 2, a)),
        (bias, lambda a: a + 2),
        (node.input[1], lambda a: a * np.float32(1.01)),
        (node.input[2], lambda a: a + np.uint8(2)),
    ):
        edited = onnx.ModelProto()
        edited.CopyFrom(int8)
        tensor = next(t for t in edited.graph.initializer if t.name == name)
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(change(values), values.dtype), name))
        result = check_parameters(edited, graph, bits, ranges)
        assert not result.holds, name
        assert result.figure.startswith("parameters, steps ("), name


# Exports


def test_openvino_is_tested_by_itself(tiny_bundle: Path) -> None:
    gate = json.loads((tiny_bundle / "bundle.json").read_text())["gate"]
    assert {row["file"] for row in gate["figures"]} == {"clip.int8.onnx", "clip.int8.xml"}
    assert gate["accepted"]
    assert gate["cines"] == 42  # 40 drawn ones, and two held-out patients
    assert gate["limits"]["disagreement"] == Limits().disagreement


def spoil(monkeypatch: pytest.MonkeyPatch, factor: float, which: int = -1, spared: str | None = None) -> None:
    """Make an export quantize a spoilt graph, unless a convolution of this name stays in float."""

    def spoilt(graph: onnx.ModelProto, ranges: Ranges, **asked: object) -> onnx.ModelProto:
        whole = spared is not None and spared in asked.get("keep_float", ())  # type: ignore[operator]
        return quantize(graph if whole else tampered(graph, factor, which), ranges, **asked)  # type: ignore[arg-type]

    monkeypatch.setattr(search_module, "quantize", spoilt)
    held = CheckResult("clip.int8 graph", "its calibration", "parameters, steps", 0, 0, 1, True)
    monkeypatch.setattr(search_module, "check_parameters", lambda *arguments: held)  # it would be seen there first


def test_parameters_that_are_not_the_calibration_s_are_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        search_module, "quantize", lambda graph, ranges, **asked: quantize(tampered(graph, 0.9), ranges, **asked)
    )
    with pytest.raises(ExportError, match=r"clip\.int8 graph differs from its calibration: parameters, steps \("):
        export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", formats=("onnx",), calib=f"camus:{camus}")
    assert list(tmp_path.iterdir()) == []


def test_an_int8_graph_with_other_masks_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Convolutions in float, one after another, do not suffice for this graph, so nothing is written."""
    spoil(monkeypatch, 0.3)
    told: list[str] = []
    options = Options(formats=("onnx",), calib=f"camus:{camus}")
    expected = (
        r"int8 is refused: clip\.int8\.onnx differs from clip\.fp32\.onnx in disagreement \d\S* \(interval .* to .*\), "
        r"limit 4; worst cines: .*drawn 0-\d+ .*; even with \d+ of \d+ convolutions in float"
    )
    with pytest.raises(ExportError, match=expected):
        bundle_module.export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", options, progress=told.append)
    assert list(tmp_path.iterdir()) == []
    assert len([text for text in told if text.startswith("back to float")]) > 2


def test_a_maker_may_look_at_what_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With `--gate report` the files are written; index, card and files contain the refusal, and opening reports it."""
    spoil(monkeypatch, 0.3)
    folder = export(
        str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", gate="report", formats=("onnx",), calib=f"camus:{camus}"
    ).folder
    index = json.loads((folder / "bundle.json").read_text())
    assert index["command"].endswith("--gate report")
    assert not index["gate"]["accepted"]
    assert "in disagreement" in index["gate"]["refusals"][0]
    convolutions = [n for n in onnx.load(folder / "clip.fp32.onnx").graph.node if n.op_type == "Conv"]
    assert len(index["gate"]["costs"]) == len(convolutions) - 2
    assert "**Refused:**" in (folder / "CARD.md").read_text()
    for name in ("clip.int8.onnx", "stream.int8.onnx", "stream.int8.edgeecho"):
        assert "in disagreement" in str(read_verified(folder / name).refusal)
    assert read_verified(folder / "clip.fp32.onnx").refusal is None
    load(folder, threads=1)
    assert "written for a look only, the acceptance test refused it" in caplog.text


def test_a_convolution_that_spoils_int8_goes_back_to_float(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One convolution is spoilt in int8; the search finds it, keeps it in float, and the bundle lists it."""
    fp32 = onnx.load(tiny_bundle / "clip.fp32.onnx")
    names = [node.name for node in fp32.graph.node if node.op_type == "Conv"]
    spoil(monkeypatch, 0.3, -2, names[-2])
    result = export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", formats=("onnx",), calib=f"camus:{camus}")
    assert result.kept_float == [names[-2]]
    gate = json.loads((result.folder / "bundle.json").read_text())["gate"]
    assert gate["kept_float"] == [names[-2]]
    assert gate["costs"][0]["in_float"] == names[-2]
    assert gate["costs"][0]["figure_left"] < gate["costs"][1]["figure_left"]
    assert gate["accepted"]
    done, convolutions = count_int8(onnx.load(result.folder / "clip.int8.onnx"))
    assert done == convolutions - 1
    assert f"given back to float | {names[-2]} |" in (result.folder / "CARD.md").read_text()


def test_sixteen_bits_are_tested_too(tiny_bundle: Path, tmp_path: Path) -> None:
    source = str(tiny_bundle / "clip.fp32.onnx")
    folder = export(source, tmp_path / "out", precision="fp16", formats=("openvino",), forms=("clip",)).folder
    figures = json.loads((folder / "bundle.json").read_text())["gate"]["figures"]
    assert {row["file"] for row in figures} == {"clip.fp16.xml"}
    limits = Limits(disagreement=1e-3)
    with pytest.raises(ExportError, match=r"refused: clip\.fp16\.xml differs from clip\.fp32\.onnx in disagreement"):
        export(source, tmp_path / "none", precision="fp16", formats=("openvino",), forms=("clip",), limits=limits)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_masks_that_are_all_empty_prove_nothing() -> None:
    nothing = [np.zeros((2, 16, 16), np.uint8)]
    assert not compare_masks("clip.int8.onnx", "PyTorch", nothing, nothing, 128).holds
    assert not compare_masks("clip.int8.onnx", "PyTorch", [], [], 128).holds


# Verification of what exists


def test_a_bundle_is_verified_again(tiny_bundle: Path, camus: Path) -> None:
    found = verify_bundle(str(tiny_bundle), f"camus:{camus}")
    assert found.errors == []
    index = json.loads((tiny_bundle / "bundle.json").read_text())
    assert [row["value"] for row in index["gate"]["figures"]] == [figure.value for figure in found.figures]
    proven = {v.file for v in found.proof}
    assert proven == {p.name for p in tiny_bundle.iterdir() if p.suffix in (".onnx", ".xml")} | {"clip.int8 graph"}


def test_verification_finds_files_of_another_export(tiny_bundle: Path, tmp_path: Path, command: Any) -> None:
    """A sound file of another network, a damaged one, and one whose graph differs from its self-test."""
    folder = tmp_path / "mixed"
    shutil.copytree(tiny_bundle, folder)
    (folder / "bundle.json").unlink()  # its list of digests would find all three
    shutil.copy(NANO / "stream.int8.onnx", folder / "stream.fp32.onnx")
    damaged = (folder / "clip.fp32.xml").read_bytes()
    (folder / "clip.fp32.xml").write_bytes(damaged[:-1])
    whole = read_verified(folder / "clip.int8.onnx")
    write_onnx(
        folder / "clip.int8.onnx",
        tampered_int8(onnx.load_from_string(whole.data)),
        whole.spec,
        Stamp(whole.selftest, whole.refusal),
    )
    code, out, err = command("verify", folder)
    assert code == 1
    assert "comparisons on this machine" in out
    errors = [line.removeprefix("error: ") for line in err.splitlines() if line.startswith("error: ")]
    for expected in (
        "clip.fp32.xml: checksum does not hold",
        "stream.fp32.onnx: of another network than clip.fp32.onnx",
        "clip.int8.onnx differs from its record: self-test, frames off (to the bit) 6, limit 0",
        "clip.int8 graph differs from clip.fp32.onnx: parameters, steps (node_",
        "stream.int8.onnx differs from clip.int8.onnx: levels",
        "the acceptance test refuses: clip.int8.onnx differs from clip.fp32.onnx in disagreement",
    ):
        assert any(error.startswith(expected) for error in errors), (expected, errors)


def tampered_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """An int8 graph in which half of one convolution's weights are 0."""
    name = [t.name for t in model.graph.initializer if t.name.endswith("weight_quantized")][-1]
    tensor = next(t for t in model.graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) // 2, name))
    return model


def test_what_cannot_be_verified(tiny_bundle: Path) -> None:
    with pytest.raises(ModelFileError, match=r"verification needs a bundle with clip\.fp32\.onnx"):
        verify_bundle(str(tiny_bundle / "clip.int8.onnx"))
