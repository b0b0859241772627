"""Which file a name, a runtime and a precision stand for, and models that are not there."""

import shutil
from pathlib import Path

import pytest

import edgeecho
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.runtime import load, locate, packaged_models


def test_the_default_is_packaged() -> None:
    assert locate("default").path == locate("cl_unet_edge").path
    assert locate("default").path.parent in packaged_models()
    assert locate("default", runtime="openvino").path.name == "clip.int8.xml"
    assert locate("default", precision="fp32").path.name == "clip.fp32.onnx"
    with pytest.raises(ModelFileError, match=r"has no clip\.fp32\.xml; it holds .*; write it with `edgeecho export"):
        locate("default", runtime="openvino", precision="fp32")


def test_models_that_are_not_there(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(ModelFileError, match=r"no model 'lv9000': neither a file nor .* \(installed: .*cl_unet_edge"):
        load("lv9000")
    with pytest.raises(ModelFileError, match=r"has no clip\.int8\.onnx; it holds none"):
        load(str(tmp_path))
    with pytest.raises(ConfigError, match="unknown precision 'int4'; known: int8, fp16, fp32"):
        load(precision="int4")
    with pytest.raises(ConfigError, match="unknown runtime 'tflite'"):
        load(runtime="tflite")
    with pytest.raises(ConfigError, match="opened by ort, not by openvino"):
        load(locate("default").path, runtime="openvino")
    with pytest.raises(ConfigError, match="threads must be a whole number from 1 to"):
        load(threads=0)


def test_a_precision_that_a_file_does_not_have() -> None:
    from edgeecho.errors import ConfigError
    from edgeecho.runtime import packaged_models

    path = next(p for p in packaged_models() if p.name == "cl_unet_edge") / "clip.int8.onnx"
    with pytest.raises(ConfigError, match="its precision is int8, not fp32; take --precision int8"):
        edgeecho.load(path, precision="fp32")


def test_a_precision_that_a_bundle_does_not_have(tmp_path: Path) -> None:
    shutil.copy(locate(precision="fp32").path, tmp_path)
    says = r"has no clip\.int8\.onnx; .* write it with `edgeecho export .* --out FOLDER` .*, or take --precision fp32"
    with pytest.raises(ModelFileError, match=says):
        load(tmp_path, precision="int8")
    assert load(tmp_path, threads=1).spec.precision == "fp32"
