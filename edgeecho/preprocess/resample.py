"""Integer resampling between a region and the network's frames, both ways.

EdgeEcho resamples by itself because engines differ in their resampling. It is separable, with weights in units of
1/2048 that sum to 2048 exactly, 32-bit integer sums, one rounding. It is equal to the bit on every CPU.
`docs/model-file.md` specifies it.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from edgeecho.errors import ConfigError, ShapeError
from edgeecho.preprocess.region import MAX_REGION, Roi, crop

BITS = 11
"""Number of bits of a weight, a multiple of 2^-11, so that 255 * 2^22 fits 32 bits with a sign."""


def axis_weights(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the integer weights that resample one axis.

    Down (target < source) is a box filter: output i is the mean of the source from i*s/t to (i+1)*s/t; its weights
    are differences of the rounded running sum, so that they add up exactly. Up is bilinear between pixel centres,
    held at the ends.

    Args:
        source: Number of pixels of the source axis.
        target: Number of pixels of the output axis.

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
    """Return `axis_weights` as a sparse int32 matrix (target, source)."""
    from scipy.sparse import csr_matrix

    return csr_matrix(axis_weights(source, target), shape=(target, source))


def _combine(by_row: Any, by_column: Any, image: np.ndarray) -> np.ndarray:
    """Resample rows, then columns, in 32-bit integers with one rounding: uint8 (H, W) to int32 (rows, columns)."""
    rows = by_row @ image.astype(np.int32)  # (rows, W), at most 255 * 2^11
    total = by_column @ np.ascontiguousarray(rows.T)  # (columns, rows), at most 255 * 2^22
    return np.asarray((total + (1 << (2 * BITS - 1))) >> (2 * BITS)).T


def resample(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resample grey images in integers, one rounding at the end (halves up).

    Args:
        images: Grey images, uint8 (T, H, W).
        height: Number of rows of the result.
        width: Number of columns of the result.

    Returns:
        Grey images, uint8 (T, height, width).

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
    """Turn source frames uint8 (T, H, W) into network frames uint8 (T, size_px, size_px).

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
    """Turn the network's output into masks at the pixels of the source.

    Args:
        prob: Output of the network, uint8 (T, size, size), 255 times the probability.
        roi: Region that `prob` covers.
        height: Number of rows of the source.
        width: Number of columns of the source.
        threshold: A pixel is cavity where the resampled `prob` is at least this.

    Returns:
        Masks, uint8 {0, 1} (T, height, width); 0 outside the region.
    """
    mask = np.zeros((len(prob), height, width), np.uint8)
    rows = _Inside(prob.shape[1], roi.height, roi.y, height)
    columns = _Inside(prob.shape[2], roi.width, roi.x, width)
    for i, image in enumerate(prob):
        hot = image >= threshold
        if not hot.any():
            continue
        # A pixel without any source pixel at the threshold cannot reach it; only the others are computed.
        r, by_row = rows.reading(hot.any(axis=1))
        c, by_column = columns.reading(hot.any(axis=0))
        mask[i, r, c] = _combine(by_row, by_column, image) >= threshold
    return mask


class _Inside:
    """Resampling of one axis from the network to the region's pixels inside the frame."""

    def __init__(self, source: int, target: int, offset: int, limit: int) -> None:
        first, last = max(0, -offset), max(0, min(target, limit - offset))
        _, columns, starts = axis_weights(source, target)
        self._matrix = axis_matrix(source, target)[first:last] if first < last else axis_matrix(source, target)[:0]
        self._reads_from = columns[starts[:-1]][first:last]
        self._reads_to = columns[starts[1:] - 1][first:last]
        self._offset = offset + first

    def reading(self, hot: np.ndarray) -> tuple[slice, Any]:
        """Return the frame's pixels that depend on any `hot` source pixel, bool (source,), and their weights."""
        found = np.flatnonzero(hot)
        low = int(np.searchsorted(self._reads_to, found[0], "left"))
        high = int(np.searchsorted(self._reads_from, found[-1], "right"))
        return slice(self._offset + low, self._offset + max(low, high)), self._matrix[low : max(low, high)]
