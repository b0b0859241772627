"""Graphs as sealed files: ONNX, ONNX Runtime's own format, and OpenVINO's pair of .xml and .bin."""

import tempfile
from pathlib import Path

import onnx

from edgeecho.errors import require
from edgeecho.export.restated import restated
from edgeecho.files import atomic
from edgeecho.modelfile import DIGEST_KEY, SPEC_KEY, UNSEALED, seal
from edgeecho.runtime.openvino_engine import openvino_core
from edgeecho.spec import NOTICE, ModelSpec


def stamped(model: onnx.ModelProto, spec: ModelSpec) -> bytes:
    """An ONNX file with the spec and a digest of zeros in its metadata."""
    sealed = onnx.ModelProto()
    sealed.CopyFrom(model)
    sealed.producer_name, sealed.producer_version = "edgeecho", ""
    sealed.doc_string = NOTICE
    del sealed.metadata_props[:]
    for key, value in ((SPEC_KEY, spec.to_json()), (DIGEST_KEY, UNSEALED)):
        sealed.metadata_props.add(key=key, value=value)
    return sealed.SerializeToString(deterministic=True)


def onnx_bytes(model: onnx.ModelProto, spec: ModelSpec) -> bytes:
    """A sealed ONNX file with the spec in its metadata; the same model and spec give the same bytes."""
    return seal(stamped(model, spec))


def write_onnx(path: Path, model: onnx.ModelProto, spec: ModelSpec) -> None:
    """Write a sealed ONNX file."""
    with atomic(path) as temporary:
        temporary.write_bytes(onnx_bytes(model, spec))


def write_openvino(path: Path, model: onnx.ModelProto, spec: ModelSpec) -> None:
    """Convert to OpenVINO IR and write `path` (.xml) and its .bin, under one seal."""
    ov = require("openvino", "openvino")
    with tempfile.TemporaryDirectory() as folder:
        source, xml = Path(folder) / "model.onnx", Path(folder) / "model.xml"
        bare = restated(model)
        del bare.metadata_props[:]  # the converter would carry them over, with another file's seal
        onnx.save(bare, source)
        converted = openvino_core().read_model(source)
        converted.set_rt_info(spec.to_json(), [SPEC_KEY])
        converted.set_rt_info(UNSEALED, [DIGEST_KEY])
        ov.save_model(converted, xml, compress_to_fp16=spec.precision == "fp16")
        weights = xml.with_suffix(".bin").read_bytes()
        graph = seal(xml.read_bytes(), weights)
    with atomic(path.with_suffix(".bin")) as temporary:
        temporary.write_bytes(weights)
    with atomic(path) as temporary:
        temporary.write_bytes(graph)
