"""Self-test in model files: the test cine, the record in every format, and the report of a wrong processor."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model import selftest_record as selftest
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.selftest_record import FrameAnswer, SelfTest
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.native_engine import is_built
from edgeecho.runtime.selftest import (
    ModelRef,
    answer_selftest,
    compare_answers,
    files_to_test,
    run_selftest,
)
from edgeecho.runtime.selftest_cine import frame_answers, make_record, selftest_cine, selftest_inputs

Command = Callable[..., tuple[int, str, str]]
CINE_SHA256 = "e970dbfcc9a962dbd6c8c1296f2ec5602be56db519e91842b87e61f7dfea4e25"
INPUTS_SHA256 = "8685d799259874281d3136cc1d7388014cdb07c59c3845f2e1414ee5a439c4a5"


def test_the_cine_is_these_bytes() -> None:
    """The cine is that of docs/model-file.md, which C draws too."""
    cine = selftest_cine()
    assert cine.shape == (6, 144, 160)
    assert hashlib.sha256(cine.tobytes()).hexdigest() == CINE_SHA256
    assert hashlib.sha256(selftest_inputs(112).tobytes()).hexdigest() == INPUTS_SHA256
    np.testing.assert_array_equal(selftest_cine(8)[6:], cine[:2])  # it beats on


def test_the_cine_as_the_document_has_it() -> None:
    """One pixel of each kind has the value that follows from the document."""
    cine = selftest_cine()

    def speckle(x: int, y: int) -> int:
        h = (x // 2 * 374761393 + y // 2 * 668265263) % 2**32
        h = (h ^ (h >> 13)) * 1274126177 % 2**32
        return (h ^ (h >> 16)) & 255

    assert cine[0, 5, 5] == 0  # outside the sector
    for x, y, low, span in (
        (88, 64, 14, 30),
        (52, 76, 14, 30),
        (90, 124, 14, 30),
        (119, 64, 90, 130),
        (20, 100, 50, 90),
    ):
        assert cine[0, y, x] == low + speckle(x, y) * span // 256, (x, y)


def record(**asked: float) -> tuple[SelfTest, np.ndarray]:
    prob = np.zeros((2, 32, 32), np.uint8)
    prob[0, 10:20, 10:20], prob[1, 12:18, 12:18] = 200, 180
    return make_record(prob, 128, **asked), prob  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [{}, {"max_levels": 1}, {"min_dice": 0.98}])
def test_a_record_survives_its_file(asked: dict[str, float]) -> None:
    made, prob = record(**asked)
    again = SelfTest.from_json(made.to_json(), 32)
    assert (again.answers, again.max_levels, again.min_dice) == (made.answers, made.max_levels, made.min_dice)
    assert (again.reference is None) == (not asked)
    if asked:
        assert again.reference == prob.tobytes()
    assert made.answers == tuple(frame_answers(prob, 128)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cine": 2}, "self-test with cine 2, this EdgeEcho draws 1"),
        ({"frames": []}, "self-test is damaged"),
        ({"frames": [["00", "00", 1]]}, "self-test is damaged"),
        ({"frames": 3}, "self-test is damaged"),
        ({"max_levels": 999}, "self-test is damaged"),
        ({"max_levels": -1}, "self-test is damaged"),
        ({"min_dice": 2}, "self-test is damaged"),
        ({"reference": "x"}, "self-test is damaged"),
        ({"reference": ""}, "self-test is damaged"),
    ],
)
def test_a_record_is_not_trusted(change: dict[str, object], message: str) -> None:
    values = json.loads(record(max_levels=1)[0].to_json())
    with pytest.raises(ModelFileError, match=message):
        SelfTest.from_json(json.dumps({**values, **change}), 32)
    with pytest.raises(ModelFileError, match="self-test is damaged"):
        SelfTest.from_json("[" * 100_000, 32)


def test_a_reference_takes_no_more_memory_than_its_shape() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(bytes(1 << 25))).decode()
    values = json.loads(record(max_levels=1)[0].to_json())
    with pytest.raises(ModelFileError, match="a reference of another size"):
        SelfTest.from_json(json.dumps({**values, "reference": bomb}), 32)


def test_equality_to_the_bit() -> None:
    made, prob = record()
    spec = read_verified(files_to_test("cl_unet_nano", "ort")[0]).spec
    assert all(found.holds for found in compare_answers(made, prob, spec))
    prob[1, 0, 0] = 1  # no mask changes, one value of prob does
    assert [found.holds for found in compare_answers(made, prob, spec)] == [True, False]


def test_tolerances() -> None:
    spec = read_verified(files_to_test("cl_unet_nano", "ort")[0]).spec
    made, prob = record(max_levels=1)
    assert all(found.holds for found in compare_answers(made, prob + 1, spec))
    found = compare_answers(made, prob + 2, spec)
    assert [(frame.holds, frame.levels) for frame in found] == [(False, 2)] * 2
    made, prob = record(min_dice=0.98)
    assert all(found.holds for found in compare_answers(made, np.where(prob > 0, 160, 9).astype(np.uint8), spec))
    other = prob.copy()
    other[1] = 0
    assert [found.holds for found in compare_answers(made, other, spec)] == [True, False]


@pytest.mark.slow
def test_packaged_files_give_the_proven_answers_here(command: Command) -> None:
    """Every packaged int8 graph passes its self-test on the processor that runs this test."""
    for model in ("default", "cl_unet_nano", "cl_unet", "cl_unet_edge_free"):
        code, out, err = command("selftest", model, "--runtime", "ort")
        assert code == 0, err
        lines = out.splitlines()
        assert any("stream.int8.edgeecho" in line or "stream.int8.onnx" in line for line in lines)
        assert all("this processor gives the proven answers" in line for line in lines)
        assert any("(to the bit)" in line for line in lines)


def test_every_format_of_an_export_carries_it(tiny_bundle: Path, command: Command, tmp_path: Path) -> None:
    graphs = [path for path in tiny_bundle.iterdir() if path.suffix in (".onnx", ".xml", ".edgeecho")]
    assert len(graphs) == 12 + is_built()
    records = {path.name: read_verified(path).selftest for path in graphs}
    tolerance = {name: found.tolerance for name, found in records.items() if found}
    for name in records:
        exact = "1 level of 255" if "fp32" in name else "mask Dice 0.98" if name.endswith(".xml") else "to the bit"
        assert tolerance[name] == exact, name
    clip, stream = records["clip.int8.onnx"], records["stream.int8.onnx"]
    assert clip is not None
    assert stream is not None
    assert clip.answers == stream.answers
    code, out, _ = command("selftest", tiny_bundle, "--json", tmp_path / "report.json")
    assert code == 0
    assert len(out.splitlines()) == len(graphs)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["holds"]
    assert {row["file"] for row in report["files"]} == set(records)


def test_a_processor_with_another_answer_is_reported(
    tiny_bundle: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose record is another one stands for a processor that computes otherwise."""
    import onnx

    from edgeecho.export.write.sealed import Stamp, write_onnx

    checked = read_verified(tiny_bundle / "stream.int8.onnx")
    assert checked.selftest is not None
    answers = list(checked.selftest.answers)
    answers[3] = FrameAnswer("0" * 64, answers[3].mask_sha256, answers[3].area_px + 5)
    other = replace(checked.selftest, answers=tuple(answers), processors="processors with VNNI")
    path = tmp_path / "stream.int8.onnx"
    write_onnx(path, onnx.load_from_string(checked.data), checked.spec, Stamp(other))
    report = run_selftest(path)
    assert report.different == [3]
    code, out, _ = command("selftest", path)
    assert code == 1
    area = answers[3].area_px
    assert f"frame 3 differs from the proven answers (to the bit): area {area - 5} px instead of {area}" in out
    assert "the file is proven on processors with VNNI" in out


def test_stream_and_clip_answer_alike(tiny_bundle: Path) -> None:
    probs = []
    for form in ("clip", "stream"):
        model = open_engine(ModelRef(tiny_bundle / f"{form}.int8.onnx", "ort", None, form), 1)
        probs.append(answer_selftest(model, 9))
    np.testing.assert_array_equal(*probs)
    assert len(np.unique(probs[0])) > 10


def test_files_without_a_record(tiny_bundle: Path, tmp_path: Path, command: Command) -> None:
    import onnx

    from edgeecho.export.write.sealed import write_onnx

    checked = read_verified(tiny_bundle / "clip.int8.onnx")
    path = tmp_path / "clip.int8.onnx"
    write_onnx(path, onnx.load_from_string(checked.data), checked.spec)
    code, out, err = command("selftest", path)
    assert (code, out) == (1, "")
    assert "error: clip.int8.onnx: carries no self-test; export the model again" in err
    with pytest.raises(ModelFileError, match="has no graph to test"):
        files_to_test(str(tiny_bundle / "tiny.safetensors"))
    with pytest.raises(ConfigError, match="unknown runtime 'torch' of a self-test"):
        files_to_test(str(tiny_bundle), "torch")


def test_the_name_of_the_key() -> None:
    """The key keeps its name, as other readers of the files use it."""
    assert selftest.KEY == "edgeecho_selftest"
