"""Device files: a graph behind a fixed little-endian header, which C reads without JSON and protobuf.

`docs/model-file.md` gives the layout byte by byte; `device/src/device_file.c` reads it. The payload is a sealed file of
ONNX, of ONNX Runtime's own format (ORT) or a plan of the native engine, with the whole spec in it; its first bytes tell
which. The header repeats what a device must know. The same graph gives the same bytes.
"""

import hashlib
import struct
from pathlib import Path

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model import native_file
from edgeecho.model.selftest_record import CINE, SelfTest
from edgeecho.model.spec import RESAMPLING, ModelSpec

SUFFIX = ".edgeecho"
MAGIC, VERSION = b"EDGEECHO", 2
ORT_MAGIC = b"ORTM"
"""Bytes 4 to 7 of a graph in ONNX Runtime's own format: the identifier of its flatbuffer."""
READ_VERSIONS = (1, 2)
"""Versions of the header that can be read; version 1 has no self-test."""
FORMS = {"clip": 1, "stream": 2}
PRECISIONS = {"fp32": 1, "int8": 2}
LOWERINGS = {"2d": 1, "none": 2}
RESAMPLINGS = {RESAMPLING: 1}
TYPES = {"uint8": 1, "float32": 2}
MAX_STATE = 64
"""Largest number of state tensors."""
_HEAD = struct.Struct("<8sIIQ32s")
"""Magic, version, where the payload begins, its size, SHA-256."""
_SPEC_NUMBERS, _SPEC_TEXTS = "<10IQ", "64s64s64s256s"
_SPEC = struct.Struct(_SPEC_NUMBERS + _SPEC_TEXTS)
_TENSOR = struct.Struct("<32s8I")
_SELFTEST = struct.Struct("<4I")
"""Layout of the self-test: number of the test cine, frames, tolerance in levels, 0."""
_ANSWER = struct.Struct("<32s32s2I")
_ALIGNMENT = 64
LAYOUT = {
    "DIGEST_AT": _HEAD.size - hashlib.sha256().digest_size,
    "SPEC_AT": _HEAD.size,
    "TEXTS_AT": _HEAD.size + struct.calcsize(_SPEC_NUMBERS),
    "TENSORS_AT": _HEAD.size + _SPEC.size,
    "TENSOR_BYTES": _TENSOR.size,
    "SELFTEST_BYTES": _SELFTEST.size,
    "ANSWER_BYTES": _ANSWER.size,
}
"""Offsets and sizes of the header in bytes, for the reader in C: `device/write_headers.py` writes them."""


def pack(graph: bytes, spec: ModelSpec, selftest: SelfTest | None = None) -> bytes:
    """Put a sealed graph behind a header.

    Args:
        graph: Bytes of the sealed `.onnx` or `.ort` file.
        spec: Spec of the graph.
        selftest: Record of the right answers to the test cine.

    Raises:
        ConfigError: If the header cannot hold the spec.
    """
    return _seal(VERSION, graph, header_fields(spec) + _selftest(selftest))


def name_of(graph: Path) -> str:
    """Return the name of a graph's device file: `stream.int8.edgeecho`, or `stream.int8.ort.edgeecho` of ORT."""
    return f"{graph.stem if graph.suffix == '.onnx' else graph.name}{SUFFIX}"


def graph_suffix(graph: bytes) -> str:
    """Return the suffix of the file that the graph of a device file is: `.native`, `.ort` or `.onnx`."""
    if graph.startswith(native_file.MAGIC):
        return native_file.SUFFIX
    return ".ort" if graph[4:8] == ORT_MAGIC else ".onnx"


def has_header(data: bytes, graph: bytes, spec: ModelSpec, selftest: SelfTest | None) -> bool:
    """Return whether the header of a device file is the one that this graph, spec and self-test give."""
    if int.from_bytes(data[8:12], "little") == 1:
        return _seal(1, graph, header_fields(spec)) == data
    return pack(graph, spec, selftest) == data


def header_fields(spec: ModelSpec) -> bytes:
    """Lay out a spec as a header holds it.

    Raises:
        ConfigError: If the header cannot hold it; an export calls this before its work begins.
    """
    if len(spec.state) > MAX_STATE:
        raise ConfigError(f"a device file holds {MAX_STATE} state tensors at most, got {len(spec.state)}")
    if not (0 <= spec.params < 1 << 64 and 0 <= (spec.frames or 0) < 1 << 32):
        raise ConfigError(f"params and frames must be positive, got {spec.params} and {spec.frames}")
    fields = _SPEC.pack(
        spec.size_px,
        *spec.context_frames,
        spec.threshold,
        spec.frames or 0,
        _number(FORMS, spec.form, "form"),
        _number(PRECISIONS, spec.precision, "precision"),
        _number(LOWERINGS, spec.lowering, "lowering"),
        _number(RESAMPLINGS, spec.resampling, "resampling"),
        len(spec.state),
        spec.params,
        _text(spec.name, 64, "name"),
        _text(spec.licence, 64, "licence"),
        _text(spec.revision, 64, "revision"),
        _text(spec.intended_use, 256, "intended_use"),
    )
    for tensor in spec.state:
        shape = (1,) * (4 - len(tensor.shape)) + tensor.shape
        kind = TYPES[tensor.dtype], tensor.zero_point, len(tensor.shape), 0
        fields += _TENSOR.pack(_text(tensor.name, 32, "state tensor"), *kind, *shape)
    return fields


def _selftest(record: SelfTest | None) -> bytes:
    if record is None or record.min_dice is not None:  # masks that agree by Dice are for engines that C does not run
        return _SELFTEST.pack(0, 0, 0, 0)
    block = _SELFTEST.pack(CINE, len(record.answers), record.max_levels, 0)
    for answer in record.answers:
        digests = bytes.fromhex(answer.prob_sha256), bytes.fromhex(answer.mask_sha256)
        block += _ANSWER.pack(*digests, answer.area_px, 0)
    return block + (record.reference or b"")


def _seal(version: int, graph: bytes, fields: bytes) -> bytes:
    fields += bytes(-(_HEAD.size + len(fields)) % _ALIGNMENT)
    begins = _HEAD.size + len(fields)
    body = fields + graph
    digest = hashlib.sha256(_HEAD.pack(MAGIC, version, begins, len(graph), bytes(32)) + body).digest()
    return _HEAD.pack(MAGIC, version, begins, len(graph), digest) + body


def unpack(data: bytes) -> bytes:
    """Verify the checksum of a device file, and return the sealed graph inside.

    Raises:
        ModelFileError: If it is no device file, of another version, or damaged.
    """
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise ModelFileError("no EdgeEcho device file; write one with `edgeecho export`")
    _, version, begins, size, digest = _HEAD.unpack_from(data)
    if version not in READ_VERSIONS:
        known = " and ".join(map(str, READ_VERSIONS))
        raise ModelFileError(f"device file of version {version}, this EdgeEcho reads {known}; install a matching one")
    at = _HEAD.size - len(digest)
    if hashlib.sha256(data[:at] + bytes(len(digest)) + data[_HEAD.size :]).digest() != digest:
        raise ModelFileError("checksum does not hold, the file is damaged; fetch or export it again")
    if begins < _HEAD.size or begins + size != len(data):
        raise ModelFileError(f"{len(data)} bytes, its header says {begins} + {size}; export it again")
    return data[begins:]


def _number(known: dict[str, int], value: str, field: str) -> int:
    if value not in known:
        raise ConfigError(f"a device file has no {field} {value!r}; known: {', '.join(known)}")
    return known[value]


def _text(value: str, size: int, field: str) -> bytes:
    """Encode a text in UTF-8 for a field of fixed size, with at least one zero byte behind it."""
    data = value.encode(errors="replace")
    if len(data) >= size or not value.isprintable():
        raise ConfigError(f"{field} must be printable and under {size} bytes in a device file, got {value[:80]!r}")
    return data
