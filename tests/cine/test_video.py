"""Reading video: every container, colour, frame rates, and files that are cut or promise too much."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.grey import stack_frames
from edgeecho.errors import ConfigError, VideoError
from edgeecho.memory import memory_budget
from tests.cine.files import FRAMES, cut, error_line, write_gif, write_video


@pytest.mark.parametrize(
    ("name", "codec", "error"),
    [
        ("a.avi", "MJPG", 6),
        ("a.mkv", "MJPG", 6),
        ("a.mp4", "mp4v", 40),
        ("A.MOV", "mp4v", 40),
        ("lossless.avi", "FFV1", 1),
    ],
)
def test_video(tmp_path: Path, frames: np.ndarray, name: str, codec: str, error: int) -> None:
    cine = read_cine(write_video(tmp_path / name, frames, codec))
    assert cine.frames.shape == frames.shape
    assert np.abs(cine.frames.astype(int) - frames).max() <= error  # and so in the right order
    assert cine.fps == pytest.approx(25)
    assert (cine.spacing_mm, cine.warnings, cine.name) == (None, (), Path(name).stem)


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.mkv"])
def test_silence(tmp_path: Path, frames: np.ndarray, name: str) -> None:
    path = cut(write_video(tmp_path / name, frames, "mp4v" if name == "a.mp4" else "MJPG"), 0.6)
    silent = f"from edgeecho.cine import read_cine\ntry: read_cine({str(path)!r})\nexcept Exception as e: print(e)"
    loud = (
        f"import cv2\nc = cv2.VideoCapture({str(path)!r}, cv2.CAP_FFMPEG)\nwhile c.read()[0]: pass\nprint('cut short')"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    for code, is_silent in ((silent, True), (loud, False)):
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert "cut short" in result.stdout
        assert (result.stderr == "") == is_silent


def test_webm(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.webm", frames, "VP80")
    capfd.readouterr()  # the writer's remark on the codec
    assert read_cine(path).frames.shape == frames.shape
    assert "cut short" in error_line(cut(path, 0.6), capfd)


def test_gif(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_gif(tmp_path / "a.gif", frames, [4] * FRAMES)
    cine = read_cine(path)
    np.testing.assert_array_equal(cine.frames, frames // 2 * 2)
    assert (cine.fps, cine.warnings) == (25, ())
    rounded = read_cine(write_gif(tmp_path / "rounded.gif", frames, [3, 3, 4] * 6 + [3, 3]))  # 30 a second
    assert (rounded.fps, rounded.times_s, rounded.warnings) == (pytest.approx(30, rel=0.01), None, ())
    uneven = read_cine(write_gif(tmp_path / "uneven.gif", frames, [4, 4, 9, 4] * (FRAMES // 4)))
    assert uneven.fps == pytest.approx(25)
    assert "not evenly spaced" in uneven.warnings[0]
    rests = read_cine(write_gif(tmp_path / "rests.gif", frames, [4] * (FRAMES - 1) + [200]))
    assert (rests.fps, rests.times_s, rests.warnings) == (25, None, ())  # the last frame is shown until it starts again
    for delay in (0, 1):  # each player has its own rate for these
        no_delay = read_cine(write_gif(tmp_path / "zero.gif", frames, [delay] * FRAMES))
        assert (no_delay.fps, len(no_delay.warnings)) == (None, 1)
        assert "states no time between its frames" in no_delay.warnings[0]
    assert "cut short" in error_line(cut(path, 0.6), capfd)
    path.write_bytes(b"GIF89a")
    assert "cut short: 0 frames" in error_line(path, capfd)


def test_colour_order_of_video(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (32, 32), True)
    for _ in range(2):
        writer.write(np.full((32, 32, 3), (0, 0, 200), np.uint8))  # blue, green, red
    writer.release()
    assert np.abs(read_cine(path).frames.astype(int) - (77 * 200 >> 8)).max() <= 4  # as blue it would be 23


def test_header_that_promises_too_much(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("frames.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)}
        )
    assert "1000000 frames of 1000x1000 would take" in error_line(path, capfd)
    header = (5).to_bytes(2) + b"IHDR" + (60000).to_bytes(4) * 2
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header)
    assert "cut short" in error_line(tmp_path / "bomb.png", capfd)
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((16, 9000), np.uint8))
    assert "9000x16 pixels are too large" in error_line(tmp_path / "wide.png", capfd)


def test_bound_holds_while_decoding(tmp_path: Path, frames: np.ndarray) -> None:
    path = write_video(tmp_path / "a.avi", frames)
    large = np.zeros((FRAMES, 1024, 1024), np.uint8)
    need = (3 * FRAMES + 32) << 20
    with memory_budget(need):
        assert len(stack_frames(path, iter(large))[0]) == FRAMES
    with memory_budget(need - 1), pytest.raises(VideoError, match="20 frames of 1024x1024 would take 92 MB of memory"):
        stack_frames(path, iter(large))
    long = write_video(path, np.zeros((600, 96, 128), np.uint8))
    assert len(read_cine(long, max_memory=3 * 600 * 96 * 128 + 32 * 128**2).frames) == 600
    with pytest.raises(VideoError, match="600 frames of 128x96 would take 21\\.6 MB of memory"):
        read_cine(long, max_memory=3 * 600 * 96 * 128 + 32 * 128**2 - 1)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
@pytest.mark.parametrize(("name", "codec"), [("a.avi", "MJPG"), ("a.mkv", "MJPG"), ("a.mp4", "mp4v")])
def test_truncated_video(
    tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str], name: str, codec: str, share: float
) -> None:
    path = cut(write_video(tmp_path / name, frames, codec), share)
    text = error_line(path, capfd)
    assert "cut short" in text
    assert f"it has {path.stat().st_size} bytes and states" in text
    if name == "a.avi" and share == 0.6:
        assert " of 20 frames could be read" in text


def test_frames_missing_within(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.avi", frames)
    data = path.read_bytes()
    at = data.index(b"avih") + 8 + 16  # dwTotalFrames of the main header
    stream = data.index(b"strh") + 8 + 32  # dwLength of the stream header
    assert int.from_bytes(data[at : at + 4], "little") == int.from_bytes(data[stream : stream + 4], "little") == FRAMES

    def promise(count: int) -> None:
        number = count.to_bytes(4, "little")
        path.write_bytes(data[:at] + number + data[at + 4 : stream] + number + data[stream + 4 :])

    promise(21)
    assert read_cine(path).warnings == ()
    promise(22)
    assert read_cine(path).warnings == ("20 frames could be read, the file states 22.",)
    promise(30)
    assert "damaged: 20 of 30 frames could be read" in error_line(path, capfd)
    promise(2_000_000)
    assert "2000000 frames of 64x48 would take" in error_line(path, capfd)
    path.write_bytes(data.replace(len(data[8:]).to_bytes(4, "little"), bytes(4), 1))
    assert len(read_cine(path).frames) == FRAMES  # a recorder that never filled in the size


def test_small_video_and_bad_flags(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.avi", frames[:, :12, :14].copy())
    assert "frames of 14x12 pixels are too small" in error_line(path, capfd)
    for fps in (0, -1, float("nan")):
        with pytest.raises(ConfigError, match="fps must be positive and below 10000, got"):
            read_cine(path, fps=fps)
    with pytest.raises(ConfigError, match=r"two positive numbers \(row, column\) below 1000, got \(0.3,\)"):
        read_cine(path, spacing_mm=(0.3,))
