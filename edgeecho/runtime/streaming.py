"""StreamingPredictor: a stream graph, run frame by frame on live frames or over a whole cine. No torch."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeecho.cine import check_stated, to_grey
from edgeecho.errors import ShapeError
from edgeecho.measure import BeatMeasurement, BeatMeter, Measurement
from edgeecho.measure.measurement import median
from edgeecho.model.registry import locate
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import Roi, check_flip, check_roi, find_roi, flip_images, mask_from_network, to_network
from edgeecho.runtime.cine_predictor import CinePredictor, Progress
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import StreamEngine
from edgeecho.runtime.frame_stream import FrameStream
from edgeecho.runtime.predictor import log_licence

SLOW_IMPORTS = ("scipy.sparse", "scipy.ndimage")
"""Modules that the first frame and the first beat would import in the middle of a stream, a tenth of a second each."""


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Mask and area of one frame of a stream, and the figures so far."""

    frame: int
    """Index of the frame, counted from 0 at the last reset."""
    mask: np.ndarray
    """uint8 {0, 1} (H, W), left-ventricular cavity at the frame's own pixels."""
    area_px: float
    """Pixels of the mask."""
    beats: tuple[BeatMeasurement, ...]
    """Beats that this frame completes."""
    ef_percent: float | None
    """Median over all beats so far, 0-100; None before the first."""
    heart_rate_bpm: float | None
    """Median over all beats so far; None before the first, or without a frame rate."""


class StreamingPredictor(CinePredictor):
    """A model for live frames: `push` each, `flush` at the end, `reset` at a freeze, a new view or a new patient.

    Pushed frame by frame, a cine gets the same masks as from a `Predictor`, if both use the same region. A predictor
    finds the region in the whole cine; a stream finds it in the first frame, and keeps it until `reset`. `segment`
    takes a whole cine, runs it frame by frame, and does not change the live stream.
    """

    def __init__(
        self,
        engine: StreamEngine,
        spec: ModelSpec,
        sha256: str,
        *,
        fps: float | None = None,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str | None = None,
    ) -> None:
        """
        Args:
            engine: An opened stream graph.
            spec: Spec of the graph.
            sha256: SHA-256 of the model file.
            fps: Frames per second of the live frames; None gives no heart rate.
            spacing_mm: (row, column) mm per pixel of the live frames; None gives no volumes.
            roi: Region that the network sees; None finds the sector in the first frame.
            flip: `lr` for a mirrored view, `ud` for apex down.

        Raises:
            ConfigError: If a setting makes no sense.
        """
        super().__init__(engine, spec, sha256)
        for module in SLOW_IMPORTS:
            importlib.import_module(module)
        check_stated(fps, spacing_mm)
        check_flip(flip)
        self.fps, self.spacing_mm, self.flip = fps, spacing_mm, flip
        self._given_roi = roi
        self._frames, self._whole = FrameStream(engine, spec), FrameStream(engine, spec)
        self.reset()

    @property
    def delay_frames(self) -> int:
        """Number of frames by which the result of a frame is delayed; 0 for a causal network."""
        return self._frames.delay_frames

    def reset(self) -> None:
        """Forget frames, region and beats: the next frame is the first of a new cine."""
        self._frames.reset()
        self.roi = self._given_roi
        self.measured: Measurement | None = None
        """Measurement of the whole cine, once `flush` has ended it."""
        self._size: tuple[int, int] | None = None
        self._count = 0
        self._meter = BeatMeter(self.fps, self.spacing_mm)
        self._ef_percent: float | None = None
        self._heart_rate_bpm: float | None = None

    @property
    def beats(self) -> tuple[BeatMeasurement, ...]:
        """Beats so far: none in the first 2 s, then each when the next one has begun."""
        return tuple(self._meter.beats)

    def push(self, frame: np.ndarray) -> FrameResult | None:
        """Take the next live frame.

        Args:
            frame: uint8 (H, W) grey or (H, W, 3) RGB, of the same size until `reset`.

        Returns:
            Result of the frame `delay_frames` earlier; None while there is no such frame.

        Raises:
            ShapeError: If it is no frame, or of another size than the first.
            VideoError: If the region is to be found and the first frame is black; the stream has not begun then.
            ConfigError: If a given region lies outside the frame.
        """
        if self.measured is not None:
            self.reset()
        if frame.ndim not in (2, 3) or 0 in frame.shape:
            raise ShapeError(f"expected one frame (H, W) or (H, W, 3), got {frame.shape}; push frames one by one")
        grey = to_grey(frame[None])
        if self._size is None:
            if self._given_roi:
                check_roi(self._given_roi, *grey.shape[1:])
            self.roi = self._given_roi or find_roi(grey, self.spacing_mm)
            self._size = grey.shape[1], grey.shape[2]
        if grey.shape[1:] != self._size or self.roi is None:
            raise ShapeError(f"frame of {grey.shape[1:]}, the stream began with {self._size}; call reset() first")
        inputs = flip_images(to_network(grey, self.roi, self.spec.size_px), self.flip)
        prob = self._frames.push(inputs[0])
        return None if prob is None else self._result(prob)

    def flush(self) -> list[FrameResult]:
        """End the cine: repeat the last frame until every frame has its result, and set `measured`.

        Returns:
            The results still due, at most `delay_frames`. The next `push` begins a new cine.
        """
        results = [self._result(prob) for prob in self._frames.flush()]
        self.measured = self._meter.finish()
        return results

    def _result(self, prob: np.ndarray) -> FrameResult:
        assert self._size
        assert self.roi
        maps = flip_images(prob[None], self.flip)
        mask = mask_from_network(maps, self.roi, *self._size, self.spec.threshold)[0]
        area_px = float(np.count_nonzero(mask))
        completed = self._meter.push(mask, area_px)
        if completed:
            self._ef_percent = median([beat.ef_percent for beat in self._meter.beats])
            self._heart_rate_bpm = median([beat.heart_rate_bpm for beat in self._meter.beats])
        self._count += 1
        return FrameResult(
            frame=self._count - 1,
            mask=mask,
            area_px=area_px,
            beats=tuple(completed),
            ef_percent=self._ef_percent,
            heart_rate_bpm=self._heart_rate_bpm,
        )

    def probabilities(self, frames: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Run the network over a cine of its own size, frame by frame.

        Args:
            frames: uint8 (T, size_px, size_px).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.
        """
        return self._whole.whole(frames, progress)


def stream(
    model: str | Path = "default",
    *,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    fps: float | None = None,
    spacing_mm: tuple[float, float] | None = None,
    roi: Roi | None = None,
    flip: str | None = None,
) -> StreamingPredictor:
    """Open a model for live frames. Its licence is in `StreamingPredictor.info`, and is logged.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a stream graph.
        runtime: `ort` (ONNX Runtime) or `openvino`; None chooses by what is given.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.
        fps: Frames per second of the live frames; None gives no heart rate.
        spacing_mm: (row, column) mm per pixel of the live frames; None gives no volumes.
        roi: Region that the network sees; None finds the sector in the first frame.
        flip: `lr` for a mirrored view, `ud` for apex down.

    Raises:
        ModelFileError: If there is no stream graph, or it does not verify, or its engine refuses it.
        ConfigError: If a setting makes no sense.
        MissingExtraError: If its engine is not installed.
    """
    loaded = open_engine(locate(model, runtime, precision, form="stream"), threads)
    engine, spec = loaded.stream_engine, loaded.spec
    opened = StreamingPredictor(engine, spec, loaded.sha256, fps=fps, spacing_mm=spacing_mm, roi=roi, flip=flip)
    log_licence(spec)
    return opened
