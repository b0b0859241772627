"""StreamingPredictor: live frames in; masks, areas and beats out, frame by frame. No torch."""

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeecho.cine import check_stated, to_grey
from edgeecho.errors import ShapeError
from edgeecho.measure import BeatMeasurement, BeatMeter, Measurement
from edgeecho.measure.measurement import median
from edgeecho.model.registry import locate
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import Roi, check_roi, find_roi, mask_from_network, to_network
from edgeecho.runtime.engines.engine import StreamEngine, open_engine
from edgeecho.runtime.frame_stream import FrameStream
from edgeecho.runtime.predictor import FLIPS, Predictor, check_flip, state_licence

NEEDED_LATER = ("scipy.sparse", "scipy.ndimage")
"""What the first frame and the first beat would import in the middle of a stream, a tenth of a second each."""


@dataclass(frozen=True, eq=False)
class FrameResult:
    """What a stream says about one frame."""

    frame: int
    """Which, counted from 0 at the last reset."""
    mask: np.ndarray
    """uint8 {0, 1} (H, W), left-ventricular cavity at the frame's own pixels."""
    area_px: float
    """Pixels of the mask."""
    beats: tuple[BeatMeasurement, ...]
    """Beats that this frame completes."""
    ef_percent: float | None
    """Median over all beats so far, 0-100; None before the first."""
    heart_rate_bpm: float | None


class StreamingPredictor(Predictor):
    """A model for live frames: `push` each, `flush` at the end, `reset` at a freeze, a new view or a new patient.

    Pushed frame by frame, a cine gets the masks that a `Predictor` gives it in one piece, if both look at the same
    region. A predictor finds it in the whole cine; here it is found in the first frame, and stays until `reset`.
    `segment` takes a whole cine as a `Predictor` does, runs it frame by frame, and leaves the live stream alone.
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
            spec: Its spec.
            sha256: Of its file.
            fps: Frames per second of the live frames; None gives no heart rate.
            spacing_mm: Their (row, column) mm per pixel; None gives no volumes.
            roi: Region to look at; None finds the sector in the first frame.
            flip: `lr` for a mirrored view, `ud` for apex down.

        Raises:
            ConfigError: If a setting makes no sense.
        """
        super().__init__(engine, spec, sha256)
        for late in NEEDED_LATER:
            importlib.import_module(late)
        check_stated(fps, spacing_mm)
        check_flip(flip)
        self.fps, self.spacing_mm, self.flip = fps, spacing_mm, flip
        self._given_roi = roi
        self._frames, self._whole = FrameStream(engine, spec), FrameStream(engine, spec)
        self.reset()

    @property
    def delay_frames(self) -> int:
        """By so many frames the answer to a frame comes later; 0 for a causal network."""
        return self._frames.delay_frames

    def reset(self) -> None:
        """Forget frames, region and beats: the next frame is the first of a new cine."""
        self._frames.reset()
        self.roi = self._given_roi
        self.measured: Measurement | None = None
        """What the whole cine says, once `flush` has ended it."""
        self._size: tuple[int, int] | None = None
        self._count = 0
        self._meter = BeatMeter(self.fps, self.spacing_mm)

    @property
    def beats(self) -> tuple[BeatMeasurement, ...]:
        """All beats so far. Nothing is said in the first 2 s, and a beat once the next one has begun."""
        return tuple(self._meter.beats)

    def push(self, frame: np.ndarray) -> FrameResult | None:
        """Take the next live frame.

        Args:
            frame: uint8 (H, W) grey or (H, W, 3) RGB, of the same size until `reset`.

        Returns:
            The answer to the frame `delay_frames` earlier; None while there is no such frame.

        Raises:
            ShapeError: If it is no frame, or of another size than the first.
            VideoError: If the region is to be found and the first frame is black; nothing has begun then.
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
        inputs = to_network(grey, self.roi, self.spec.size_px)
        if self.flip:
            inputs = np.flip(inputs, FLIPS[self.flip])
        prob = self._frames.push(inputs[0])
        return None if prob is None else self._result(prob)

    def flush(self) -> list[FrameResult]:
        """End the cine: the last frame stands still, and the answers still due come; `measured` sums up.

        Returns:
            At most `delay_frames` results. The next `push` begins a new cine.
        """
        results = [self._result(prob) for prob in self._frames.flush()]
        self.measured = self._meter.finish()
        return results

    def _result(self, prob: np.ndarray) -> FrameResult:
        assert self._size
        assert self.roi
        maps = prob[None]
        if self.flip:
            maps = np.flip(maps, FLIPS[self.flip])
        mask = mask_from_network(maps, self.roi, *self._size, self.spec.threshold)[0]
        area_px = float(np.count_nonzero(mask))
        completed = self._meter.push(mask, area_px)
        beats = self._meter.beats
        self._count += 1
        return FrameResult(
            frame=self._count - 1,
            mask=mask,
            area_px=area_px,
            beats=tuple(completed),
            ef_percent=median([beat.ef_percent for beat in beats]),
            heart_rate_bpm=median([beat.heart_rate_bpm for beat in beats]),
        )

    def probabilities(self, frames: np.ndarray, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Run the network over a cine of its own size, frame by frame: uint8 (T, size_px, size_px), both ways."""
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
    """Open a model for live frames. Its licence is stated on stderr, once a process.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a stream graph.
        runtime: `ort` (ONNX Runtime) or `openvino`; None chooses by what is given.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.
        fps: As `StreamingPredictor`, like the rest.
        spacing_mm: (row, column) mm per pixel.
        roi: Region to look at.
        flip: `lr` or `ud`.

    Raises:
        ModelFileError: If there is no stream graph, or it does not verify, or its engine refuses it.
        ConfigError: If a setting makes no sense.
        MissingExtraError: If its engine is not installed.
    """
    located = locate(model, runtime, precision, form="stream")
    loaded = open_engine(located, threads)
    opened = StreamingPredictor(
        loaded.stream_engine,
        loaded.spec,
        hashlib.sha256(loaded.data).hexdigest(),
        fps=fps,
        spacing_mm=spacing_mm,
        roi=roi,
        flip=flip,
    )
    state_licence(loaded.spec)
    return opened
