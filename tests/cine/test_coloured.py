"""Where a cine is strongly coloured, in every reader."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.grey import ColourSampler, coloured_pixels


def doppler(count: int, of: int = 20) -> np.ndarray:
    """Grey frames, uint8 (T, 32, 48, 3), with a red box in the first `count` of them."""
    frames = np.full((of, 32, 48, 3), 90, np.uint8)
    frames[:count, 8:24, 16:40] = (200, 30, 20)
    return frames


BOX = np.zeros((32, 48), bool)
BOX[8:24, 16:40] = True


def test_a_tenth_of_the_frames_is_coloured() -> None:
    np.testing.assert_array_equal(coloured_pixels(doppler(2)), BOX)
    assert coloured_pixels(doppler(1)) is None
    assert coloured_pixels(doppler(20)[..., 0]) is None
    tinted = np.full((4, 32, 48, 3), (100, 160, 130), np.uint8)
    assert coloured_pixels(tinted) is None  # 60 levels: a tint of a scanner
    tinted[..., 1] += 1
    assert coloured_pixels(tinted) is not None


@pytest.mark.parametrize("count", [1, 31, 32, 33, 500])
def test_few_frames_are_searched_of_any_number(count: int) -> None:
    sampler = ColourSampler()
    for frame in doppler(count, count):
        sampler.add(frame)
    np.testing.assert_array_equal(sampler.coloured(), BOX)
    assert len(sampler._sample) <= 32


def test_readers_find_it(tmp_path: Path) -> None:
    coloured = doppler(20)
    np.savez(tmp_path / "a.npz", frames=coloured)
    np.savez(tmp_path / "grey.npz", frames=coloured[..., 0])
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (48, 32), True)
    for frame in coloured:
        writer.write(frame[..., ::-1])
    writer.release()
    cv2.imwrite(str(tmp_path / "a.png"), coloured[0][..., ::-1])
    for name, wrong in (("a.npz", 0), ("a.png", 0), ("a.avi", 0.1)):  # the edges of JPEG's chroma are soft
        found = read_cine(tmp_path / name).coloured
        assert found is not None
        assert np.mean(found != BOX) <= wrong
    assert read_cine(tmp_path / "grey.npz").coloured is None
