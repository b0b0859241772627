"""StreamingPredictor: a stream graph, run frame by frame on live frames or over a whole cine. No torch."""

import importlib
from dataclasses import replace

import numpy as np

from edgeecho.cine import check_stated, require_side, to_grey
from edgeecho.errors import ShapeError
from edgeecho.frame_times import FrameClock
from edgeecho.measure import BeatMeasurement, BeatMeter, Measurement, keep_largest
from edgeecho.measure.measurement import median
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import (
    AUTO,
    Roi,
    as_roi,
    check_flip,
    check_roi,
    flip_images,
    mask_from_network,
    to_network,
    unflip_images,
)
from edgeecho.reasons import Finding, Level, Reason, find, worst_level
from edgeecho.runtime.beat_judge import BeatJudge
from edgeecho.runtime.cine_predictor import CinePredictor, Progress
from edgeecho.runtime.engines.interface import StreamEngine
from edgeecho.runtime.frame_history import FrameHistory
from edgeecho.runtime.frame_result import FrameResult
from edgeecho.runtime.frame_stream import FrameStream
from edgeecho.runtime.live_view import LiveView
from edgeecho.runtime.mask_score import MaskScore
from edgeecho.runtime.one_thread import OneThread
from edgeecho.runtime.verdict import judge_beats, judge_view, weigh
from edgeecho.runtime.view import View

SLOW_IMPORTS = ("scipy.sparse", "scipy.ndimage")
"""Modules that the first frame and the first beat would import in the middle of a stream, a tenth of a second each."""


class StreamingPredictor(CinePredictor):
    """A model for live frames: `push` each, `flush` at the end, `reset` at a freeze, a new view or a new patient.

    The network sees the whole frame until region and orientation are sure, mostly within the first second; then it sees
    that region until `reset`, and beats are measured. With region and orientation given, a cine that is pushed frame by
    frame gets the same masks as from a `Predictor`. `segment` takes a whole cine, runs it frame by frame, and does not
    change the live stream. One thread at a time: two that meet in one predictor get a `ConcurrentUseError`.
    """

    engine: StreamEngine

    def __init__(
        self,
        engine: StreamEngine,
        spec: ModelSpec,
        sha256: str,
        *,
        fps: float | None = None,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str | None = AUTO,
    ) -> None:
        """
        Args:
            engine: An opened stream graph.
            spec: Spec of the graph.
            sha256: SHA-256 of the model file.
            fps: Frames per second of the live frames; None gives no heart rate.
            spacing_mm: (row, column) mm per pixel of the live frames; None gives no volumes.
            roi: Region that the network sees; None finds it.
            flip: How the picture is turned for the network, one of `FLIPS`; `auto` finds it; None means `none`.

        Raises:
            ConfigError: If a setting makes no sense.
        """
        super().__init__(engine, spec, sha256)
        self._one_thread = OneThread("StreamingPredictor")
        for module in SLOW_IMPORTS:
            importlib.import_module(module)
        check_stated(fps, spacing_mm)
        self.fps, self.flip = fps, check_flip(flip)
        self.spacing_mm = None if spacing_mm is None else (float(spacing_mm[0]), float(spacing_mm[1]))
        self._given_roi = as_roi(roi)
        self._frames, self._whole = FrameStream(engine, spec), FrameStream(engine, spec)
        self.reset()

    @property
    def delay_frames(self) -> int:
        """Number of frames by which the result of a frame is delayed; 0 for a causal network."""
        return self._frames.delay_frames

    def reset(self) -> None:
        """Forget frames, view and beats: the next frame is the first of a new cine."""
        with self._one_thread:
            self._reset()

    def _reset(self) -> None:
        self._frames.reset()
        self.measured: Measurement | None = None
        """Measurement of the whole cine, once `flush` has ended it."""
        self._live: LiveView | None = None
        self._size: tuple[int, int] | None = None
        self._due: list[tuple[np.ndarray, View]] = []  # maps of frames seen in the view before
        self._clock = FrameClock(self.fps)
        self._times: list[tuple[float | None, float | None]] = []  # of frames without a result: given, without pauses
        self._history = FrameHistory(self.fps)
        self._meter = BeatMeter(self.fps, self.spacing_mm, judge=BeatJudge(self._history))
        self._seen_in: View | None = None  # view of the newest result, and its pixels in the fan
        self._inside: np.ndarray | None = None
        self._figures: tuple[float | None, float | None] = (None, None)
        self._findings: tuple[Finding, ...] = ()
        self._was_fixed = False  # when findings were last judged

    def use_engine(self, engine: StreamEngine) -> None:
        """Run the live stream by another engine of the same graph, such as one with a clock; resets."""
        with self._one_thread:
            self.engine = engine
            self._frames = FrameStream(engine, self.spec)
            self._reset()

    def set_view(self, roi: Roi | None, flip: str | None = AUTO) -> None:
        """Set region and orientation of the frames to come, as the constructor takes them; resets.

        Raises:
            ConfigError: If a setting makes no sense.
        """
        with self._one_thread:
            self.flip, self._given_roi = check_flip(flip), as_roi(roi)
            self._reset()

    @property
    def view(self) -> View | None:
        """Region and orientation of the frames to come; None before the first frame."""
        return self._live.view if self._live else None

    @property
    def is_view_fixed(self) -> bool:
        """Whether region and orientation are sure, or given; beats are measured from then on."""
        return self._live is not None and self._live.is_fixed

    @property
    def beats(self) -> tuple[BeatMeasurement, ...]:
        """Beats so far: none in the first 2 s of a fixed view, then each when the next one has begun."""
        return tuple(self._meter.beats)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Reasons that limit the figures so far."""
        return self._findings

    @property
    def no_beat(self) -> Finding | None:
        """Reason why no beat was measured so far; None if one was."""
        return self._meter.no_beat

    @property
    def frames_dropped(self) -> int:
        """Number of frames that are missing between the times of those pushed so far; 0 without times or fps."""
        return self._clock.dropped

    def push(self, frame: np.ndarray, time_s: float | None = None) -> FrameResult | None:
        """Take the next live frame.

        Args:
            frame: uint8 (H, W) grey or (H, W, 3) RGB, of the same size until `reset`.
            time_s: When it was taken, by any clock, in seconds; None of all frames if unknown. Heart rates are those of
                the times, where a step of more than 5 frames is a pause and counts as one frame.

        Returns:
            Result of the frame `delay_frames` earlier; None while there is no such frame.

        Raises:
            ShapeError: If it is no frame, or of another size than the first.
            ConfigError: If a given region lies outside the frame, or times do not rise.
            ConcurrentUseError: If another thread is within this predictor.
        """
        with self._one_thread:
            return self._push(frame, time_s)

    def _push(self, frame: np.ndarray, time_s: float | None) -> FrameResult | None:
        if self.measured is not None:
            self._reset()
        if not isinstance(frame, np.ndarray):
            raise ShapeError(f"expected one frame (H, W) or (H, W, 3), got {type(frame).__name__}; push NumPy arrays")
        if frame.ndim not in (2, 3) or 0 in frame.shape:
            raise ShapeError(f"expected one frame (H, W) or (H, W, 3), got {frame.shape}; push frames one by one")
        grey = to_grey(frame[None])[0]
        require_side(grey.shape, "stream")
        if self._size is None or self._live is None:
            self._size, self._live = grey.shape, self._begin(grey.shape)
        if grey.shape != self._size:
            raise ShapeError(f"frame of {grey.shape}, the stream began with {self._size}; call reset() first")
        self._times.append((time_s, self._clock.add(time_s)))
        before = self._live.view
        if self._live.see(grey):
            self._due += [(prob, before) for prob in self._frames.flush()]
        view = self._live.view
        picture = to_network((255 - grey if view.orientation.inverted else grey)[None], view.roi, self.spec.size_px)
        self._history.see(picture)
        prob = self._frames.push(np.ascontiguousarray(flip_images(picture, view.orientation.flip)[0]))
        if prob is not None:
            self._due.append((prob, view))
        return self._result(*self._due.pop(0)) if self._due else None

    def _begin(self, shape: tuple[int, int]) -> LiveView:
        if self._given_roi:
            check_roi(self._given_roi, *shape)
        whole = self._whole

        def look(picture: np.ndarray) -> np.ndarray:  # without `self`: a predictor is freed when it is forgotten
            prob: np.ndarray = whole.whole(picture[None])[0]
            return prob

        return LiveView(
            look,
            self.spec,
            shape,
            fps=self.fps,
            spacing_mm=self.spacing_mm,
            roi=self._given_roi,
            flip=self.flip,
        )

    def flush(self) -> list[FrameResult]:
        """End the cine: repeat the last frame until every frame has its result, and set `measured`.

        Returns:
            The results still due, at most `delay_frames`. The next `push` begins a new cine.

        Raises:
            ConcurrentUseError: If another thread is within this predictor.
        """
        with self._one_thread:
            return self._flush()

    def _flush(self) -> list[FrameResult]:
        if self._live:
            self._due += [(prob, self._live.view) for prob in self._frames.flush()]
        results = [self._result(*due) for due in self._due]
        self._due = []
        self.measured = self._meter.finish()
        self._judge()
        return results

    def _result(self, prob: np.ndarray, view: View) -> FrameResult:
        assert self._size
        assert self._live
        prob = unflip_images(prob, view.orientation.flip)
        mask = mask_from_network(prob[None], view.roi, *self._size, self.spec.threshold)[0]
        keep_largest(mask)
        if view is not self._seen_in:
            self._seen_in, self._inside = view, view.inside(self.spec.size_px, self._size, self.spacing_mm)
        score = MaskScore.of(prob, self.spec.threshold, self._inside)
        frame, (time_s, running_s) = self._history.scored, self._times.pop(0)
        self._history.score(score)
        area_px = float(np.count_nonzero(mask))
        is_measured = self._live.is_fixed and view is self._live.view
        completed = self._meter.push(mask, area_px if is_measured else 0.0, running_s)
        if completed or not self._findings or not is_measured or not self._was_fixed:
            self._judge()
        return FrameResult(
            frame=frame,
            mask=mask,
            area_px=area_px,
            confidence=score.confidence,
            view=view,
            beats=tuple(completed),
            ef_percent=self._figures[0],
            heart_rate_bpm=self._figures[1],
            findings=self._findings,
            prob=prob,
            reasons=(score if is_measured else replace(score, outside=0)).frame_reasons(
                is_frozen=self._history.is_still(frame)
            ),
            time_s=time_s,
        )

    def _judge(self) -> None:
        """Judge the beats so far."""
        self._was_fixed = self.is_view_fixed
        used = [beat for beat in self._meter.beats if beat.is_used]
        ef, rate = (median([getattr(beat, name) for beat in used]) for name in ("ef_percent", "heart_rate_bpm"))
        found = judge_beats(self._meter.beats, self._meter.no_beat)
        if self._live and not self._live.is_fixed:
            found = [find(Reason.REGION_UNSURE, Level.WITHHOLD, "region and orientation are still searched")]
        elif self._live:
            found = weigh([*judge_view(self._live.view), *found])
        self._findings = tuple(found)
        self._figures = (None if worst_level(found) == Level.WITHHOLD else ef, rate)

    def probabilities(self, frames: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Run the network over a cine of its own size, frame by frame.

        Args:
            frames: uint8 (T, size_px, size_px).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.

        Raises:
            ConcurrentUseError: If another thread is within this predictor.
        """
        with self._one_thread:
            return self._whole.whole(frames, progress)
