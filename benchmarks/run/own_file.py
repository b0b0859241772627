"""User's own ONNX file in ONNX Runtime or OpenVINO, with or without external data."""

from pathlib import Path

import numpy as np

from edgeecho.errors import ModelFileError
from edgeecho.model.external_data import read_onnx
from edgeecho.runtime.engines.interface import GraphEngine


class OwnFile:
    """User's ONNX graph with one input of pictures, which gets the benchmark's clip in its own shape and type."""

    def __init__(self, path: Path, runtime: str, threads: int) -> None:
        """Open the file.

        Raises:
            ModelFileError: If the file, its external data or its inputs are not what can be run.
        """
        self.file = read_onnx(path)
        if runtime == "ort":
            from edgeecho.runtime.engines.onnxruntime_engine import OrtEngine

            self.engine: GraphEngine = OrtEngine(self.file.data, path.name, threads)
        else:
            from edgeecho.runtime.engines.openvino_engine import OpenVinoEngine

            self.engine = OpenVinoEngine(self.file.data, b"", path.name, threads)
        inputs = self.engine.inputs
        if len(inputs) != 1 or inputs[0].dtype is None or len(inputs[0].shape) not in (4, 5):
            raise ModelFileError(
                f"{path.name}: --model takes a graph of one input, uint8 or float, (N, C, H, W) or (N, C, T, H, W); "
                f"it has {', '.join(f'{given.name} {given.shape}' for given in inputs)}"
            )
        self.name, self.shape, self.dtype = inputs[0].name, inputs[0].shape, inputs[0].dtype

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
        return self.engine.run(self.engine.outputs, {self.name: inputs})
