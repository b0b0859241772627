"""Engine of OpenVINO on the CPU."""

import threading
from functools import cache
from typing import Any

import numpy as np

from edgeecho.errors import ModelFileError, require
from edgeecho.runtime.engines.interface import GraphPort

OPENVINO_TYPES: dict[str, type[np.generic]] = {"u8": np.uint8, "f32": np.float32, "f16": np.float16}


@cache
def openvino_core() -> Any:
    """Return the one `ov.Core` of the process, which is never destroyed.

    Its CPU plugin takes the thread's signal stack (sigaltstack) when it is loaded, and puts back the one before when it
    is unloaded. Two cores that overlap put back freed memory, and the next signal then kills the process.

    Raises:
        MissingExtraError: If OpenVINO is not installed.
    """
    return require("openvino", "openvino").Core()


def compile_settings(precision: str, threads: int) -> dict[str, Any]:
    """Return the settings that EdgeEcho compiles a network with, at the precision that its file states.

    OpenVINO's default would be bf16 or f16. A file of 16 bits runs in bf16 where the processor has it, else in f16,
    else in f32; where it has both, f16 is slower than f32 (docs/export.md).
    """
    can = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") if precision == "fp16" else []
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in can else "f16" if "FP16" in can else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }


class OpenVinoEngine:
    """A clip or stream graph in OpenVINO, which several threads may run at once: each has an inference request.

    A request holds the inputs and outputs of one run, so two threads that share one get each other's results.
    """

    runtime = "openvino"

    def __init__(self, data: bytes, weights: bytes, name: str, threads: int, precision: str = "fp32") -> None:
        ov = require("openvino", "openvino")
        core = openvino_core()
        try:
            beside = [ov.Tensor(np.frombuffer(weights, np.uint8))] if weights else []  # ONNX contains them
            model = core.read_model(data, *beside)
            are_finite = all(map(_is_finite, model.get_ops()))
            self._compiled = core.compile_model(model, "CPU", compile_settings(precision, threads))
        except Exception as error:  # openvino raises RuntimeError and more
            raise ModelFileError(f"{name}: OpenVINO refuses it: {str(error).splitlines()[0]}") from error
        if not are_finite:
            raise ModelFileError(f"{name}: one of its weights is no finite number; export it again")
        self._requests = threading.local()
        self.version = str(ov.__version__).split("-")[0]

    @property
    def inputs(self) -> list[GraphPort]:
        """Inputs of the graph, in order."""
        return [_port(port) for port in self._compiled.inputs]

    @property
    def results(self) -> list[GraphPort]:
        """Outputs of the graph, in order."""
        return [_port(port) for port in self._compiled.outputs]

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs, in order."""
        return [port.any_name for port in self._compiled.outputs]

    def executed_operations(self) -> list[Any]:
        """Operations of the compiled graph, an `ov.Node` each; `get_rt_info` has their kernels and precisions."""
        return list(self._compiled.get_runtime_model().get_ops())

    def infer(self, frames: np.ndarray) -> np.ndarray:
        """Run a clip: frames uint8 (T, 1, S, S) to `prob` of the same shape and type."""
        return self.run(["prob"], {"frames": frames})[0]

    def run(self, outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the graph on inputs by name, and return its outputs by name."""
        request = getattr(self._requests, "request", None)
        if request is None:
            request = self._requests.request = self._compiled.create_infer_request()
        found = request.infer(inputs)
        return [np.array(found[name]) for name in outputs]


def _port(port: Any) -> GraphPort:
    """Describe an input or output; one without a name gets an empty one."""
    return GraphPort(
        port.any_name if port.names else "",
        [size.get_length() if size.is_static else None for size in port.partial_shape],
        OPENVINO_TYPES.get(port.element_type.get_type_name()),
        frozenset(port.names),
    )


def _is_finite(operation: Any) -> bool:
    """Whether an operation is no constant of floats with one that is not finite."""
    if operation.get_type_name() != "Constant" or not operation.get_element_type().is_real():
        return True
    values = np.asarray(operation.data)
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())
