"""Graphs as sealed files: ONNX, ONNX Runtime's own format, and OpenVINO's pair of .xml and .bin."""

from dataclasses import dataclass
from pathlib import Path

import onnx

from edgeecho.errors import require
from edgeecho.export.graph.for_openvino import keep_products_float, requantize_inputs
from edgeecho.files import atomic, scratch_folder
from edgeecho.model.sealed_file import DIGEST_KEY, ONNX_VERSION, REFUSAL_KEY, SPEC_KEY, UNSEALED, seal
from edgeecho.model.selftest_record import KEY as SELFTEST_KEY
from edgeecho.model.selftest_record import SelfTest
from edgeecho.model.spec import NOTICE, ModelSpec
from edgeecho.runtime.engines.openvino_engine import openvino_core


@dataclass(frozen=True)
class Stamp:
    """Contents of a file's metadata besides the specification."""

    selftest: SelfTest | None = None
    refusal: str | None = None
    """Reason why the acceptance test refused the graph; None if it accepted."""

    def metadata(self, spec: ModelSpec) -> dict[str, str]:
        """Return the metadata by name, with a digest of zeros at the end."""
        found = {SPEC_KEY: spec.to_json()}
        if self.selftest:
            found[SELFTEST_KEY] = self.selftest.to_json()
        if self.refusal:
            found[REFUSAL_KEY] = self.refusal
        return {**found, DIGEST_KEY: UNSEALED}


NO_STAMP = Stamp()


def stamped(model: onnx.ModelProto, spec: ModelSpec, stamp: Stamp = NO_STAMP) -> bytes:
    """Serialize an ONNX file with specification, stamp and a digest of zeros in its metadata."""
    sealed = onnx.ModelProto()
    sealed.CopyFrom(model)
    sealed.ir_version = min(model.ir_version, ONNX_VERSION)
    sealed.producer_name, sealed.producer_version = "edgeecho", ""
    sealed.doc_string = NOTICE
    del sealed.metadata_props[:]
    for key, value in stamp.metadata(spec).items():
        sealed.metadata_props.add(key=key, value=value)
    data: bytes = sealed.SerializeToString(deterministic=True)
    return data


def onnx_bytes(model: onnx.ModelProto, spec: ModelSpec, stamp: Stamp = NO_STAMP) -> bytes:
    """Serialize a sealed ONNX file with the specification inside; the same arguments give the same bytes."""
    return seal(stamped(model, spec, stamp))


def write_onnx(path: Path, model: onnx.ModelProto, spec: ModelSpec, stamp: Stamp = NO_STAMP) -> None:
    """Write a sealed ONNX file."""
    with atomic(path) as temporary:
        temporary.write_bytes(onnx_bytes(model, spec, stamp))


def write_openvino(path: Path, model: onnx.ModelProto, spec: ModelSpec, stamp: Stamp = NO_STAMP) -> None:
    """Convert to OpenVINO IR and write `path` (.xml) and its .bin, under one seal."""
    ov = require("openvino", "openvino")
    with scratch_folder() as folder:
        source, xml = folder / "model.onnx", folder / "model.xml"
        bare = requantize_inputs(keep_products_float(model))
        del bare.metadata_props[:]  # the converter would carry them over, with another file's seal
        onnx.save(bare, source)
        converted = openvino_core().read_model(source)
        for key, value in stamp.metadata(spec).items():
            converted.set_rt_info(value, [key])
        ov.save_model(converted, xml, compress_to_fp16=spec.precision == "fp16")
        weights = xml.with_suffix(".bin").read_bytes()
        graph = seal(xml.read_bytes(), weights)
    with atomic(path.with_suffix(".bin")) as temporary:
        temporary.write_bytes(weights)
    with atomic(path) as temporary:
        temporary.write_bytes(graph)
