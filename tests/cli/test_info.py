"""`edgeecho info`: every checksum, the contents of a bundle, and its errors."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeecho.runtime import packaged_models
from tests.helpers import the_error

Command = Callable[..., tuple[int, str, str]]
MODEL = next(path for path in packaged_models() if path.name == "cl_unet_edge")


@pytest.mark.parametrize(
    "name", sorted(p.name for p in MODEL.iterdir() if p.suffix in (".safetensors", ".onnx", ".xml"))
)
def test_info_on_every_packaged_file(command: Command, name: str) -> None:
    code, stdout, _ = command("info", MODEL / name)
    assert code == 0
    files = [MODEL / name, *([(MODEL / name).with_suffix(".bin")] if name.endswith(".xml") else [])]
    assert stdout.startswith(f"{name}: checksum holds, {sum(f.stat().st_size for f in files):,} bytes\n")
    lines = [line.split(maxsplit=1) for line in stdout.splitlines()]
    assert ["name", "cl_unet_edge"] in [[part.strip() for part in line] for line in lines]
    assert ["licence", "CC-BY-NC-SA-4.0"] in [[part.strip() for part in line] for line in lines]
    assert ("state_0" in stdout) == name.startswith("stream")


def test_info_on_what_is_no_model(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "neither a file nor an installed model" in the_error(command("info", tmp_path / "none.onnx"), out)
    assert "not a model file" in the_error(command("info", MODEL / "bundle.json"), out)
    assert "no model file in this folder" in the_error(command("info", tmp_path), out)


@pytest.mark.parametrize("model", ["default", "cl_unet_edge", str(MODEL)])
def test_info_on_a_model_verifies_every_file(command: Command, model: str) -> None:
    code, stdout, _ = command("info", model)
    assert code == 0
    files = sorted(p.name for p in MODEL.iterdir() if p.suffix in (".safetensors", ".onnx", ".xml"))
    cells = [[cell.strip() for cell in line.split("│")] for line in stdout.splitlines()]
    assert sorted(row[1] for row in cells if len(row) > 2 and row[2] == "holds" and row[1] in files) == files


def test_info_says_all_that_a_bundle_holds(command: Command, tiny_bundle: Path, tmp_path: Path) -> None:
    code, stdout, _ = command("info", tiny_bundle, "--json", tmp_path / "info.json")
    assert code == 0
    for part in (
        "made by",
        "edgeecho export",
        "acceptance test",
        "window invariance",
        "onnxruntime",
        "not a medical device",
    ):
        assert part in stdout
    values = json.loads((tmp_path / "info.json").read_text())
    assert values["sound"] is True
    assert values["bundle"]["command"].startswith("edgeecho export tiny")
    assert {file["name"] for file in values["files"]} >= {"CARD.md", "card.png", "stream.int8.onnx"}


def test_info_on_a_bundle_whose_files_were_exchanged(command: Command, tiny_bundle: Path, tmp_path: Path) -> None:
    """A file that is sound, but not the one that was proven, is an error."""
    folder = tmp_path / "lv"
    shutil.copytree(tiny_bundle, folder)
    shutil.copyfile(MODEL / "clip.int8.onnx", folder / "clip.int8.onnx")
    (folder / "CARD.md").write_text("better than it is")
    code, _, stderr = command("info", folder)
    assert code == 1
    assert "clip.int8.onnx: sound, but not the file that bundle.json lists" in stderr
    assert "CARD.md: not the file that bundle.json lists" in stderr


@pytest.mark.parametrize(
    "index",
    [
        '{"files": []}',
        '{"files": {"../clip.int8.onnx": "00"}}',
        '{"files": {"clip.int8.onnx": 1}}',
        '{"files": {}, "proof": [{"file": "clip.int8.onnx"}]}',
        '{"files": {}, "soup": 3}',
        "[]",
        "{",
    ],
)
def test_info_on_an_index_that_makes_no_sense(command: Command, tiny_bundle: Path, tmp_path: Path, index: str) -> None:
    folder = tmp_path / "lv"
    shutil.copytree(tiny_bundle, folder)
    (folder / "bundle.json").write_text(index)
    assert "bundle.json: damaged; fetch or export the model again" in the_error(
        command("info", folder), tmp_path / "out"
    )


def test_info_on_a_damaged_bundle(command: Command, tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "lv")
    (tmp_path / "lv" / "clip.fp32.onnx").unlink()
    weights = bytearray((tmp_path / "lv" / "clip.int8.bin").read_bytes())
    weights[9] ^= 1
    (tmp_path / "lv" / "clip.int8.bin").write_bytes(weights)
    code, stdout, stderr = command("info", tmp_path / "lv")
    assert code == 1
    assert stdout.count(" refused ") == 2
    assert "clip.fp32.onnx: cannot be read" in stderr
    assert "clip.int8.xml: checksum does not hold" in stderr
