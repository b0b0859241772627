"""Texts and tensors inside a graph of ONNX Runtime's own format, a flatbuffer, found without its schema.

The numbers of the fields are those of ONNX Runtime's `ort.fbs`.
"""

from collections.abc import Iterator

from edgeecho.errors import ModelFileError
from edgeecho.model.onnx_tensors import FLOATS, MAX_MESSAGE_DEPTH, require_finite

_MODEL, _GRAPH, _METADATA = 1, 7, 9
"""Field of the root with the model, and of the model with its graph and its texts."""
_TENSOR = "tensor"
_NESTED: dict[str, dict[int, tuple[str, bool]]] = {
    "model": {_GRAPH: ("graph", False)},
    "graph": {0: (_TENSOR, True), 2: ("node", True), 7: ("sparse", True)},
    "node": {10: ("attribute", True)},
    "attribute": {6: (_TENSOR, False), 7: ("graph", False), 11: (_TENSOR, True), 12: ("graph", True)},
    "sparse": {0: (_TENSOR, False), 1: (_TENSOR, False)},
}
"""Table to its fields that contain tensors, directly or nested: kind of the inner table, and whether it is a list."""
_DATA_TYPE, _RAW_DATA, _EXTERNAL_OFFSET = 3, 4, 6
"""Fields of a tensor."""


def ort_metadata(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the texts of a model, each with its key.

    Raises:
        LookupError: If the bytes are no such graph.
    """
    buffer = _Flatbuffer(data)
    for entry in buffer.tables(buffer.inner(buffer.follow(0), _MODEL), _METADATA):
        yield buffer.vector(entry, 0).decode(), buffer.vector(entry, 1).decode()


def require_sound_ort_tensors(data: bytes) -> None:
    """Refuse a graph that names another file for a tensor, or has a weight that is no finite number.

    Raises:
        ModelFileError: If it does; the message does not name the file.
    """
    buffer = _Flatbuffer(data)
    try:
        model = buffer.inner(buffer.follow(0), _MODEL)
        for tensor in _tensors(buffer, model, "model", 0, set()):
            if buffer.place(tensor, _EXTERNAL_OFFSET) is not None:
                raise ModelFileError("its weights are in another file, which the seal does not cover; export it again")
            at = buffer.place(tensor, _DATA_TYPE)
            kind = FLOATS.get(0 if at is None else buffer.number(at))
            if kind and buffer.place(tensor, _RAW_DATA) is not None:
                require_finite(buffer.vector(tensor, _RAW_DATA), kind)
    except LookupError as error:
        raise ModelFileError(f"no sound ORT file ({error}); export it again") from error


def _tensors(buffer: "_Flatbuffer", table: int, kind: str, depth: int, seen: set[int]) -> Iterator[int]:
    """Yield the positions of the tensors of a table, at any depth; each table is looked at once."""
    if depth > MAX_MESSAGE_DEPTH:
        raise LookupError(f"tables more than {MAX_MESSAGE_DEPTH} deep")
    if table in seen:
        return
    seen.add(table)
    if kind == _TENSOR:
        yield table
        return
    for field, (inner, is_list) in _NESTED[kind].items():
        if buffer.place(table, field) is not None:
            for at in buffer.tables(table, field) if is_list else (buffer.inner(table, field),):
                yield from _tensors(buffer, at, inner, depth + 1, seen)


class _Flatbuffer:
    """Little-endian numbers, tables and vectors of a flatbuffer; what leads past its end is a `LookupError`.

    Vectors may not have more bytes than the file in sum: in a hostile file, very many tables could share a long one.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, len(data)

    def number(self, at: int, size: int = 4) -> int:
        """Return the number at a position."""
        if not 0 <= at <= len(self._data) - size:
            raise LookupError("past the end")
        return int.from_bytes(self._data[at : at + size], "little")

    def follow(self, at: int) -> int:
        """Return the position that the offset at a position leads to."""
        return at + self.number(at)

    def place(self, table: int, field: int) -> int | None:
        """Return the position of a field's value in a table; None if it is left out."""
        layout = table - int.from_bytes(self.number(table).to_bytes(4, "little"), "little", signed=True)
        entry = 4 + 2 * field
        offset = self.number(layout + entry, 2) if entry < self.number(layout, 2) else 0
        return table + offset if offset else None

    def inner(self, table: int, field: int) -> int:
        """Return the position of the table or vector that a field leads to."""
        at = self.place(table, field)
        if at is None:
            raise LookupError("field left out")
        return self.follow(at)

    def tables(self, table: int, field: int) -> Iterator[int]:
        """Yield the positions of the tables of a field's vector."""
        vector = self.inner(table, field)
        for index in range(self._sized(vector, 4)):
            yield self.follow(vector + 4 + 4 * index)

    def vector(self, table: int, field: int) -> bytes:
        """Return the bytes of a field's text or vector of bytes."""
        at = self.inner(table, field)
        return self._data[at + 4 : at + 4 + self._sized(at, 1)]

    def _sized(self, at: int, element_bytes: int) -> int:
        """Return the number of elements of a vector, which lies in the file."""
        count = self.number(at)
        self._left -= count * element_bytes
        if at + 4 + count * element_bytes > len(self._data) or self._left < 0:
            raise LookupError("past the end")
        return count
