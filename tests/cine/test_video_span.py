"""Some frames of a video, read without the others: equal to those of the whole, or None."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeecho.cine import read_cine
from edgeecho.cine.video_span import read_span
from edgeecho.errors import VideoError
from tests.data.miniatures import draw_beat, write_avi


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "loop.avi"
    write_avi(path, draw_beat(70)[0])
    return path


@pytest.mark.parametrize(("first", "stop"), [(0, 70), (0, 1), (1, 3), (2, 40), (17, 18), (33, 69), (69, 70)])
def test_a_span_equals_that_part_of_the_whole(video: Path, first: int, stop: int) -> None:
    found = read_span(video, first, stop)
    assert found is not None
    np.testing.assert_array_equal(found, read_cine(video).frames[first:stop])


def test_what_the_container_does_not_permit_is_none(video: Path, tmp_path: Path) -> None:
    assert read_span(video, 60, 71) is None  # there are 70 frames
    other = tmp_path / "loop.avi"
    writer = cv2.VideoWriter(str(other), cv2.VideoWriter.fourcc(*"mp4v"), 50, (112, 112))
    for frame in draw_beat(20)[0]:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    assert len(read_cine(other).frames) == 20
    assert read_span(other, 3, 5) is None  # a frame is coded by its difference from others
    other.write_bytes(other.read_bytes()[:-3000])
    assert read_span(other, 3, 5) is None
    other.write_text("no video")
    with pytest.raises(VideoError, match="not a video"):
        read_span(other, 0, 1)
