"""ONNX Runtime's own format: the same results, the same bytes each time, sealed like every model file."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")

import onnxruntime as ort  # noqa: E402

from edgeecho.errors import ConfigError, ModelFileError  # noqa: E402
from edgeecho.export.bundle import export  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.export.write.ort_format import OPERATORS, with_sorted_operators, write_operators, write_ort  # noqa: E402
from edgeecho.export.write.sealed import stamped  # noqa: E402
from edgeecho.model import device_file as devicefile  # noqa: E402
from edgeecho.model.registry import RUNTIME_OF  # noqa: E402
from edgeecho.model.sealed_file import SUFFIXES, read_verified  # noqa: E402
from edgeecho.runtime import load, stream  # noqa: E402
from tests.helpers import TINY_SIZE_PX, network_frames  # noqa: E402

NAMES = [f"{form}.{precision}" for form in ("clip", "stream") for precision in ("fp32", "int8")]
AGAIN = """
import sys
sys.modules["torch"] = None  # onnxruntime.tools imports it where it can, for seconds
import onnx
from pathlib import Path
from edgeecho.export.write.ort_format import write_ort
from edgeecho.model.sealed_file import read_verified
source, out = map(Path, sys.argv[1:])
write_ort(out, onnx.load(source), read_verified(source).spec)
"""


@pytest.fixture(scope="module")
def ort_files(graphs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .ort file of each .onnx file of `graphs`, and their operators."""
    folder = tmp_path_factory.mktemp("ort")
    for name in NAMES:
        source = graphs / f"{name}.onnx"
        write_ort(folder / f"{name}.ort", onnx.load(source), read_verified(source).spec)
    write_operators(folder)
    return folder


@pytest.mark.parametrize(("precision", "levels"), [("int8", 0), ("fp32", 1)])
def test_predicts_what_the_onnx_file_predicts(graphs: Path, ort_files: Path, precision: str, levels: int) -> None:
    clip = network_frames(21)
    for form, opened in (("clip", load), ("stream", stream)):
        answers = [
            opened(path, threads=1).probabilities(clip).astype(int)
            for path in (ort_files / f"{form}.{precision}.ort", graphs / f"{form}.{precision}.onnx")
        ]
        assert len(np.unique(answers[1])) > 10  # empty answers would be equal
        assert np.abs(answers[0] - answers[1]).max() <= levels


@pytest.mark.parametrize("name", NAMES)
def test_carries_the_spec_under_its_own_seal(graphs: Path, ort_files: Path, name: str) -> None:
    ours, source = read_verified(ort_files / f"{name}.ort"), read_verified(graphs / f"{name}.onnx")
    assert ours.spec == source.spec
    metadata = ort.InferenceSession(ours.data).get_modelmeta().custom_metadata_map
    theirs = ort.InferenceSession(source.data).get_modelmeta().custom_metadata_map
    assert metadata["edgeecho_spec"] == theirs["edgeecho_spec"]
    assert metadata["edgeecho_sha256"] != theirs["edgeecho_sha256"]


def test_any_flipped_byte_is_found(ort_files: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    data = (ort_files / "clip.int8.ort").read_bytes()
    broken = tmp_path / "broken.ort"
    for at in [*rng.integers(0, len(data), 40), 0, 40, len(data) - 1]:
        broken.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ModelFileError, match=r"broken\.ort: (checksum does not hold|found 0 EdgeEcho checksums)"):
            load(broken)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_truncated_file_is_found(ort_files: Path, tmp_path: Path, keep: float) -> None:
    data = (ort_files / "clip.int8.ort").read_bytes()
    cut = tmp_path / "cut.ort"
    cut.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(ModelFileError, match=r"cut\.ort: (checksum does not hold|found 0 EdgeEcho checksums)"):
        load(cut)


def test_a_seal_around_nonsense_is_no_model(tmp_path: Path) -> None:
    from edgeecho.model.sealed_file import UNSEALED, seal

    for junk in (b"", b"\xff" * 64, b"\x04\0\0\0" * 16, bytes(64)):
        fake = tmp_path / "fake.ort"
        fake.write_bytes(seal(junk + b"\x40\0\0\0" + UNSEALED.encode() + bytes(4) + b"\x0f\0\0\0edgeecho_sha256\0"))
        with pytest.raises(ModelFileError, match=r"fake\.ort: no model spec inside"):
            read_verified(fake)


def test_other_processes_write_the_same_bytes(graphs: Path, ort_files: Path, tmp_path: Path) -> None:
    for i in range(2):  # ONNX Runtime's own order of operators changes from process to process
        again = tmp_path / f"again{i}.ort"
        command = [sys.executable, "-c", AGAIN, graphs / "clip.int8.onnx", again]
        assert subprocess.run(command, capture_output=True, timeout=120).returncode == 0
        assert again.read_bytes() == (ort_files / "clip.int8.ort").read_bytes()


def test_sorting_keeps_the_list_of_operators(graphs: Path, tmp_path: Path) -> None:
    from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "as_it_comes.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.log_severity_level = 3
    source = graphs / "clip.int8.onnx"
    ort.InferenceSession(stamped(onnx.load(source), read_verified(source).spec), options)
    data = (tmp_path / "as_it_comes.ort").read_bytes()

    def operators(data: bytes) -> list[object]:
        found = InferenceSession.GetRootAs(data).KernelTypeStrResolver()
        entries = [found.OpKernelTypeStrArgs(i) for i in range(found.OpKernelTypeStrArgsLength())]
        return [
            (
                e.OpId(),
                sorted(
                    (n.KernelTypeStr(), [(n.Args(k).ArgType(), n.Args(k).Index()) for k in range(n.ArgsLength())])
                    for n in (e.KernelTypeStrArgs(j) for j in range(e.KernelTypeStrArgsLength()))
                ),
            )
            for e in entries
        ]

    ordered = operators(with_sorted_operators(data))
    assert ordered == sorted(operators(data))
    assert len(ordered) > 3
    assert with_sorted_operators(with_sorted_operators(data)) == with_sorted_operators(data)


def test_the_operators_are_those_of_the_files(ort_files: Path) -> None:
    from onnxruntime.tools.reduced_build_config_parser import parse_config

    text = (ort_files / OPERATORS).read_text()
    assert text.startswith("# For clip.fp32.ort, clip.int8.ort, stream.fp32.ort, stream.int8.ort; made by")
    assert str(ort_files) not in text
    for with_types in (False, True):
        wanted, _ = parse_config(str(ort_files / OPERATORS), with_types)
        names = {name for domain in wanted.values() for operators in domain.values() for name in operators}
        assert {"QLinearConv", "Sigmoid", "Cast"} <= names


def test_exported_and_listed(
    tiny_bundle: Path, camus: Path, tmp_path: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    out, source = tmp_path / "out", str(tiny_bundle / "clip.fp32.onnx")
    bundle = export(source, out, Options(formats=("ort",), calib=f"camus:{camus}"))
    files = {path.name for path in out.iterdir()}
    assert {f"{name}.ort" for name in NAMES} | {OPERATORS} <= files
    assert {name for name in files if name.endswith(devicefile.SUFFIX)} == {f"{n}.ort.edgeecho" for n in NAMES}
    assert not [*out.glob("*.onnx"), *out.glob("*.xml")]
    index = json.loads((out / "bundle.json").read_text())
    assert index["command"] == "edgeecho export tiny --int8 --format ort --calib camus:DIR"
    assert {OPERATORS, "clip.int8.ort"} <= set(index["files"])
    assert index["graphs"]["stream.int8.ort"]["form"] == "stream"
    proven = {(v.file, v.against): v for v in bundle.proof}
    assert proven["clip.int8.ort", "its ONNX graph"].limit == 0
    assert proven["clip.int8.ort", "window invariance"].limit == 0
    assert proven["stream.int8.ort", "clip.int8.ort"].limit == 0
    assert proven["stream.int8.ort.edgeecho", "its record"].figure.endswith("(to the bit)")
    assert load(out / "clip.int8.ort.edgeecho", threads=1).spec == load(out / "clip.int8.ort", threads=1).spec
    assert command("info", out)[0] == 0
    code, told, _ = command("info", out / "stream.int8.ort")
    assert code == 0
    assert told.startswith("stream.int8.ort: checksum holds")
    again = tmp_path / "again"
    export(source, again, Options(formats=("ort",), calib=f"camus:{camus}"))
    for path in out.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    assert load(out, threads=1).spec.size_px == TINY_SIZE_PX  # the folder's name is enough
    assert stream(out, precision="fp32").spec.precision == "fp32"


def test_every_model_file_has_a_runtime() -> None:
    assert set(RUNTIME_OF) == set(SUFFIXES)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown format 'tflite'; known: onnx, openvino, ort"):
        Options(formats=("tflite",))
