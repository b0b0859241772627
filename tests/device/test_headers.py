"""The headers that `device/write_headers.py` writes, and that C has no threshold of its own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgeecho.preprocess import FLIPS
from edgeecho.reasons import Reason
from tests.device.building import DEVICE, EXAMPLES, load

SOURCES = sorted(
    path
    for folder, names in (("measure", "*"), ("trust", "*"), (".", "[fghpr]*"))
    for path in (DEVICE / "src" / folder).glob(f"{names}.c")
    if path.name not in ("frame_stream.c", "resample.c")
)
"""Sources that decide something: all of them but the engine, files, clock and resampling."""
FORMATTED = sorted(
    path
    for folder in (DEVICE / "include", DEVICE / "src", DEVICE / "tests", EXAMPLES, DEVICE.parent / "web" / "native")
    for path in folder.rglob("*.[ch]*")
)
ARITHMETIC = {"0.5", "3.14159265358979323846"}
"""Numbers with a fraction that are no thresholds: halves of pixels, and pi."""
MAX_WHOLE_NUMBER = 6
"""Whole numbers up to this are counts, indices and coefficients of formulas, with those of `UNITS`."""
UNITS = {"7", "8", "60", "1000"}
"""Alignment to 8 bytes, seconds a minute, and mm3 a millilitre."""


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    return load(DEVICE / "write_headers.py")


def numbers_in(source: str) -> set[str]:
    """Numbers in a C source that may be thresholds."""
    code = re.sub(r'/\*.*?\*/|"[^"]*"', "", source, flags=re.S)
    found = re.findall(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", code)
    return {n for n in found if n not in ARITHMETIC | UNITS and not (n.isdigit() and int(n) <= MAX_WHOLE_NUMBER)}


def test_the_headers_are_as_written(writer: ModuleType) -> None:
    for path, text in writer.headers().items():
        assert path.read_text() == text, "python device/write_headers.py"


def test_every_constant_and_its_comment_is_written(writer: ModuleType) -> None:
    source = '"""Numbers."""\n\nA = 0.45\n"""A part."""\nB = 3\n"""A count."""\n'
    assert writer.documented_constants(source) == [("A", "A part."), ("B", "A count.")]
    text = writer.measure_constants()
    assert "/* Least fall from ED to ES, as a part of the area at ED. An EF of 10% is a fall by about 7%. */" in text
    assert "\n#define EE_MIN_FALL_FRACTION 0.04\n" in text


def test_tuples_are_written(writer: ModuleType) -> None:
    assert writer.define("PAIR", (1, 0.5)) == ["#define EE_PAIR_0 1", "#define EE_PAIR_1 0.5"]
    assert writer.define("LIST", (5, 12, 30)) == ["#define EE_LIST_COUNT 3", "#define EE_LIST {5, 12, 30}"]
    assert (
        writer.define("PAIRS", ((1, 0.2), (2, 0.1), (4, 0.05)))[1] == "#define EE_PAIRS {{1, 0.2}, {2, 0.1}, {4, 0.05}}"
    )
    assert "\n#define EE_MIN_CONFIDENCE 0." in writer.trust_settings()


def test_reasons_and_flips_are_those_of_python(writer: ModuleType) -> None:
    text = writer.public_header()
    assert f"    EDGEECHO_REASON_SHORT_AXIS = {Reason.SHORT_AXIS.value},\n" in text
    assert f"    EDGEECHO_FLIP_CCWLR = {FLIPS.index('ccwlr')}\n}};" in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_threshold_is_written_in_c(path: Path) -> None:
    assert numbers_in(path.read_text()) == set()


def test_a_threshold_in_c_is_found() -> None:
    source = '/* 0.9 */ x = 2 * a >= 0.9 * b && n < 30 && c[1] > 1e-9 && s >= .75 && uint64_t(0.5); m("0.3");'
    assert numbers_in(source) == {"0.9", "30", "1e-9", ".75"}


def test_the_code_is_formatted() -> None:
    tool = shutil.which("clang-format", path=str(Path(sys.executable).parent)) or shutil.which("clang-format")
    if not tool:
        pytest.skip("clang-format not found")
    done = subprocess.run([tool, "--dry-run", "--Werror", *map(str, FORMATTED)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
