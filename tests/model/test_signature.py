"""Signatures of model files: only what the key of this machine signed is opened."""

import shutil
from pathlib import Path

import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.sealed_file import read_verified
from edgeecho.model.signature import ENVIRONMENT
from edgeecho.runtime import packaged_models

minisign = pytest.importorskip("minisign")
from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402

NANO = next(path for path in packaged_models() if path.name == "cl_unet_nano")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(NANO / "stream.int8.onnx", tmp_path))


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "minisign.KeyPair":
    """A pair of keys of minisign, whose public one is this machine's."""
    made = minisign.KeyPair.generate()
    place = tmp_path / "ours.pub"
    place.write_bytes(bytes(made.public_key))
    monkeypatch.setenv(ENVIRONMENT, str(place))
    return made


def write_pem(place: Path, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
    place.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("hashed", [True, False])
def test_minisign(model: Path, pair: "minisign.KeyPair", *, hashed: bool) -> None:
    with pytest.raises(
        ModelFileError, match=r"its signature stream\.int8\.onnx\.minisig cannot be read \(No such file"
    ):
        read_verified(model)
    signature = bytes(pair.secret_key.sign(model.read_bytes(), prehash=hashed))
    beside = model.with_name(f"{model.name}.minisig")
    beside.write_bytes(signature)
    assert read_verified(model).spec.name == "cl_unet_nano"
    at = signature.index(b"trusted comment: ", 20) + 18
    beside.write_bytes(signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])
    with pytest.raises(ModelFileError, match="is no signature of this file by the key"):
        read_verified(model)


def test_a_sound_file_that_somebody_else_made(model: Path, pair: "minisign.KeyPair") -> None:
    """Its seal holds, as whoever writes a file can seal it."""
    beside = model.with_name(f"{model.name}.minisig")
    other = minisign.KeyPair.generate().secret_key
    for signature in (other.sign(model.read_bytes()), pair.secret_key.sign(model.read_bytes()[:-1])):
        beside.write_bytes(bytes(signature))
        with pytest.raises(ModelFileError, match="is no signature of this file by the key"):
            read_verified(model)
    beside.write_bytes(b"x" * 100_000)
    with pytest.raises(ModelFileError, match="is no signature of this file"):
        read_verified(model)


def test_a_key_in_pem(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, place = ed25519.Ed25519PrivateKey.generate(), tmp_path / "public.pem"
    write_pem(place, key)
    monkeypatch.setenv(ENVIRONMENT, str(place))
    beside = model.with_name(f"{model.name}.sig")
    beside.write_bytes(key.sign(model.read_bytes()))
    assert read_verified(model).spec.name == "cl_unet_nano"
    beside.write_bytes(key.sign(b"another file"))
    with pytest.raises(ModelFileError, match=r"onnx\.sig is no signature of this file"):
        read_verified(model)


def test_what_is_no_key(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "key"
    monkeypatch.setenv(ENVIRONMENT, str(place))
    with pytest.raises(ConfigError, match=r"EDGEECHO_MODEL_KEY .*: cannot be read \(No such file"):
        read_verified(model)
    write_pem(place, ec.generate_private_key(ec.SECP256R1()))
    for content in (place.read_bytes(), b"", b"\xff" * 90, b"-----BEGIN PUBLIC KEY-----\n", b"a\nb\n"):
        place.write_bytes(content)
        with pytest.raises(ConfigError, match="no public key; give one of minisign, or an Ed25519 public key in PEM"):
            read_verified(model)
