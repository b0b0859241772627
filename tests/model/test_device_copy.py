"""`edgeecho device-file`: the device file of a packaged stream, as it is or in ONNX Runtime's own format."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ExportError
from edgeecho.model.device_copy import with_old_container, write_device_file
from edgeecho.model.device_file import graph_suffix, pack, unpack
from edgeecho.model.sealed_file import read_verified
from edgeecho.runtime import packaged_models, stream
from tests.helpers import the_error

ROOT = Path(__file__).parents[2]
MODELS, DOCS = ROOT / "models", ROOT / "docs"
GRAPH = MODELS / "cl_unet_nano" / "stream.int8.onnx"
Command = Callable[..., tuple[int, str, str]]


def test_a_packaged_stream_is_ready(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = command("device-file", "cl_unet_nano")
    checked = read_verified(GRAPH)
    packed = pack(with_old_container(checked.data), checked.spec, checked.selftest)
    assert code == 0
    assert out == (f"stream.int8.edgeecho: {len(packed)} bytes, cl_unet_nano, stream, int8, from stream.int8.onnx\n")
    assert "no commercial use" in err
    assert (tmp_path / "stream.int8.edgeecho").read_bytes() == packed
    assert command("device-file", GRAPH, "--out", tmp_path / "other.edgeecho")[0] == 0
    assert (tmp_path / "other.edgeecho").read_bytes() == packed


def test_the_same_stream_in_the_format_of_onnx_runtime(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    code, out, _ = command("device-file", "cl_unet_nano", "--format", "ort", "--out", tmp_path)
    path = tmp_path / "stream.int8.ort.edgeecho"
    assert code == 0
    assert out.startswith(f"{path}: {path.stat().st_size} bytes, cl_unet_nano, stream, int8")
    assert graph_suffix(unpack(path.read_bytes())) == ".ort"
    ours, source = read_verified(path), read_verified(GRAPH)
    assert ours.spec == source.spec
    assert ours.selftest
    assert source.selftest
    assert ours.selftest.to_json() == source.selftest.to_json()
    frames = np.random.default_rng(0).integers(0, 256, (9, 112, 112), dtype=np.uint8)
    found, wanted = (stream(file, threads=1).probabilities(frames) for file in (path, GRAPH))
    np.testing.assert_array_equal(found, wanted)
    assert "stream.int8.ort.edgeecho: checksum holds" in command("info", path)[1]
    assert "this processor gives the proven answers (to the bit)" in command("selftest", path)[1]
    data = path.read_bytes()
    path.write_bytes(data[:-9] + b"x" + data[-8:])
    assert "checksum does not hold" in the_error(command("selftest", path), tmp_path / "none")


def test_a_conversion_with_other_results_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = pytest.importorskip("onnx")
    from edgeecho.export.write import ort_device_file

    other = onnx.load(GRAPH)
    scale = next(i for i in other.graph.initializer if i.data_type == 1 and not i.dims)
    scale.CopyFrom(onnx.numpy_helper.from_array(np.float32(1.5) * onnx.numpy_helper.to_array(scale), scale.name))
    convert = ort_device_file.write_ort
    monkeypatch.setattr(
        ort_device_file, "write_ort", lambda path, graph, spec, stamp: convert(path, other, spec, stamp)
    )
    with pytest.raises(ExportError, match=r"x\.edgeecho differs from stream\.int8\.onnx: levels \d+, limit 0"):
        ort_device_file.write_ort_device_file(GRAPH, tmp_path / "x.edgeecho")
    assert list(tmp_path.iterdir()) == []


def test_the_container_is_one_that_old_engines_read(tmp_path: Path) -> None:
    """ONNX Runtime 1.17 refuses version 10, which the packaged graphs have; nothing else changes."""
    graph = GRAPH.read_bytes()
    lowered = with_old_container(graph)
    (tmp_path / GRAPH.name).write_bytes(lowered)
    assert (graph[:2], lowered[:2]) == (b"\x08\x0a", b"\x08\x09")
    assert read_verified(tmp_path / GRAPH.name).spec == read_verified(GRAPH).spec
    assert with_old_container(lowered) == lowered
    differing = [at for at in range(len(graph)) if graph[at] != lowered[at]]
    assert differing[0] == 1
    assert differing[-1] - differing[1] < 64  # the digits of the checksum
    assert with_old_container(b"\x18\0\0\0ORTM") == b"\x18\0\0\0ORTM"


def test_the_documents_have_the_sizes_of_the_files(tmp_path: Path) -> None:
    """Sizes of the packaged models' device files: in the table of all models, and where a command's output is shown."""
    table = (DOCS / "device-figures.md").read_text()
    for folder in packaged_models():
        write_device_file(folder / "stream.int8.onnx", tmp_path / "file.edgeecho")
        assert f"| `{folder.name}` | {(tmp_path / 'file.edgeecho').stat().st_size:,} |" in table
    write_device_file(MODELS / "cl_unet_edge" / "stream.int8.onnx", tmp_path / "file.edgeecho")
    size = (tmp_path / "file.edgeecho").stat().st_size
    assert f"\nstream.int8.edgeecho: {size} bytes, cl_unet_edge, stream" in (DOCS / "device.md").read_text()
    assert f"packaged graph) | {size:,} |" in (DOCS / "smaller-runtimes.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nix"], "neither a file nor an installed model"),
        (["cl_unet_nano", "--precision", "fp16"], "a device file has no precision 'fp16'; known: fp32, int8"),
        (["cl_unet_nano", "--precision", "fp32"], "has no stream.fp32.onnx"),
        (["cl_unet_nano", "--format", "xml"], "unknown format 'xml' of a device file; known: onnx, ort"),
        ([GRAPH.with_name("clip.int8.onnx")], "holds a clip, and the C library runs streams"),
        ([GRAPH.with_suffix(".xml")], "no graph of which a device file is made"),
        ([GRAPH, "--precision", "fp32"], "its precision is int8, not fp32"),
    ],
)
def test_what_is_refused(command: Command, tmp_path: Path, arguments: list[str], says: str) -> None:
    assert says in the_error(command("device-file", *arguments, "--out", tmp_path / "out"), tmp_path / "out")
