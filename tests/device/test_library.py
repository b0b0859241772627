"""The device runtime, built from source: the same numbers as Python. Skips, with a reason, where it cannot be built."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edgeecho.cine import Cine, read_cine
from edgeecho.model.device_file import SUFFIX, pack
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.selftest_record import MAX_FRAMES, SelfTest
from edgeecho.preprocess import find_roi
from edgeecho.runtime import stream
from edgeecho.runtime.selftest_cine import make_record, selftest_cine, selftest_inputs
from tests.helpers import MakeOnce, draw_heart
from tests.preprocess import make_golden

ROOT = Path(__file__).parents[2]
DEVICE = ROOT / "device"
EXAMPLES = ROOT / "examples" / "c"
MODEL = ROOT / "models" / "cl_unet_edge"
SMALL = ROOT / "models" / "cl_unet_nano"
TIME_S, FETCH_S = 300, 120


def load(path: Path) -> ModuleType:
    """Import a module from its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def run(*command: object, stdin: bytes = b"", **environment: str) -> str:
    """Run a command, which must succeed, and return its standard output."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, env={**os.environ, **environment}, timeout=TIME_S)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stderr.decode()[-2000:]}"
    return done.stdout.decode()


DEVELOPER = ("-DEDGEECHO_BUILD_TESTS=ON", "-DEDGEECHO_BUILD_EXAMPLES=ON", "-DEDGEECHO_WERROR=ON")
"""Settings of CMake for those who change the library."""


def build(source: Path, folder: Path, root: Path, *settings: str) -> Path:
    run("cmake", "-S", source, "-B", folder, f"-DONNXRUNTIME_ROOT={root}", *settings)
    run("cmake", "--build", folder, "--parallel", "2")
    return folder


@pytest.fixture(scope="module")
def onnxruntime_root(make_once: MakeOnce) -> Path:
    """The library that Python runs, and a C header from the registries; EDGEECHO_ONNXRUNTIME_ROOT names another."""
    missing = [tool for tool in ("cc", "cmake", "make") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"the device runtime is not built: no {', '.join(missing)} here")
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


@pytest.fixture(scope="module")
def built(onnxruntime_root: Path, make_once: MakeOnce) -> Path:
    return make_once("device-build", lambda folder: build(DEVICE, folder, onnxruntime_root, *DEVELOPER))


@pytest.fixture(scope="module")
def library(built: Path) -> Path:
    return built / "libedgeecho.so"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, nano_fp32: Path) -> Path:
    """Device files of packaged int8 graphs, and of an fp32 stream."""
    folder = tmp_path_factory.mktemp("models")
    for path in (MODEL / "stream.int8.onnx", MODEL / "clip.int8.onnx", nano_fp32 / "stream.fp32.onnx"):
        checked = read_verified(path)
        (folder / f"{path.stem}{SUFFIX}").write_bytes(pack(checked.data, checked.spec, checked.selftest))
    return folder


@pytest.fixture(scope="module")
def streams(nano_fp32: Path) -> dict[str, Path]:
    """Stream graphs of a small network, by precision."""
    return {"int8": SMALL / "stream.int8.onnx", "fp32": nano_fp32 / "stream.fp32.onnx"}


@pytest.fixture(scope="module")
def selftests(streams: dict[str, Path]) -> dict[str, SelfTest]:
    """Answers of Python to the test cine on this processor, by precision: those of C must be the same."""
    records = {}
    for precision, max_levels in (("int8", 0), ("fp32", 2)):
        opened = stream(streams[precision], threads=1)
        prob = opened.probabilities(selftest_inputs(opened.spec.size_px))
        records[precision] = make_record(prob, opened.spec.threshold, max_levels=max_levels)
    return records


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory, streams: dict[str, Path], selftests: dict[str, SelfTest]) -> Path:
    """Device files of the small streams with these answers, whatever their graphs carry."""
    folder = tmp_path_factory.mktemp("proven")
    for precision, record in selftests.items():
        checked = read_verified(streams[precision])
        (folder / f"stream.{precision}{SUFFIX}").write_bytes(pack(checked.data, checked.spec, record))
    return folder


@pytest.fixture(scope="module")
def stream_model(models: Path) -> Path:
    return models / f"stream.int8{SUFFIX}"


def as_pgm(frames: np.ndarray) -> bytes:
    """Binary PGM images of grey frames, one after another."""
    _, height, width = frames.shape
    return b"".join(b"P5\n%d %d\n255\n" % (width, height) + frame.tobytes() for frame in frames)


@pytest.fixture(scope="module")
def comparing() -> ModuleType:
    return load(DEVICE / "tests" / "compare.py")


# Build and interface


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


# Same numbers as Python


SPACING_MM = (0.4, 0.5)


def drawn_cine(seed: int, height: int, width: int) -> Cine:
    rng = np.random.default_rng(seed)
    return Cine(draw_heart(rng, frames=90, height=height, width=width, period=24)[0], fps=30.0, spacing_mm=SPACING_MM)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_masks_and_beats_are_pythons(
    comparing: ModuleType, library: Path, models: Path, tmp_path: Path, precision: str
) -> None:
    model = models / f"stream.{precision}{SUFFIX}"
    device, graph = comparing.Device(str(library), str(model)), comparing.graph_of(model, tmp_path)
    sizes = [(112, 112), (231, 300), (480, 640)]
    for seed, (height, width) in enumerate(sizes if precision == "int8" else sizes[:1]):
        cine = drawn_cine(seed, height, width)
        found = comparing.compare(
            partial(comparing.by_library, device), graph, cine, roi=find_roi(cine.frames, SPACING_MM)
        )
        assert found.is_within(0), found
        assert found.beats[0] > 1
    device.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_phantoms_are_pythons(
    comparing: ModuleType, library: Path, stream_model: Path, tmp_path: Path, seed: int
) -> None:
    from edgeecho.synthetic.phantom import draw_cine

    device, graph = comparing.Device(str(library), str(stream_model)), comparing.graph_of(stream_model, tmp_path)
    found = comparing.compare(partial(comparing.by_library, device), graph, draw_cine((5, seed)), roi=None, flip="auto")
    assert found.is_within(0), found
    device.close()


def test_a_real_cine_is_pythons(comparing: ModuleType, library: Path, stream_model: Path, tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    device, graph = comparing.Device(str(library), str(stream_model)), comparing.graph_of(stream_model, tmp_path)
    cine = read_cine(pydicom.examples.get_path("ybr_color"))
    found = comparing.compare(partial(comparing.by_library, device), graph, cine, roi=None, flip="auto")
    assert found.is_within(0), found
    device.close()


def test_the_format_of_onnx_runtime_has_the_same_results(built: Path, stream_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from edgeecho.export.write.ort_device_file import write_ort_device_file

    converted = tmp_path / f"stream.int8.ort{SUFFIX}"
    write_ort_device_file(MODEL / "stream.int8.onnx", converted)
    frames = drawn_cine(5, 120, 160).frames[:12]
    results = []
    for model in (stream_model, converted):
        masks = tmp_path / "masks.pgm"
        lines = run(built / "examples" / "push_frames", model, f"masks={masks}", stdin=as_pgm(frames)).splitlines()
        rows = [{k: v for k, v in json.loads(line).items() if k != "push_ms"} for line in lines]
        results.append((rows, masks.read_bytes()))
    assert results[0] == results[1]
    assert results[0][1].count(1) > 1000  # empty masks would be equal
    assert "proven answers: 6 of 6 frames" in run(built / "examples" / "selftest", converted)


def test_the_description_of_a_model(comparing: ModuleType, library: Path, stream_model: Path) -> None:
    spec = read_verified(stream_model).spec
    device = comparing.Device(str(library), str(stream_model), threads=2)
    info = device.describe()
    device.close()
    assert info["sha256"] not in ("", "0" * 64)
    for name in ("name", "licence", "intended_use", "revision", "precision", "size_px", "threshold"):
        assert info[name] == getattr(spec, name)
    assert (info["frames_before"], info["delay_frames"]) == spec.context_frames
    assert info["parameters"] == spec.params
    assert info["engine"].startswith("ONNX Runtime ")


# The self-test


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


# Examples


def test_the_smallest_example(built: Path, stream_model: Path) -> None:
    printed = run(built / "examples" / "measure_ef", stream_model)
    found = re.fullmatch(r"EF (\d+)%, the median of (\d+) beats\n", printed)
    assert found
    assert abs(int(found[1]) - 100 * (1 - 0.8**3)) < 10  # its axes shrink to 0.8
    assert found[2] == "6"


def test_python_over_the_c_library(library: Path, stream_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "cine.npy", drawn_cine(4, 120, 160).frames)
    example = ROOT / "examples" / "python" / "edgeecho_ctypes.py"
    areas, beats = run(sys.executable, example, library, stream_model, tmp_path / "cine.npy").splitlines()
    assert len(ast.literal_eval(areas)) == 90
    assert len(ast.literal_eval(beats)) > 1


def test_the_c_example(built: Path, stream_model: Path, tmp_path: Path) -> None:
    frames = drawn_cine(4, 120, 160).frames
    masks = tmp_path / "masks.pgm"
    program = built / "examples" / "push_frames"
    options = ["fps=30", "spacing=0.5,0.4", "roi=10,0,140,120"]
    lines = run(program, stream_model, *options, f"masks={masks}", stdin=as_pgm(frames)).splitlines()
    rows = [json.loads(line) for line in lines]
    found = [row for row in rows if "frame" in row]
    assert [row["frame"] for row in found] == list(range(len(frames)))
    pixels = masks.read_bytes().split(b"P5\n160 120\n1\n")[1:]
    assert [len(p) for p in pixels] == [160 * 120] * len(frames)
    assert [sum(p) for p in pixels] == [row["area_px"] for row in found]
    beats = [row for row in rows if "ed_frame" in row]
    assert rows[-1]["beats"] == len(beats) > 1
    used = [beat["ef_percent"] for beat in beats if beat["is_used"]]
    assert rows[-1]["ef_percent"] == pytest.approx(np.median(used), rel=1e-5)
    assert (rows[-1]["verdict"], rows[0]["reasons"]) == ("report", ["too_short"])
    raw = run(program, stream_model, *options, "size=160x120", stdin=frames.tobytes()).splitlines()
    assert [row.get("area_px") for row in map(json.loads, raw)] == [row.get("area_px") for row in rows]
    searched = run(program, stream_model, *options[:2], "search", "size=160x120", stdin=frames.tobytes()).splitlines()
    first = json.loads(searched[0])
    assert (first["view_fixed"], first["roi"], first["reasons"]) == (0, [0, -4, 160, 128], ["region_unsure"])


def test_the_cpp_example(built: Path, stream_model: Path) -> None:
    program = built / "examples" / "push_frames_cpp"
    if not program.exists():
        pytest.skip("no C++ compiler here")
    frames = drawn_cine(4, 120, 160).frames
    lines = run(program, stream_model, 30, 160, 120, stdin=frames.tobytes()).splitlines()
    assert run(program, stream_model, 30, stdin=as_pgm(frames)).splitlines() == lines
    assert len([line for line in lines if line.startswith("frame ")]) == len(frames)
    assert any(line.startswith("beat: ED ") for line in lines)


# Trust nothing; no surprise at run time. device/tests/long.sh runs these at length.


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
    programs = build(DEVICE, tmp_path / "build", onnxruntime_root, *settings) / "tests"
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
