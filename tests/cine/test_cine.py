"""Reading cines: every kind of file, its frame rate and spacing, and every way in which a file can be wrong."""

import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import Cine, find_cines, read_cine, to_grey
from edgeecho.cine.grey import stack_frames
from edgeecho.cine.video import read_video
from edgeecho.errors import ConfigError, ShapeError, VideoError

HEIGHT, WIDTH, FRAMES = 48, 64, 20

# OpenCV reads this once a process, and here a test may write a video before any is read; see `test_silence`.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


@pytest.fixture
def frames() -> np.ndarray:
    """A bright square on a ramp that moves one column a frame, uint8 (20, 48, 64); all frames differ."""
    made = np.empty((FRAMES, HEIGHT, WIDTH), np.uint8)
    made[:] = np.linspace(0, 120, WIDTH, dtype=np.uint8)
    for t in range(FRAMES):
        made[t, 16:32, t : t + 24] = 200
    return made


def write_video(path: Path, frames: np.ndarray, codec: str = "MJPG", fps: float = 25.0) -> Path:
    height, width = frames.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height), True)
    assert writer.isOpened(), f"this OpenCV cannot write {codec}"
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def write_gif(path: Path, frames: np.ndarray, delays_cs: list[int]) -> Path:
    """A GIF by hand: levels below 128 from a grey palette, LZW with a clear code before every 100 pixels."""
    _, height, width = frames.shape
    palette = bytes(2 * v for v in range(128) for _ in range(3))
    out = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\xf6\0\0" + palette
    for frame, delay in zip(frames, delays_cs, strict=True):
        out += b"\x21\xf9\x04\x00" + delay.to_bytes(2, "little") + b"\0\0"
        out += b"\x2c" + bytes(4) + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\0\x07"
        flat = (frame // 2).ravel().tolist()
        codes = [c for at in range(0, len(flat), 100) for c in (128, *flat[at : at + 100])] + [129]
        data = bytes(np.packbits([code >> bit & 1 for code in codes for bit in range(8)], bitorder="little"))
        out += b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"
    path.write_bytes(out + b"\x3b")
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def error_line(path: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Message with which `read_cine` refuses a file: one line with its name, and no output of a library."""
    with pytest.raises(VideoError) as caught:
        read_cine(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    assert capfd.readouterr() == ("", "")
    return text


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
    uneven = read_cine(write_gif(tmp_path / "uneven.gif", frames, [4, 6] * (FRAMES // 2)))
    assert uneven.fps == 20
    assert "not evenly spaced" in uneven.warnings[0]
    no_delay = read_cine(write_gif(tmp_path / "zero.gif", frames, [0] * FRAMES))
    assert no_delay.fps == 10  # as browsers do
    assert "cut short" in error_line(cut(path, 0.6), capfd)
    path.write_bytes(b"GIF89a")
    assert "cut short: 0 frames" in error_line(path, capfd)


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


def test_colour_order_of_video(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (32, 32), True)
    for _ in range(2):
        writer.write(np.full((32, 32, 3), (0, 0, 200), np.uint8))  # blue, green, red
    writer.release()
    assert np.abs(read_cine(path).frames.astype(int) - (77 * 200 >> 8)).max() <= 4  # as blue it would be 23


def test_to_grey() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(to_grey(np.stack([levels] * 3, axis=-1)), levels)
    assert to_grey(levels) is levels
    for bad in (levels[0], levels.astype(float), np.zeros((1, 16, 16, 4), np.uint8)):
        with pytest.raises(ShapeError, match=r"expected frames uint8 \(T, H, W\)"):
            to_grey(bad)


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


def test_npz(tmp_path: Path, frames: np.ndarray) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, frames=frames, fps=40, spacing_mm=[0.2, 0.3])
    cine = read_cine(str(path))
    np.testing.assert_array_equal(cine.frames, frames)
    assert (cine.fps, cine.spacing_mm, cine.name) == (40, (0.2, 0.3), "a")
    given = read_cine(path, fps=50, spacing_mm=[0.4, 0.5])
    assert (given.fps, given.spacing_mm) == (50, (0.4, 0.5))
    np.savez(path, frames=frames, fps=[1.0, 2.0, 3.0], spacing_mm=0.3)
    odd = read_cine(path)
    assert (odd.fps, odd.spacing_mm, len(odd.warnings)) == (None, None, 2)
    np.savez(path, frames=frames, fps=90000.0, spacing_mm=[-1.0, np.nan])
    absurd = read_cine(path)
    assert (absurd.fps, absurd.spacing_mm) == (None, None)
    assert "90000 frames per second" in absurd.warnings[0]
    assert "-1 x nan mm" in absurd.warnings[1]
    np.savez(path, frames=frames, fps=40, spacing=[0.3, 0.3], frame_rate=40)
    assert read_cine(path).warnings == (
        "`frame_rate`, `spacing` in the file: unknown, not used; known are frames, fps, spacing_mm.",
    )


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_npz_that_is_wrong(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, images=frames)
    assert "no array named 'frames', found images" in error_line(path, capfd)
    np.savez(path, frames=frames.astype(np.float32))
    assert "got float32 (20, 48, 64)" in error_line(path, capfd)
    np.savez(path, frames=frames[0])
    assert "got uint8 (48, 64)" in error_line(path, capfd)
    np.savez(path, frames=frames[:0])
    assert "no frames in it" in error_line(path, capfd)
    np.savez(path, frames=np.array([Bomb(tmp_path / "pwned")], object))
    assert "got object" in error_line(path, capfd)
    np.savez(path, frames=frames, fps=np.array(Bomb(tmp_path / "pwned"), object))
    assert "not a readable NPZ" in error_line(path, capfd)
    assert not (tmp_path / "pwned").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "pwned"))).close()
    assert (tmp_path / "pwned").exists()  # so the bomb works
    np.savez(path, frames=frames)
    assert "not a readable NPZ" in error_line(cut(path, 0.5), capfd)


def test_header_that_promises_too_much(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("frames.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)}
        )
    assert "1000000 frames of 1000x1000 are over 4e+09 pixels" in error_line(path, capfd)
    header = (5).to_bytes(2) + b"IHDR" + (60000).to_bytes(4) * 2
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header)
    assert "cut short" in error_line(tmp_path / "bomb.png", capfd)
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((16, 9000), np.uint8))
    assert "9000x16 pixels are too large" in error_line(tmp_path / "wide.png", capfd)


def test_bound_holds_while_decoding(tmp_path: Path, frames: np.ndarray) -> None:
    path = write_video(tmp_path / "a.avi", frames)
    pixels = FRAMES * HEIGHT * WIDTH
    assert len(read_video(path, max_pixels=pixels).frames) == FRAMES
    assert len(stack_frames(path, iter(frames), max_pixels=pixels)) == FRAMES
    with pytest.raises(VideoError, match="20 frames of 64x48 are over"):
        read_video(path, max_pixels=pixels - 1)
    with pytest.raises(VideoError, match="20 frames of 64x48 are over"):
        stack_frames(path, iter(frames), max_pixels=pixels - 1)


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
    assert "2000000 frames of 64x48 are over" in error_line(path, capfd)
    path.write_bytes(data.replace(len(data[8:]).to_bytes(4, "little"), bytes(4), 1))
    assert len(read_cine(path).frames) == FRAMES  # a recorder that never filled in the size


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

    monkeypatch.setattr(Path, "open", refuse)  # chmod means nothing to root
    assert "cannot be read: Permission denied" in error_line(tmp_path / "a.avi", capfd)


def test_small_video_and_bad_flags(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.avi", frames[:, :12, :14].copy())
    assert "frames of 14x12 pixels are too small" in error_line(path, capfd)
    for fps in (0, -1, float("nan")):
        with pytest.raises(ConfigError, match="fps must be positive and below 10000, got"):
            read_cine(path, fps=fps)
    with pytest.raises(ConfigError, match=r"two positive numbers \(row, column\) below 1000, got \(0.3,\)"):
        read_cine(path, spacing_mm=(0.3,))


def test_nifti(tmp_path: Path, frames: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    nibabel = pytest.importorskip("nibabel")

    def save(array: np.ndarray, name: str = "a_4CH.nii.gz", zooms: tuple[float, ...] = (0.2, 0.3, 1.0, 0.02)) -> Path:
        image = nibabel.Nifti1Image(array, np.eye(4))
        image.header.set_zooms(zooms[: array.ndim])
        image.header.set_xyzt_units("mm", "sec")
        nibabel.save(image, tmp_path / name)
        return tmp_path / name

    stored = frames.transpose(2, 1, 0)  # x, y, t
    still = read_cine(save(stored[..., 0]))
    np.testing.assert_array_equal(still.frames, frames[:1])
    assert still.spacing_mm == pytest.approx((0.3, 0.2))  # (row, column) = (y, x)
    assert (still.name, still.fps) == ("a_4CH", None)
    np.testing.assert_array_equal(read_cine(save(stored.astype(np.float64), "b.nii")).frames, frames)
    moving = read_cine(save(stored[:, :, None, :].astype(np.int16)))
    np.testing.assert_array_equal(moving.frames, frames)
    assert moving.fps == pytest.approx(50)
    rounded = read_cine(save((stored + 0.25).astype(np.float32)))
    np.testing.assert_array_equal(rounded.frames, frames)
    assert "rounded" in rounded.warnings[0]
    stretched = read_cine(save((stored / 200).astype(np.float32)))
    assert stretched.frames.max() == 255
    assert "from 0 to 1 were stretched" in stretched.warnings[0]
    path = save(np.where(stored > 100, np.nan, 1.0))
    assert "are not grey levels" in error_line(path, capfd)
    assert "expected a cine (x, y)" in error_line(save(np.zeros((20, 20, 2, 2), np.uint8)), capfd)
    assert "too small" in error_line(save(np.zeros((20, 15), np.uint8)), capfd)
    assert "cut short" in error_line(cut(save(stored), 0.6), capfd)


def test_find_cines(tmp_path: Path, frames: np.ndarray) -> None:
    deep = tmp_path / "sub" / "png frames"
    deep.mkdir(parents=True)
    for name in (
        "10.avi",
        "2.avi",
        "mask_gt.nii.gz",
        "x.nii.gz",
        "beside.png",
        "notes.txt",
        ".hidden.avi",
        "1.2.840.7",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (deep / "0.png").write_bytes(b"x")
    (tmp_path / "sub" / "broken.npz").write_bytes(b"x")
    np.savez(tmp_path / "sub" / "result.npz", mask=frames)
    np.savez(tmp_path / "sub" / "cine.npz", frames=frames)
    expected = ["2.avi", "10.avi", "IM0001", "sub/broken.npz", "sub/cine.npz", "sub/png frames", "x.nii.gz"]
    assert [str(p.relative_to(tmp_path)) for p in find_cines([tmp_path])] == expected
    given = [tmp_path / "missing.avi", tmp_path / "2.avi", tmp_path / "sub", tmp_path / "sub" / "cine.npz", deep]
    assert find_cines(given) == [*given[:2], *(tmp_path / name for name in expected[3:6])]
    (tmp_path / "empty").mkdir()
    assert find_cines([tmp_path / "empty"]) == [tmp_path / "empty"]


def test_cine_refuses_what_does_not_fit(frames: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"got float64 \(20, 48, 64\)"):
        Cine(frames.astype(float))
    with pytest.raises(ShapeError, match=r"label 20 \(48, 64\) does not fit"):
        Cine(frames, labels={20: frames[0]})


def test_import_is_light() -> None:
    heavy = "{'cv2', 'pydicom', 'nibabel', 'torch', 'matplotlib', 'scipy'}"
    for extra, expected in (("", "set()"), (", cv2", "{'cv2'}")):  # the second shows that the check can fail
        code = f"import sys, edgeecho.cine{extra}; print({heavy} & set(sys.modules))"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == expected
