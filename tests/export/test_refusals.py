"""Refused exports: one clear line, and no file is left."""

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

import edgeecho.export.pipeline as pipeline_module  # noqa: E402
from edgeecho.errors import ConfigError, DataError, ExportError, ModelFileError, OutputError  # noqa: E402
from edgeecho.export.write.writers import WRITERS  # noqa: E402
from tests.helpers import draw_heart, export, tampered  # noqa: E402


@pytest.mark.parametrize("kind", ["onnx", "openvino", "ort"])
def test_a_graph_that_differs_is_refused(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    suffix = pipeline_module.SUFFIX[kind]
    write = WRITERS[suffix]
    wrong = lambda path, model, *rest: write(path, tampered(model, 1.1), *rest)  # noqa: E731
    monkeypatch.setitem(WRITERS, suffix, wrong)
    with pytest.raises(
        ExportError,
        match=r"clip\.fp32\.\w+ differs from (clip\.fp32\.onnx|its ONNX graph): levels \d+, limit 1; refused",
    ):
        export(
            str(tiny_bundle / "clip.fp32.onnx"),
            tmp_path / "out",
            precision="fp32",
            formats=(kind,),
            calib=f"camus:{camus}",
        )
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_whose_graph_differs_is_refused(
    tiny_bundle: Path, tiny_checkpoint: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edgeecho.export.graph.clip as graph_module

    wrong = tampered(onnx.load(tiny_bundle / "clip.fp32.onnx"), 1.001)
    monkeypatch.setattr(graph_module, "clip_graph", lambda network, size_px: wrong)
    with pytest.raises(ExportError, match=r"clip\.fp32 graph differs from PyTorch: logits"):
        export(str(tiny_checkpoint), tmp_path / "out", precision="fp32", formats=("onnx",), calib=f"camus:{camus}")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_export_leaves_the_earlier_bundle(
    tiny_bundle: Path, camus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(tiny_bundle, out)
    write = WRITERS[".onnx"]
    wrong = lambda path, model, *rest: write(path, tampered(model, 1.1), *rest)  # noqa: E731
    monkeypatch.setitem(WRITERS, ".onnx", wrong)
    with pytest.raises(ExportError):
        export(str(out / "clip.fp32.onnx"), out, precision="fp32", formats=("onnx",), calib=f"camus:{camus}")
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in tiny_bundle.iterdir()}
    assert list(tmp_path.iterdir()) == [out]


def test_an_earlier_bundle_is_replaced_but_for_what_people_put_there(
    tiny_bundle: Path, camus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(tiny_bundle, out)
    (out / "LICENSE").write_text("terms")
    source = str(out / "clip.fp32.onnx")
    export(source, out, precision="fp32", formats=("onnx",), forms=("clip",), calib=f"camus:{camus}")
    names = ["CARD.md", "LICENSE", "bundle.json", "card.png", "clip.fp32.edgeecho", "clip.fp32.onnx"]
    assert sorted(p.name for p in out.iterdir()) == names
    assert (out / "LICENSE").read_text() == "terms"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_no_bundle_is_not_touched(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("thesis", "file"):
        with pytest.raises(OutputError, match=f"{name}: exists and is no EdgeEcho bundle; choose another folder"):
            export(str(tiny_bundle), tmp_path / name)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == (tmp_path / "file").read_text() == "precious"


def test_a_folder_that_cannot_be_made(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        export(str(tiny_bundle), tmp_path / "file" / "out")


def test_what_cannot_be_exported(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    out, calib = tmp_path / "out", f"camus:{camus}"
    with pytest.raises(ModelFileError, match="no model 'nothing': neither a file nor an installed model"):
        export("nothing", out)
    with pytest.raises(
        ModelFileError, match=r"clip\.int8\.onnx: export starts from a checkpoint or an fp32 ONNX graph"
    ):
        export(str(tiny_bundle / "clip.int8.onnx"), out, calib=calib)
    with pytest.raises(ModelFileError, match=r"clip\.fp32\.xml: export starts from"):
        export(str(tiny_bundle / "clip.fp32.xml"), out, calib=calib)
    with pytest.raises(ModelFileError, match="holds neither a checkpoint nor"):
        export(str(camus), out, calib=calib)
    with pytest.raises(ConfigError, match="unknown precision 'int4'"):
        export(str(tiny_bundle), out, precision="int4")
    with pytest.raises(ConfigError, match="tflite"):
        export(str(tiny_bundle), out, formats=("tflite",))
    with pytest.raises(ConfigError, match="unknown data kind 'videos'"):
        export(str(tiny_bundle), out, calib="videos:here")
    with pytest.raises(DataError, match="no CAMUS data set here"):
        export(str(tiny_bundle), out, calib=f"camus:{tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_is_none(tiny_checkpoint: Path, tmp_path: Path) -> None:
    whole = tiny_checkpoint.read_bytes()
    cut, other = tmp_path / "cut.safetensors", tmp_path / "other.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    torch.save({"weights": torch.zeros(3)}, other)
    with pytest.raises(ModelFileError, match=r"cut\.safetensors: checksum does not hold, the file is damaged"):
        export(str(cut), tmp_path / "out")
    with pytest.raises(ModelFileError, match=r"other\.safetensors: .*no EdgeEcho"):
        export(str(other), tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.safetensors", "other.safetensors"]


def test_calibration_data_without_a_usable_frame(tiny_bundle: Path, tmp_path: Path) -> None:
    cines = tmp_path / "cines"
    cines.mkdir()
    with pytest.raises(DataError, match="no data set of cines here"):
        export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", calib=f"cine:{cines}")
    for name in ("a", "b", "c"):
        np.savez(cines / f"{name}.npz", frames=np.zeros((4, 60, 60), np.uint8))  # black
    with pytest.raises(DataError, match="0 patients with readable frames, at least 2 are needed to calibrate"):
        export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", calib=f"cine:{cines}")
    frames, _ = draw_heart(np.random.default_rng(3), frames=1)
    np.savez(cines / "a.npz", frames=frames)  # one frame only
    with pytest.raises(DataError, match="1 patients with readable frames, at least 2 are needed"):
        export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", calib=f"cine:{cines}")
    assert [p.name for p in tmp_path.iterdir()] == ["cines"]


@pytest.mark.parametrize("when", [".onnx", "write_streams", "compare_windows"])
@pytest.mark.parametrize(
    "trouble", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["full disk", "ctrl-c"]
)
def test_trouble_in_the_middle_leaves_nothing(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, trouble: BaseException
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise trouble

    if when in WRITERS:
        monkeypatch.setitem(WRITERS, when, fail)
    else:
        monkeypatch.setattr(pipeline_module, when, fail)
    expected = OutputError if isinstance(trouble, OSError) else KeyboardInterrupt
    with pytest.raises(expected, match="No space left on device" if expected is OutputError else None):
        export(str(tiny_bundle / "clip.fp32.onnx"), tmp_path / "out", precision="fp32", formats=("onnx",))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_while_the_card_is_written(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card is among the last files of a bundle; an earlier bundle is not changed."""
    out = tmp_path / "out"
    shutil.copytree(tiny_bundle, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def fail(path: Path, *rest: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        export(str(tiny_bundle / "clip.fp32.onnx"), out, precision="fp32", formats=("onnx",), forms=("clip",))
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_no_folder_for_temporary_files(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.gettempdir", fail)
    with pytest.raises(OutputError, match=r"No usable temporary directory found in \['/tmp'\]; set TMPDIR"):
        export(str(tiny_checkpoint), tmp_path / "out", precision="fp32", formats=("onnx",), forms=("clip",))
    assert list(tmp_path.iterdir()) == []
