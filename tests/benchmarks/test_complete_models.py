"""Packaged models in the benchmark: their fp32 files are exported where rows need them."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")
pytest.importorskip("onnx")
from edgeecho.benchmarks.run.complete_models import complete_models
from edgeecho.benchmarks.run.entries import FORMS, entries
from edgeecho.model.registry import locate

NANO = "cl_unet_nano"
RUNTIMES = ("ort", "openvino")


def test_missing_files_are_exported_once(nano_fp32: Path) -> None:
    work_dir = nano_fp32.parents[1]
    assert (work_dir / "messages.txt").read_text() == f"{NANO}: exporting the fp32 files that its folder lacks"
    requested = ([NANO], RUNTIMES, ("fp32", "int8"), FORMS)
    completed = complete_models(*requested, work_dir, pytest.fail)  # what was exported before is used again
    assert completed == {NANO: nano_fp32}
    rows = entries(*requested, work_dir, completed=completed)
    assert {(row.form, row.runtime, row.precision) for row in rows} == {
        (form, runtime, precision) for form in FORMS for runtime in RUNTIMES for precision in ("fp32", "int8")
    }
    assert all(row.model == NANO and row.path().is_file() for row in rows)
    for name in ("clip.int8.onnx", "clip.fp32.onnx"):  # the packaged files themselves
        assert (completed[NANO] / name).read_bytes() == locate(NANO).path.with_name(name).read_bytes()


def test_rows_without_missing_files_need_no_export(tmp_path: Path) -> None:
    for models, precision, runtimes in (([NANO], "int8", RUNTIMES), ([NANO], "fp32", ("ort",))):
        assert complete_models(models, runtimes, (precision,), ("clip",), tmp_path, pytest.fail) == {}
    assert (
        complete_models(["unet3d", str(locate(NANO).path.parent)], RUNTIMES, ("fp32",), FORMS, tmp_path, pytest.fail)
        == {}
    )


def test_a_model_that_cannot_be_exported_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")  # as where the extra `export` is not installed
    messages: list[str] = []
    requested = ([NANO], RUNTIMES, ("fp32",), ("clip",))
    completed = complete_models(*requested, tmp_path, messages.append)
    assert completed == {}
    assert messages[1:] == [f"{NANO}: rows of fp32 are left out, the export ended with 1"]
    assert [row.runtime for row in entries(*requested, tmp_path, completed=completed)] == ["ort"]
