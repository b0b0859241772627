"""Reading NPZ and NIfTI."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.errors import VideoError
from tests.cine.files import cut, error_line


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
    for wide in (1e308, 1e-320):  # the distance of the values, or 255 over it, is no number
        with pytest.raises(VideoError, match="are not grey levels"):
            read_cine(save(np.where(stored > 100, wide, -wide)))
    path = save(np.where(stored > 100, np.nan, 1.0))
    assert "are not grey levels" in error_line(path, capfd)
    assert "expected a cine (x, y)" in error_line(save(np.zeros((20, 20, 2, 2), np.uint8)), capfd)
    assert "too small" in error_line(save(np.zeros((20, 15), np.uint8)), capfd)
    assert "cut short" in error_line(cut(save(stored), 0.6), capfd)
