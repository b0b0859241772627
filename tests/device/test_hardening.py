"""Damaged files, wrong calls, heap, sanitizers: nothing crashes, leaks or grows. device/tests/long.sh at length."""

import os
import subprocess
from pathlib import Path

import pytest

from edgeecho.model.device_file import SUFFIX
from tests.device.building import DEVICE, build, drawn_cine, run


def test_files_and_calls_at_random(built: Path, proven: Path) -> None:
    model = proven / f"stream.int8{SUFFIX}"
    printed = run(built / "tests" / "fuzz_file", model, 60, 7)
    assert "60 files" in printed
    assert "checksum does not hold" in printed
    assert "100 sequences" in run(built / "tests" / "fuzz_calls", model, 100, 7)


def test_the_heap(built: Path, proven: Path) -> None:
    counted = run(built / "tests" / "heap", "count", proven / f"stream.int8{SUFFIX}")
    assert counted.count("push, read, mask:      0 allocations of our own") == 2  # without and with a search
    assert "create:                1 allocations of our own" in counted
    assert "create with search:    1 allocations of our own" in counted
    assert "self-test:             2 allocations of our own" in counted
    for precision, wanted in (("int8", 6), ("fp32", 7)):  # one more for a reference
        refused = run(built / "tests" / "heap", "ours", proven / f"stream.{precision}{SUFFIX}")
        assert refused.count(f"{wanted} of {wanted} tried; {wanted} error statuses") == 2


def test_nothing_is_kept_or_sent(built: Path, stream_model: Path, tmp_path: Path) -> None:
    frames = drawn_cine(4, 120, 160).frames[:6]
    program = built / "examples" / "push_frames"
    clean = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    command = [program, stream_model, "size=160x120"]
    subprocess.run(
        command, input=frames.tobytes(), check=True, capture_output=True, env={**clean, "HOME": str(tmp_path)}
    )
    assert list(tmp_path.iterdir()) == []


def test_a_short_soak(built: Path, stream_model: Path) -> None:
    assert "overhead of the medians" in run(built / "tests" / "soak", stream_model, 600, 200, 160)


def test_under_sanitizers(onnxruntime_root: Path, models: Path, proven: Path, tmp_path: Path) -> None:
    settings = (
        "-DEDGEECHO_SANITIZE=ON", "-DEDGEECHO_BUILD_TESTS=ON", "-DEDGEECHO_WERROR=ON", "-DCMAKE_BUILD_TYPE=Debug"
    )  # fmt: skip
    configured = subprocess.run(
        ["cc", "-fsanitize=address,undefined", "-x", "c", "-", "-o", str(tmp_path / "a")],
        input=b"int main(void) { return 0; }",
        capture_output=True,
    )
    if configured.returncode:
        pytest.skip("this compiler has no sanitizers")
    names = ("sha256", "resample", "api", "selftest", "stream", "answer")
    targets = [*(f"test_{name}" for name in names), "fuzz_file", "fuzz_calls"]
    programs = build(DEVICE, tmp_path / "build", onnxruntime_root, *settings, targets=targets) / "tests"
    stream, clip = (models / f"{name}.int8{SUFFIX}" for name in ("stream", "clip"))
    quiet = {"LSAN_OPTIONS": f"suppressions={DEVICE / 'tests' / 'leaks.txt'}:print_suppressions=0"}
    quiet["LD_LIBRARY_PATH"] = str(
        onnxruntime_root / "lib"
    )  # the sanitizers replace dlopen, which then ignores RUNPATH
    run(programs / "test_sha256", **quiet)
    run(programs / "test_resample", DEVICE / "tests" / "resample.bin", **quiet)
    run(programs / "test_api", stream, clip, **quiet)
    run(programs / "test_selftest", proven / f"stream.int8{SUFFIX}", **quiet)
    run(programs / "test_stream", proven / f"stream.int8{SUFFIX}", clip, **quiet)
    run(programs / "test_answer", proven / f"stream.int8{SUFFIX}", **quiet)
    for precision in ("int8", "fp32"):
        run(programs / "fuzz_file", proven / f"stream.{precision}{SUFFIX}", 40, 3, **quiet)
    run(programs / "fuzz_calls", stream, 40, 3, **quiet)
