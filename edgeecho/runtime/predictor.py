"""Predictor: a clip graph, run over a cine in windows. No torch."""

import logging
from pathlib import Path

import numpy as np

from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.model.registry import locate
from edgeecho.model.spec import ModelSpec
from edgeecho.runtime.cine_predictor import CinePredictor, Progress
from edgeecho.runtime.engines.engine import open_engine
from edgeecho.runtime.engines.interface import Engine

logger = logging.getLogger(__name__)


class Predictor(CinePredictor):
    """A model, ready to segment cines. Several threads may use it at once."""

    def __init__(self, engine: Engine, spec: ModelSpec, sha256: str, window_frames: int = 64) -> None:
        """
        Args:
            engine: An opened clip graph.
            spec: Spec of the graph.
            sha256: SHA-256 of the model file.
            window_frames: Frames of the cine per run of the engine; bounds memory and leaves the masks as they are.
        """
        if window_frames < 1:
            raise ConfigError(f"window_frames must be at least 1, got {window_frames}")
        super().__init__(engine, spec, sha256)
        context = sum(spec.context_frames)
        if spec.frames is not None and spec.frames <= context:
            raise ModelFileError(f"{spec.name}: its {spec.frames} frames leave no answer beside {context} of context")
        self.window_frames = window_frames

    def probabilities(self, frames: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Run the network over a cine of its own size, window by window.

        Each window includes the frames around it that its result depends on, so any division into windows gives the
        same result. Where the cine ends, the graph itself repeats the last frame. A graph of a fixed T gets T frames a
        run.

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
            if fixed:  # the padding lies behind all context of these frames, or the cine has ended there
                window = np.concatenate([window, np.repeat(window[-1:], fixed - len(window), axis=0)])
            prob[start:end] = self.engine.infer(window)[start - low : end - low, 0]
            if progress:
                progress(end, t)
        return prob


def log_licence(spec: ModelSpec) -> None:
    """Log at level INFO under which terms the weights may be used; the command line prints it."""
    logger.info("%s: weights under %s. %s", spec.name, spec.licence, spec.intended_use)


def load(
    model: str | Path = "default",
    *,
    runtime: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> Predictor:
    """Open a model. Its licence is in `Predictor.info`, and is logged.

    Args:
        model: `default`, a packaged model's name, a folder that `edgeecho export` wrote, or a model file.
        runtime: `ort` (ONNX Runtime), `openvino`, `torch` or `native` (the C library's own engine, for native device
            files); None chooses by what is given.
        precision: `int8` or `fp32` of a named model or folder; None means int8.
        threads: Worker threads; None means every usable core.

    Raises:
        ModelFileError: If it is not found, does not verify, or its engine refuses it.
        MissingExtraError: If its engine is not installed.
    """
    loaded = open_engine(locate(model, runtime, precision), threads)
    log_licence(loaded.spec)
    return Predictor(loaded.engine, loaded.spec, loaded.sha256)
