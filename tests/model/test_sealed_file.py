"""The seal: a model file with one wrong bit anywhere never reaches an engine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ModelFileError
from edgeecho.model.sealed_file import DIGEST_KEY, SPEC_KEY, UNSEALED, read_verified, seal
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime import load, packaged_models

# The file to open, and the file to damage, which is not the same for OpenVINO's weights.
KINDS = [
    ("cl_unet_edge.safetensors", "cl_unet_edge.safetensors"),
    ("clip.int8.onnx", "clip.int8.onnx"),
    ("clip.int8.xml", "clip.int8.xml"),
    ("clip.int8.xml", "clip.int8.bin"),
]
each_kind = pytest.mark.parametrize(("opened", "damaged"), KINDS, ids=[kind[1] for kind in KINDS])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged default model."""
    source = next(path for path in packaged_models() if path.name == "cl_unet_edge")
    for name in {name for kind in KINDS for name in kind}:
        shutil.copyfile(source / name, tmp_path / name)
    return tmp_path


@contextmanager
def byte_flipped(path: Path, place: int, bits: int) -> Iterator[None]:
    """One byte of a file changed, and put back."""
    with path.open("r+b") as file:
        file.seek(place)
        before = file.read(1)
        file.seek(place)
        file.write(bytes([before[0] ^ bits]))
    yield
    with path.open("r+b") as file:
        file.seek(place)
        file.write(before)


@pytest.mark.slow
@each_kind
def test_one_flipped_byte_anywhere(folder: Path, damaged: str, opened: str, rng: np.random.Generator) -> None:
    path = folder / damaged
    size = path.stat().st_size
    read_verified(folder / opened)
    data = path.read_bytes()
    own = [data.find(key.encode()) + k for key in (DIGEST_KEY, SPEC_KEY) if key.encode() in data for k in (0, 20, 40)]
    places = [0, 1, 7, 8, size // 2, size - 2, size - 1, *own, *rng.integers(0, size, 44)]
    for place in places:
        bits = int(rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255]))
        with byte_flipped(path, int(place), bits), pytest.raises(ModelFileError):
            read_verified(folder / opened)
    read_verified(folder / opened)


@each_kind
def test_a_file_cut_short_or_longer(folder: Path, damaged: str, opened: str) -> None:
    path = folder / damaged
    data = path.read_bytes()
    for size in (0, 1, 8, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(ModelFileError):
            read_verified(folder / opened)
    path.write_bytes(data + b"\0")
    with pytest.raises(ModelFileError, match="checksum does not hold"):
        read_verified(folder / opened)


@each_kind
def test_a_damaged_file_is_not_opened(folder: Path, damaged: str, opened: str) -> None:
    place = (folder / damaged).stat().st_size * 2 // 3
    with (
        byte_flipped(folder / damaged, place, 1),
        pytest.raises(ModelFileError, match=f"{opened}: checksum does not hold"),
    ):
        load(folder / opened)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    shutil.copyfile(
        next(p for p in packaged_models() if p.name == "cl_unet_edge") / "stream.int8.bin", folder / "clip.int8.bin"
    )
    with pytest.raises(ModelFileError, match="checksum does not hold"):
        read_verified(folder / "clip.int8.xml")


def test_openvino_weights_that_are_missing(folder: Path) -> None:
    (folder / "clip.int8.bin").unlink()
    with pytest.raises(ModelFileError, match=r"clip\.int8\.bin: cannot be read"):
        read_verified(folder / "clip.int8.xml")


@pytest.mark.parametrize("opened", dict.fromkeys(kind[0] for kind in KINDS))
def test_a_whole_file_tells_its_spec(folder: Path, opened: str) -> None:
    data, spec, *_ = read_verified(folder / opened)
    assert data == (folder / opened).read_bytes()
    assert spec.name == "cl_unet_edge"
    assert spec.form == ("checkpoint" if opened.endswith(".safetensors") else "clip")
    assert spec.precision == ("fp32" if opened.endswith(".safetensors") else "int8")
    assert spec.licence == "CC-BY-NC-SA-4.0"
    assert "camus" in spec.trained_on.lower()


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx", ".xml"])
@pytest.mark.parametrize("data", [b"", b"hello", bytes(1000), b"\xff" * 1000], ids=["empty", "text", "zeros", "ones"])
def test_what_is_no_model(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(data)
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelFileError, match=f"model{suffix}: found 0 EdgeEcho checksums"):
        read_verified(path)


@pytest.mark.parametrize(
    ("suffix", "body"),
    [
        (".onnx", b"\x12\x40"),
        (".safetensors", b'":"'),
        (".xml", b' value="'),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xff\xff\xff\xff", b"[" * 100_000, b"\x80" * 100_000])
def test_a_seal_that_holds_around_nonsense(tmp_path: Path, suffix: str, body: bytes, before: bytes) -> None:
    """A valid seal proves nothing about the contents, which are checked too."""
    size = len(before).to_bytes(8, "little") if suffix == ".safetensors" else b""
    path = tmp_path / f"model{suffix}"
    path.write_bytes(seal(size + before + DIGEST_KEY.encode() + body + UNSEALED.encode()))
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelFileError, match="no model spec inside"):
        read_verified(path)


def test_two_seals_are_none() -> None:
    one = DIGEST_KEY.encode() + b' value="' + UNSEALED.encode()
    assert seal(one) != one
    with pytest.raises(ModelFileError, match="found 2"):
        seal(one + one)


def test_the_seal_is_the_digest_of_the_file_with_zeros() -> None:
    import hashlib

    head, tail = b"before" + DIGEST_KEY.encode() + b' value="', b'" after'
    sealed = seal(head + UNSEALED.encode() + tail, b"companion")
    wanted = hashlib.sha256(head + b"0" * 64 + tail + b"\x09" + bytes(7) + b"companion").hexdigest()
    assert sealed == head + wanted.encode() + tail


@pytest.mark.parametrize("name", ["model.pt", "model", "model.onnx.txt", "model.ONNX"])
def test_wrong_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelFileError, match="not a model file; expected one of"):
        read_verified(tmp_path / name)


@pytest.mark.parametrize("name", ["none.onnx", "none.xml", "none.safetensors"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match=r"No such file"):
        read_verified(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_verified(tmp_path / "folder.onnx")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)  # takes no space on disk
    with pytest.raises(ModelFileError, match="more than the 1073741824 allowed"):
        read_verified(path)


def test_a_spec_of_another_version(tmp_path: Path) -> None:
    text = ModelSpec(name="x", family="cl_unet").to_json().replace('"format_version":1', '"format_version":9')
    xml = f'<{SPEC_KEY} value="{text.replace(chr(34), "&quot;")}"/><{DIGEST_KEY} value="{UNSEALED}"/>'
    (tmp_path / "model.xml").write_bytes(seal(xml.encode()))
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ModelFileError, match="format version 9, this EdgeEcho reads 1"):
        read_verified(tmp_path / "model.xml")
