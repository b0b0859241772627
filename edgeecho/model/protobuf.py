"""Reader of protobuf's wire format: the fields of a message, without a description of its type and without `onnx`."""

from collections.abc import Iterator

MAX_KEY = (1 << 32) - 1


def fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview, int]]:
    """Iterate over the fields of a message.

    Args:
        message: Bytes of the message.

    Yields:
        Number of the field, index of its first byte, its value, and the index after it. The value is a number, or the
        bytes of a string, a message or a number of fixed size.

    Raises:
        ValueError: If the bytes are no message.
    """
    at = 0
    while at < len(message):
        begin = at
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if not 0 < number <= MAX_KEY >> 3:
            raise ValueError(f"a protobuf field of number {number}")
        if wire == 0:
            value, at = _varint(message, at)
            yield number, begin, value, at
            continue
        if wire not in (1, 2, 5):
            raise ValueError(f"a protobuf field of wire type {wire}")
        size, at = _varint(message, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
        if at + size > len(message):
            raise ValueError("it ends within a field")
        yield number, begin, message[at : at + size], at + size
        at += size


def varints(packed: memoryview) -> list[int]:
    """Return the numbers of a packed field."""
    found, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number that begins at an index, and the index after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("it ends within a number")
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 10 bytes")


def head(number: int, size: int) -> bytes:
    """Return the bytes before the contents of a field of bytes: its key and its size."""
    found = bytearray()
    for value in (number << 3 | 2, size):
        while value > 127:
            found.append(value & 127 | 128)
            value >>= 7
        found.append(value)
    return bytes(found)
