"""Contact sheet: chosen frames side by side with their outlines, for a README or a model card."""

from collections.abc import Sequence

import cv2
import numpy as np

from edgeecho.errors import ShapeError
from edgeecho.report.draw import BACKGROUND, TEXT, draw_outline, put_text, to_bgr


def contact_sheet(
    frames: np.ndarray,
    mask: np.ndarray,
    indices: Sequence[int],
    *,
    labels: Sequence[str] | None = None,
    height_px: int = 360,
    columns: int | None = None,
) -> np.ndarray:
    """Put frames with their outlines side by side.

    Args:
        frames: uint8, (T, H, W) grey or (T, H, W, 3) RGB.
        mask: uint8 {0, 1}, (T, H, W).
        indices: 0-based frames to show, such as ED, a frame in systole, and ES.
        labels: Caption of each frame; None writes the frame's number.
        height_px: Height of one picture.
        columns: Number of pictures in a row; None puts all into one row.

    Returns:
        uint8 BGR picture.

    Raises:
        ShapeError: If the arrays do not fit, or an index or caption is one too many.
    """
    if frames.shape[:3] != mask.shape or mask.ndim != 3:
        raise ShapeError(f"expected frames and mask (T, H, W), got {frames.shape} and {mask.shape}")
    if len(indices) == 0 or not all(0 <= index < len(mask) for index in indices):
        raise ShapeError(f"expected indices from 0 to {len(mask) - 1}, got {list(indices)}")
    if labels is not None and len(labels) != len(indices):
        raise ShapeError(f"expected {len(indices)} labels, got {len(labels)}")
    gap, caption = 6, 26
    height, width = mask.shape[1:]
    width_px = max(1, round(width * height_px / height))
    scale = max(1, round(height_px / height))
    columns = columns or len(indices)
    rows = -(-len(indices) // columns)
    size = (rows * (height_px + caption + gap) - gap, columns * (width_px + gap) - gap, 3)
    sheet = np.full(size, BACKGROUND, np.uint8)
    for number, index in enumerate(indices):
        image = to_bgr(frames[index])
        if scale > 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        draw_outline(image, mask[index], scale, thickness=max(2, round(2 * scale * height / height_px)))
        if image.shape[:2] != (height_px, width_px):
            shrink = image.shape[0] > height_px
            image = cv2.resize(
                image, (width_px, height_px), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
            )
        top, left = (number // columns) * (height_px + caption + gap), (number % columns) * (width_px + gap)
        sheet[top : top + height_px, left : left + width_px] = image
        text = labels[number] if labels is not None else f"frame {index}"
        put_text(sheet, text, (left + width_px / 2, top + height_px + 18), 15, TEXT, align=0.5)
    return sheet
