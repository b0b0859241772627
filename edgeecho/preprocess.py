"""From a screen to the network's frames and back: sector, square region, integer resampling.

The resampling is ours because engines disagree on theirs: separable, weights in units of 1/2048 that sum to 2048
exactly, 32-bit integer sums, one rounding. It is equal to the bit on every CPU. `docs/model-file.md` specifies it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from edgeecho.errors import ConfigError, ShapeError, VideoError
from edgeecho.frames import MIN_SIDE_PX

BITS = 11
"""Weights are multiples of 2^-11, so that 255 * 2^22 fits 32 bits with a sign."""
MAX_REGION = 8
"""Longest side of a region, as a multiple of the frame's longest side."""
DARKEST = 12
"""Grey levels at or below this, or changes smaller than this, may be compression noise on a black screen."""


@dataclass(frozen=True)
class Roi:
    """A rectangle in source pixels; it may reach over the frame's edge, where it reads black."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ConfigError(f"region must have a positive size, got {self.width}x{self.height}")


def find_sector(frames: np.ndarray) -> np.ndarray:
    """Find the pixels of the ultrasound sector among text, bars and an ECG trace.

    What moves is speckle; a screen's furniture stands still. Where too little moves, brightness decides. Thin and
    small things are dropped and the largest connected piece is kept.

    Args:
        frames: Grey frames, uint8 (T, H, W).

    Returns:
        bool (H, W).

    Raises:
        VideoError: If nothing but black is found.
    """
    step = max(1, len(frames) // 32)
    sample = frames[::step]
    brightest = sample.max(axis=0)
    if int(brightest.max()) <= DARKEST:
        raise VideoError(f"no ultrasound sector: every pixel is black (brightest {brightest.max()}); check the input")
    lit = brightest > DARKEST
    moving = (brightest - sample.min(axis=0)) > DARKEST
    for candidate in (moving, lit) if moving.sum() > 0.25 * lit.sum() else (lit,):
        piece = _largest_piece(candidate)
        if piece.sum() > 0.02 * piece.size:
            return piece
    return np.ones_like(lit)


def _largest_piece(pixels: np.ndarray) -> np.ndarray:
    """Close gaps of speckle, open away thin lines and letters, keep the largest component, bool (H, W)."""
    import cv2

    size = max(3, round(min(pixels.shape) * 0.025) | 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    edge = 2 * size
    padded = np.pad(pixels.astype(np.uint8), edge)
    joined = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc), cv2.MORPH_OPEN, disc)
    count, names, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    if count < 2:
        return np.zeros_like(pixels)
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(names == best)[edge:-edge, edge:-edge]


def find_roi(frames: np.ndarray, spacing_mm: tuple[float, float] | None = None) -> Roi:
    """The smallest square that holds the sector, square in millimetres where the spacing is known.

    Args:
        frames: Grey frames, uint8 (T, H, W).
        spacing_mm: (row, column) millimetres per pixel, or None for square pixels.

    Raises:
        VideoError: If the cine is black.
    """
    sector = find_sector(frames)
    rows, columns = np.flatnonzero(sector.any(axis=1)), np.flatnonzero(sector.any(axis=0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    row_mm, column_mm = spacing_mm or (1.0, 1.0)
    side_mm = max((y1 - y0) * row_mm, (x1 - x0) * column_mm)
    height, width = max(1, round(side_mm / row_mm)), max(1, round(side_mm / column_mm))
    return Roi((x0 + x1 - width) // 2, (y0 + y1 - height) // 2, width, height)


def check_roi(roi: Roi, height: int, width: int) -> None:
    """Refuse a region with too little of the frame in it.

    Raises:
        ConfigError: If fewer than 16 rows or columns of the frame lie in it, or less than a quarter of it lies in the
            frame while it holds less than a quarter of the frame.
    """
    inside = (
        max(0, min(width, roi.x + roi.width) - max(0, roi.x)),
        max(0, min(height, roi.y + roi.height) - max(0, roi.y)),
    )
    least = min(roi.width * roi.height, width * height) / 4
    if min(inside) < MIN_SIDE_PX or inside[0] * inside[1] < least:
        raise ConfigError(
            f"region of {roi.width}x{roi.height} at {roi.x},{roi.y} has {inside[0]}x{inside[1]} pixels of the "
            f"{width}x{height} frame in it; give X,Y,W,H of at least {MIN_SIDE_PX}x{MIN_SIDE_PX} within the frame"
        )


def crop(frames: np.ndarray, roi: Roi) -> np.ndarray:
    """Cut a region out of frames, black where it leaves them: uint8 (T, H, W) to (T, roi.height, roi.width)."""
    t, h, w = frames.shape
    out = np.zeros((t, roi.height, roi.width), np.uint8)
    y0, y1 = max(0, roi.y), min(h, roi.y + roi.height)
    x0, x1 = max(0, roi.x), min(w, roi.x + roi.width)
    if y0 < y1 and x0 < x1:
        out[:, y0 - roi.y : y1 - roi.y, x0 - roi.x : x1 - roi.x] = frames[:, y0:y1, x0:x1]
    return out


def axis_weights(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integer weights that resample one axis.

    Down (target < source) is a box filter: output i is the mean of the source from i*s/t to (i+1)*s/t; its weights
    are differences of the rounded running sum, so that they add up exactly. Up is bilinear between pixel centres,
    held at the ends.

    Args:
        source: Pixels of the source axis.
        target: Pixels of the output axis.

    Returns:
        `values` int32, `columns` int32 and `starts` int32 (target + 1,): compressed rows of the (target, source)
        matrix; every row sums to 2^11.
    """
    if source < 1 or target < 1:
        raise ConfigError(f"cannot resample {source} pixels to {target}")
    one = 1 << BITS
    out = np.arange(target, dtype=np.int64)
    if target < source:
        first = out * source // target
        last = -((out + 1) * -source // target)  # exclusive
        counts = last - first
        starts = np.concatenate([[0], np.cumsum(counts)])
        row = np.repeat(out, counts)
        columns = np.arange(starts[-1]) - starts[row] + first[row]
        # In units of 1/target of a source pixel, output i covers [i*source, (i+1)*source).
        low = np.maximum(columns * target, row * source) - row * source
        high = np.minimum((columns + 1) * target, (row + 1) * source) - row * source
        values = (2 * high * one + source) // (2 * source) - (2 * low * one + source) // (2 * source)
    else:
        position = np.clip((2 * out + 1) * source - target, 0, 2 * target * (source - 1))
        left = position // (2 * target)
        right_weight = (2 * (position % (2 * target)) * one + 2 * target) // (4 * target)
        columns = np.stack([left, np.minimum(left + 1, source - 1)], axis=1).ravel()
        values = np.stack([one - right_weight, right_weight], axis=1).ravel()
        starts = 2 * np.arange(target + 1)
    return values.astype(np.int32), columns.astype(np.int32), starts.astype(np.int32)


@lru_cache(maxsize=16)
def axis_matrix(source: int, target: int) -> Any:
    """`axis_weights` as a sparse int32 matrix (target, source)."""
    from scipy.sparse import csr_matrix

    return csr_matrix(axis_weights(source, target), shape=(target, source))


def _combine(by_row: Any, by_column: Any, image: np.ndarray) -> np.ndarray:
    """Rows, then columns, in 32-bit integers, one rounding (halves up): uint8 (H, W) to int32 (rows, columns)."""
    rows = by_row @ image.astype(np.int32)  # (rows, W), at most 255 * 2^11
    total = by_column @ np.ascontiguousarray(rows.T)  # (columns, rows), at most 255 * 2^22
    return np.asarray((total + (1 << (2 * BITS - 1))) >> (2 * BITS)).T


def resample(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resample grey images in integers, one rounding at the end (halves up).

    Args:
        images: uint8 (T, H, W).
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        uint8 (T, height, width).

    Raises:
        ShapeError: If `images` is not uint8 with three axes.
    """
    if images.dtype != np.uint8 or images.ndim != 3:
        raise ShapeError(f"expected uint8 (T, H, W), got {images.dtype} {images.shape}")
    t, h, w = images.shape
    if (h, w) == (height, width):
        return images.copy()
    by_row, by_column = axis_matrix(h, height), axis_matrix(w, width)
    out = np.empty((t, height, width), np.uint8)
    for i, image in enumerate(images):
        out[i] = _combine(by_row, by_column, image)
    return out


def to_network(frames: np.ndarray, roi: Roi, size_px: int) -> np.ndarray:
    """Source frames uint8 (T, H, W) to network frames uint8 (T, size_px, size_px).

    Raises:
        ConfigError: If the region is out of all proportion to the frame.
    """
    longest = max(frames.shape[1:])
    if max(roi.width, roi.height) > MAX_REGION * longest:
        raise ConfigError(f"region of {roi.width}x{roi.height} is over {MAX_REGION} times the frame's {longest} pixels")
    out = np.empty((len(frames), size_px, size_px), np.uint8)
    for i in range(len(frames)):
        out[i] = resample(crop(frames[i : i + 1], roi), size_px, size_px)[0]
    return out


def mask_from_network(prob: np.ndarray, roi: Roi, height: int, width: int, threshold: int = 128) -> np.ndarray:
    """Put the network's answer back at the source's own pixels.

    Args:
        prob: uint8 (T, size, size), 255 times the probability.
        roi: The region that `prob` covers.
        height: Rows of the source.
        width: Columns of the source.
        threshold: A pixel is cavity where the resampled `prob` is at least this.

    Returns:
        uint8 {0, 1} (T, height, width); 0 outside the region.
    """
    mask = np.zeros((len(prob), height, width), np.uint8)
    rows = _Inside(prob.shape[1], roi.height, roi.y, height)
    columns = _Inside(prob.shape[2], roi.width, roi.x, width)
    for i, image in enumerate(prob):
        hot = image >= threshold
        if not hot.any():
            continue
        # A pixel that reads none at the threshold cannot reach it: only the rest is computed.
        r, by_row = rows.reading(hot.any(axis=1))
        c, by_column = columns.reading(hot.any(axis=0))
        mask[i, r, c] = _combine(by_row, by_column, image) >= threshold
    return mask


class _Inside:
    """One axis of the way back: the region's pixels that lie inside the frame."""

    def __init__(self, source: int, target: int, offset: int, limit: int) -> None:
        first, last = max(0, -offset), max(0, min(target, limit - offset))
        _, columns, starts = axis_weights(source, target)
        self._matrix = axis_matrix(source, target)[first:last] if first < last else axis_matrix(source, target)[:0]
        self._reads_from = columns[starts[:-1]][first:last]
        self._reads_to = columns[starts[1:] - 1][first:last]
        self._offset = offset + first

    def reading(self, hot: np.ndarray) -> tuple[slice, Any]:
        """The frame's pixels that read any of the hot source pixels, bool (source,), and their weights."""
        found = np.flatnonzero(hot)
        low = int(np.searchsorted(self._reads_to, found[0], "left"))
        high = int(np.searchsorted(self._reads_from, found[-1], "right"))
        return slice(self._offset + low, self._offset + max(low, high)), self._matrix[low : max(low, high)]
