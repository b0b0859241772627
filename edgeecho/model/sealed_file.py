"""Model files: sealed with a SHA-256 of their own bytes, which is verified before an engine gets them.

Most engines load a file with a flipped byte without an error, so EdgeEcho verifies it. Every file of a model
(`.safetensors`, `.onnx`, `.ort`, or OpenVINO's `.xml`, whose seal covers its `.bin` too) contains its spec and a
digest: the SHA-256 of the file with the digest's own 64 characters taken as zeros. It proves integrity, not origin. A
device file (`.edgeecho`) contains a sealed `.onnx` or `.ort` file, or a plan of the native engine, behind a checksum of
its own.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edgeecho.errors import ModelFileError
from edgeecho.files import read_regular
from edgeecho.model import device_file, native_file, selftest_record, strict_json
from edgeecho.model.onnx_tensors import require_sound_tensors
from edgeecho.model.ort_flatbuffer import ort_metadata, require_sound_ort_tensors
from edgeecho.model.protobuf import fields
from edgeecho.model.selftest_record import SelfTest
from edgeecho.model.spec import ModelSpec
from edgeecho.model.trusted import require_trusted

SPEC_KEY = "edgeecho_spec"
DIGEST_KEY = "edgeecho_sha256"
REFUSAL_KEY = "edgeecho_refused"
"""Key of the reason why the acceptance test refused a file; other files do not have it."""
UNSEALED = "0" * 64
SUFFIXES = (".safetensors", ".onnx", ".ort", ".xml", device_file.SUFFIX)
MAX_BYTES = 1 << 30
ONNX_VERSION = 9
"""Newest version of the ONNX container in a file, the newest that ONNX Runtime 1.17 reads; no graph needs a later."""
_REQUIRE_SOUND = {".onnx": require_sound_tensors, ".ort": require_sound_ort_tensors}
"""Check of the weights of a graph, by the suffix of its format; OpenVINO's are checked when it has read them."""
_SEAL = re.compile(
    rb'edgeecho_sha256(?:":"|\x12\x40| value=")([0-9a-f]{64})'  # safetensors, ONNX, OpenVINO
    rb"|\x40\0\0\0([0-9a-f]{64})\0{4}\x0f\0\0\0edgeecho_sha256\0"  # ORT, which puts a value before its key
)


def seal(data: bytes, companion: bytes = b"") -> bytes:
    """Fill in the digest of a file that holds `DIGEST_KEY` with 64 zeros.

    Args:
        data: Bytes of the file.
        companion: Bytes of a second file under the same seal (OpenVINO's weights).
    """
    start, end = _seal_span(data)
    return data[:start] + _digest(data, companion, start, end).encode() + data[end:]


def _seal_span(data: bytes) -> tuple[int, int]:
    places = list(_SEAL.finditer(data))
    if len(places) != 1:
        raise ModelFileError(f"found {len(places)} EdgeEcho checksums, expected one; this is no EdgeEcho model file")
    return places[0].span(places[0].lastindex or 0)


def _digest(data: bytes, companion: bytes, start: int, end: int) -> str:
    digest = hashlib.sha256(data[:start])
    digest.update(UNSEALED.encode())
    digest.update(data[end:])
    if companion:
        digest.update(len(companion).to_bytes(8, "little"))
        digest.update(companion)
    return digest.hexdigest()


class VerifiedFile(NamedTuple):
    """Contents of a model file whose seal holds. These bytes go to an engine; the file is not read again."""

    data: bytes
    """Bytes of the file; of a device file, of the graph inside."""
    spec: ModelSpec
    companion: bytes
    """Bytes of OpenVINO's `.bin` file; empty for other files."""
    selftest: SelfTest | None
    """Right answers to the test cine; None for checkpoints and for files of earlier exports."""
    refusal: str | None
    """Reason why the acceptance test refused a file that `--gate report` wrote; None if it did not."""


def read_verified(path: Path) -> VerifiedFile:
    """Read a model file and verify its seal.

    Raises:
        ModelFileError: If it is missing, too large, not an EdgeEcho model, damaged, of another format version, not
            allowed or signed as this machine asks, or needs another file.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ModelFileError(f"{path.name}: not a model file; expected one of {', '.join(SUFFIXES)}")
    data = _read(path)
    require_trusted(path, data)
    companion = _read(path.with_suffix(".bin")) if path.suffix == ".xml" else b""
    try:
        return _verified(path.suffix, data, companion)
    except ModelFileError as error:
        raise ModelFileError(f"{path.name}: {error}") from error


def _verified(suffix: str, whole: bytes, companion: bytes) -> VerifiedFile:
    """Verify the bytes of a model file.

    Raises:
        ModelFileError: If they are not sound; the message does not name the file.
    """
    is_device_file = suffix == device_file.SUFFIX
    data = device_file.unpack(whole) if is_device_file else whole
    start, end = _seal_span(data)
    if _digest(data, companion, start, end).encode() != data[start:end]:
        raise ModelFileError("checksum does not hold, the file is damaged; fetch or export it again")
    kind = device_file.graph_suffix(data) if is_device_file else suffix
    try:
        found = _find_metadata(kind, data)
        text = found[SPEC_KEY]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise ModelFileError("no model spec inside; export it again") from error
    spec = ModelSpec.from_json(text)
    record = None
    if selftest_record.KEY in found:
        record = SelfTest.from_json(found[selftest_record.KEY], spec.size_px)
    if kind in _REQUIRE_SOUND:
        _REQUIRE_SOUND[kind](data)
    if is_device_file and not device_file.has_header(whole, data, spec, record):
        raise ModelFileError("its header is not that of the graph in it; export it again")
    return VerifiedFile(data, spec, companion, record, found.get(REFUSAL_KEY))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelFileError(f"{path.name}: {path.stat().st_size} bytes, more than the {MAX_BYTES} allowed")
        return read_regular(path)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _find_metadata(suffix: str, data: bytes) -> dict[str, str]:
    """Find the texts that EdgeEcho wrote beside the weights, by name."""
    if suffix == ".safetensors":
        size = int.from_bytes(data[:8], "little")
        found = strict_json.parse(data[8 : 8 + size])["__metadata__"]
        return {str(key): str(value) for key, value in found.items()}
    if suffix == ".onnx":
        return dict(_onnx_metadata(data))
    if suffix == ".ort":
        return dict(ort_metadata(data))
    if suffix == native_file.SUFFIX:
        return native_file.metadata(data)
    import html

    places = re.finditer(rb'<(edgeecho_\w+) value="([^"]*)"', data)
    return {place[1].decode(): html.unescape(place[2].decode()) for place in places}


def _onnx_metadata(data: bytes) -> Iterator[tuple[str, str]]:
    """Walk the top level of a protobuf ModelProto for `metadata_props` (field 14: key 1, value 2)."""
    for number, _, value, _ in fields(memoryview(data)):
        if number == 14 and isinstance(value, memoryview):
            entry = {key: bytes(text) for key, _, text, _ in fields(value) if isinstance(text, memoryview)}
            yield entry[1].decode(), entry[2].decode()
