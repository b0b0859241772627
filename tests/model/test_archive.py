"""Model archives: packed, added, and refused where they are not what they should be."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.archive import add_archive, write_archive
from edgeecho.model.registry import added_models_folder, installed_models, locate, model_folder

NAME = "cl_unet_nano"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a packaged model."""
    return write_archive(NAME, tmp_path_factory.mktemp("archives"))


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for added models."""
    monkeypatch.setenv("EDGEECHO_MODELS", str(tmp_path / "models"))
    return added_models_folder()


def altered(archive: Path, out: Path, **files: bytes | None) -> Path:
    """A copy of an archive in which some files have other contents, or are missing where that is None."""
    path = out / archive.name
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w") as copy:
        kept = {entry.filename: source.read(entry) for entry in source.infolist()}
        for name, data in {**kept, **{f"{NAME}/{name}": data for name, data in files.items()}}.items():
            if data is not None:
                copy.writestr(name, data)
    return path


def test_a_user_without_a_home_has_the_packaged_models_alone(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run under a number that has no name there."""

    def nobody(number: int) -> None:
        raise KeyError(number)

    for name in ("EDGEECHO_MODELS", "HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert NAME in [folder.name for folder in installed_models()]
    with pytest.raises(ConfigError, match="this user has no home directory; set EDGEECHO_MODELS"):
        add_archive(archive)


def test_the_same_bundle_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert write_archive(NAME, tmp_path).read_bytes() == archive.read_bytes()
    line = archive.with_name(f"{archive.name}.sha256").read_text()
    assert line == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n"


def test_an_added_model_takes_the_packaged_ones_place(archive: Path, added: Path) -> None:
    assert add_archive(archive) == added / NAME == model_folder(NAME)
    assert locate(NAME).path.parent == added / NAME
    assert [folder.name for folder in installed_models()].count(NAME) == 1
    packaged = locate("default").path.parent.with_name(NAME)
    for path in (added / NAME).iterdir():
        assert path.read_bytes() == (packaged / path.name).read_bytes()
    assert add_archive(archive) == added / NAME  # a second time
    assert [path.name for path in added.iterdir()] == [NAME]


def test_a_model_that_is_added_is_named_as_any_other(archive: Path, added: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        other = tmp_path / "other.zip"
        with zipfile.ZipFile(other, "w") as copy:
            for entry in source.infolist():
                copy.writestr(f"mine/{Path(entry.filename).name}", source.read(entry))
    add_archive(other)
    assert locate("mine", form="stream").path == added / "mine" / "stream.int8.onnx"
    assert "mine" in [folder.name for folder in installed_models()]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"clip.int8.onnx": b"no model"}, r"clip\.int8\.onnx: "),
        ({"clip.int8.onnx": None}, r"clip\.int8\.onnx: cannot be read"),
        ({"card.png": b"another picture"}, r"card\.png: not the file that bundle\.json lists"),
        ({"bundle.json": None}, r"has no bundle\.json"),
        ({"bundle.json": b"{"}, r"bundle\.json: damaged"),
        ({"start.py": b"print()"}, r"holds start\.py, which its bundle\.json does not list"),
        ({"../outside.txt": b""}, "not a model archive"),
        ({".hidden": b""}, "not a model archive"),
        ({"sub/file": b""}, "not a model archive"),
        ({"back\\slash": b""}, "not a model archive"),
        ({f"{k}.txt": b"" for k in range(100)}, "not a model archive"),
    ],
)
def test_archives_that_are_not_whole(
    archive: Path, added: Path, tmp_path: Path, files: dict[str, bytes | None], says: str
) -> None:
    with pytest.raises(ModelFileError, match=says):
        add_archive(altered(archive, tmp_path, **files))
    assert list(added.iterdir()) == []
    assert not (tmp_path / "outside.txt").exists()


def test_files_that_are_no_archives(archive: Path, added: Path, tmp_path: Path) -> None:
    cut, empty = tmp_path / "cut.zip", tmp_path / "empty.zip"
    cut.write_bytes(archive.read_bytes()[:-2000])
    with zipfile.ZipFile(empty, "w"):
        pass
    for path in (cut, empty):
        with pytest.raises(ModelFileError, match=f"{path.name}: not a model archive"):
            add_archive(path)
    with pytest.raises(ModelFileError, match=r"none\.zip: cannot be read"):
        add_archive(tmp_path / "none.zip")
    with pytest.raises(ModelFileError, match=f"{tmp_path.name}: cannot be read"):
        add_archive(tmp_path)
    twice = altered(archive, tmp_path)
    with zipfile.ZipFile(twice, "a") as copy, pytest.warns(UserWarning, match="Duplicate name"):
        copy.writestr(f"{NAME}/LICENSE", "another licence")
    with pytest.raises(ModelFileError, match="not a model archive"):
        add_archive(twice)
    assert list(added.iterdir()) == []


def test_archives_that_are_damaged(archive: Path, added: Path, tmp_path: Path) -> None:
    """Bits are flipped in the compressed model files, where zlib, the checksum of the archive or ours finds them."""
    path, rng = tmp_path / archive.name, np.random.default_rng(0)
    with zipfile.ZipFile(archive) as source:
        weights = next(entry for entry in source.infolist() if entry.filename.endswith(".onnx"))
    for at in weights.header_offset + 200 + rng.integers(0, weights.compress_size - 200, 40):
        data = bytearray(archive.read_bytes())
        data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        with pytest.raises(ModelFileError, match="not a model archive"):
            add_archive(path)
    assert list(added.iterdir()) == []


def test_the_checksum_beside_an_archive_is_compared(archive: Path, added: Path, tmp_path: Path) -> None:
    copy = tmp_path / archive.name
    copy.write_bytes(archive.read_bytes())
    copy.with_name(f"{copy.name}.sha256").write_text(f"{'0' * 64}  {copy.name}\n")
    with pytest.raises(ModelFileError, match=r"not the file that .*\.sha256 names \(SHA-256 \w{64}\); fetch it again"):
        add_archive(copy)
    copy.with_name(f"{copy.name}.sha256").write_text("")
    with pytest.raises(ModelFileError, match="cannot be compared"):
        add_archive(copy)
    assert not added.exists()


def test_what_is_too_large_is_not_unpacked(
    archive: Path, added: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size that an entry states is bounded, and no more is read than it states."""
    path = altered(archive, tmp_path, **{"card.png": b""})
    data = path.read_bytes()
    with zipfile.ZipFile(path) as source:
        entry = source.getinfo(f"{NAME}/card.png")
    at = data.rindex(entry.filename.encode()) - 46
    size = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data[: at + 24] + size + data[at + 28 :])
    with pytest.raises(ModelFileError, match=r"\d+ bytes unpacked, more than the 1073741824 allowed"):
        add_archive(path)


def test_what_is_no_bundle_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    for model in ("unheard_of", str(tmp_path / "bundle")):
        with pytest.raises(ModelFileError, match="no bundle to pack"):
            write_archive(model, tmp_path)
    (tmp_path / "bundle" / "bundle.json").write_text(json.dumps({"files": {"clip.int8.onnx": "0" * 64}}))
    with pytest.raises(ModelFileError, match="cannot be read"):
        write_archive(str(tmp_path / "bundle"), tmp_path)
