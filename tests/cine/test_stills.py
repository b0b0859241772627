"""Reading stills, and folders of stills as frames."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.errors import VideoError
from tests.cine.files import cut, error_line


def test_folder_in_natural_order(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    for t, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / f"frame{t}.png"), frame)
    (tmp_path / ".hidden.png").write_bytes(b"x")
    cine = read_cine(tmp_path)
    np.testing.assert_array_equal(cine.frames, frames)  # by text, frame10 would come before frame2
    assert (cine.name, cine.fps) == (tmp_path.name, None)
    cv2.imwrite(str(tmp_path / "frame3.png"), frames[3, :-1])
    assert "frame 3 is 64x47 pixels, frame 0 is 64x48" in error_line(tmp_path, capfd)
    cut(tmp_path / "frame2.png", 0.9)
    with pytest.raises(VideoError, match=r"frame2\.png: damaged or cut short"):
        read_cine(tmp_path)


def test_still(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    png, jpg = tmp_path / "a.png", tmp_path / "a.JPG"
    cv2.imwrite(str(png), frames[0])
    np.testing.assert_array_equal(read_cine(png).frames, frames[:1])
    jpg.write_bytes(cv2.imencode(".jpg", frames[0])[1].tobytes())
    assert np.abs(read_cine(jpg).frames[0].astype(int) - frames[0]).max() <= 6
    damaged = bytearray(png.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    png.write_bytes(damaged)
    assert "damaged or cut short" in error_line(png, capfd)
    assert "damaged or cut short" in error_line(cut(jpg, 0.9), capfd)
    png.write_bytes(b"GIF89a, not a PNG")
    assert "neither PNG nor JPG" in error_line(png, capfd)
    cv2.imwrite(str(png), frames[0, :5, :5])
    assert "frames of 5x5 pixels are too small; at least 16x16" in error_line(png, capfd)


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("share", [0.34, 0.9, 1])
def test_a_jpeg_that_was_cut_and_closed(tmp_path: Path, progressive: int, share: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: int(share * len(data)) - 2] + b"\xff\xd9")
    if share == 1:
        assert np.array_equal(read_cine(path).frames[0], cv2.imdecode(np.frombuffer(data, np.uint8), 0))
        return
    with pytest.raises(VideoError, match="damaged or cut short"):
        read_cine(path)
