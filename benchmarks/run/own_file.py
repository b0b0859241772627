"""User's own ONNX file in ONNX Runtime or OpenVINO, with or without external data."""

from pathlib import Path
from typing import Any

import numpy as np

from edgeecho.benchmarks.run.external_data import read_onnx
from edgeecho.errors import ModelFileError

ONNX_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


class OwnFile:
    """User's ONNX graph with one input of pictures, which gets the benchmark's clip in its own shape and type."""

    def __init__(self, path: Path, runtime: str, threads: int) -> None:
        """Open the file.

        Raises:
            ModelFileError: If the file, its external data or its inputs are not what can be run.
        """
        self.runtime, self.file = runtime, read_onnx(path)
        if runtime == "ort":
            from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

            engine: Any = OrtEngine(self.file.data, path.name, threads)
            inputs = [(i.name, list(i.shape), ONNX_TYPES.get(i.type)) for i in engine._session.get_inputs()]
            self._outputs = [o.name for o in engine._session.get_outputs()]
        else:
            from edgeecho.runtime.engines.openvino_engine import OpenVinoEngine

            engine = OpenVinoEngine(self.file.data, b"", path.name, threads)
            ports = engine._compiled.inputs
            inputs = [(p.any_name, _dims(p.partial_shape), _dtype(p.element_type)) for p in ports]
            self._outputs = [p.any_name for p in engine._compiled.outputs]
        self.engine, self.version, self._compiled = engine, engine.version, getattr(engine, "_compiled", None)
        if len(inputs) != 1 or inputs[0][2] is None or len(inputs[0][1]) not in (4, 5):
            raise ModelFileError(
                f"{path.name}: --model takes a graph of one input, uint8 or float, (N, C, H, W) or (N, C, T, H, W); "
                f"it has {', '.join(f'{name} {shape}' for name, shape, _ in inputs)}"
            )
        self.name, self.shape, self.dtype = inputs[0]

    def feed(self, frames: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the clip in the graph's shape and type, and its number of frames. Floats are grey / 255."""
        t, _, size, _ = frames.shape
        fixed = [d if isinstance(d, int) and d > 0 else None for d in self.shape]
        channels = fixed[1] or 1
        height, width = fixed[-2] or size, fixed[-1] or size
        count = (fixed[2] if len(fixed) == 5 else fixed[0]) or t
        rows, columns = np.arange(height) * size // height, np.arange(width) * size // width
        shown = frames[np.arange(count) % t][:, :, rows][..., columns].repeat(channels, axis=1)  # (count, C, H, W)
        if len(fixed) == 5:
            shown = np.repeat(shown.transpose(1, 0, 2, 3)[None], fixed[0] or 1, axis=0)
            count *= fixed[0] or 1
        scaled = shown if self.dtype == np.uint8 else shown / 255
        return np.ascontiguousarray(scaled, self.dtype), count

    def infer(self, inputs: np.ndarray) -> list[np.ndarray]:
        """Run the graph on an array that `feed` made, and return all outputs."""
        found: list[np.ndarray] = self.engine.run(self._outputs, {self.name: inputs})
        return found


def _dims(shape: Any) -> list[int | None]:
    return [d.get_length() if d.is_static else None for d in shape]


def _dtype(element: Any) -> Any:
    return {"u8": np.uint8, "f32": np.float32, "f16": np.float16}.get(element.get_type_name())
