"""Practical peak throughput: the rate at which an engine runs one large convolution.

The convolution has 256 input and output channels, a kernel of 3 x 3 and a picture of 64 x 64: 2.4 GMAC. It runs in the
same kernels as a network's, and reuses its data so often that memory does not bound it. Results and tables call this
rate the ceiling; the share that a layer reaches tells how well it fits the engine.
"""

from typing import Any

import numpy as np

from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.benchmarks.profile.kernels import run_kernels
from edgeecho.errors import ExportError, require

CHANNELS, SIZE_PX = 256, 64
TIMED_RUNS = 15
FILE_PRECISION = {"int8": "int8", "fp32": "fp32", "bf16": "fp16", "fp16": "fp16"}
"""Precision of convolutions to the precision that their file states."""


def peak_convolution(precision: str, channels: int = CHANNELS, size_px: int = SIZE_PX) -> Any:
    """Return the convolution as an ONNX model; int8 has uint8 inputs and outputs and int8 weights per channel."""
    onnx = require("onnx", "export")
    helper, numpy_helper, types = onnx.helper, onnx.numpy_helper, onnx.TensorProto
    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (channels, channels, 3, 3), dtype=np.int8)
    shape = [1, channels, size_px, size_px]
    conv = {"pads": [1, 1, 1, 1], "name": "fat"}
    if precision == "int8":
        values = {
            "x_scale": np.float32(1 / 255),
            "y_scale": np.float32(1.0),
            "zero": np.uint8(128),
            "w": weights,
            "w_scale": np.full(channels, 1 / 127, np.float32),
            "w_zero": np.zeros(channels, np.int8),
        }
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "x_scale", "zero"], ["x_float"]),
            helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["w_float"], axis=0),
            helper.make_node("Conv", ["x_float", "w_float"], ["y_float"], **conv),
            helper.make_node("QuantizeLinear", ["y_float", "y_scale", "zero"], ["y"]),
        ]
        kind = types.UINT8
    else:
        values = {"w": weights.astype(np.float32) / 127}
        nodes = [helper.make_node("Conv", ["x", "w"], ["y"], **conv)]
        kind = types.FLOAT
    x, y = (helper.make_tensor_value_info(name, kind, shape) for name in "xy")
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "ceiling", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def measure_peak_gmac_per_s(
    runtime: str,
    precision: str,
    threads: int,
    runs: int = TIMED_RUNS,
    channels: int = CHANNELS,
    size_px: int = SIZE_PX,
) -> float:
    """Measure the peak throughput of an engine on this machine: the convolution's kernel alone, median over the runs.

    Args:
        runtime: `ort` or `openvino`.
        precision: `int8`, `fp32`, `bf16` or `fp16`; the convolution must run in it.
        threads: Threads of the engine.
        runs: Number of timed runs.
        channels: Input and output channels of the convolution.
        size_px: Height and width of its input.

    Raises:
        ExportError: If the engine ran it in another precision.
        MissingExtraError: If onnx is not installed.
    """
    model = peak_convolution(precision, channels, size_px)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (1, channels, size_px, size_px), dtype=np.uint8)
    inputs = {"x": x if precision == "int8" else x.astype(np.float32) / 255}
    stated = FILE_PRECISION[precision]
    found = run_kernels(model.SerializeToString(), b"", runtime, stated, lambda last: inputs, threads, runs)
    slowest = max(found.kernels, key=lambda kernel: kernel.ms)
    if slowest.precision != precision:
        raise ExportError(f"the ceiling's convolution ran in {slowest.precision}, not in {precision}, in {runtime}")
    return count_macs(model, 1) / slowest.ms / 1e6
