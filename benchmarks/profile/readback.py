"""Precision of the convolutions that ran, read from the engine and not from the file's name."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.files import scratch_folder
from edgeecho.model import native_file

ORT_OPERATORS = {
    "QLinearConv": "int8",
    "ConvInteger": "int8",
    "QConv": "int8",
    "Conv": "fp32",
    "FusedConv": "fp32",
    "NhwcFusedConv": "fp32",
    "ConvTranspose": "fp32",
}
OPENVINO_PRECISIONS = {"u8": "int8", "i8": "int8", "f32": "fp32", "bf16": "bf16", "f16": "fp16"}


def convolutions_run(engine: Any, data: bytes, inputs: dict[str, np.ndarray] | None = None) -> dict[str, int] | None:
    """Count convolutions, transposed ones included, by the precision that the engine runs them in; None if unknown.

    Args:
        engine: An opened `OrtEngine` or `OpenVinoEngine`.
        data: The model file's bytes.
        inputs: Inputs of one run, by name; ONNX Runtime needs them where `onnx` is not installed.
    """
    if engine.runtime == "torch":
        counts = _torch(engine)
    elif engine.runtime == "native":
        counts = Counter(int8=native_file.count_convolutions(data))  # it has no other kernels
    else:
        counts = _openvino(engine) if engine.runtime == "openvino" else _ort(data, inputs)
    return dict(sorted(counts.items())) if counts else None


def precision_label(counts: dict[str, int] | None) -> str | None:
    """Return `int8` if every convolution ran in it, `int8 15/18` if the rest ran in fp32, None if unknown."""
    if not counts:
        return None
    total = sum(counts.values())
    name = max(counts, key=lambda key: counts[key])
    return name if counts[name] == total else f"{name} {counts[name]}/{total}"


def _openvino(engine: Any) -> Counter[str]:
    """Count from the executable graph of the network that was timed."""
    counts: Counter[str] = Counter()
    for node in engine.executed_operations():
        info = node.get_rt_info()
        kind, precision = (_text(info[key]) for key in ("layerType", "runtimePrecision"))
        if "convolution" in kind:  # Deconvolution too
            counts[OPENVINO_PRECISIONS.get(precision, precision)] += 1
    return counts


def _torch(engine: Any) -> Counter[str]:
    """Count by the type of the weights, which PyTorch computes in."""
    from torch import nn

    kinds = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    found = [layer.weight.dtype for layer in engine.network.modules() if isinstance(layer, kinds)]
    return Counter({"torch.float32": "fp32"}.get(str(kind), str(kind)) for kind in found)


def _text(value: Any) -> str:
    return str(getattr(value, "value", value)).lower()


def _ort(data: bytes, inputs: dict[str, np.ndarray] | None) -> Counter[str]:
    """Count from the optimised graph of a second session; without `onnx`, which reads it, from a profiled run."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    with scratch_folder() as folder:
        try:
            import onnx
        except ImportError:
            return _ort_kernels(data, inputs, options, folder) if inputs else Counter()
        options.optimized_model_filepath = str(folder / "optimised.onnx")
        ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
    return Counter(ORT_OPERATORS[node.op_type] for node in graph.node if node.op_type in ORT_OPERATORS)


def _ort_kernels(data: bytes, inputs: dict[str, np.ndarray], options: Any, folder: Path) -> Counter[str]:
    import onnxruntime as ort

    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    session.run(None, inputs)
    events = json.loads(Path(session.end_profiling()).read_text())
    ran = {e["name"]: e["args"]["op_name"] for e in events if e.get("cat") == "Node" and "op_name" in e.get("args", {})}
    return Counter(ORT_OPERATORS[op] for op in ran.values() if op in ORT_OPERATORS)
