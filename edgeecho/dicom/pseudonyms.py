"""Pseudonyms: names and identifiers that only the owner of a key can lead back, by HMAC-SHA-256 (RFC 2104)."""

import hashlib
import hmac
import os

from edgeecho.errors import ConfigError
from edgeecho.files import open_regular

MIN_KEY_BYTES = 16
"""A shorter key could be guessed."""
MAX_KEY_BYTES = 1 << 16
DIGITS = 24
"""Hexadecimal digits of a pseudonym: 96 bits, so that two of a thousand million cines are not equal by chance."""


class Pseudonyms:
    """Pseudonyms by a key. The same key and text give the same pseudonym."""

    def __init__(self, key: bytes) -> None:
        """
        Args:
            key: Secret, at least `MIN_KEY_BYTES` long.

        Raises:
            ConfigError: If it is too short.
        """
        if len(key) < MIN_KEY_BYTES:
            raise ConfigError(f"the key of pseudonyms needs {MIN_KEY_BYTES} bytes or more, got {len(key)}")
        self._key = key

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> "Pseudonyms":
        """Read the key from a file; white space at its ends does not count.

        Raises:
            ConfigError: If it cannot be read, or holds too little or too much.
        """
        advice = "make one with `openssl rand -hex 32`"
        try:
            with open_regular(path) as file:
                key = file.read(MAX_KEY_BYTES + 1).strip()
        except OSError as error:
            raise ConfigError(f"--pseudonym {path}: cannot be read: {error.strerror}; {advice}") from error
        if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
            found = f"a key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, this file has {len(key)}"
            raise ConfigError(f"--pseudonym {path}: {found}; {advice}")
        return cls(key)

    def __repr__(self) -> str:
        return "Pseudonyms(key not shown)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pseudonyms) and hmac.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def name(self, kind: str, text: str) -> str:
        """Return the pseudonym of a text, `DIGITS` hexadecimal digits.

        Args:
            kind: What is named, such as `cine`; the same text has another pseudonym for another kind.
            text: What is replaced.
        """
        return self.digest(kind, text)[:DIGITS]

    def digest(self, kind: str, text: str) -> str:
        """Return the whole HMAC-SHA-256, 64 hexadecimal digits; arguments are those of `name`."""
        message = f"{kind}\0{text}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
