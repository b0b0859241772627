"""Running a model: one predictor, one file per engine, no torch unless a checkpoint is opened."""

from edgeecho.runtime.catalog import locate, packaged_models
from edgeecho.runtime.predictor import ModelInfo, Predictor, Segmentation, load

__all__ = ["ModelInfo", "Predictor", "Segmentation", "load", "locate", "packaged_models"]
