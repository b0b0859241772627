"""Choice of the reader, grey from colour, and paths and files that are no cine."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine, to_grey
from edgeecho.errors import ConfigError, ShapeError
from tests.cine.files import error_line


def test_colour_becomes_grey(tmp_path: Path) -> None:
    colour = np.zeros((2, 32, 32, 3), np.uint8)
    colour[0, ..., 0], colour[1, ..., 2] = 200, 200  # red, then blue
    expected = [(77 * 200 + 128) >> 8, (29 * 200 + 128) >> 8]
    np.savez(tmp_path / "c.npz", frames=colour)
    assert read_cine(tmp_path / "c.npz").frames[:, 0, 0].tolist() == expected
    for t, frame in enumerate(colour):
        cv2.imwrite(str(tmp_path / f"{t}.png"), frame[..., ::-1])
    (tmp_path / "c.npz").unlink()
    assert read_cine(tmp_path).frames[:, 31, 31].tolist() == expected


def test_to_grey() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(to_grey(np.stack([levels] * 3, axis=-1)), levels)
    assert to_grey(levels) is levels
    for bad in (levels[0], levels.astype(float), np.zeros((1, 16, 16, 4), np.uint8)):
        with pytest.raises(ShapeError, match=r"expected frames uint8 \(T, H, W\)"):
            to_grey(bad)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.avi", b"", "the file is empty"),
        ("text.avi", b"this is only text\n" * 20, "not a video: it begins with b'this is '"),
        ("playlist.mp4", b"#EXTM3U\nhttp://localhost/a.ts\n", "not a video"),
        ("riff.avi", b"RIFF\x08\0\0\0AVI LIST", "no frame can be decoded"),
        ("box.mp4", b"\0\0\0\x10ftypisom\0\0\0\0", "no frame can be decoded"),
        ("head.mkv", b"\x1a\x45\xdf\xa3\x80", "no frame can be decoded"),
        ("a.nii.gz", b"\x1f\x8b\x08", "not a readable NIfTI"),
        ("a.npz", b"PK\x03\x04", "not a readable NPZ"),
        ("a.txt", b"text", "not a kind of cine that is read"),
    ],
)
def test_what_is_no_cine(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes, expected: str
) -> None:
    if ".nii" in name:
        pytest.importorskip("nibabel")
    (tmp_path / name).write_bytes(content)
    assert expected in error_line(tmp_path / name, capfd)


def test_paths_that_are_wrong(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no such file or folder" in error_line(tmp_path / "missing.avi", capfd)
    assert "no cine and no PNG frames in this folder" in error_line(tmp_path, capfd)
    os.mkfifo(tmp_path / "pipe.avi")
    assert "neither a file nor a folder" in error_line(tmp_path / "pipe.avi", capfd)  # and does not wait for a writer
    (tmp_path / "a.avi").write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("edgeecho.cine.read.open_regular", refuse)  # chmod means nothing to root
    assert "cannot be read: Permission denied" in error_line(tmp_path / "a.avi", capfd)


@pytest.mark.parametrize("roi", [(1, 2), "abcd", 5, (0, 0, 0, 8), (0, 0, 8, float("nan")), (0.0, 0, 8, 8)])
def test_a_part_that_is_none(tmp_path: Path, roi: Any) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, frames=np.zeros((2, 40, 40), np.uint8))
    with pytest.raises(ConfigError, match=r"roi must be \(x, y, width, height\) in whole pixels, got"):
        read_cine(path, roi=roi)
    assert len(read_cine(path, roi=(np.int64(1), 2, 20, 20)).frames) == 2
