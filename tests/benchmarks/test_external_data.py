"""ONNX files with external data are read from the file's own folder, not from the current directory."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.benchmarks.profile.layers import graph_layers
from edgeecho.benchmarks.run.bench import run_bench
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.entries import entries
from edgeecho.benchmarks.run.loaded_row import load_row
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.errors import ModelFileError
from edgeecho.model.external_data import NESTED, TENSOR, read_onnx

SIZE = 32
CLIP = speckle_clip(4, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=4, max_seconds=1.0, warm_up_seconds=0.0, rounds=2, end_to_end_runs=1)
MACS = SIZE * SIZE * 9 * 4
"""MACs of `model`, a frame."""


def model(seed: int = 0) -> onnx.ModelProto:
    """Return a 3x3 convolution of 4 channels and a reshape, whose target is a tensor too."""
    rng = np.random.default_rng(seed)
    weights = [
        numpy_helper.from_array(rng.standard_normal((4, 1, 3, 3)).astype(np.float32), "w"),
        numpy_helper.from_array(rng.standard_normal(4).astype(np.float32), "b"),
        numpy_helper.from_array(np.array([4, SIZE, SIZE], np.int64), "shape"),
    ]
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1] * 4)]
    nodes.append(helper.make_node("Reshape", ["c", "shape"], ["y"]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, SIZE, SIZE])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, SIZE, SIZE])
    graph = helper.make_graph(nodes, "own", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def saved(folder: Path, seed: int = 0, one_file: bool = True) -> Path:
    """`model` with all tensors outside."""
    folder.mkdir(parents=True, exist_ok=True)
    external = {"save_as_external_data": True, "all_tensors_to_one_file": one_file, "size_threshold": 0}
    onnx.save(model(seed), folder / "net.onnx", **external, **({"location": "net.onnx.data"} if one_file else {}))
    return folder / "net.onnx"


def moved(path: Path, **places: str) -> Path:
    """Return the file with other entries of its first tensor's external data."""
    graph = onnx.load(path, load_external_data=False)
    entries_ = graph.graph.initializer[0].external_data
    found = {entry.key: entry.value for entry in entries_} | places
    del entries_[:]
    for key, value in found.items():
        entries_.add(key=key, value=value)
    path.write_bytes(graph.SerializeToString())
    return path


@pytest.mark.parametrize("one_file", [True, False])
@pytest.mark.parametrize("runtime", ["ort", "openvino"])
def test_the_files_own_folder_counts_not_the_current_directory(
    tmp_path: Path, runtime: str, one_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "theirs", one_file=one_file)
    saved(tmp_path / "here", seed=1, one_file=one_file)  # other weights under the same names
    whole = tmp_path / "whole.onnx"
    onnx.save(model(), whole)
    answers = []
    for directory in ("theirs", "here", "."):
        monkeypatch.chdir(tmp_path / directory)
        for file in (path, whole):
            (entry,) = entries([], [runtime], ["fp32"], ["clip"], tmp_path, [file])
            answers.append(load_row({**entry.job(), "threads": 1}, CLIP).run()[0])
    assert all(np.array_equal(answer, answers[0]) for answer in answers)
    assert np.abs(answers[0]).max() > 0


@pytest.mark.slow
def test_its_rows_have_all_that_others_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "theirs")
    monkeypatch.chdir(tmp_path)
    extras = Extras(profile=True, boards=("rpi4",))
    rows = run_bench([], own_files=[path], rules=RULES, extras=extras, frames=CLIP).rows
    data = (tmp_path / "theirs" / "net.onnx.data").read_bytes()
    digest = path.read_bytes() + b"net.onnx.data\0" + len(data).to_bytes(8, "little") + data
    for row in rows:
        assert (row.error, row.failed) == (None, None)
        assert row.macs_per_frame == MACS
        assert row.precision_run == "fp32"
        assert row.file_bytes == path.stat().st_size + len(data)
        assert row.sha256 == hashlib.sha256(digest).hexdigest()
        assert sum(layer["macs"] for layer in (row.profile or {})["layers"]) == MACS
    assert [len(row.estimates or ()) for row in rows] == [1, 0]


def test_no_onnx_is_needed_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "onnx.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)  # of the row's process
    (row,) = run_bench([], ["ort"], own_files=[saved(tmp_path / "theirs")], rules=RULES, frames=CLIP).rows
    assert (row.error, row.failed, row.precision_run) == (None, None, "fp32")


def test_what_stays_whole_keeps_its_bytes_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "whole.onnx"
    onnx.save(model(), path)
    found = read_onnx(path)
    assert found.data == path.read_bytes()
    assert (found.file_bytes, found.sha256) == (path.stat().st_size, hashlib.sha256(found.data).hexdigest())


def test_the_digest_is_of_every_byte_and_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "a", one_file=False)
    assert sorted(p.name for p in path.parent.iterdir()) == ["b", "net.onnx", "shape", "w"]
    digest = hashlib.sha256(path.read_bytes())
    for name in ("b", "shape", "w"):
        data = (path.parent / name).read_bytes()
        digest.update(name.encode() + b"\0" + len(data).to_bytes(8, "little") + data)
    before = read_onnx(path)
    assert before.sha256 == digest.hexdigest()
    assert before.file_bytes == sum(p.stat().st_size for p in path.parent.iterdir())
    (path.parent / "w").write_bytes(bytes(36 * 4))
    after = read_onnx(path)
    assert (after.file_bytes, after.sha256 == before.sha256) == (before.file_bytes, False)


def test_tensors_anywhere_in_the_graph_are_put_in(tmp_path: Path) -> None:
    """External data in an attribute, a branch, a function and a sparse tensor, with offsets and without lengths."""

    def outside(values: list[float]) -> TensorProto:
        tensor = numpy_helper.from_array(np.array(values, np.float32))
        data.extend(tensor.raw_data)
        set_external_data(tensor, "deep/all.bin", offset=len(data) - len(tensor.raw_data))
        tensor.ClearField("raw_data")
        return tensor

    data = bytearray(b"head")
    constant = helper.make_node("Constant", [], ["c"], value=outside([1, 2]))
    branch = helper.make_graph([helper.make_node("Constant", [], ["t"], value=outside([3]))], "then", [], [])
    deep = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    graph = helper.make_graph([constant, deep], "g", [], [], [outside([4])])
    graph.sparse_initializer.add().values.CopyFrom(outside([5]))
    built = helper.make_model(graph)
    built.functions.add(name="f").node.add(op_type="Constant").attribute.add(name="v", t=outside([6]))
    path = tmp_path / "net.onnx"
    path.write_bytes(built.SerializeToString())
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "all.bin").write_bytes(bytes(data) + b"tail")
    found = onnx.load_from_string(read_onnx(path).data)
    first, branched = found.graph.node[0].attribute[0].t, found.graph.node[1].attribute
    tensors = [first, *(a.g.node[0].attribute[0].t for a in branched), found.graph.initializer[0]]
    tensors += [found.graph.sparse_initializer[0].values, found.functions[0].node[0].attribute[0].t]
    assert [numpy_helper.to_array(t).tolist() for t in tensors] == [[1, 2], [3], [3], [4], [5], [6]]
    assert not any(t.external_data or t.HasField("data_location") for t in tensors)


def test_every_place_of_a_tensor_is_known() -> None:
    """Compare the field numbers with the description of the format in `onnx`."""
    names = {"ModelProto": "model", "GraphProto": "graph", "NodeProto": "node", "AttributeProto": "attribute"}
    names |= {"SparseTensorProto": "sparse", "FunctionProto": "function", "TrainingInfoProto": "training"}
    names["TensorProto"] = TENSOR
    seen: set[str] = set()

    def look(message: object) -> None:
        if message.name in seen or message.name == "TensorProto":  # type: ignore[attr-defined]
            return
        seen.add(message.name)  # type: ignore[attr-defined]
        inside = {f.number: f.message_type for f in message.fields if f.message_type}  # type: ignore[attr-defined]
        for child in inside.values():
            look(child)
        expected = {number: names[child.name] for number, child in inside.items() if child.name in names}
        assert NESTED.get(names.get(message.name, ""), {}) == expected  # type: ignore[attr-defined]

    look(onnx.ModelProto.DESCRIPTOR)
    assert set(names) - {"TensorProto"} <= seen


def _link(path: Path) -> None:
    outside = path.parent.parent / "elsewhere.data"
    (path.parent / "net.onnx.data").rename(outside)
    (path.parent / "net.onnx.data").symlink_to(outside)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: (path.parent / "net.onnx.data").unlink(), "'net.onnx.data' are missing; put that file beside"),
        (lambda path: moved(path, location="/etc/hostname"), "have an absolute path, '/etc/hostname'"),
        (lambda path: moved(path, location="C:\\net.data"), "have an absolute path"),
        (lambda path: moved(path, location="../here/net.onnx.data"), "have a path with '..'"),
        (lambda path: moved(path, location="a\\..\\..\\net.data"), "have a path with '..'"),
        (lambda path: moved(path, location=""), "have no file name"),
        (lambda path: moved(path, location="a\0b"), "cannot be a file's name"),
        (lambda path: moved(path, location="."), "are missing"),
        (lambda path: moved(path, location="*/_ORT_MEM_ADDR_/*"), "are missing"),
        (_link, "lead out of its folder by a link"),
        (lambda path: moved(path, offset="999999"), "are 184 bytes, a tensor ends at byte 1000143"),
        (lambda path: moved(path, length="-1"), "external data of length '-1'"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "no sound ONNX file"),
    ],
)
def test_what_is_not_in_its_folder_is_one_line(
    tmp_path: Path, spoil: Callable[[Path], object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "theirs")
    saved(tmp_path / "here", seed=1)
    monkeypatch.chdir(tmp_path / "here")  # a sound file of that name must not be taken
    spoil(path)
    for read in (read_onnx, lambda file: count_macs(file, 1), lambda file: graph_layers(file, 1)):
        with pytest.raises(ModelFileError) as caught:
            read(path)
        message = str(caught.value)
        assert words in message
        assert message.startswith("net.onnx: ")
        assert "\n" not in message


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    path = saved(tmp_path / "theirs")
    before = read_onnx(path)
    (path.parent / "net.onnx.data").rename(path.parent / "blob")
    (path.parent / "net.onnx.data").symlink_to("blob")
    after = read_onnx(path)
    assert (after.data, after.file_bytes) == (before.data, before.file_bytes)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "theirs")
    with (path.parent / "net.onnx.data").open("r+b") as file:
        file.truncate(1 << 31)  # a hole, no bytes on the disk
    with pytest.raises(ModelFileError, match=r"net.onnx: 214748\d+ bytes with its external data, more than"):
        read_onnx(path)


@pytest.mark.slow
def test_missing_data_are_the_error_of_its_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = saved(tmp_path / "broken"), saved(tmp_path / "sound")
    (broken.parent / "net.onnx.data").unlink()
    monkeypatch.chdir(sound.parent)
    rows = run_bench([], own_files=[broken, sound], rules=RULES, frames=CLIP).rows
    line = "net.onnx: its external data 'net.onnx.data' are missing; put that file beside net.onnx"
    assert [row.error for row in rows] == [line, line, None, None]
