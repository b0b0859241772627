"""Grey frames in memory: conversion of colour, where strong colour is, and bounds on the size of a cine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeecho.errors import ShapeError, VideoError
from edgeecho.memory import require_memory

BYTES_PER_PIXEL = 3
"""Bytes of memory that count for each pixel T*H*W of a cine: its frames, their masks, and a copy of either."""
WORK_BYTES_PER_PIXEL = 32
"""Bytes of memory that count for each pixel of the square around one frame, while it is decoded, made grey and brought
to the network's size."""
MAX_SIDE_PX = 8192
"""Largest number of rows or columns of a frame."""
MIN_SIDE_PX = 16
"""Smallest number of rows or columns of a frame."""
MIN_COLOUR_DIFFERENCE = 60
"""A pixel is strongly coloured if the largest and the smallest of its channels differ by more levels than this."""
MIN_COLOURED_FRACTION = 0.1
"""Least part of the frames in which a pixel of colour Doppler or of a coloured overlay is strongly coloured."""
MAX_COLOUR_FRAMES = 32
"""Largest number of frames that are searched for colour."""


def to_grey(frames: np.ndarray) -> np.ndarray:
    """Make colour frames grey by one exact rule: (77 R + 150 G + 29 B + 128) >> 8, in integers.

    The weights are those of ITU-R BT.601 in 1/256 and add up to 256, so a pixel with R = G = B keeps its value.

    Args:
        frames: uint8 (T, H, W, 3) in the order red, green, blue; or uint8 (T, H, W), which is returned as it is.

    Returns:
        Grey frames, uint8 (T, H, W).

    Raises:
        ShapeError: If `frames` is neither.
    """
    if not isinstance(frames, np.ndarray):
        raise ShapeError(f"expected frames uint8 (T, H, W) or (T, H, W, 3), got {type(frames).__name__}; pass an array")
    if frames.dtype == np.uint8 and frames.ndim == 3:
        return frames
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise ShapeError(
            f"expected frames uint8 (T, H, W) or (T, H, W, 3), got {frames.dtype} {frames.shape}; "
            "pass one cine of grey or RGB frames"
        )
    grey = np.empty(frames.shape[:3], np.uint8)
    for t, frame in enumerate(frames):  # frame by frame: the uint16 sums of a whole cine would be twice its size
        red, green, blue = (frame[..., c].astype(np.uint16) for c in range(3))
        grey[t] = (77 * red + 150 * green + 29 * blue + 128) >> 8  # at most 65408: fits
    return grey


class ColourSampler:
    """Finds strongly coloured pixels in frames that come one by one, their number unknown, in a few of them."""

    def __init__(self) -> None:
        self._step, self._count = 1, 0
        self._sample: list[np.ndarray] = []

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, uint8 (H, W) grey or (H, W, 3) of colours in any order."""
        if self._count % self._step == 0:
            self._sample.append(_strongly_coloured(frame))
            if len(self._sample) > MAX_COLOUR_FRAMES:
                self._sample, self._step = self._sample[::2], 2 * self._step
        self._count += 1

    def coloured(self) -> np.ndarray | None:
        """Return the pixels that are coloured in a tenth of the frames or more, bool (H, W); None if there are none."""
        if not self._sample:
            return None
        found = np.mean(self._sample, axis=0) >= MIN_COLOURED_FRACTION
        return found if found.any() else None


def coloured_pixels(frames: np.ndarray) -> np.ndarray | None:
    """Find the pixels of a cine that are strongly coloured in a tenth of its frames or more.

    Args:
        frames: uint8 (T, H, W, 3), or grey (T, H, W).

    Returns:
        bool (H, W); None if no pixel is.
    """
    sampler = ColourSampler()
    if frames.ndim == 4:
        for frame in frames[:: max(1, -(-len(frames) // MAX_COLOUR_FRAMES))]:
            sampler.add(frame)
    return sampler.coloured()


def _strongly_coloured(frame: np.ndarray) -> np.ndarray:
    if frame.ndim == 2:
        return np.zeros(frame.shape, bool)
    import cv2

    a, b, c = cv2.split(frame if frame.flags.c_contiguous else frame[..., ::-1])  # of either order
    most, least = np.maximum(np.maximum(a, b), c), np.minimum(np.minimum(a, b), c)
    return np.asarray(most - least > MIN_COLOUR_DIFFERENCE)


def check_size(path: Path, frames: int, height: int, width: int, *, stored_bytes: int = 0) -> None:
    """Refuse a cine of the wrong size, as its header states it, before memory is allocated.

    Args:
        path: The file, for messages.
        frames: Number of frames.
        height: Rows of a frame.
        width: Columns of a frame.
        stored_bytes: Memory that the reader takes beside the cine and one frame, such as the file's own values.

    Raises:
        VideoError: If there are no frames, a frame is too small or too large, or the whole takes more memory than the
            budget (`edgeecho.memory`).
    """
    if frames < 1:
        raise VideoError(f"{path}: no frames in it; a cine needs at least one")
    if min(height, width) < MIN_SIDE_PX:
        raise VideoError(
            f"{path}: frames of {width}x{height} pixels are too small; at least {MIN_SIDE_PX}x{MIN_SIDE_PX} are needed"
        )
    if max(height, width) > MAX_SIDE_PX:
        raise VideoError(
            f"{path}: frames of {width}x{height} pixels are too large; at most {MAX_SIDE_PX} a side are read"
        )
    need = BYTES_PER_PIXEL * frames * height * width + WORK_BYTES_PER_PIXEL * max(height, width) ** 2 + stored_bytes
    require_memory(path, need, f"{frames} {'frame' if frames == 1 else 'frames'} of {width}x{height}")


def stack_frames(path: Path, frames: Iterator[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
    """Collect decoded frames, within the bounds, at about the memory of the result.

    Args:
        path: Path, for messages.
        frames: Grey frames, uint8 (H, W), or colour frames, uint8 (H, W, 3) in RGB order.

    Returns:
        Grey frames, uint8 (T, H, W), and the pixels that `coloured_pixels` finds, bool (H, W) or None.

    Raises:
        VideoError: If there is no frame, the sizes differ, or a bound is passed.
    """
    first = next(frames, None)
    if first is None:
        check_size(path, 0, 0, 0)
    assert first is not None
    shape = first.shape[:2]
    sampler = ColourSampler()

    def bounded() -> Iterator[np.ndarray]:
        yield first
        for index, frame in enumerate(frames, start=1):
            if frame.shape[:2] != shape:
                raise VideoError(
                    f"{path}: frame {index} is {frame.shape[1]}x{frame.shape[0]} pixels, frame 0 is "
                    f"{shape[1]}x{shape[0]}; all frames of a cine must have one size"
                )
            check_size(path, index + 1, shape[0], shape[1])
            yield frame

    def grey() -> Iterator[np.ndarray]:
        for frame in bounded():
            sampler.add(frame)
            yield to_grey(frame[None])[0]

    check_size(path, 1, shape[0], shape[1])
    return np.fromiter(grey(), np.dtype((np.uint8, shape))), sampler.coloured()
