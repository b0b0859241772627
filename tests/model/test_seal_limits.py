"""Limits of seals and headers, each tried from both sides, and the texts of ONNX Runtime's flatbuffer."""

import hashlib
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model import sealed_file
from edgeecho.model.device_file import graph_suffix, has_header, header_fields, name_of, pack, unpack
from edgeecho.model.sealed_file import DIGEST_KEY, REFUSAL_KEY, SPEC_KEY, UNSEALED, read_verified, seal
from edgeecho.model.spec import ModelSpec, StateTensor
from edgeecho.runtime import packaged_models

flatbuffers = pytest.importorskip("flatbuffers")
SPEC = ModelSpec(name="x", family="cl_unet", form="stream", precision="int8")
HEAD = struct.Struct("<8sIIQ32s")


def device_file(version: int = 2, begins: int = 56, size: int = 3, behind: bytes = b"abc") -> bytes:
    """A device file without fields, whose checksum holds."""
    parts = b"EDGEECHO", version, begins, size
    digest = hashlib.sha256(HEAD.pack(*parts, bytes(32)) + behind).digest()
    return HEAD.pack(*parts, digest) + behind


def test_the_least_device_file() -> None:
    assert unpack(device_file()) == b"abc"
    assert unpack(device_file(size=0, behind=b"")) == b""
    assert unpack(device_file(version=1)) == b"abc"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (device_file()[:55], "no EdgeEcho device file"),
        (device_file(version=0), "device file of version 0, this EdgeEcho reads 1 and 2"),
        (device_file(begins=55, size=4), "59 bytes, its header says 55 [+] 4"),
        (device_file(size=2), "59 bytes, its header says 56 [+] 2"),
        (device_file(begins=57), "59 bytes, its header says 57 [+] 3"),
    ],
)
def test_device_files_that_are_none(data: bytes, says: str) -> None:
    with pytest.raises(ModelFileError, match=says):
        unpack(data)


@pytest.mark.parametrize(
    ("field", "size"), [("name", 64), ("licence", 64), ("revision", 64), ("intended_use", 256), ("state", 32)]
)
def test_texts_have_room_for_a_zero_byte(field: str, size: int) -> None:
    for length, fits in ((size - 1, True), (size, False)):
        text = "a" * length
        change = {"state": (StateTensor(text, (1,), "uint8", 0),)} if field == "state" else {field: text}
        if field == "licence" and not fits:
            continue  # `ModelSpec` refuses a longer one itself
        made = replace(SPEC, **change)  # type: ignore[arg-type]
        if fits:
            assert text.encode() + b"\0" in header_fields(made) + b"\0"
        else:
            with pytest.raises(ConfigError, match=f"under {size} bytes"):
                header_fields(made)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"params": 0}, True),
        ({"params": 1 << 40}, True),
        ({"frames": 4096}, True),
        ({"state": tuple(StateTensor(f"s{k}", (1,), "uint8", 0) for k in range(64))}, True),
        ({"state": tuple(StateTensor(f"s{k}", (1,), "uint8", 0) for k in range(65))}, False),
    ],
)
def test_numbers_fit_their_fields(changes: dict[str, object], fits: bool) -> None:
    made = replace(SPEC, **changes)  # type: ignore[arg-type]
    if fits:
        fields = header_fields(made)
        numbers = struct.unpack_from("<10IQ", fields)
        assert (numbers[4], numbers[9], numbers[10]) == (made.frames or 0, len(made.state), made.params)
    else:
        with pytest.raises(ConfigError):
            header_fields(made)


def test_kinds_by_their_numbers() -> None:
    """Those of docs/model-file.md: form, precision, lowering, resampling."""
    for changes, at, number in (
        ({"form": "clip"}, 5, 1),
        ({"form": "stream"}, 5, 2),
        ({"precision": "fp32"}, 6, 1),
        ({"precision": "int8"}, 6, 2),
        ({"lowering": "2d"}, 7, 1),
        ({"lowering": "none"}, 7, 2),
        ({}, 8, 1),
    ):
        assert struct.unpack_from("<10IQ", header_fields(replace(SPEC, **changes)))[at] == number  # type: ignore[arg-type]


def test_the_payload_begins_at_a_multiple_of_64() -> None:
    for count in range(4):
        made = replace(SPEC, state=tuple(StateTensor(f"s{k}", (2, 3), "float32", 1) for k in range(count)))
        data = pack(b"abc", made)
        begins = struct.unpack_from("<8sIIQ", data)[2]
        assert begins % 64 == 0
        assert begins - 64 < 56 + 496 + 64 * count + 16 <= begins
        assert data[begins:] == b"abc"
        assert has_header(data, b"abc", made, None)
        assert not has_header(data, b"abc", SPEC if count else replace(SPEC, params=1), None)


def test_the_header_of_version_1() -> None:
    """Its fields follow the head at once or at a multiple of 64, which need not be one of 256."""
    fields = header_fields(SPEC)
    fields += bytes(-(56 + len(fields)) % 64)
    assert (56 + len(fields)) % 256
    head = HEAD.pack(b"EDGEECHO", 1, 56 + len(fields), 3, bytes(32))
    digest = hashlib.sha256(head + fields + b"abc").digest()
    assert has_header(head[:-32] + digest + fields + b"abc", b"abc", SPEC, None)
    assert not has_header(head[:-32] + digest + fields + b"abc", b"abc", replace(SPEC, params=1), None)


def test_the_longest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(
        shutil.copy(next(p for p in packaged_models() if p.name == "cl_unet_nano") / "stream.int8.onnx", tmp_path)
    )
    monkeypatch.setattr(sealed_file, "MAX_BYTES", path.stat().st_size)
    read_verified(path)
    monkeypatch.setattr(sealed_file, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(ModelFileError, match="more than the"):
        read_verified(path)


def test_the_kind_of_graph_by_its_bytes() -> None:
    assert (graph_suffix(b"\x10\0\0\0ORTM"), graph_suffix(b"ORTM\0\0\0\0")) == (".ort", ".onnx")
    assert name_of(Path("a/stream.int8.onnx")) == "stream.int8.edgeecho"
    assert name_of(Path("a/stream.int8.ort")) == "stream.int8.ort.edgeecho"


# ONNX Runtime's flatbuffer


def ort_file(entries: dict[str, str], *, model: int = 1, metadata: int = 9) -> bytes:
    """A flatbuffer of ONNX Runtime's layout: the root has the model in field 1, this its metadata in field 9."""
    builder = flatbuffers.Builder()
    tables = []
    for key, value in entries.items():
        texts = builder.CreateString(key), builder.CreateString(value)
        builder.StartObject(2)
        for at, text in enumerate(texts):
            builder.PrependUOffsetTRelativeSlot(at, text, 0)
        tables.append(builder.EndObject())
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    vector = builder.EndVector()
    inner = vector
    for fields, at in ((10, metadata), (3, model)):
        builder.StartObject(fields)
        builder.PrependUOffsetTRelativeSlot(at, inner, 0)
        inner = builder.EndObject()
    builder.Finish(inner, file_identifier=b"ORTM")
    return bytes(builder.Output())


def sealed_ort(**where: int) -> bytes:
    return seal(ort_file({"first": "text", SPEC_KEY: SPEC.to_json(), DIGEST_KEY: UNSEALED, REFUSAL_KEY: "no"}, **where))


def test_the_texts_of_a_flatbuffer(tmp_path: Path) -> None:
    path = tmp_path / "model.ort"
    path.write_bytes(sealed_ort())
    found = read_verified(path)
    assert (found.spec, found.refusal, found.selftest) == (SPEC, "no", None)


@pytest.mark.parametrize("where", [{"model": 0}, {"model": 2}, {"metadata": 8}])
def test_texts_in_another_field_are_none(tmp_path: Path, where: dict[str, int]) -> None:
    path = tmp_path / "model.ort"
    path.write_bytes(sealed_ort(**where))
    with pytest.raises(ModelFileError, match="no model spec inside"):
        read_verified(path)


def test_a_flatbuffer_that_leads_past_its_end(tmp_path: Path) -> None:
    """Every offset of the file is tried as one that leads far behind it, with the seal made right again."""
    data = sealed_ort()
    path = tmp_path / "model.ort"
    refused = 0
    for at in range(0, len(data) - 4, 4):
        wrong = data[:at] + (1 << 30).to_bytes(4, "little") + data[at + 4 :]
        try:
            start = wrong.index(DIGEST_KEY.encode())
            digest = [k for k in range(start) if wrong[k : k + 4] == b"\x40\0\0\0"][-1] + 4
            path.write_bytes(seal(wrong[:digest] + UNSEALED.encode() + wrong[digest + 64 :]))
            read_verified(path)
        except (ModelFileError, ValueError, IndexError) as error:
            refused += isinstance(error, ModelFileError)
    assert refused >= 8
