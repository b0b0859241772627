"""Engine of ONNX Runtime on the CPU."""

import numpy as np
import onnxruntime as ort

from edgeecho.errors import ModelFileError
from edgeecho.runtime.engines.interface import GraphPort

ONNX_TYPES: dict[str, type[np.generic]] = {
    "tensor(uint8)": np.uint8,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}


def session_options(threads: int) -> ort.SessionOptions:
    """Return the options of every session of EdgeEcho."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


class OrtEngine:
    """A clip or stream graph in ONNX Runtime."""

    runtime = "ort"

    def __init__(self, data: bytes, name: str, threads: int) -> None:
        """Open the bytes of a graph.

        Raises:
            ModelFileError: If ONNX Runtime refuses it.
        """
        try:
            self._session = ort.InferenceSession(
                data, session_options(threads), providers=["CPUExecutionProvider"], enable_fallback=0
            )  # it would print the error and try again
        except Exception as error:  # onnxruntime raises many kinds
            raise ModelFileError(f"{name}: ONNX Runtime refuses it: {str(error).splitlines()[0]}") from error
        self.version = str(ort.__version__)

    @property
    def inputs(self) -> list[GraphPort]:
        """Inputs of the graph, in order."""
        return [GraphPort(i.name, list(i.shape), ONNX_TYPES.get(i.type)) for i in self._session.get_inputs()]

    @property
    def results(self) -> list[GraphPort]:
        """Outputs of the graph, in order."""
        return [GraphPort(o.name, list(o.shape), ONNX_TYPES.get(o.type)) for o in self._session.get_outputs()]

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs, in order."""
        return [output.name for output in self._session.get_outputs()]

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip: frames uint8 (T, 1, S, S) to `prob` of the same shape and type."""
        return self.run(["prob"], {"frames": frames})[0]

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the graph on inputs by name, and return its outputs by name.

        Raises:
            MemoryError: If there is no memory for it.
        """
        try:
            return [np.asarray(value) for value in self._session.run(outputs, inputs)]
        except Exception as error:  # onnxruntime raises many kinds
            if "alloc" in str(error).lower():
                raise MemoryError(f"ONNX Runtime: {str(error).splitlines()[0]:.200}") from error
            raise
