"""View of a live stream: at first the whole frame, then what one sampled frame shows, and a fixed view once it is sure.

The first frame is sampled at once, so that a small fan on a large screen is seen from the start; later samples cost one
look a frame. Until region and orientation are sure, the view may change with each sample, and no beat is measured."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from edgeecho.measure.constants import ASSUMED_FPS
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import AUTO, UPRIGHT, Orientation, Roi, whole_frame
from edgeecho.runtime.trust_constants import (
    MAX_SAMPLES,
    MIN_LIVE_SAMPLES,
    MIN_SAME_REGION,
    MIN_VIEW_CONFIDENCE,
    RETRY_S,
    SAMPLE_INTERVAL_S,
)
from edgeecho.runtime.view import View
from edgeecho.runtime.view_regions import overlap
from edgeecho.runtime.view_search import Look, ViewSearch


class LiveView:
    """Region and orientation of a stream.

    The push of the first frame that is not black costs all looks of a sample; each later push, until the view is fixed,
    costs at most one.
    """

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
        self.view = View(roi or whole_frame(*shape, spacing_mm), Orientation(UPRIGHT if flip == AUTO else flip))
        """View of the frames to come."""
        self.is_fixed = roi is not None and flip != AUTO
        """Whether the view stays until the stream is reset."""
        self._fps = fps or ASSUMED_FPS
        self._steps: Iterator[None] | None = None
        self._wait_frames = 1
        self._samples = 0  # since the stream began

    def _frames_in(self, seconds: float) -> int:
        return max(1, round(self._fps * seconds))

    def see(self, frame: np.ndarray) -> bool:
        """Take the next frame, uint8 (H, W), before the network runs on it, and search a little.

        Returns:
            Whether the network must begin anew: the frame is the first one to be seen in another view.
        """
        if self.is_fixed:
            return False
        self._search.add(frame)
        if self._steps is None:
            self._wait_frames -= 1
            if self._wait_frames > 0 or not self._search.is_lit:
                return False
            self._steps = self._search.sample(frame)
        if self._samples == 0:
            for _ in self._steps:
                pass
        elif next(self._steps, self) is not self:
            return False
        self._steps = None
        self._samples += 1
        return self._decide()

    def _decide(self) -> bool:
        """Take the view of the sample that has ended, and fix it or plan the next sample."""
        view, samples = self._search.view(), self._search.samples
        is_likely = view.confidence >= MIN_VIEW_CONFIDENCE
        is_sure = view.is_clear and samples >= MIN_LIVE_SAMPLES
        self.is_fixed = is_likely and (is_sure or samples >= MAX_SAMPLES)
        self._wait_frames = self._frames_in(SAMPLE_INTERVAL_S if samples < MAX_SAMPLES else RETRY_S)
        if samples >= MAX_SAMPLES and not self.is_fixed:
            self._search.restart()
        if not is_likely or not (view.is_clear or self.is_fixed):
            view = replace(view, orientation=self.view.orientation)
        if not is_likely:
            return False
        before, self.view = self.view, view
        if before.orientation == view.orientation and overlap(before.roi, view.roi) >= MIN_SAME_REGION:
            self.view = replace(view, roi=before.roi)
            return False
        return True
