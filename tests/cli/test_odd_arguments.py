"""Arguments that a script makes by mistake: empty ones, places that are no files, addresses of no kind."""

import os
from pathlib import Path

import numpy as np
import pytest

from edgeecho import read_cine
from edgeecho.batch.inputs import find_tasks
from edgeecho.batch.settings import CineOptions
from edgeecho.batch.source import local_copy
from edgeecho.cli import main
from edgeecho.dicom import Target, send_files
from edgeecho.errors import ConfigError, OutputError, VideoError
from edgeecho.files import atomic
from tests.cli.conftest import Command


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["segment", "", "--out", "results"], "an argument is empty; give one, or leave it out"),
        (["segment", "heart.npz", "--out", ""], "--out has no value; give one, or leave it out"),
        (["segment", "heart.npz", "--out", "results", "--send="], "--send has no value"),
        (["measure", "heart.json", "--labels", ""], "--labels has no value"),
    ],
)
def test_an_empty_argument_is_no_argument(
    arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["edgeecho", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "pipe", "below a file"])
def test_a_place_that_is_no_file_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "place"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("mine")
    before = path.stat()
    target = path / "inside.json" if kind == "below a file" else path
    with pytest.raises(OutputError, match=r"cannot write .*; choose"), atomic(target):
        pass
    assert path.stat() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["place"]


def test_a_place_for_figures_is_looked_at_before_the_work(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, stdout, stderr = command("eval", "no-model", "--data", "phantom:", "--json", tmp_path / "pipe")
    assert (code, stdout) == (1, "")
    assert "it is a folder, a pipe or a device; choose the name of a file" in stderr


@pytest.mark.parametrize("address", ["zip://*.avi::file:///etc/hostname", "nothing://*"])
def test_a_pattern_of_no_kind_is_one_error(address: str, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(VideoError, match="check the address"):
        find_tasks([address], str(tmp_path / "out"), CineOptions())


@pytest.mark.parametrize("address", ["zip://a.avi::file:///etc/hostname", "nothing://x", "zip://a::b"])
def test_an_address_of_no_kind_is_one_error(address: str) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(VideoError, match="check the address"), local_copy(address):
        pass


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a device of Unix")
def test_the_address_of_a_device_is_not_copied() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(VideoError, match=r"it is a pipe, a socket or a device"), local_copy("file:///dev/zero"):
        pass


@pytest.mark.parametrize("host", ["a" * 300, "b\u00fccher.invalid", "c\0"])
def test_a_host_that_cannot_be_is_one_error(host: str, tmp_path: Path, heart: np.ndarray) -> None:
    pytest.importorskip("pynetdicom")
    write = pytest.importorskip("tests.cine.dicom_files").write
    sent = write(tmp_path / "sent.dcm", heart[:2])
    with pytest.raises(OutputError, match=r"no such host|does not answer"):
        send_files([sent], Target(host, 104, "ARCHIVE"))


@pytest.mark.parametrize("stated", [{"fps": 1e-308}, {"fps": 10**400}, {"spacing_mm": (1e-300, 1e-300)}])
def test_sizes_that_overflow_later_are_refused_at_once(npz: Path, stated: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"got .*; the least is 0\.0"):
        read_cine(npz, **stated)  # type: ignore[arg-type]


def test_a_frame_is_a_decimal_number(command: Command, npz: Path, tmp_path: Path) -> None:
    command("segment", npz, "--out", tmp_path / "out", "--model", "cl_unet_nano", "--no-video", "--no-page")
    code, _, stderr = command("measure", tmp_path / "out" / "heart.json", "--mask", "\u00b2=mask.png")
    assert code == 2
    assert "--mask takes FRAME=FILE" in stderr
