"""Fixtures of the device runtime's tests. It is built from source; without tools they skip, with the reason."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgeecho.model.device_copy import write_device_file
from edgeecho.model.device_file import SUFFIX, pack
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.selftest_record import SelfTest
from edgeecho.runtime import stream
from edgeecho.runtime.selftest_cine import make_record, selftest_inputs
from tests.device.building import DEVELOPER, DEVICE, MODEL, SMALL, build, load, require_tools
from tests.helpers import MakeOnce

FETCH_S = 120


@pytest.fixture(scope="session")
def onnxruntime_root(make_once: MakeOnce) -> Path:
    """The library that Python runs, and a C header from the registries; EDGEECHO_ONNXRUNTIME_ROOT names another."""
    require_tools("cc", "cmake", "make")
    if given := os.environ.get("EDGEECHO_ONNXRUNTIME_ROOT"):
        return Path(given)
    return make_once("onnxruntime", fetch_onnxruntime)


def fetch_onnxruntime(root: Path) -> None:
    command = [sys.executable, str(DEVICE / "fetch_onnxruntime.py"), str(root)]
    try:
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the device runtime is not built: the registries did not answer within {FETCH_S} s")
    if fetched.returncode:
        pytest.skip(f"the device runtime is not built: {fetched.stderr.strip()[-300:]}")


@pytest.fixture(scope="session")
def built(onnxruntime_root: Path, make_once: MakeOnce) -> Path:
    if given := os.environ.get("EDGEECHO_DEVICE_BUILD"):  # of tests/mutation: a library with a line changed
        return Path(given)
    return make_once("device-build", lambda folder: build(DEVICE, folder, onnxruntime_root, *DEVELOPER))


@pytest.fixture(scope="session")
def library(built: Path) -> Path:
    return built / "libedgeecho.so"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, nano_fp32: Path) -> Path:
    """Device files of packaged int8 graphs, and of an fp32 stream."""
    folder = tmp_path_factory.mktemp("models")
    for path in (MODEL / "stream.int8.onnx", MODEL / "clip.int8.onnx", nano_fp32 / "stream.fp32.onnx"):
        write_device_file(path, folder / f"{path.stem}{SUFFIX}")
    return folder


@pytest.fixture(scope="session")
def streams(nano_fp32: Path) -> dict[str, Path]:
    """Stream graphs of a small network, by precision."""
    return {"int8": SMALL / "stream.int8.onnx", "fp32": nano_fp32 / "stream.fp32.onnx"}


@pytest.fixture(scope="session")
def selftests(streams: dict[str, Path]) -> dict[str, SelfTest]:
    """Answers of Python to the test cine on this processor, by precision: those of C must be the same."""
    records = {}
    for precision, max_levels in (("int8", 0), ("fp32", 2)):
        opened = stream(streams[precision], threads=1)
        prob = opened.probabilities(selftest_inputs(opened.spec.size_px))
        records[precision] = make_record(prob, opened.spec.threshold, max_levels=max_levels)
    return records


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory, streams: dict[str, Path], selftests: dict[str, SelfTest]) -> Path:
    """Device files of the small streams with these answers, whatever their graphs carry."""
    folder = tmp_path_factory.mktemp("proven")
    for precision, record in selftests.items():
        checked = read_verified(streams[precision])
        (folder / f"stream.{precision}{SUFFIX}").write_bytes(pack(checked.data, checked.spec, record))
    return folder


@pytest.fixture(scope="session")
def stream_model(models: Path) -> Path:
    return models / f"stream.int8{SUFFIX}"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Device file of a small packaged stream, as users write it."""
    path = tmp_path_factory.mktemp("small") / f"stream.int8{SUFFIX}"
    write_device_file(SMALL / "stream.int8.onnx", path)
    return path


@pytest.fixture(scope="session")
def comparing() -> ModuleType:
    return load(DEVICE / "tests" / "compare.py")
