"""View of a live stream: the whole frame until region and orientation are sure, then a fixed one."""

from collections.abc import Iterator

import numpy as np

from edgeecho.measure.constants import ASSUMED_FPS
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import AUTO, Orientation, Roi, whole_frame
from edgeecho.runtime.trust_constants import (
    FIRST_SAMPLE_S,
    MAX_SAMPLES,
    MIN_CONFIDENCE,
    RETRY_S,
    SAMPLE_INTERVAL_S,
)
from edgeecho.runtime.view import View
from edgeecho.runtime.view_search import Look, ViewSearch


class LiveView:
    """Region and orientation of a stream. While they are searched, a push costs at most one look more."""

    def __init__(
        self,
        look: Look,
        spec: ModelSpec,
        shape: tuple[int, int],
        *,
        fps: float | None,
        spacing_mm: tuple[float, float] | None,
        roi: Roi | None,
        flip: str,
    ) -> None:
        """
        Args:
            look: Runs the network on a still picture.
            spec: Spec of the network.
            shape: Rows and columns of the frames.
            fps: Frames per second, None if unknown.
            spacing_mm: (row, column) millimetres per pixel, or None for square pixels.
            roi: Region, if it is given.
            flip: `auto`, or the orientation that is given.
        """
        self._search = ViewSearch(look, spec.size_px, spec.threshold, shape, spacing_mm=spacing_mm, roi=roi, flip=flip)
        self.view = View(roi or whole_frame(*shape, spacing_mm), Orientation("none" if flip == AUTO else flip))
        """View of the frames to come."""
        self.is_fixed = roi is not None and flip != AUTO
        """Whether the view stays until the stream is reset."""
        self._fps = fps or ASSUMED_FPS
        self._steps: Iterator[None] | None = None
        self._wait_frames = self._frames_in(FIRST_SAMPLE_S)

    def _frames_in(self, seconds: float) -> int:
        return max(1, round(self._fps * seconds))

    def see(self, frame: np.ndarray) -> bool:
        """Take the next frame, uint8 (H, W), and search a little.

        Returns:
            Whether the view has become fixed: the next frame is the first one to be seen in it.
        """
        if self.is_fixed:
            return False
        self._search.add(frame)
        if self._steps is None:
            self._wait_frames -= 1
            if self._wait_frames > 0 or not self._search.is_lit:
                return False
            self._steps = self._search.sample(frame)
        if next(self._steps, self) is not self:
            return False
        self._steps = None
        return self._decide()

    def _decide(self) -> bool:
        """Fix the view, or plan the next sample."""
        view, samples = self._search.view(), self._search.samples
        if view.confidence >= MIN_CONFIDENCE and (view.is_clear or samples >= MAX_SAMPLES):
            self.view, self.is_fixed = view, True
            return True
        self._wait_frames = self._frames_in(SAMPLE_INTERVAL_S if samples < MAX_SAMPLES else RETRY_S)
        if samples >= MAX_SAMPLES:
            self._search.restart()
        return False
