"""Tensors inside an ONNX file, found without the package `onnx`: whether one is outside of it, and finite weights."""

from collections.abc import Iterator

from edgeecho.errors import ModelFileError
from edgeecho.model.protobuf import fields

MAX_MESSAGE_DEPTH = 100
"""Deepest nesting of messages, as in protobuf's own parsers."""
TENSOR = "tensor"
NESTED: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: TENSOR, 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: TENSOR, 6: "graph", 10: TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: TENSOR, 2: TENSOR},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
}
"""Message of onnx.proto to its fields that contain tensors, directly or nested."""
DIMS, DATA_TYPE, FLOAT_DATA, RAW_DATA, DOUBLE_DATA, EXTERNAL_DATA, DATA_LOCATION = 1, 2, 4, 9, 10, 13, 14
"""Field numbers of a TensorProto."""
FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}
"""Type of the elements by ONNX's number, for those that may be no finite number."""


def require_sound_tensors(data: bytes) -> None:
    """Refuse an ONNX file that names another file for a tensor, or has a weight that is no finite number.

    Engines look for such a file in the current directory, where the seal does not reach.

    Raises:
        ModelFileError: If one does; the message does not name the file.
    """
    try:
        for tensor in _tensors(memoryview(data), "model", 0):
            _require_sound(tensor)
    except (ValueError, IndexError) as error:
        raise ModelFileError(f"no sound ONNX file ({error}); export it again") from error


def require_finite(values: bytes | memoryview, kind: str) -> None:
    """Refuse the bytes of a tensor of floats, of a type of `FLOATS`, with one that is no finite number.

    Raises:
        ModelFileError: If there is one, or the bytes are no whole number of values.
    """
    import numpy as np  # here, as `edgeecho --help` does not wait for it

    if len(values) % np.dtype(kind).itemsize or not np.isfinite(np.frombuffer(values, kind)).all():
        raise ModelFileError("one of its weights is no finite number; export it again")


def _require_sound(tensor: memoryview) -> None:
    element, floats = 0, list[tuple[str, memoryview]]()
    for number, _, value, _ in fields(tensor):
        if number == EXTERNAL_DATA or (number == DATA_LOCATION and value):
            raise ModelFileError("its weights are in another file, which the seal does not cover; export it again")
        if number == DATA_TYPE and isinstance(value, int):
            element = value
        if isinstance(value, memoryview) and number in (FLOAT_DATA, RAW_DATA, DOUBLE_DATA):
            floats.append(({FLOAT_DATA: "<f4", DOUBLE_DATA: "<f8"}.get(number, ""), value))
    for kind, value in floats:
        if kind := kind or FLOATS.get(element, ""):
            require_finite(value, kind)


def _tensors(message: memoryview, kind: str, depth: int) -> Iterator[memoryview]:
    """Yield the tensors of a message, at any depth."""
    if depth > MAX_MESSAGE_DEPTH:
        raise ValueError(f"messages more than {MAX_MESSAGE_DEPTH} deep")
    for number, _, value, _ in fields(message):
        child = NESTED[kind].get(number)
        if child is None or isinstance(value, int):
            continue
        if child == TENSOR:
            yield value
        else:
            yield from _tensors(value, child, depth + 1)
