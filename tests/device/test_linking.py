"""The device library as it is installed: moved, linked by CMake and pkg-config, with several ONNX Runtimes."""

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from edgeecho.model.device_file import unpack
from tests.device.building import DEVICE, EXAMPLES, TIME_S, load, run

OLDEST = "1.17.3"
"""Release of ONNX Runtime with the oldest interface that the library uses."""
EF = re.compile(r"EF \d+%, the median of 6 beats\n")


@pytest.fixture(scope="module")
def sdk(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is installed, after the folder was moved."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", built, "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved")


def test_the_name_of_the_library_has_its_binary_interface(sdk: Path) -> None:
    header = (sdk / "include" / "edgeecho.h").read_text()
    version = re.findall(r"^#define EDGEECHO_VERSION_\w+ (\d+)$", header, re.MULTILINE)
    (library,) = sdk.rglob("libedgeecho.so")
    dynamic = run("readelf", "-d", library)
    assert f"Library soname: [libedgeecho.so.{version[0]}.{version[1]}]" in dynamic  # while 0.x, a minor version too
    assert "[$ORIGIN]" in dynamic
    assert "onnxruntime" not in dynamic
    assert "Ort" not in run("nm", "-D", library)


@pytest.mark.parametrize("package", ["edgeecho", "edgeecho-static"])
def test_a_program_by_pkg_config(sdk: Path, small: Path, tmp_path: Path, package: str) -> None:
    if not shutil.which("pkg-config"):
        pytest.skip("no pkg-config here")
    (folder,) = sdk.rglob("pkgconfig")
    found = {"PKG_CONFIG_PATH": str(folder)}
    flags = run("pkg-config", "--cflags", "--libs", package, **found).split()
    libraries = run("pkg-config", "--variable=libdir", package, **found).strip()
    assert Path(libraries).resolve() == folder.parent.resolve()
    program = tmp_path / "measure_ef"
    run("cc", EXAMPLES / "measure_ef.c", "-o", program, *flags, "-lm", f"-Wl,-rpath,{libraries}")
    assert EF.fullmatch(run(program, small))
    assert ("libedgeecho.so" in run("ldd", program)) == (package == "edgeecho")


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_the_examples_by_cmake(sdk: Path, small: Path, tmp_path: Path, kind: str) -> None:
    project = shutil.copytree(EXAMPLES, tmp_path / "project")  # nothing of the repository is beside it
    settings = f"-DCMAKE_PREFIX_PATH={sdk}", f"-DEDGEECHO_LIBRARY=edgeecho::edgeecho_{kind}"
    run("cmake", "-S", project, "-B", tmp_path / "out", *settings)
    target = ("--target", "measure_ef") if kind == "static" else ()
    run("cmake", "--build", tmp_path / "out", "--parallel", "2", *target)
    assert EF.fullmatch(run(tmp_path / "out" / "measure_ef", small))
    if kind == "shared":
        done = subprocess.run([tmp_path / "out" / "push_frames"], capture_output=True, text=True, timeout=TIME_S)
        assert done.returncode == 2
        assert "usage: push_frames" in done.stderr
    assert ("libedgeecho.so" in run("ldd", tmp_path / "out" / "measure_ef")) == (kind == "shared")


def test_a_linked_package_without_onnx_runtime_is_not_found(onnxruntime_root: Path, tmp_path: Path) -> None:
    settings = "-DEDGEECHO_ONNXRUNTIME=linked", "-DEDGEECHO_INSTALL_ONNXRUNTIME=OFF"
    run("cmake", "-S", DEVICE, "-B", tmp_path / "build", f"-DONNXRUNTIME_ROOT={onnxruntime_root}", *settings)
    assert "Libs.private: -lm -L" in (tmp_path / "build" / "edgeecho.pc").read_text()
    package = tmp_path / "sdk" / "lib" / "cmake" / "edgeecho"
    package.mkdir(parents=True)
    for name in ("edgeecho-config.cmake", "edgeecho-config-version.cmake"):
        shutil.copy(tmp_path / "build" / name, package)
    shutil.copy(DEVICE / "cmake" / "onnxruntime.cmake", package / "edgeecho-onnxruntime.cmake")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(try LANGUAGES C)\n"
        "find_package(edgeecho 0.1 QUIET CONFIG)\n"
        'message(STATUS "found: ${edgeecho_FOUND}; ${edgeecho_NOT_FOUND_MESSAGE}")\n'
    )
    printed = run("cmake", "-S", tmp_path, "-B", tmp_path / "out", f"-DCMAKE_PREFIX_PATH={tmp_path / 'sdk'}")
    assert re.search("found: (0|FALSE); EdgeEcho is linked with .* and there is no library of ONNX Runtime", printed)


def test_the_engine_and_its_errors(built: Path, small: Path) -> None:
    run(built / "tests" / "test_engine", small)
    given = run(built / "tests" / "passed", small)  # the program's own ONNX Runtime
    assert re.fullmatch(r"ONNX Runtime 1\.\d+\.\d+: 6 of 6 frames\n", given)


# Several releases of ONNX Runtime


@pytest.fixture(scope="module")
def fetching() -> ModuleType:
    return load(DEVICE / "fetch_onnxruntime.py")


def test_one_binary_runs_with_the_oldest_release(
    built: Path, small: Path, fetching: ModuleType, tmp_path: Path
) -> None:
    assert unpack(small.read_bytes())[:2] == b"\x08\x09"  # ir_version 9, of ONNX 1.15: the newest that 1.17 reads
    try:
        library = fetching.library_in_node_package(OLDEST, "linux", platform.machine(), tmp_path)
    except LookupError as missing:
        pytest.skip(f"ONNX Runtime {OLDEST} is not tried: {missing}")
    (folder := tmp_path / "lib").mkdir()
    (folder / "libonnxruntime.so.1").symlink_to(library)
    assert run(built / "tests" / "test_engine", small, "open", library) == f"ONNX Runtime {OLDEST}\n"
    proven = "this processor gives the proven answers: 6 of 6 frames"
    for root in ({"LD_LIBRARY_PATH": str(folder)}, {}):  # the oldest, and that of the build
        assert run(built / "examples" / "selftest", small, **root).startswith(proven)
    assert run(built / "tests" / "test_engine", small, "open") != f"ONNX Runtime {OLDEST}\n"


@pytest.mark.parametrize(
    ("version", "reason"), [("1.16.3", "is too old: the device runtime needs 1.17"), ("1.17", "is no version of")]
)
def test_a_version_that_cannot_be_fetched(version: str, reason: str, tmp_path: Path) -> None:
    command = [sys.executable, str(DEVICE / "fetch_onnxruntime.py"), str(tmp_path / "ort"), "--version", version]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_S)
    assert done.returncode == 1
    assert re.fullmatch(rf"error: no ONNX Runtime root: {re.escape(version)} {reason}.*\n", done.stderr)
    assert not (tmp_path / "ort").exists()


def test_a_wheel_without_the_library(fetching: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / f"onnxruntime-{OLDEST}-cp311-cp311-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("onnxruntime/capi/onnxruntime_pybind11_state.so", b"")
    with pytest.raises(LookupError, match=r"the wheel onnxruntime-1\.17\.3-.* has no libonnxruntime\.so of its own"):
        fetching.library_in_wheel(wheel, "linux", tmp_path)


def test_no_npm_for_a_version_without_a_library(
    fetching: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(LookupError, match="npm, whose package onnxruntime-node has it, is not installed"):
        fetching.library_in_node_package(OLDEST, "linux", "x86_64", tmp_path)
