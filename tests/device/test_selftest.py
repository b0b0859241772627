"""The self-test of the device runtime: answers of Python hold in C, and a difference is found and named."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeecho.model.device_file import SUFFIX, pack
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.selftest_record import MAX_FRAMES, SelfTest
from edgeecho.runtime.selftest_cine import selftest_cine
from tests.device.building import SMALL, TIME_S


def test_the_test_cine_is_pythons(built: Path) -> None:
    command = [str(built / "tests" / "test_selftest"), "cine", str(MAX_FRAMES)]
    drawn = subprocess.run(command, check=True, capture_output=True, timeout=TIME_S).stdout
    assert drawn == selftest_cine(MAX_FRAMES).tobytes()


def run_selftest(built: Path, model: Path) -> tuple[int, str]:
    """Exit code and output of the example."""
    command = [str(built / "examples" / "selftest"), str(model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_S)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_answers_of_python_are_proven_in_c(
    comparing: ModuleType, built: Path, library: Path, proven: Path, selftests: dict[str, SelfTest], precision: str
) -> None:
    model, record = proven / f"stream.{precision}{SUFFIX}", selftests[precision]
    code, printed = run_selftest(built, model)
    assert re.fullmatch(r"this processor gives the proven answers: 6 of 6 frames, \d+ ms\n", printed)
    assert code == 0
    device = comparing.Device(str(library), str(model))
    found = device.selftest()
    device.close()
    assert 0 < found.pop("elapsed_ns") < 5e9  # under a second on a machine that does nothing else
    assert found == {
        "proven": True,
        "frames": len(record.answers),
        "frames_different": 0,
        "first_different": len(record.answers),
        "max_levels": record.max_levels,
        "levels": 0,
        "area_difference_px": 0,
    }


def test_a_frame_that_differs_is_named(
    comparing: ModuleType, built: Path, library: Path, selftests: dict[str, SelfTest], tmp_path: Path
) -> None:
    checked, record = read_verified(SMALL / "stream.int8.onnx"), selftests["int8"]
    answers = list(record.answers)
    answers[3] = replace(answers[3], prob_sha256="0" * 64, area_px=answers[3].area_px + 9)
    answers[5] = replace(answers[5], mask_sha256="0" * 64)
    model = tmp_path / f"altered{SUFFIX}"
    model.write_bytes(pack(checked.data, checked.spec, replace(record, answers=tuple(answers))))
    code, printed = run_selftest(built, model)
    assert code == 1
    assert printed.startswith("frame 3 differs: this processor does not give the proven answers in 2 of 6 frames; ")
    device = comparing.Device(str(library), str(model))
    found = device.selftest()
    device.close()
    assert (found["proven"], found["frames_different"], found["first_different"]) == (False, 2, 3)
    assert (found["levels"], found["area_difference_px"]) == (2**32 - 1, 9)


def test_the_tolerance_of_an_fp32_file(
    built: Path, streams: dict[str, Path], selftests: dict[str, SelfTest], tmp_path: Path
) -> None:
    checked, record = read_verified(streams["fp32"]), selftests["fp32"]
    assert record.reference is not None
    for apart, code, beginning in (
        (record.max_levels, 0, "this processor gives the proven answers: 6 of 6 frames"),
        (record.max_levels + 1, 1, "frame 2 differs: "),
    ):
        reference = np.frombuffer(record.reference, np.uint8).reshape(6, *[checked.spec.size_px] * 2).copy()
        largest = np.unravel_index(reference[2].argmax(), reference[2].shape)
        reference[2][largest] -= apart
        model = tmp_path / f"altered{SUFFIX}"
        model.write_bytes(pack(checked.data, checked.spec, replace(record, reference=reference.tobytes())))
        found, printed = run_selftest(built, model)
        assert found == code
        assert printed.startswith(beginning)


def test_a_file_without_a_selftest(
    comparing: ModuleType, built: Path, library: Path, models: Path, tmp_path: Path
) -> None:
    checked = read_verified(SMALL / "stream.int8.onnx")
    model = tmp_path / f"none{SUFFIX}"
    model.write_bytes(pack(checked.data, checked.spec))
    code, printed = run_selftest(built, model)
    assert code == 2
    assert "has no self-test" in printed
    device = comparing.Device(str(library), str(model))
    assert device.selftest() is None
    device.close()
    code, printed = run_selftest(built, models / f"clip.int8{SUFFIX}")
    assert code == 1
    assert "this library runs stream graphs" in printed
