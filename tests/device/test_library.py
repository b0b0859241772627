"""The build of the device runtime from source, its binary interface, its header and its tarball."""

import re
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from edgeecho.model.device_file import SUFFIX
from tests.device.building import DEVICE, EXAMPLES, build, run
from tests.preprocess import make_golden


def test_the_programs_of_its_own(built: Path, models: Path, proven: Path) -> None:
    run(built / "tests" / "test_sha256")
    run(built / "tests" / "test_resample", DEVICE / "tests" / "resample.bin")
    run(built / "tests" / "test_api", models / f"stream.int8{SUFFIX}", models / f"clip.int8{SUFFIX}")
    run(built / "tests" / "test_selftest", *(proven / f"stream.{precision}{SUFFIX}" for precision in ("int8", "fp32")))


def test_golden_arrays_are_those_of_python() -> None:
    with np.load(make_golden.PATH) as arrays:
        assert make_golden.for_c(arrays) == make_golden.FOR_C.read_bytes()


def test_the_abi_is_as_written_down(built: Path, library: Path) -> None:
    printed = run(built / "tests" / "abi")
    listed = [line.split() for line in run("nm", "-D", "--defined-only", library).splitlines()]
    symbols = sorted(words[-1] for words in listed)
    wanted = (DEVICE / "abi.txt").read_text()
    assert printed + "".join(f"symbol {name}\n" for name in symbols) == wanted
    header = (DEVICE / "include" / "edgeecho.h").read_text()
    assert sorted(re.findall(r"^EDGEECHO_API .*?\b(edgeecho_\w+)\(", header, re.MULTILINE)) == symbols


@pytest.mark.parametrize("standard", ["c99", "c11", "c++98", "c++17"])
def test_the_header_in_c_and_cpp(onnxruntime_root: Path, standard: str) -> None:
    compiler = shutil.which("c++" if "++" in standard else "cc")
    if not compiler:
        pytest.skip("no C++ compiler here")
    language = "c++" if "++" in standard else "c"
    options = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    # C++98 has no long long, which <stdint.h> gives all the same
    options += ["-Wno-long-long"] if standard == "c++98" else []
    run(compiler, f"-std={standard}", *options, "-x", language, DEVICE / "include" / "edgeecho.h")


def test_the_tarball_builds_by_itself(onnxruntime_root: Path, tmp_path: Path) -> None:
    packed = Path(run(sys.executable, DEVICE / "dist.py", tmp_path).strip())
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    out = build(source, tmp_path / "build", onnxruntime_root, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    assert (out / "libedgeecho.so").exists()
    # who embeds the library gets no tests, no examples, and no errors from warnings of another compiler
    assert not (out / "tests").exists()
    assert not (out / "examples").exists()
    assert "-Werror" not in (out / "compile_commands.json").read_text()
    examples = build(source, tmp_path / "build", onnxruntime_root, "-DEDGEECHO_BUILD_EXAMPLES=ON") / "examples"
    with_openssl = {"open_signed"}
    assert {path.stem for path in EXAMPLES.glob("*.c")} - with_openssl <= {path.name for path in examples.iterdir()}
    for name in (
        "README.md",
        "LICENSE",
        "NOTICE.md",
        "docs/device.md",
        "docs/weights-licence.md",
        "packaging/README.md",
    ):
        assert (source / name).is_file()
    assert "Apache License" in (source / "LICENSE").read_text()
    again = tmp_path / "again"
    assert Path(run(sys.executable, DEVICE / "dist.py", again).strip()).read_bytes() == packed.read_bytes()
