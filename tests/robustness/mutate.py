"""Mutations of bytes: what damaged disks, cut transfers and an attacker do to a file."""

import numpy as np

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 60000, 1 << 20)
_HEADER_BYTES = 512


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return damaged bytes: one to four mutations, more of them where headers mostly are."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if not found:
            break
        _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](found, rng)
    return bytes(found)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    most = min(len(data), _HEADER_BYTES) if rng.random() < 0.5 else len(data)
    return int(rng.integers(max(1, most)))


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng) % len(data)] ^= 1 << int(rng.integers(8))


def _byte(data: bytearray, rng: np.random.Generator) -> None:
    data[_place(data, rng) % len(data)] = int(rng.integers(256))


def _number(data: bytearray, rng: np.random.Generator) -> None:
    at, size = _place(data, rng), int(rng.choice([2, 4, 8]))
    value = int(_NUMBERS[int(rng.integers(len(_NUMBERS)))]) & ((1 << 8 * size) - 1)
    data[at : at + size] = value.to_bytes(size, "little" if rng.random() < 0.5 else "big")


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(len(data))) :]


def _remove(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, 64))]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    at = _place(data, rng)
    data[at:at] = data[at : at + int(rng.integers(1, 256))]


def _noise(data: bytearray, rng: np.random.Generator) -> None:
    at, size = _place(data, rng), int(rng.integers(1, 64))
    data[at : at + size] = rng.bytes(size)


def _swap(data: bytearray, rng: np.random.Generator) -> None:
    a, b, size = _place(data, rng), _place(data, rng), int(rng.integers(1, 32))
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]


_MUTATIONS = (_flip, _byte, _number, _cut, _remove, _repeat, _noise, _swap)
