"""Predictor: a cine in; masks, areas, beats and ejection fraction out. No torch."""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.cine import Cine, check_stated, to_grey
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.measure import BeatMeasurement, measure
from edgeecho.model.registry import locate
from edgeecho.model.spec import ModelSpec
from edgeecho.preprocess import Roi, check_roi, find_roi, mask_from_network, to_network
from edgeecho.runtime.engines.engine import Engine, open_engine
from edgeecho.runtime.quality import doubt_figures, doubt_masks, doubt_stillness

FLIPS = {"lr": 2, "ud": 1}
"""Mirrored views and the axis of (T, H, W) that turns them back."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model said it."""

    name: str
    sha256: str
    """Of the model file."""
    form: str
    precision: str
    runtime: str
    runtime_version: str
    licence: str


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a model says about one cine."""

    mask: np.ndarray
    """uint8 {0, 1} (T, H, W), left-ventricular cavity at the input's own pixels."""
    area_px: np.ndarray
    """float32 (T,), pixels of the mask."""
    fps: float | None
    spacing_mm: tuple[float, float] | None
    roi: Roi
    ed_frames: list[int]
    es_frames: list[int]
    beats: list[BeatMeasurement]
    ef_percent: float | None
    """Median over beats, 0-100; None when no beat was measured, with the reason in `warnings`."""
    edv_ml: float | None
    esv_ml: float | None
    sv_ml: float | None
    heart_rate_bpm: float | None
    spread: dict[str, float | None]
    """Over beats, of each figure, from the lower to the upper quartile; None below two beats."""
    quality: dict[str, float]
    """`confidence`, mean probability inside the mask; how many frames have no mask (`empty_frames`) or one in several
    pieces (`broken_frames`)."""
    doubts: list[str]
    """Why the answer as a whole is doubtful, each a sentence that is in `warnings` too; empty if it is not."""
    warnings: list[str]
    model: ModelInfo

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON values; masks stay out, but for their area."""
        t, h, w = self.mask.shape
        roi = self.roi
        return {
            "frames": t,
            "height": h,
            "width": w,
            "fps": self.fps,
            "spacing_mm": self.spacing_mm and list(self.spacing_mm),
            "roi": [roi.x, roi.y, roi.width, roi.height],
            "area_px": [float(a) for a in self.area_px],
            "ed_frames": self.ed_frames,
            "es_frames": self.es_frames,
            "beats": [asdict(beat) for beat in self.beats],
            "ef_percent": self.ef_percent,
            "edv_ml": self.edv_ml,
            "esv_ml": self.esv_ml,
            "sv_ml": self.sv_ml,
            "heart_rate_bpm": self.heart_rate_bpm,
            "spread": self.spread,
            "quality": self.quality,
            "doubtful": bool(self.doubts),
            "warnings": self.warnings,
            "model": asdict(self.model),
        }


class Predictor:
    """A model, ready to segment cines. One thread at a time."""

    def __init__(self, engine: Engine, spec: ModelSpec, sha256: str, window_frames: int = 64) -> None:
        """
        Args:
            engine: An opened clip graph.
            spec: Its spec.
            sha256: Of its file.
            window_frames: Frames answered per run of the engine; bounds memory, does not change the answer.
        """
        if window_frames < 1:
            raise ConfigError(f"window_frames must be at least 1, got {window_frames}")
        if spec.family == "unet3d":
            raise ModelFileError(f"{spec.name}: pools along time; it can be benchmarked, not segment")
        room = sum(spec.context_frames)
        if spec.frames is not None and spec.frames <= room:
            raise ModelFileError(f"{spec.name}: its {spec.frames} frames leave no answer beside {room} of context")
        self.spec, self.window_frames, self._engine = spec, window_frames, engine
        form = "stream" if spec.form == "stream" else "clip"
        self.info = ModelInfo(spec.name, sha256, form, spec.precision, engine.runtime, engine.version, spec.licence)

    def probabilities(self, frames: np.ndarray, progress: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Run the network over a cine of its own size, window by window.

        Each window is given the frames around it that its answer depends on, so any cut gives the same answer. Where
        the cine ends, the graph itself lets the last frame stand still. A graph of a fixed T is given T frames a run.

        Args:
            frames: uint8 (T, size_px, size_px).
            progress: Called with frames done and T.

        Returns:
            prob, uint8 of the same shape.
        """
        t, fixed = len(frames), self.spec.frames
        before, after = self.spec.context_frames
        step = min(self.window_frames, fixed - before - after) if fixed else self.window_frames
        prob = np.empty_like(frames)
        for start in range(0, t, step):
            end = min(start + step, t)
            low, high = max(0, start - before), min(t, end + after)
            window = np.ascontiguousarray(frames[low:high, None])
            if fixed:  # what is added comes later than any answer looks, or the cine has ended there
                window = np.concatenate([window, np.repeat(window[-1:], fixed - len(window), axis=0)])
            prob[start:end] = self._engine.infer(window)[start - low : end - low, 0]
            if progress:
                progress(end, t)
        return prob

    def segment(
        self,
        frames: np.ndarray | Cine,
        fps: float | None = None,
        *,
        spacing_mm: tuple[float, float] | None = None,
        roi: Roi | None = None,
        flip: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Segmentation:
        """Outline the left ventricle in every frame and measure it.

        Args:
            frames: A `Cine`, or uint8 (T, H, W) grey or (T, H, W, 3) RGB.
            fps: Frames per second, if not the cine's own.
            spacing_mm: (row, column) mm per pixel, if not the cine's own.
            roi: Region to look at; None finds the sector.
            flip: `lr` for a mirrored view, `ud` for apex down: turned for the network, turned back in the answer.
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
        check_flip(flip)
        if roi:
            check_roi(roi, *cine.frames.shape[1:])
        roi = roi or find_roi(cine.frames, spacing_mm)
        inputs = to_network(cine.frames, roi, self.spec.size_px)
        if flip:
            inputs = np.flip(inputs, FLIPS[flip])
        prob = self.probabilities(inputs, progress)
        if flip:
            prob = np.flip(prob, FLIPS[flip])
        height, width = cine.frames.shape[1:]
        mask = mask_from_network(prob, roi, height, width, self.spec.threshold)
        area_px = mask.sum(axis=(1, 2), dtype=np.int64).astype(np.float32)
        measured = measure(mask, area_px, fps, spacing_mm)
        quality, odd, doubts = doubt_masks(prob, self.spec.threshold)
        doubts += doubt_figures(measured)
        return Segmentation(
            mask=mask,
            area_px=area_px,
            fps=fps,
            spacing_mm=spacing_mm,
            roi=roi,
            ed_frames=list(measured.ed_frames),
            es_frames=list(measured.es_frames),
            beats=list(measured.beats),
            ef_percent=measured.ef_percent,
            edv_ml=measured.edv_ml,
            esv_ml=measured.esv_ml,
            sv_ml=measured.sv_ml,
            heart_rate_bpm=measured.heart_rate_bpm,
            spread=measured.spread,
            quality=quality,
            doubts=doubts,
            warnings=[*cine.warnings, *odd, *doubts, *doubt_stillness(inputs), *measured.warnings],
            model=self.info,
        )


def check_flip(flip: str | None) -> None:
    """Refuse a flip that is not known.

    Raises:
        ConfigError: If it is not.
    """
    if flip is not None and flip not in FLIPS:
        raise ConfigError(f"unknown flip {flip!r}; known: {', '.join(FLIPS)}")


_stated: set[tuple[str, str]] = set()


def state_licence(spec: ModelSpec) -> None:
    """Tell on stderr, once a process and model, under which terms the weights may be used."""
    if (spec.name, spec.licence) not in _stated:
        _stated.add((spec.name, spec.licence))
        sys.stderr.write(f"{spec.name}: weights under {spec.licence}. {spec.intended_use}\n")


def load(
    model: str | Path = "default",
    *,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> Predictor:
    """Open a model. Its licence is stated on stderr, once a process.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a model file.
        runtime: `ort` (ONNX Runtime), `openvino` or `torch`; None chooses by what is given.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.

    Raises:
        ModelFileError: If it is not found, does not verify, or its engine refuses it.
        MissingExtraError: If its engine is not installed.
    """
    located = locate(model, runtime, precision)
    loaded = open_engine(located, threads)
    state_licence(loaded.spec)
    return Predictor(loaded.engine, loaded.spec, hashlib.sha256(loaded.data).hexdigest())
