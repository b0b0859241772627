"""The self-test's cine, drawn in integers by the formula of docs/model-file.md, and the digests of its results."""

import hashlib

import numpy as np

from edgeecho.model.selftest_record import FRAMES, FrameAnswer, SelfTest
from edgeecho.preprocess import Roi, mask_from_network, to_network

HEIGHT, WIDTH = 144, 160
ROI = Roi(0, -8, 160, 160)
"""Region of the test cine, which leaves the frame above and below."""
HALF_WIDTHS, HALF_LENGTHS = (26, 25, 23, 21, 22, 25), (44, 43, 40, 38, 39, 43)
"""Half axes of the drawn ventricle in pixels, frame by frame."""


def selftest_cine(frames: int = FRAMES) -> np.ndarray:
    """Draw the test cine: a sector of speckle with a dark ventricle that beats, uint8 (frames, 144, 160)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    mixed = (x // 2 * 374761393 + y // 2 * 668265263) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1274126177) & 0xFFFFFFFF
    speckle = (mixed ^ (mixed >> 16)) & 255

    def inside(centre_x: int, centre_y: int, a: int, b: int) -> np.ndarray:
        return np.asarray((x - centre_x) ** 2 * b * b + (y - centre_y) ** 2 * a * a < a * a * b * b)

    across, down = x - 80, y + 6
    sector = (across**2 + down**2 < 146 * 146) & (5 * np.abs(across) < 4 * down + 10)
    others = inside(90, 124, 24, 20) | inside(52, 76, 12, 30)  # an atrium, and a right ventricle
    pictures = []
    for t in range(frames):
        a, b = HALF_WIDTHS[t % len(HALF_WIDTHS)], HALF_LENGTHS[t % len(HALF_LENGTHS)]
        blood, wall = inside(88, 64, a, b) | others, inside(88, 62, a + 11, b + 12)
        tissue = np.where(wall, 90 + speckle * 130 // 256, 50 + speckle * 90 // 256)
        pictures.append(np.where(sector, np.where(blood, 14 + speckle * 30 // 256, tissue), 0).astype(np.uint8))
    return np.stack(pictures)


def selftest_inputs(size_px: int, frames: int = FRAMES) -> np.ndarray:
    """Resample the test cine to the network's frames, uint8 (frames, size_px, size_px)."""
    return to_network(selftest_cine(frames), ROI, size_px)


def frame_answers(prob: np.ndarray, threshold: int) -> tuple[list[FrameAnswer], np.ndarray]:
    """Bring maps to the test cine's own pixels and compute their digests.

    Args:
        prob: uint8 (T, S, S).
        threshold: A pixel is cavity where the resampled `prob` is at least this.

    Returns:
        Digests and area of each frame, and the masks, uint8 {0, 1} (T, 144, 160).
    """
    masks = mask_from_network(prob, ROI, HEIGHT, WIDTH, threshold)
    answers = [FrameAnswer(_sha256(p), _sha256(m), int(m.sum())) for p, m in zip(prob, masks, strict=True)]
    return answers, masks


def _sha256(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def make_record(
    prob: np.ndarray,
    threshold: int,
    *,
    max_levels: int = 0,
    min_dice: float | None = None,
    processors: str = "every processor",
) -> SelfTest:
    """Make the record of a result.

    Args:
        prob: Maps of `selftest_inputs`, uint8 (T, S, S).
        threshold: Threshold of the model.
        max_levels: Tolerance of `prob` in grey levels.
        min_dice: Tolerance of masks; None where `prob` decides.
        processors: Processors that compute this result, in words.
    """
    exact = max_levels == 0 and min_dice is None
    answers = tuple(frame_answers(prob, threshold)[0])
    return SelfTest(answers, max_levels, min_dice, None if exact else prob.tobytes(), processors)
