"""Grey frames in memory: conversion of colour, and bounds on the size of a cine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeecho.errors import ShapeError, VideoError

MAX_PIXELS = 4_000_000_000
"""Largest number of pixels T*H*W of a cine, checked before memory is allocated, since files are untrusted."""
MAX_SIDE_PX = 8192
"""Largest number of rows or columns of a frame."""
MIN_SIDE_PX = 16
"""Smallest number of rows or columns of a frame."""


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


def check_size(path: Path, frames: int, height: int, width: int, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse a cine of the wrong size, as its header states it, before memory is allocated.

    Raises:
        VideoError: If there are no frames, or a frame or the whole is too small or too large.
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
    if frames * height * width > max_pixels:
        raise VideoError(
            f"{path}: {frames} frames of {width}x{height} are over {max_pixels:.0e} pixels; cut it shorter"
        )


def stack_frames(path: Path, frames: Iterator[np.ndarray], max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Collect decoded frames, within the bounds, at about the memory of the result.

    Args:
        path: Path, for messages.
        frames: Grey frames, uint8 (H, W), or colour frames, uint8 (H, W, 3) in RGB order.
        max_pixels: Bound on T * H * W.

    Returns:
        Grey frames, uint8 (T, H, W).

    Raises:
        VideoError: If there is no frame, the sizes differ, or a bound is passed.
    """
    first = next(frames, None)
    if first is None:
        check_size(path, 0, 0, 0)
    assert first is not None
    shape = first.shape[:2]

    def bounded() -> Iterator[np.ndarray]:
        yield first
        for index, frame in enumerate(frames, start=1):
            if frame.shape[:2] != shape:
                raise VideoError(
                    f"{path}: frame {index} is {frame.shape[1]}x{frame.shape[0]} pixels, frame 0 is "
                    f"{shape[1]}x{shape[0]}; all frames of a cine must have one size"
                )
            check_size(path, index + 1, shape[0], shape[1], max_pixels)
            yield frame

    check_size(path, 1, shape[0], shape[1], max_pixels)
    return np.fromiter((to_grey(frame[None])[0] for frame in bounded()), np.dtype((np.uint8, shape)))
