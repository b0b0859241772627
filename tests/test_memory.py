"""The budget of memory: sizes in words, the default, and one block's own."""

import pytest

from edgeecho.errors import ConfigError
from edgeecho.memory import (
    ENVIRONMENT,
    MIN_BYTES,
    PART,
    held_to_budget,
    in_words,
    machine_bytes,
    max_memory,
    memory_budget,
    parse_bytes,
)


def test_sizes() -> None:
    assert parse_bytes("2G", "x") == 2 << 30
    assert parse_bytes("1.5 GiB", "x") == 3 << 29
    assert parse_bytes("500m", "x") == 500 << 20
    assert parse_bytes("20000000", "x") == 20_000_000
    for text in ("", "2 X", "-1G", "1K", "nan", "1e9"):
        with pytest.raises(ConfigError, match="--max-memory must be a size of at least 16 MB"):
            parse_bytes(text, "--max-memory")
    assert [in_words(size) for size in (5, 500 << 20, 3 << 29, 3725 << 30)] == [
        "5 bytes",
        "500 MB",
        "1.5 GB",
        "3725 GB",
    ]


def test_the_budget_of_a_process_and_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert max_memory() == machine_bytes() // PART
    monkeypatch.setenv(ENVIRONMENT, "1G")
    assert max_memory() == 1 << 30
    with memory_budget(MIN_BYTES):
        assert max_memory() == MIN_BYTES
        with memory_budget(None):
            assert max_memory() == MIN_BYTES
    assert max_memory() == 1 << 30
    for size in (0, 1.5, "2G", True):
        with pytest.raises(ConfigError, match="max_memory must be a number of bytes"), memory_budget(size):  # type: ignore[arg-type]
            pass


def test_the_system_refuses_what_is_over_the_budget() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_budget(MIN_BYTES), held_to_budget(), pytest.raises(MemoryError):
        bytearray(2 << 30)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
