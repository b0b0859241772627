"""Running a model on cines or live frames: one file per engine, no torch unless a checkpoint is opened."""

from edgeecho.model.registry import locate, packaged_models
from edgeecho.runtime.predictor import ModelInfo, Predictor, Segmentation, load
from edgeecho.runtime.streaming import FrameResult, StreamingPredictor, stream

__all__ = [
    "FrameResult",
    "ModelInfo",
    "Predictor",
    "Segmentation",
    "StreamingPredictor",
    "load",
    "locate",
    "packaged_models",
    "stream",
]
