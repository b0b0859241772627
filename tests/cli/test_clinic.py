"""Flags of the clinic: products, pseudonyms, covered text and sending, from the command line."""

import csv
import json
import socket
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import find_cines
from tests.cli.conftest import Command
from tests.helpers import the_error

pytest.importorskip("pydicom", reason="products are written by pydicom")
pytest.importorskip("highdicom", reason="reports are made by highdicom")
FAST = ("--model", "cl_unet_nano", "--threads", 1, "--no-video")


@pytest.fixture
def named(tmp_path: Path, heart: np.ndarray) -> Path:
    """A cine whose file is called by a name that is burnt in too."""
    frames = np.zeros((len(heart), 200, 240), np.uint8)
    frames[:, 60:188, 60:188] = heart
    for frame in frames:
        cv2.putText(frame, "DOE JANE", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 230, 1)
    folder = tmp_path / "wardseven"
    folder.mkdir()
    path = folder / "DoerflerJane.npz"
    np.savez(path, frames=frames, fps=25, spacing_mm=(0.9, 0.8))
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    return path


def test_pseudonyms_stand_everywhere(command: Command, named: Path, key: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "map.csv"
    (named.parent / "DoerflerJohn.avi").write_bytes(b"no video")
    flags = ["--dicom-out", "seg", "--fhir", "--pseudonym", key, "--pseudonym-map", table]
    code, stdout, stderr = command("segment", named.parent, "--out", out, *flags, *FAST)
    assert (code, "Traceback" in stderr) == (1, False), stderr  # one is no video
    with table.open(newline="") as file:
        names = {Path(row["input"]).name: row["name"] for row in csv.DictReader(file)}
    assert set(names) == {"DoerflerJane.npz", "DoerflerJohn.avi"}
    assert table.stat().st_mode & 0o077 == 0
    name = names["DoerflerJane.npz"]
    suffixes = {".npz", ".png", ".json", ".seg.dcm", ".cine.dcm", ".fhir.json"}
    assert {path.name for path in out.iterdir()} >= {name + suffix for suffix in suffixes}
    assert json.loads((out / f"{name}.json").read_text())["input"] == name
    known = (b"Doerfler", b"wardseven")
    for path in out.iterdir():
        assert not [word for word in known if word in path.name.encode() + path.read_bytes()], path.name
    assert not [word for word in ("Doerfler", "wardseven") if word in stdout + stderr]
    assert f"error: {names['DoerflerJohn.avi']}: " in stderr
    code, stdout, _ = command("segment", named, "--out", out, *flags[:-2], "--resume", *FAST)
    assert (code, name in stdout) == (0, True)
    assert find_cines([out]) == [out]  # nothing of it is a cine


def test_blur_text_covers_the_pictures_that_are_written(command: Command, named: Path, tmp_path: Path) -> None:
    pydicom: Any = pytest.importorskip("pydicom")
    for flags in ([], ["--blur-text"]):
        code, _, stderr = command("segment", named, "--out", tmp_path / "out", "--dicom-out", "cine", *flags, *FAST)
        assert code == 0, stderr
        pixels = pydicom.dcmread(tmp_path / "out" / "DoerflerJane.cine.dcm").pixel_array
        assert (pixels[:, 5:30, 5:110].max() > 0) is not flags
        assert np.array_equal(pixels[:, 80:180, 70:180], np.load(named)["frames"][:, 80:180, 70:180])
    code, _, stderr = command("segment", named, "--out", tmp_path / "out", "--dicom-out", "cine", "--resume", *FAST)
    assert code == 0
    assert (
        pydicom.dcmread(tmp_path / "out" / "DoerflerJane.cine.dcm").pixel_array[:, 5:30, 5:110].max() > 0
    )  # made again


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dicom-out", "sr,srx"], "--dicom-out takes sr, seg, capture, cine with commas between, got 'srx'"),
        (["--send", "host:104/AET"], "--send host:104/AET: nothing to send; choose it with --dicom-out"),
        (["--send", "host", "--dicom-out", "sr"], "--send takes HOST:PORT/AET"),
        (["--pseudonym", "no-file"], "--pseudonym no-file: cannot be read: No such file or directory; make one with"),
        (["--pseudonym-map", "map.csv"], "--pseudonym-map needs --pseudonym KEYFILE"),
    ],
)
def test_flags_that_make_no_sense(command: Command, npz: Path, tmp_path: Path, flags: list[str], message: str) -> None:
    out = tmp_path / "out"
    assert message in the_error(command("segment", npz, "--out", out, *flags, *FAST), out)


def test_a_missing_extra_is_named_before_anything_is_written(
    command: Command, npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    out = tmp_path / "out"
    error = the_error(command("segment", npz, "--out", out, "--dicom-out", "sr", *FAST), out)
    assert error == "error: highdicom is not installed: pip install 'edgeecho[dicom-out]'"


def test_serve_names_what_is_wrong(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("pynetdicom", reason="the receiver is made with pynetdicom")
    out = tmp_path / "out"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, stdout, stderr = command("serve", "--dicom", port, "--out", out, *FAST)
    assert (code, stdout) == (2, "")
    assert f"error: cannot listen at 127.0.0.1:{port}: Address already in use; choose another --dicom port" in stderr
    assert "--dicom takes a port" in the_error(command("serve", "--dicom", 70000, "--out", out / "b", *FAST), out / "b")
