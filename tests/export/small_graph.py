"""A clip graph of three convolutions, small enough that its int8 parameters are worked out on paper."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeecho.export.int8.ranges import Ranges

SIDE = 4
WEIGHTS = {
    "w1": np.array([[[[1.0]]], [[[-0.5]]]], np.float32),
    "w2": np.array([[[[0.3]], [[0.5]]], [[[-1.0]], [[2.0]]]], np.float32),
    "w3": np.array([[[[4.0]], [[-3.0]]]], np.float32),
}
BIASES = {
    "b1": np.array([0.0, 0.75], np.float32),
    "b2": np.array([0.1, 0.2], np.float32),
    "b3": np.array([-1], np.float32),
}
RANGES = Ranges(
    {
        **{"cast": (0.0, 255.0), "x": (0.0, 1.0), "p": (0.0, 1.0), "m": (0.0, 255.0), "r": (0.0, 255.0)},
        **{
            "a": (-0.5, 1.0),
            "ar": (0.0, 1.0),
            "b": (-0.51, 2.04),
            "s": (-0.4, 2.9),
            "sr": (0.0, 2.9),
            "y": (-10.0, 11.0),
        },
        "turned": (-10.0, 11.0),
    },
    "minmax",
    2,
)
"""Ranges of the tensors, which need not be those of any frames."""


def small_graph() -> onnx.ModelProto:
    """Frames uint8 (T, 1, 4, 4), convolution, ReLU, a sum with a second convolution, a third one, `prob` uint8."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["cast"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "down"], ["x"], "scaling"),
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["ar"], "relu"),
        helper.make_node("Conv", ["ar", "w2", "b2"], ["b"], "second"),
        helper.make_node("Add", ["ar", "b"], ["s"], "sum"),
        helper.make_node("Relu", ["s"], ["sr"], "relu_of_sum"),
        helper.make_node("Conv", ["sr", "w3", "b3"], ["y"], "third"),
        helper.make_node("Sigmoid", ["y"], ["p"], "sigmoid"),
        helper.make_node("Mul", ["p", "up"], ["m"], "unscaling"),
        helper.make_node("Round", ["m"], ["r"], "round"),
        helper.make_node("Cast", ["r"], ["prob"], "to_bytes", to=TensorProto.UINT8),
    ]
    constants = {**WEIGHTS, **BIASES, "down": np.float32(1 / 255), "up": np.float32(255)}
    tensors = [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()]
    shape = ["t", 1, "h", "w"]
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name in ("frames", "prob")]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model


def edited(model: onnx.ModelProto, name: str, values: np.ndarray) -> onnx.ModelProto:
    """Return a copy in which a constant has other values of the same type."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    tensor = next(t for t in copy.graph.initializer if t.name == name)
    dtype = numpy_helper.to_array(tensor).dtype
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(values, dtype), name))
    return copy


def constant(model: onnx.ModelProto, name: str) -> np.ndarray:
    """Return the values of a constant."""
    return np.array(numpy_helper.to_array(next(t for t in model.graph.initializer if t.name == name)))


def quantizer(model: onnx.ModelProto, tensor: str) -> tuple[float, int]:
    """Return scale and zero point with which a tensor is quantized."""
    node = next(n for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == tensor)
    return float(constant(model, node.input[1])), int(constant(model, node.input[2]))
