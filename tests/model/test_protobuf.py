"""Protobuf's wire format, byte by byte, as its specification gives it."""

import pytest

from edgeecho.model.protobuf import fields, head, varints


def read(message: bytes) -> list[tuple[int, int, int | bytes, int]]:
    return [
        (n, begin, bytes(v) if isinstance(v, memoryview) else v, end)
        for n, begin, v, end in fields(memoryview(message))
    ]


def test_a_number_and_a_text() -> None:
    """The examples of protobuf's own documentation: 150 in field 1, and "testing" in field 2."""
    assert read(b"\x08\x96\x01") == [(1, 0, 150, 3)]
    assert read(b"\x12\x07testing") == [(2, 0, b"testing", 9)]
    assert read(b"\x08\x96\x01\x12\x07testing") == [(1, 0, 150, 3), (2, 3, b"testing", 12)]
    assert read(b"") == []


def test_numbers_of_fixed_size() -> None:
    assert read(b"\x09ABCDEFGH\x15abcd\x18\x01") == [(1, 0, b"ABCDEFGH", 9), (2, 9, b"abcd", 14), (3, 14, 1, 16)]


def test_a_field_of_a_large_number() -> None:
    """Key 2^29 - 1 is the largest; its key with wire type 0 takes five bytes."""
    assert read(b"\xf8\xff\xff\xff\x0f\x07") == [((1 << 29) - 1, 0, 7, 6)]
    with pytest.raises(ValueError, match=r"a protobuf field of number 536870912$"):
        read(b"\x80\x80\x80\x80\x10\x07")
    with pytest.raises(ValueError, match=r"a protobuf field of number 0$"):
        read(b"\x00\x07")


@pytest.mark.parametrize("wire", [3, 4, 6, 7])
def test_groups_and_unknown_types_are_refused(wire: int) -> None:
    with pytest.raises(ValueError, match=f"wire type {wire}$"):
        read(bytes([1 << 3 | wire, 0]))


@pytest.mark.parametrize("message", [b"\x12\x08testing", b"\x09ABCDEFG", b"\x15abc", b"\x12\x01"])
def test_a_field_that_is_cut(message: bytes) -> None:
    with pytest.raises(ValueError, match="it ends within a field"):
        read(message)


@pytest.mark.parametrize("message", [b"\x08", b"\x08\x96", b"\x80", b"\x12", b"\x12\x80"])
def test_a_number_that_is_cut(message: bytes) -> None:
    with pytest.raises(ValueError, match="it ends within a number"):
        read(message)


def test_numbers_of_ten_bytes_and_no_more() -> None:
    assert read(b"\x08" + b"\x80" * 9 + b"\x01") == [(1, 0, 1 << 63, 11)]
    assert read(b"\x08" + b"\xff" * 9 + b"\x01")[0][2] == (1 << 64) - 1
    with pytest.raises(ValueError, match="a number of more than 10 bytes"):
        read(b"\x08" + b"\x80" * 10 + b"\x01")


def test_packed_numbers() -> None:
    assert varints(memoryview(b"\x03\x8e\x02\x9e\xa7\x05")) == [3, 270, 86942]  # of protobuf's documentation
    assert varints(memoryview(b"")) == []


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 16_383, 16_384])
@pytest.mark.parametrize("number", [1, 15, 16, 2047, 2048])
def test_the_head_of_a_field_is_read_again(number: int, size: int) -> None:
    found = head(number, size)
    assert read(found + bytes(size)) == [(number, 0, bytes(size), len(found) + size)]


def test_heads_byte_by_byte() -> None:
    assert head(2, 7) == b"\x12\x07"
    assert head(16, 128) == b"\x82\x01\x80\x01"
    assert head(1, 1 << 28) == b"\x0a\x80\x80\x80\x80\x01"
