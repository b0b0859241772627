"""Writer of each file format, by the suffix of its files."""

from collections.abc import Callable
from pathlib import Path

import onnx

from edgeecho.export.write.ort_format import write_ort
from edgeecho.export.write.sealed import Stamp, write_onnx, write_openvino
from edgeecho.model.spec import ModelSpec

WRITERS: dict[str, Callable[[Path, onnx.ModelProto, ModelSpec, Stamp], None]] = {
    ".onnx": write_onnx,
    ".ort": write_ort,
    ".xml": write_openvino,
}
