"""Running a model on cines or live frames: one file per engine, no torch unless a checkpoint is opened."""

from edgeecho.model.registry import locate, packaged_models
from edgeecho.runtime.cine_predictor import CinePredictor
from edgeecho.runtime.frame_result import FrameResult
from edgeecho.runtime.open_stream import stream
from edgeecho.runtime.predictor import Predictor, load
from edgeecho.runtime.segmentation import ModelInfo, Segmentation
from edgeecho.runtime.streaming import StreamingPredictor

__all__ = [
    "CinePredictor",
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
