"""Reader of ONNX files with external data: one graph in memory.

Weights that an ONNX file keeps in files beside it (`torch.onnx.export` writes NAME.onnx.data) are put into the graph
before an engine gets its bytes, since engines resolve such files against the current directory. All engines and tools
then run the bytes that the digest covers, and none needs `onnx`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from edgeecho.errors import ModelFileError
from edgeecho.files import read_regular
from edgeecho.model.onnx_tensors import (
    DATA_LOCATION,
    DATA_TYPE,
    DIMS,
    EXTERNAL_DATA,
    MAX_MESSAGE_DEPTH,
    NESTED,
    RAW_DATA,
    TENSOR,
)
from edgeecho.model.protobuf import fields, head, varints
from edgeecho.model.trusted import require_trusted

MAX_GRAPH_BYTES = (1 << 31) - 1
"""Largest ONNX graph in memory, a limit of protobuf; also of a graph and its external files together."""
ELEMENT_BITS = {
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((7, 11, 13, 14), 64),
    **{15: 128, 21: 4, 22: 4, 23: 4, 25: 2, 26: 2, 27: 6, 28: 6},
}
"""Bits of an element, by ONNX's number of its type."""

Pieces = list[bytes | memoryview]


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file and its external data."""

    data: bytes
    """A graph that needs no other file; the file's own bytes where it has no external data."""
    file_bytes: int
    """Size of the file and of all its external files."""
    sha256: str
    """SHA-256 of the file's bytes and then, for each external file in the order of the names: its path relative to the
    file's folder in UTF-8, a zero byte, its size as 8 bytes (little-endian), and its bytes."""


def read_onnx(path: Path) -> OnnxFile:
    """Read an ONNX file and its external data; the current directory does not matter.

    Raises:
        ModelFileError: If it is no ONNX file, too large, or its external data are missing, too short, or not in its
            own folder; or if this machine does not trust one of these files.
    """
    external = _ExternalFiles(path)
    data = external.contents(path, path.name)
    try:
        pieces = _self_contained(memoryview(data), "model", external, 0)
    except (ValueError, IndexError) as error:
        raise ModelFileError(f"{path.name}: no sound ONNX file ({error}); export it again") from error
    if pieces is not None:
        _require_size(path.name, _size(pieces))
    digest = hashlib.sha256(data)
    for name in sorted(external.files, key=str.encode):
        content = external.files[name]
        digest.update(name.encode() + b"\0" + len(content).to_bytes(8, "little"))
        digest.update(content)
    return OnnxFile(data if pieces is None else b"".join(pieces), external.total_bytes, digest.hexdigest())


class _ExternalFiles:
    """External files of an ONNX file, each read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.parent.resolve()
        self.files: dict[str, bytes] = {}
        """Path relative to the folder, to contents."""
        self.total_bytes = 0

    def contents(self, path: Path, shown: str) -> bytes:
        """Check the size of a file, and that this machine trusts it, and return its bytes."""
        try:
            self.total_bytes += path.stat().st_size
            _require_size(self.path.name, self.total_bytes)
            data = read_regular(path)
        except OSError as error:
            raise ModelFileError(f"{shown}: cannot be read ({error.strerror}); check the path") from error
        require_trusted(path, data)
        return data

    def part(self, location: str, offset: int, size: int | None) -> memoryview:
        """Return a part of an external file, up to its end if `size` is None."""
        name, shown = self.path.name, repr(location[:100])
        self.require_inside(location)
        try:
            file = (self.path.parent / location).resolve()
            inside = file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else None
            is_file = file.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # a name too long, a zero byte, links in a circle
            raise ModelFileError(f"{name}: its external data {shown} cannot be a file's name; save it again") from error
        if inside is None:
            raise ModelFileError(
                f"{name}: its external data {shown} lead out of its folder by a link; put the file itself there"
            )
        if not is_file:
            raise ModelFileError(f"{name}: its external data {shown} are missing; put that file beside {name}")
        if inside not in self.files:
            self.files[inside] = self.contents(file, f"{name}: its external data {shown}")
        content = memoryview(self.files[inside])
        size = max(0, len(content) - offset) if size is None else size
        if offset + size > len(content):
            raise ModelFileError(
                f"{name}: its external data {shown} are {len(content)} bytes, a tensor ends at byte {offset + size}; "
                "copy the file again"
            )
        return content[offset : offset + size]

    def require_inside(self, location: str) -> None:
        """Refuse a path that is not inside the folder by the rules of any operating system."""
        windows, shown = PureWindowsPath(location), repr(location[:100])
        fault = None
        if not location:
            fault = "have no file name"
        elif PurePosixPath(location).is_absolute() or windows.drive or windows.root:
            fault = f"have an absolute path, {shown}"
        elif ".." in windows.parts:
            fault = f"have a path with '..', {shown}"
        if fault:
            raise ModelFileError(
                f"{self.path.name}: its external data {fault}; save the model again with its data in its own folder"
            )


def _require_size(name: str, size: int) -> None:
    if size > MAX_GRAPH_BYTES:
        raise ModelFileError(
            f"{name}: {size} bytes with its external data, more than the {MAX_GRAPH_BYTES} of one ONNX graph in "
            "memory; take a smaller model"
        )


def _self_contained(message: memoryview, kind: str, external: _ExternalFiles, depth: int) -> Pieces | None:
    """Return a message with its external data inside, in pieces; None if it has none."""
    if depth > MAX_MESSAGE_DEPTH:
        raise ValueError(f"messages more than {MAX_MESSAGE_DEPTH} deep")
    pieces: Pieces = []
    kept_to = 0
    for number, begin, value, end in fields(message):
        child = NESTED[kind].get(number)
        if child is None or isinstance(value, int):
            continue
        inside = _tensor(value, external) if child == TENSOR else _self_contained(value, child, external, depth + 1)
        if inside is not None:
            pieces += [message[kept_to:begin], head(number, _size(inside)), *inside]
            kept_to = end
    return [*pieces, message[kept_to:]] if pieces else None


def _tensor(message: memoryview, external: _ExternalFiles) -> Pieces | None:
    """Return a TensorProto with `raw_data` in place of `external_data`; None if it has no external data."""
    entries: dict[str, str] = {}
    dims: list[int] = []
    kept: Pieces = []
    element = location = 0
    for number, begin, value, end in fields(message):
        if number == EXTERNAL_DATA and not isinstance(value, int):
            pair = {key: bytes(text).decode() for key, _, text, _ in fields(value) if not isinstance(text, int)}
            entries[pair.get(1, "")] = pair.get(2, "")
        elif number == DATA_LOCATION and isinstance(value, int):
            location = value & 0xFFFFFFFF  # an enumeration, which parsers cut to 32 bits
        elif number != RAW_DATA:
            kept.append(message[begin:end])
        if number == DIMS:
            dims += [value] if isinstance(value, int) else varints(value)
        elif number == DATA_TYPE and isinstance(value, int):
            element = value
    if location != 1:
        return None
    offset, size = _whole_number(entries, "offset"), _whole_number(entries, "length")
    if size is None and element in ELEMENT_BITS:
        count = ELEMENT_BITS[element]
        for dim in dims:
            count *= dim
        size = -(-count // 8)
    raw = external.part(entries.get("location", ""), offset or 0, size)
    return [*kept, head(RAW_DATA, len(raw)), raw]


def _whole_number(entries: dict[str, str], key: str) -> int | None:
    text = entries.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(f"external data of {key} {text[:40]!r}")
    return int(text)


def _size(pieces: Pieces) -> int:
    return sum(len(piece) for piece in pieces)
