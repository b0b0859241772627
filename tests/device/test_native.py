"""The device runtime with the native engine alone: it is small, allocates nothing, and gives ONNX Runtime's bytes."""

import ctypes
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeecho.model.device_file import pack
from edgeecho.model.sealed_file import read_verified
from tests.device.building import DEVICE, ROOT, load, require_tools, run
from tests.helpers import MakeOnce

pytest.importorskip("onnx")

MAX_LIBRARY_BYTES = 200_000
E_FILE = -2
SETTINGS = ("-DEDGEECHO_ENGINE=native", "-DEDGEECHO_BUILD_TESTS=ON", "-DEDGEECHO_WERROR=ON")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(make_once: MakeOnce) -> Path:
    """The library and some of its test programs, without ONNX Runtime."""
    require_tools("cc", "cmake", "make", "strip")
    programs = ("test_native", "test_selftest", "fuzz_plan")
    return make_once("native-build", lambda folder: compile_native(folder, (), programs))


def compile_native(folder: Path, settings: Sequence[str], programs: Sequence[str]) -> None:
    run("cmake", "-S", DEVICE, "-B", folder, *SETTINGS, *settings)
    run("cmake", "--build", folder, "--parallel", "2", "--target", "edgeecho_shared", *programs)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged nano as a native device file."""
    from edgeecho.export.write.native_device_file import native_bytes

    checked = read_verified(ROOT / "models" / "cl_unet_nano" / "stream.int8.onnx")
    path = tmp_path_factory.mktemp("native") / "stream.int8.native.edgeecho"
    path.write_bytes(pack(*native_bytes(checked), checked.selftest))
    return path


def test_the_library_is_small(built: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped.so"
    run("strip", "-o", stripped, built / "libedgeecho.so")
    assert stripped.stat().st_size < MAX_LIBRARY_BYTES


def test_every_kernel_gives_the_bytes_of_c_and_plans_are_refused(built: Path, model: Path) -> None:
    said = run(built / "tests" / "test_native", model)
    assert "C: the bytes of C, state included" in said.splitlines()


def test_the_self_test_in_the_file_holds(built: Path, model: Path) -> None:
    """Its answers are those of ONNX Runtime."""
    run(built / "tests" / "test_selftest", model)


def test_changed_plans_do_no_harm(built: Path, model: Path) -> None:
    assert re.match(r"200 changed plans: \d+ refused, \d+ ran", run(built / "tests" / "fuzz_plan", model, 200, 5))


def test_a_frame_allocates_nothing(built: Path, model: Path) -> None:
    if "heap" not in run("cmake", "--build", built, "--target", "help").split():
        pytest.skip("the program that counts allocations replaces glibc's allocator")
    run("cmake", "--build", built, "--target", "heap")
    said = run(built / "tests" / "heap", "count", model)
    pushes = [line for line in said.splitlines() if line.startswith("push")]
    assert len(pushes) == 2
    assert all("0 allocations of our own in 400 frames; of ONNX Runtime 0 to 0 a frame" in line for line in pushes)


def test_an_onnx_device_file_is_refused_with_what_to_do(built: Path, tmp_path: Path) -> None:
    checked = read_verified(ROOT / "models" / "cl_unet_nano" / "stream.int8.onnx")
    path = tmp_path / "stream.int8.edgeecho"
    path.write_bytes(pack(checked.data, checked.spec, checked.selftest))
    module = load(ROOT / "examples" / "python" / "edgeecho_ctypes.py")
    with pytest.raises(module.DeviceError, match=r"built without: take the one that `edgeecho device-file"):
        module.Device(str(built / "libedgeecho.so"), str(path))


def test_a_library_without_files_opens_bytes(model: Path, make_once: MakeOnce) -> None:
    require_tools("cc", "cmake", "make")
    folder = make_once("native-build-memory", lambda folder: compile_native(folder, ("-DEDGEECHO_FILES=OFF",), ()))
    library = ctypes.CDLL(str(folder / "libedgeecho.so"))
    module = load(ROOT / "examples" / "python" / "edgeecho_ctypes.py")
    error, opened = ctypes.create_string_buffer(512), ctypes.c_void_p()
    options = module.OpenOptions(error=ctypes.cast(error, ctypes.c_void_p), error_size=len(error))
    given = ctypes.byref(options), ctypes.byref(opened)
    assert library.edgeecho_open(str(model).encode(), *given) == E_FILE
    assert error.value.decode() == (
        f"this library was built without files and cannot open {model}: give the bytes to open_memory"
    )
    data = model.read_bytes()
    assert library.edgeecho_open_memory(data, ctypes.c_size_t(len(data)), *given) == module.OK
    assert library.edgeecho_selftest(opened, ctypes.byref(module.SelftestResult())) == module.OK
    assert library.edgeecho_close(opened) == module.OK
