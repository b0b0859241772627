"""What the frames of a cine showed, kept as sums, so that any beat can be judged by its own frames."""

import numpy as np

from edgeecho.measure.curve_buffer import windows_for
from edgeecho.measure.rigid_motion import explained_change, small_pictures
from edgeecho.model.spec import MAX_CONTEXT_FRAMES
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.trust_constants import MIN_LARGEST_FRACTION

FIELDS = ("frames", "empty", "pixels", "total", "broken", "edge", "outside")
"""Whole numbers that are summed over frames."""
BATCH_FRAMES = 32
"""Steps between pictures of which the motion is computed at once."""


class FrameHistory:
    """Sums over the frames of one cine, as far back as a beat may reach."""

    def __init__(self, fps: float | None) -> None:
        """
        Args:
            fps: Frames per second, None if unknown.
        """
        windows = windows_for(fps)
        self._capacity = 2 * windows.longest + windows.gap + MAX_CONTEXT_FRAMES + BATCH_FRAMES
        self._sums = np.zeros((self._capacity, len(FIELDS)), np.int64)
        self._boxes = np.zeros((self._capacity, 4), np.int64)
        self._motion = np.zeros((self._capacity, 2))
        self._still = np.zeros(self._capacity, np.int64)
        self._is_still = np.zeros(self._capacity, bool)
        self._shown = 0  # pictures that were seen or wait
        self._running = [0] * len(FIELDS)
        self._pictures: list[np.ndarray] = []
        self.scored = self.seen = 0
        """Numbers of frames whose mask was scored, and whose picture was seen."""

    def see(self, pictures: np.ndarray) -> None:
        """Take the network's next pictures, uint8 (T, S, S), in the order of time."""
        for picture in small_pictures(pictures):
            before = self._pictures[-1] if self._pictures else None
            self._is_still[self._shown % self._capacity] = before is not None and np.array_equal(before, picture)
            self._shown += 1
            self._pictures.append(picture)
        while len(self._pictures) > BATCH_FRAMES:
            self._compute_motion()

    def _compute_motion(self) -> None:
        """Compute the motion between the pictures that wait, `BATCH_FRAMES` steps at once; the last one is kept."""
        if not self.seen and self._pictures:
            self._motion[0], self._still[0], self.seen = 0.0, 0, 1
        stacked = np.stack(self._pictures[: BATCH_FRAMES + 1]) if len(self._pictures) > 1 else np.empty(0)
        steps = len(stacked) - 1
        if steps < 1:
            return
        before, at = (self.seen - 1) % self._capacity, np.arange(self.seen, self.seen + steps) % self._capacity
        changes = np.stack(explained_change(stacked), axis=1)
        self._motion[at] = np.cumsum(np.vstack([self._motion[before], changes]), axis=0)[1:]  # one by one, as in C
        self._still[at] = self._still[before] + np.cumsum(self._is_still[at])
        self.seen += steps
        self._pictures = self._pictures[steps:]

    def score(self, score: MaskScore) -> None:
        """Take the score of the next frame's mask."""
        broken = score.pixels and score.largest < MIN_LARGEST_FRACTION * score.pixels
        shown = (1, int(not score.pixels), score.pixels, score.total, int(bool(broken)), score.edge, score.outside)
        self._running = [total + value for total, value in zip(self._running, shown, strict=True)]
        at = self.scored % self._capacity
        self._sums[at], self._boxes[at] = self._running, score.box
        self.scored += 1

    def over(self, first: int, last: int) -> dict[str, int]:
        """Return the sums of `FIELDS` over the frames from `first` to `last`, both included."""
        before = self._sums[(first - 1) % self._capacity] if first else 0
        return dict(zip(FIELDS, (int(v) for v in self._sums[last % self._capacity] - before), strict=True))

    def whole(self) -> dict[str, int]:
        """Return the sums of `FIELDS` over all frames."""
        return dict(zip(FIELDS, self._running, strict=True))

    def box(self, frame: int) -> tuple[int, int, int, int]:
        """Return the box of a frame's mask: top, bottom, left and right."""
        top, bottom, left, right = (int(v) for v in self._boxes[frame % self._capacity])
        return top, bottom, left, right

    def is_still(self, frame: int) -> bool:
        """Return whether a frame's picture is the same as that of the frame before."""
        return bool(self._is_still[frame % self._capacity])

    def motion(self, first: int, last: int) -> tuple[float, float, int]:
        """Return the change that a motion of the whole explains, all change, and the number of still frames.

        Args:
            first: Frame from which on the steps to the next frame count.
            last: Last frame.
        """
        while len(self._pictures) > 1:
            self._compute_motion()
        a, b = first % self._capacity, min(last, self.seen - 1) % self._capacity
        explained, whole = self._motion[b] - self._motion[a]
        return float(explained), float(whole), int(self._still[b] - self._still[a])
