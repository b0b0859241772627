"""CinePredictor: from a cine to masks, areas, beats and ejection fraction, whichever way the network is run."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeecho.cine import Cine, check_stated, to_grey
from edgeecho.errors import ModelFileError
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import AUTO, Roi, as_roi, check_flip, check_roi
from edgeecho.reasons import Finding
from edgeecho.runtime.cine_run import CineRun, find_view, run_cine
from edgeecho.runtime.engines.interface import Engine
from edgeecho.runtime.quality import frozen_tail, quality_of
from edgeecho.runtime.segmentation import ModelInfo, Segmentation
from edgeecho.runtime.trust_constants import MIN_WHOLE_MARGIN
from edgeecho.runtime.verdict import judge_beats, judge_colour, judge_figures, judge_orientations, judge_view, weigh
from edgeecho.runtime.view import View

Progress = Callable[[int, int], None]
"""Function that is called with the number of frames done and the number of frames."""


class CinePredictor(ABC):
    """A model that segments cines: `Predictor` in windows, `StreamingPredictor` frame by frame."""

    def __init__(self, engine: Engine, spec: ModelSpec, sha256: str) -> None:
        """
        Args:
            engine: An opened graph.
            spec: Spec of the graph.
            sha256: SHA-256 of the model file.

        Raises:
            ModelFileError: If the network pools along time, so that masks would depend on how a cine is cut.
        """
        if spec.pooled_frames > 1:
            raise ModelFileError(f"{spec.name}: pools along time; it can be benchmarked, not segment")
        self.engine, self.spec = engine, spec
        form = "stream" if spec.form == "stream" else "clip"
        self.info = ModelInfo(spec.name, sha256, form, spec.precision, engine.runtime, engine.version, spec.licence)

    @abstractmethod
    def probabilities(self, frames: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Run the network over a cine of its own size.

        Args:
            frames: uint8 (T, size_px, size_px).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.
        """

    def segment(
        self,
        frames: np.ndarray | Cine,
        fps: float | None = None,
        *,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str | None = AUTO,
        progress: Progress | None = None,
    ) -> Segmentation:
        """Outline the left ventricle in every frame and measure it.

        Args:
            frames: A `Cine`, or uint8 (T, H, W) grey or (T, H, W, 3) RGB.
            fps: Frames per second, if not the cine's own.
            spacing_mm: (row, column) mm per pixel, if not the cine's own.
            roi: Region that the network sees; None finds it.
            flip: How the picture is turned for the network, one of `FLIPS`; its masks are turned back. `auto` finds
                it; None and `none` take the picture as upright.
            progress: Called with frames done and T.

        Raises:
            ShapeError: If the frames are no grey or RGB cine.
            VideoError: If the cine is black.
            ConfigError: If a setting makes no sense.
        """
        cine = frames if isinstance(frames, Cine) else Cine(to_grey(frames))
        fps = cine.fps if fps is None else fps
        spacing_mm = cine.spacing_mm if spacing_mm is None else spacing_mm
        check_stated(fps, spacing_mm)
        spacing_mm = None if spacing_mm is None else (float(spacing_mm[0]), float(spacing_mm[1]))
        roi = as_roi(roi)
        if roi:
            check_roi(roi, *cine.frames.shape[1:])
        times_s = cine.times_s if fps == cine.fps else None
        cine = replace(cine, fps=fps, spacing_mm=spacing_mm, times_s=times_s)
        view = find_view(self.look, self.spec, cine, roi, check_flip(flip))
        run, findings = self._run(cine, view, progress)
        texts = [finding.text for finding in findings]
        sentences = [*cine.warnings, *texts, *frozen_tail(run.inputs), *run.measured.warnings]
        return Segmentation(
            mask=run.mask,
            area_px=run.area_px,
            fps=fps,
            spacing_mm=spacing_mm,
            roi=view.roi,
            orientation=run.orientation,
            measurement=run.measured,
            quality=quality_of(run.history.whole()),
            findings=findings,
            warnings=list(dict.fromkeys(sentences)),
            model=self.info,
        )

    def _run(self, cine: Cine, view: View, progress: Progress | None) -> tuple[CineRun, list[Finding]]:
        """Run a cine in a view, or in its two orientations if neither is clear, and judge the result."""
        run, findings = run_cine(self.probabilities, self.spec, cine, view, progress), judge_view(view)
        if not view.is_clear:
            other = run_cine(self.probabilities, self.spec, cine, view.turned_to_rival(), progress)
            run, other = sorted((run, other), key=lambda either: -either.confidence)
            if run.confidence - other.confidence >= MIN_WHOLE_MARGIN and view.shows_apex:
                findings = judge_view(replace(view, orientation=run.orientation, is_clear=True))
            else:
                findings = judge_orientations(view, run.measured, other.measured, findings)
        findings += [*judge_beats(run.measured.beats, run.measured.no_beat), *judge_figures(run.measured)]
        return run, weigh([*findings, *judge_colour(run.mask, cine.coloured), *cine.doubts])

    def look(self, picture: np.ndarray) -> np.ndarray:
        """Run the network on a still picture, uint8 (size_px, size_px), and return prob of the same shape."""
        prob: np.ndarray = self.probabilities(picture[None])[0]
        return prob
