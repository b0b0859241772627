"""Native 3D convolutions: another form of the same graph, to the bit in int8."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxsim")
pytest.importorskip("openvino")

from onnx import TensorProto, helper  # noqa: E402

from edgeecho.errors import ExportError, ModelFileError  # noqa: E402
from edgeecho.export.bundle import export  # noqa: E402
from edgeecho.export.check.proof import compare_lowering  # noqa: E402
from edgeecho.export.graph.clip import clip_graph  # noqa: E402
from edgeecho.export.graph.fix_frames import fix_frames  # noqa: E402
from edgeecho.export.graph.to_conv3d import conv3d_graph  # noqa: E402
from edgeecho.export.int8.quantize import quantize  # noqa: E402
from edgeecho.export.int8.ranges import find_ranges  # noqa: E402
from edgeecho.export.options import Options  # noqa: E402
from edgeecho.export.write.sealed import write_openvino  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn import BandedUNet, BandedUNetConfig, new_spec  # noqa: E402
from edgeecho.runtime import load  # noqa: E402
from tests.helpers import TINY_SIZE_PX, network_frames  # noqa: E402

CLIPS = [network_frames(t, seed) for t, seed in ((1, 1), (2, 2), (9, 3))]


def clip_graph_of(graphs: Path, precision: str) -> onnx.ModelProto:
    return onnx.load_from_string(read_verified(graphs / f"clip.{precision}.onnx").data)


def kernels(model: onnx.ModelProto) -> list[tuple[int, ...]]:
    """Shapes of the kernels of all convolutions."""
    found = [a.ints for n in model.graph.node if n.op_type == "Conv" for a in n.attribute if a.name == "kernel_shape"]
    return [tuple(kernel) for kernel in found]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_predicts_the_same(graphs: Path, precision: str) -> None:
    flat = clip_graph_of(graphs, precision)
    native = conv3d_graph(flat)
    result = compare_lowering(native, flat, read_verified(graphs / f"clip.{precision}.onnx").spec, CLIPS)
    assert result.holds, result
    assert result.limit == (0 if precision == "int8" else 1e-5)
    sizes = kernels(native)
    assert all(len(kernel) == 3 for kernel in sizes)
    assert len(sizes) == len(kernels(flat))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_time_is_one_convolution(tiny_bundle: Path, precision: str) -> None:
    flat = clip_graph_of(tiny_bundle, precision)
    native = conv3d_graph(flat)
    joined = [n for n in flat.graph.node if n.op_type == "Concat" and n.attribute[0].i == 1]
    assert kernels(native).count((3, 1, 1)) == len(joined) > 0
    assert not [n for n in native.graph.node if n.op_type == "Concat" and n.attribute[0].i == 1]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_cubes_and_bands_along_time_are_one_convolution_each(precision: str, causal: bool) -> None:
    """Three blocks, whose cubes read the middle (centred) or the last (causal) three of the band's five frames."""
    levels = {"widths": (8, 16), "encoder_time": (True, True), "decoder_time": (True,), "repeats": 1}
    torch.manual_seed(6)
    flat = clip_graph(BandedUNet(BandedUNetConfig(**levels, causal=causal)), TINY_SIZE_PX)
    if precision == "int8":
        flat = quantize(flat, find_ranges(flat, CLIPS))
    native = conv3d_graph(flat)
    found = kernels(native)
    assert found.count((3, 3, 3)) == found.count((5, 1, 1)) == 3
    assert len([kernel for kernel in found if kernel[0] > 1]) == 6
    joins = [n for n in native.graph.node if n.op_type == "Concat" and n.attribute[0].i == 1]
    assert len(joins) == 3  # of the branches
    spec = replace(new_spec("cl_unet", **levels, causal=causal), size_px=TINY_SIZE_PX, form="clip", precision=precision)
    assert compare_lowering(native, flat, spec, CLIPS).holds


def test_a_difference_is_seen(tiny_bundle: Path) -> None:
    flat = clip_graph_of(tiny_bundle, "fp32")
    native = conv3d_graph(flat)
    for tensor in native.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim == 5 and values.shape[2] == 3:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values[:, :, ::-1].copy(), tensor.name))  # time runs backwards
    assert not compare_lowering(native, flat, read_verified(tiny_bundle / "clip.fp32.onnx").spec, CLIPS).holds


def test_a_fixed_number_of_frames(tiny_bundle: Path, tmp_path: Path) -> None:
    checked = read_verified(tiny_bundle / "clip.int8.onnx")
    spec = replace(checked.spec, frames=9, lowering="none")
    native = conv3d_graph(fix_frames(onnx.load_from_string(checked.data), 9, checked.spec))
    write_openvino(tmp_path / "clip.int8.xml", native, spec)
    answer = load(tmp_path / "clip.int8.xml", threads=1).probabilities(CLIPS[2])
    reference = load(tiny_bundle / "clip.int8.onnx", threads=1).probabilities(CLIPS[2])
    assert np.abs(answer.astype(int) - reference).max() <= 16  # a step of the logits
    assert (answer == reference).mean() > 0.9


def test_an_unknown_operator_is_refused() -> None:
    value = helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["T", 1, 8, 8])
    answer = helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["T", 1, 8, 8])
    graph = helper.make_graph([helper.make_node("Softmax", ["frames"], ["prob"])], "x", [value], [answer])
    with pytest.raises(ExportError, match="operator Softmax has no native 3D form here; export with --lower 2d"):
        conv3d_graph(helper.make_model(graph))


def test_each_format_and_target_gets_what_is_fastest(tiny_bundle: Path) -> None:
    lowering = {name: read_verified(tiny_bundle / name).spec.lowering for name in ("clip.int8.onnx", "clip.int8.xml")}
    assert lowering == {"clip.int8.onnx": "2d", "clip.int8.xml": "none"}
    assert read_verified(tiny_bundle / "stream.int8.xml").spec.lowering == "2d"
    assert Options(target="arm").lowering("openvino") == "2d"
    assert Options(lower="none").lowering("onnx") == "none"


def test_native_3d_in_onnx(tiny_checkpoint: Path, tmp_path: Path) -> None:
    asked = Options(precision="fp32", formats=("onnx",), forms=("clip",), lower="none")
    bundle = export(str(tiny_checkpoint), tmp_path / "out", asked)
    native = bundle.folder / "clip.fp32.onnx"
    assert (3, 1, 1) in kernels(onnx.load(native))
    assert read_verified(native).spec.lowering == "none"
    with pytest.raises(
        ModelFileError, match="a graph of native 3D convolutions or a fixed T; start from its checkpoint"
    ):
        export(str(native), tmp_path / "again")
