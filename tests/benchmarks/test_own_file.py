"""Users' own ONNX files as rows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgeecho.benchmarks.run.bench import run_bench
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.entries import entries
from edgeecho.benchmarks.run.loaded_row import load_row
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.errors import ConfigError

SIZE = 48
"""Frame size of the tiny bundle, in pixels."""
CLIP = speckle_clip(8, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=10, max_seconds=1.0, warm_up_seconds=0.0, rounds=2, end_to_end_runs=1)
Command = Callable[..., tuple[int, str, str]]


def _own(path: Path, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Path:
    """Return a 3x3 convolution of 4 channels without an EdgeEcho seal."""
    channels = shape[1] if isinstance(shape[1], int) else 1
    kernel = (4, channels, *[3] * (len(shape) - 2))
    weights = helper.make_tensor("w", TensorProto.FLOAT, kernel, np.ones(kernel, np.float32).ravel())
    nodes = [helper.make_node("Conv", ["f", "w"], ["y"], pads=[1] * 2 * (len(shape) - 2))]
    source = "x"
    if kind != TensorProto.FLOAT:
        nodes.insert(0, helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT))
    else:
        nodes[0].input[0] = source
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "own", [x], [y], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


@pytest.mark.parametrize(
    ("shape", "kind", "frames", "fed"),
    [
        (["N", 3, 32, 32], TensorProto.FLOAT, 8, (8, 3, 32, 32)),
        ([1, 1, "H", "W"], TensorProto.UINT8, 1, (1, 1, SIZE, SIZE)),
        (["N", 1, 16, SIZE, SIZE], TensorProto.FLOAT, 16, (1, 1, 16, SIZE, SIZE)),
    ],
)
@pytest.mark.parametrize("runtime", ["ort", "openvino"])
def test_own_files_are_fed_what_they_take(
    tmp_path: Path, runtime: str, shape: list[int | str], kind: int, frames: int, fed: tuple[int, ...]
) -> None:
    (entry,) = entries([], [runtime], ["fp32"], ["clip"], tmp_path, [_own(tmp_path / "own.onnx", shape, kind)])
    opened = load_row({**entry.job(), "threads": 1}, CLIP)
    assert opened.inputs is not None
    (given,) = opened.inputs.values()
    assert given.shape == fed
    assert opened.frames_per_run == frames
    first = given.reshape(-1, *given.shape[-2:])[0]
    scale = 1 if kind == TensorProto.UINT8 else 255
    side = np.arange(fed[-1]) * SIZE // fed[-1]
    assert np.allclose(first * scale, CLIP[0, 0][np.ix_(side, side)], atol=1e-4)
    opened.run()


@pytest.mark.slow
def test_an_own_file_is_a_row_an_engine(tmp_path: Path) -> None:
    path = _own(tmp_path / "theirs.onnx", [1, 1, SIZE, SIZE])
    rows = run_bench([], own_files=[path], rules=RULES, frames=CLIP).rows
    assert [(row.model, row.runtime, row.error) for row in rows] == [("theirs", r, None) for r in ("ort", "openvino")]
    assert [row.precision_run for row in rows] == ["fp32", "fp32"]
    assert rows[0].macs_per_frame == SIZE * SIZE * 9 * 4
    assert rows[0].weights == "its own"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "per_frame"),
    [([1, 1, "H", "W"], SIZE * SIZE * 9 * 4), (["N", 1, 16, SIZE, SIZE], SIZE * SIZE * 27 * 4)],
)
def test_macs_of_an_own_file_are_of_what_it_is_fed(tmp_path: Path, shape: list[int | str], per_frame: int) -> None:
    path = _own(tmp_path / "free.onnx", shape)
    extras = Extras(boards=("rpi4",))
    (row,) = run_bench([], ["ort"], own_files=[path], rules=RULES, extras=extras, frames=CLIP).rows
    assert (row.error, row.failed) == (None, None)
    assert row.estimates is not None
    assert row.macs_per_frame == per_frame


@pytest.mark.slow
def test_own_files_of_one_name_are_counted_each(tmp_path: Path) -> None:
    paths = []
    for name, size in (("a", 16), ("b", 32)):
        (tmp_path / name).mkdir()
        paths.append(_own(tmp_path / name / "net.onnx", [1, 1, size, size]))
    rows = run_bench([], ["ort"], own_files=paths, rules=RULES, frames=CLIP).rows
    assert [row.macs_per_frame for row in rows] == [16 * 16 * 9 * 4, 32 * 32 * 9 * 4]
    with pytest.raises(ConfigError, match="torch: cannot run an ONNX file"):
        run_bench([], ["torch"], own_files=paths, frames=CLIP)


def test_an_own_file_that_is_none_is_an_error_of_its_row(tmp_path: Path) -> None:
    text, flat = tmp_path / "text.onnx", tmp_path / "flat.onnx"
    text.write_text("not a model")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "flat", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), flat)
    rows = run_bench([], ["ort"], own_files=[text, flat], rules=RULES, frames=CLIP).rows
    assert rows[0].error == "text.onnx: no sound ONNX file (a protobuf field of wire type 6); export it again"
    assert "--model takes a graph of one input" in str(rows[1].error)
