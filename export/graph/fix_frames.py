"""Rewrite of a clip graph of free T to a fixed T, for which an engine can plan its memory."""

import onnx
from onnx import shape_inference

from edgeecho.errors import ConfigError
from edgeecho.model.spec import ModelSpec


def fix_frames(model: onnx.ModelProto, frames: int, spec: ModelSpec) -> onnx.ModelProto:
    """Return the same graph for clips of `frames` frames.

    Args:
        model: Clip graph of free T.
        frames: Number of frames T.
        spec: Specification of the network.

    Raises:
        ConfigError: If T is not larger than the number of context frames.
    """
    room = sum(spec.context_frames)
    if frames <= room:
        raise ConfigError(f"--frames must be more than the {room} frames of context of {spec.name}, got {frames}")
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in (*fixed.graph.input, *fixed.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = frames
    del fixed.graph.value_info[:]
    return shape_inference.infer_shapes(fixed)
