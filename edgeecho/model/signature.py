"""Detached signatures of model files, which prove who made them where the user holds the maker's public key.

With `EDGEECHO_MODEL_KEY=KEY` each model file needs a signature of that key beside it. The key is the user's choice, and
so is its form: a public key of minisign, whose signature of FILE is `FILE.minisig`, or an Ed25519 public key in PEM, as
boards use it too (docs/device-update.md), with the 64 bytes of `openssl pkeyutl -sign -rawin` in `FILE.sig`. The
signature covers the bytes of FILE; of OpenVINO that is the `.xml` file, whose seal covers the `.bin`.
"""

import os
from collections.abc import Callable
from pathlib import Path

from edgeecho.errors import ConfigError, ModelFileError, require
from edgeecho.files import open_regular

ENVIRONMENT = "EDGEECHO_MODEL_KEY"
PEM = b"-----BEGIN PUBLIC KEY-----"
MINISIGN_SUFFIX, RAW_SUFFIX = ".minisig", ".sig"
MAX_BYTES = 1 << 16
"""Most bytes of a key or a signature."""

Verify = Callable[[bytes, bytes], None]
"""Takes bytes and their signature, and raises a ValueError unless the signature holds."""


def require_signed(path: Path, data: bytes) -> None:
    """Refuse a model file without a valid signature of this machine's key; without a key none is asked for.

    Args:
        path: Path of the file. Its signature is beside it, under its name with `.minisig` or `.sig` behind.
        data: Bytes of the file.

    Raises:
        ModelFileError: If the signature is missing, or is not of this key and these bytes.
        ConfigError: If the key cannot be read or is none.
        MissingExtraError: If the package that verifies signatures is not installed.
    """
    place = os.environ.get(ENVIRONMENT)
    if not place:
        return
    suffix, verify = _open_key(Path(place))
    beside = path.with_name(path.name + suffix)
    try:
        verify(data, _read(beside))
    except OSError as error:
        raise ModelFileError(
            f"{path.name}: its signature {beside.name} cannot be read ({error.strerror}); get one by the key {place}"
        ) from error
    except ValueError as error:
        raise ModelFileError(
            f"{path.name}: {beside.name} is no signature of this file by the key {place}; take both from one release"
        ) from error


def _open_key(place: Path) -> tuple[str, Verify]:
    """Return the suffix of a key's signatures, and what verifies one."""
    minisign = require("minisign", "signatures")  # which brings cryptography
    try:
        key = _read(place)
        if key.startswith(PEM):
            return RAW_SUFFIX, _verify_raw(key)
        public = minisign.PublicKey.from_bytes(key)
    except OSError as error:
        raise ConfigError(f"{ENVIRONMENT} {place}: cannot be read ({error.strerror}); give a public key") from error
    except ValueError as error:
        raise ConfigError(
            f"{ENVIRONMENT} {place}: no public key; give one of minisign, or an Ed25519 public key in PEM"
        ) from error
    return MINISIGN_SUFFIX, lambda data, signature: public.verify(data, minisign.Signature.from_bytes(signature))


def _verify_raw(key: bytes) -> Verify:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public = load_pem_public_key(key)
    except UnsupportedAlgorithm as error:
        raise ValueError("a kind of key that is not known") from error
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("a key of another kind")

    def verify(data: bytes, signature: bytes) -> None:
        try:
            public.verify(signature, data)
        except InvalidSignature as error:
            raise ValueError("the signature does not hold") from error

    return verify


def _read(path: Path) -> bytes:
    """Read a small file; what is longer than `MAX_BYTES` is cut, and then is no key and no signature."""
    with open_regular(path) as file:
        return file.read(MAX_BYTES)
