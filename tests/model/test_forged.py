"""Model files that are sealed and wrong, a forged index, and the list of allowed files."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

import edgeecho
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model import native_file, strict_json
from edgeecho.model.allowed import ENVIRONMENT
from edgeecho.model.index_seal import SEAL_KEY, write_index_file
from edgeecho.model.integrity import verify_model
from edgeecho.model.registry import packaged_models
from edgeecho.model.sealed_file import read_verified

pytest.importorskip("onnx")

from tests.robustness import models as forged


@pytest.mark.parametrize(
    ("forgery", "says"),
    [
        (forged._external, "its weights are in another file, which the seal does not cover"),
        (forged._nan, "one of its weights is no finite number"),
        (forged._duplicate, "a key stands twice in one object"),
        (forged._deep, "too deep"),
        (lambda: forged._with_spec("name", "\x1b[31mred"), "characters that cannot be printed"),
        (
            lambda: forged._with_spec("size_px", 48),
            r"its graph takes 'frame' as uint8 \[1, 1, 112, 112\], its spec says",
        ),
        (lambda: forged._with_spec("state", []), "its graph takes other tensors than its spec names"),
        (lambda: forged._with_spec("frames", 2**40), "frames must be from 1 to 4096"),
    ],
)
def test_a_sealed_file_that_is_wrong(tmp_path: Path, forgery: object, says: str) -> None:
    assert callable(forgery)
    _, suffix, data = forgery()
    path = tmp_path / f"forged{suffix}"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=says) as caught:
        edgeecho.stream(path, threads=1)
    assert str(caught.value).startswith("forged.onnx: ")


def test_an_index_that_is_forged(tmp_path: Path) -> None:
    folder = tmp_path / "cl_unet_nano"
    shutil.copytree(forged.NANO, folder)
    path = folder / "bundle.json"
    index = json.loads(path.read_text())
    assert verify_model(str(folder)).index["licence"] == index["licence"]
    better = json.dumps(index).replace(index["licence"], "CC0-1.0")
    path.write_text(better)
    with pytest.raises(ModelFileError, match="damaged"):
        verify_model(str(folder))
    write_index_file(path, json.loads(better))  # sealed again
    assert any("what the sealed files do not" in error for error in verify_model(str(folder)).errors)
    path.write_text(json.dumps({key: value for key, value in index.items() if key != SEAL_KEY}))
    report = verify_model(str(folder))
    assert (report.index, report.errors) == ({}, [])
    assert "has no seal" in report.note


@pytest.mark.parametrize("folder", packaged_models(), ids=lambda folder: folder.name)
def test_packaged_indexes_are_sealed(folder: Path) -> None:
    # if not: python -m edgeecho.model.index_seal models/*/
    assert SEAL_KEY in json.loads((folder / "bundle.json").read_text())


def test_only_models_of_the_list_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, allowed = forged.NANO / "stream.int8.onnx", tmp_path / "allowed"
    monkeypatch.setenv(ENVIRONMENT, str(allowed))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_verified(path)
    allowed.write_text(f"# ours\n{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    read_verified(path)
    with pytest.raises(ModelFileError, match=r"clip\.int8\.onnx: not one of the models allowed here"):
        read_verified(path.with_name("clip.int8.onnx"))
    allowed.write_text("everything\n")
    with pytest.raises(ConfigError, match="line 1 has no SHA-256"):
        read_verified(path)


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"a":NaN}', '["\\u001b"]', "[" * 100_000, "", "{"])
def test_json_that_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        strict_json.parse(text)


@pytest.mark.parametrize("text", ['{"a":"1","a":"2"}', '["\\u001b"]', "[" * 100_000])
def test_texts_of_a_native_plan_that_are_refused(text: str) -> None:
    plan = native_file.HEADER.pack(native_file.MAGIC, 1, native_file.HEADER.size, *[0] * 8)
    assert native_file.metadata(plan + b'{"a":"1"}') == {"a": "1"}
    with pytest.raises(ValueError):  # noqa: PT011
        native_file.metadata(plan + text.encode())
