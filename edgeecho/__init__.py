"""EdgeEcho: the left ventricle in every frame of an echo cine, in real time, on a bare CPU.

Research software, not a medical device.
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

# ONNX Runtime 1.32 for Linux is built to report to its maker: a thread, a database of events and a device id in the
# home directory. Beside patients' pictures this is not wanted, and onnxruntime reads the setting when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# `import openvino` reports to its maker by the package openvino_telemetry, which writes files into the home directory.
# A module that is None cannot be imported, and OpenVINO then takes a stub of its own. This holds for any
# `import openvino` after `import edgeecho`; who wants to report imports openvino_telemetry before.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

if TYPE_CHECKING:
    from edgeecho.cine import Cine, read_cine
    from edgeecho.errors import EdgeEchoError
    from edgeecho.model.spec import ModelSpec
    from edgeecho.preprocess import Roi
    from edgeecho.runtime import FrameResult, Predictor, Segmentation, StreamingPredictor, load, stream

    __version__: str
    """Version of the installed package, from pyproject.toml."""

__all__ = [
    "Cine",
    "EdgeEchoError",
    "FrameResult",
    "ModelSpec",
    "Predictor",
    "Roi",
    "Segmentation",
    "StreamingPredictor",
    "load",
    "read_cine",
    "stream",
]

# Names are imported when first used, so that `edgeecho --help` does not wait for NumPy.
_HOMES = {
    "Cine": "cine",
    "EdgeEchoError": "errors",
    "FrameResult": "runtime",
    "ModelSpec": "model.spec",
    "Predictor": "runtime",
    "Roi": "preprocess",
    "Segmentation": "runtime",
    "StreamingPredictor": "runtime",
    "load": "runtime",
    "read_cine": "cine",
    "stream": "runtime",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("edgeecho")
    if name not in _HOMES:
        raise AttributeError(f"module 'edgeecho' has no attribute {name!r}")
    return getattr(importlib.import_module(f"edgeecho.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
