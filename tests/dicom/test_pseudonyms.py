"""Pseudonyms by a key: the same for the same key alone, and a key that could be guessed is refused."""

import hashlib
import hmac
from pathlib import Path

import pytest

from edgeecho.dicom import Pseudonyms
from edgeecho.errors import ConfigError


def test_a_pseudonym_is_the_hmac_of_kind_and_text() -> None:
    key = b"0123456789abcdef"
    wanted = hmac.new(key, b"cine\0/data/loop.avi", hashlib.sha256).hexdigest()
    assert Pseudonyms(key).digest("cine", "/data/loop.avi") == wanted
    assert Pseudonyms(key).name("cine", "/data/loop.avi") == wanted[:24]
    assert Pseudonyms(key).name("patient", "/data/loop.avi") != wanted[:24]
    assert Pseudonyms(key + b"0").name("cine", "/data/loop.avi") != wanted[:24]
    assert key.decode() not in repr(Pseudonyms(key))


def test_key_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("0123456789abcdef\n")
    assert Pseudonyms.of_file(path) == Pseudonyms(b"0123456789abcdef")
    path.write_text("short")
    with pytest.raises(ConfigError, match=r"16 to 65536 bytes, this file has 5; make one with `openssl rand -hex 32`"):
        Pseudonyms.of_file(path)
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        Pseudonyms.of_file(tmp_path / "none")
