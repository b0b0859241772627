"""A clip graph of free T to one of a fixed T, which engines can plan their memory for."""

import onnx
from onnx import shape_inference

from edgeecho.errors import ConfigError
from edgeecho.model.spec import ModelSpec


def fix_frames(model: onnx.ModelProto, frames: int, spec: ModelSpec) -> onnx.ModelProto:
    """The same graph for clips of `frames` frames.

    Args:
        model: Clip graph of free T.
        frames: T.
        spec: Of the network.

    Raises:
        ConfigError: If T is no longer than what an answer depends on.
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
