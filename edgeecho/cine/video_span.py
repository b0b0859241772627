"""Read some frames of a video without decoding the others, where its container permits that."""

from pathlib import Path

import numpy as np

from edgeecho.cine.containers import scan
from edgeecho.cine.grey import to_grey
from edgeecho.cine.video import quiet_cv2
from edgeecho.names import name_for_ffmpeg


def read_span(path: Path, first: int, stop: int) -> np.ndarray | None:
    """Read the frames from `first` to `stop` - 1 of an AVI file in MJPG, in which every frame is coded by itself.

    OpenCV counts frames by their times, so a file whose recorder dropped frames is not read in this way.

    Args:
        path: A video that `read_cine` can read.
        first: Index of the first frame, 0 or more.
        stop: Index after the last frame.

    Returns:
        Grey frames, uint8 (stop - first, H, W), equal to those of `read_cine`; None if the file is of another kind, has
        dropped frames or fewer than `stop` frames, or cannot be opened.

    Raises:
        VideoError: If the file is no video.
    """
    import cv2

    try:
        container = scan(path)
    except OSError:  # `read_cine` reports it
        return None
    if container.slots is None or container.empty_slots or container.cut or len(container.slots) < stop:
        return None
    with quiet_cv2(), name_for_ffmpeg(path) as name:
        capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        try:
            if round(capture.get(cv2.CAP_PROP_FOURCC)) != cv2.VideoWriter.fourcc(*"MJPG"):
                return None
            if first and not capture.set(cv2.CAP_PROP_POS_FRAMES, first):
                return None
            frames = [frame for ok, frame in (capture.read() for _ in range(first, stop)) if ok]
        finally:
            capture.release()
    if len(frames) != stop - first:
        return None
    rgb = np.stack(frames)[..., ::-1]  # OpenCV's order is blue, green, red
    return to_grey(rgb)
