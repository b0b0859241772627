"""The largest connected component of a mask, and its edge."""

import numpy as np

from edgeecho.errors import ShapeError


def largest_component(mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Cut out the largest connected region (4 neighbours).

    Args:
        mask: bool or uint8 {0, 1}, (H, W).

    Returns:
        The region as bool (h, w), cropped to the box that holds the mask, and the (row, column) of that box's corner.
        A mask with no pixel gives an array of shape (0, 0).

    Raises:
        ShapeError: If `mask` is not two-dimensional.
    """
    from scipy import ndimage

    if mask.ndim != 2:
        raise ShapeError(f"expected one mask (H, W), got {mask.shape}; pass one frame")
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return np.zeros((0, 0), bool), (0, 0)
    cols = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    crop = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] != 0
    labels, count = ndimage.label(crop)
    if count > 1:
        crop = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return crop, (int(rows[0]), int(cols[0]))


def keep_largest(mask: np.ndarray) -> None:
    """Set every pixel of a mask, uint8 {0, 1} (H, W), to 0 that is not in its largest connected region (4 neighbours).

    Of regions of one size the first in raster order is kept.
    """
    import cv2

    left, top, width, height = cv2.boundingRect(mask)
    crop = mask[top : top + height, left : left + width]
    if not crop.size:
        return
    if cv2.connectedComponents(crop, connectivity=4)[0] > 2:
        _, names, stats, _ = cv2.connectedComponentsWithStats(crop, connectivity=4)
        crop[names != 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = 0


def outline(mask: np.ndarray) -> np.ndarray:
    """Follow the edge of the largest region of a mask.

    Args:
        mask: uint8 {0, 1}, (H, W).

    Returns:
        The pixels at its edge as (x, y), int32 (N, 2): each next to the one before (8 neighbours), counterclockwise on
        the screen from the first pixel of the uppermost row. A part that is one pixel thin is passed twice; holes have
        no outline. An empty mask gives none.
    """
    import cv2

    region = mask.copy()
    keep_largest(region)
    found = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return np.asarray(found[0][:, 0] if found else np.empty((0, 2)), np.int32)


def edge_pixels(component: np.ndarray) -> np.ndarray:
    """Pixels of a component (h, w) of which one of the four neighbours is outside, as (row, column), int (N, 2).

    Beyond the array's border is outside too.
    """
    inside = np.zeros_like(component)
    inside[1:-1, 1:-1] = component[:-2, 1:-1] & component[2:, 1:-1] & component[1:-1, :-2] & component[1:-1, 2:]
    return np.argwhere(component & ~inside)
