"""Device files: the layout that docs/model-file.md gives, what is refused, and the same bytes each time."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.device_file import LAYOUT, SUFFIX, header_fields, pack, unpack
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.spec import StateTensor

MODEL = Path(__file__).parents[2] / "models" / "cl_unet_edge"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def graph() -> bytes:
    return (MODEL / "stream.int8.onnx").read_bytes()


@pytest.fixture(scope="module")
def packed(graph: bytes) -> bytes:
    checked = read_verified(MODEL / "stream.int8.onnx")
    return pack(graph, checked.spec, checked.selftest)


def resealed(data: bytes) -> bytes:
    digest = hashlib.sha256(data[:24] + bytes(32) + data[56:]).digest()
    return data[:24] + digest + data[56:]


def test_the_layout(packed: bytes, graph: bytes) -> None:
    spec = read_verified(MODEL / "stream.int8.onnx").spec
    magic, version, begins, size = struct.unpack_from("<8sIIQ", packed)
    assert (magic, version, size) == (b"EDGEECHO", 2, len(graph))
    assert begins % 64 == 0
    assert packed[begins:] == graph
    numbers = struct.unpack_from("<10IQ", packed, 56)
    assert numbers == (112, *spec.context_frames, 128, 0, 2, 2, 1, 1, len(spec.state), spec.params)
    texts = [packed[at : at + n].rstrip(b"\0").decode() for at, n in ((104, 64), (168, 64), (232, 64), (296, 256))]
    assert texts == [spec.name, spec.licence, spec.revision, spec.intended_use]
    for k, tensor in enumerate(spec.state):
        name, *values = struct.unpack_from("<32s8I", packed, 552 + 64 * k)
        assert name.rstrip(b"\0").decode() == tensor.name
        assert values == [1, tensor.zero_point, 4, 0, *tensor.shape]
    record = read_verified(MODEL / "stream.int8.onnx").selftest
    assert record is not None
    at = 552 + 64 * len(spec.state)
    assert struct.unpack_from("<4I", packed, at) == (1, 6, 0, 0)
    for k, answer in enumerate(record.answers):
        prob, mask, area, zero = struct.unpack_from("<32s32s2I", packed, at + 16 + 72 * k)
        assert (prob.hex(), mask.hex(), area, zero) == (answer.prob_sha256, answer.mask_sha256, answer.area_px, 0)
    assert not any(packed[at + 16 + 72 * 6 : begins])
    assert resealed(packed) == packed
    assert pack(graph, spec, record) == packed
    assert unpack(packed) == graph


def test_it_is_checked_and_printed_like_other_files(packed: bytes, tmp_path: Path, command: Command) -> None:
    path = tmp_path / f"stream.int8{SUFFIX}"
    path.write_bytes(packed)
    assert read_verified(path).spec == read_verified(MODEL / "stream.int8.onnx").spec
    code, out, _ = command("info", path)
    assert code == 0
    assert f"stream.int8{SUFFIX}: checksum holds, {len(packed):,} bytes" in out
    assert ["form", "stream"] in [line.split() for line in out.splitlines()]
    path.write_bytes(packed[:-1])
    code, _, err = command("info", tmp_path)
    assert code == 1
    assert "checksum does not hold" in err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d[:40], "no EdgeEcho device file"),
        (lambda d: b"x" + d[1:], "no EdgeEcho device file"),
        (lambda d: d[:8] + b"\3" + d[9:], "device file of version 3, this EdgeEcho reads 1 and 2"),
        (lambda d: d[:-1], "checksum does not hold"),
        (lambda d: d[:60] + b"\1" + d[61:], "checksum does not hold"),
        (lambda d: resealed(d[:60] + b"\1" + d[61:]), "its header is not that of the graph in it"),
        (lambda d: resealed(d[:16] + b"\0" + d[17:]), "its header says"),
        (lambda d: resealed(d + b"\0"), "its header says"),
        (lambda d: resealed(d[:12] + b"\0\0\0\0" + d[16:]), "its header says"),
    ],
)
def test_what_is_refused(packed: bytes, tmp_path: Path, change: Callable[[bytes], bytes], says: str) -> None:
    path = tmp_path / f"changed{SUFFIX}"
    path.write_bytes(change(packed))
    with pytest.raises(ModelFileError, match=says):
        read_verified(path)


def test_what_a_header_cannot_hold(graph: bytes) -> None:
    spec = read_verified(MODEL / "stream.int8.onnx").spec
    for change, says in (
        ({"name": "n" * 64}, "name must be printable and under 64 bytes"),
        ({"revision": "a\nb"}, "revision must be printable"),
        ({"name": "\ud800"}, "name must be printable"),
        ({"precision": "fp16"}, "no precision 'fp16'"),
        ({"form": "checkpoint"}, "no form 'checkpoint'"),
        ({"params": -1}, "must be positive"),
        ({"state": tuple(StateTensor(f"s{n}", (1,), "uint8", 0) for n in range(65))}, "64 state tensors at most"),
    ):
        with pytest.raises(ConfigError, match=says):
            pack(graph, replace(spec, **change))  # type: ignore[arg-type]


def test_axes_are_filled_up(graph: bytes) -> None:
    spec = replace(read_verified(MODEL / "stream.int8.onnx").spec, state=(StateTensor("s", (5, 7), "float32", 3),))
    assert struct.unpack_from("<32s8I", pack(graph, spec), 552)[1:] == (2, 3, 2, 0, 1, 1, 5, 7)


def test_a_tolerance_brings_its_reference(nano_fp32: Path) -> None:
    """An fp32 file holds the answers themselves, which C compares value by value."""
    checked = read_verified(nano_fp32 / "stream.fp32.onnx")
    assert checked.selftest is not None
    assert checked.selftest.reference is not None
    data = pack(checked.data, checked.spec, checked.selftest)
    at = 552 + 64 * len(checked.spec.state)
    assert struct.unpack_from("<4I", data, at) == (1, 6, 1, 0)
    values = data[at + 16 + 72 * 6 :][: 6 * 112 * 112]
    assert values == checked.selftest.reference


def test_files_of_version_1_are_read(graph: bytes, tmp_path: Path) -> None:
    """They have no self-test block; all else is the same."""
    checked = read_verified(MODEL / "stream.int8.onnx")
    fields = header_fields(checked.spec)
    fields += bytes(-(56 + len(fields)) % 64)
    head = struct.pack("<8sIIQ32s", b"EDGEECHO", 1, 56 + len(fields), len(graph), bytes(32))
    path = tmp_path / f"old{SUFFIX}"
    path.write_bytes(resealed(head + fields + graph))
    assert read_verified(path).spec == checked.spec
    path.write_bytes(resealed(head + fields[:-1] + b"\1" + graph))
    with pytest.raises(ModelFileError, match="its header is not that of the graph in it"):
        read_verified(path)


def test_the_layout_of_the_header_in_c(packed: bytes) -> None:
    """`device/write_headers.py` writes these places into the C sources."""
    at = LAYOUT["DIGEST_AT"]
    assert packed[at : at + 32] == hashlib.sha256(packed[:at] + bytes(32) + packed[at + 32 :]).digest()
    assert LAYOUT["SPEC_AT"] == at + 32
