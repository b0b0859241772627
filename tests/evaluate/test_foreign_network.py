"""Evaluation of another program's ONNX network by its description."""

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeecho.cine import Cine
from edgeecho.errors import ConfigError, ModelFileError
from edgeecho.evaluate import evaluate_model, evaluate_network
from edgeecho.evaluate.foreign_network import ForeignNetwork
from edgeecho.evaluate.network_spec import NetworkSpec, read_network_spec
from edgeecho.model.allowed import ENVIRONMENT as ALLOWED
from edgeecho.model.external_data import read_onnx
from tests.cli.conftest import Command
from tests.helpers import the_error

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SIZE, FRAMES = 48, 7
HIDDEN_ROWS = 20
"""First rows in which the network never sees the ventricle, so that rows and columns cannot change places unseen."""
NORMAL = {"mean": 0.5, "std": 0.25}
TYPES = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}


def cine() -> Cine:
    """Draw a ventricle that moves to the right by a pixel a frame; 200 in the cavity, else 0."""
    row, column = np.mgrid[0:SIZE, 0:SIZE]
    masks = [((row - 24) / 18) ** 2 + ((column - 18 - t) / 9) ** 2 < 1 for t in range(FRAMES)]
    return Cine(np.stack(masks) * np.uint8(200), fps=30)


def expected(hidden_frames: tuple[int, ...] = ()) -> np.ndarray:
    masks = (cine().frames > 100).astype(np.uint8)
    masks[:, :HIDDEN_ROWS] = 0
    masks[list(hidden_frames)] = 0
    return masks


def write_network(
    path: Path,
    layouts: tuple[str, str],
    kind: str,
    *,
    channels: int = 1,
    frames: int | str = "T",
    batch: int | str = "N",
    dtype: str = "float32",
    hidden: int | None = None,
) -> Path:
    """Write a graph that finds bright pixels, below `HIDDEN_ROWS` and in all frames of a clip but the `hidden` one."""
    given, returned = layouts
    sizes = {"N": batch, "C": channels, "T": frames, "H": SIZE, "W": SIZE}
    order = [axis for axis in "NCTHW" if axis in given]
    weight = np.ones((frames if isinstance(frames, int) and "T" in given else 1, SIZE, SIZE), np.float32)
    weight[:, :HIDDEN_ROWS] = 0
    if hidden is not None:
        weight[hidden] = 0
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["f"], ["a"], perm=[given.index(axis) for axis in order]),
    ]
    weights = {"weight": weight if "T" in given else weight[0], "level": np.float32(60 if dtype == "uint8" else 0.5)}
    if "C" in order:
        nodes.append(helper.make_node("ReduceMean", ["a"], ["b"], axes=[order.index("C")], keepdims=1))
    else:
        axis = order.index("N") + 1 if "N" in order else 0
        weights["axis"] = np.array([axis])
        nodes.append(helper.make_node("Unsqueeze", ["a", "axis"], ["b"]))
        order.insert(axis, "C")
    nodes += [helper.make_node("Mul", ["b", "weight"], ["c"]), helper.make_node("Sub", ["c", "level"], ["d"])]
    at = order.index("C")
    if kind in ("softmax", "argmax"):
        nodes += [helper.make_node("Neg", ["d"], ["e"]), helper.make_node("Concat", ["e", "d"], ["y"], axis=at)]
    elif kind == "labels":
        weights["zero"] = np.float32(0)
        nodes += [helper.make_node("Greater", ["d", "zero"], ["e"]), helper.make_node("Cast", ["e"], ["y"], to=7)]
    else:
        nodes.append(helper.make_node("Sigmoid" if kind == "probabilities" else "Identity", ["d"], ["y"]))
    last = "y"
    if "C" not in returned:
        weights["c_axis"] = np.array([at])
        nodes.append(helper.make_node("Squeeze", ["y", "c_axis"], ["z"]))
        order.remove("C")
        last = "z"
    nodes.append(helper.make_node("Transpose", [last], ["out"], perm=[order.index(axis) for axis in returned]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TYPES[dtype], [sizes[axis] for axis in given])],
        [helper.make_tensor_value_info("out", 7 if kind == "labels" else 1, [None] * len(returned))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def described(path: Path, layouts: tuple[str, str], kind: str, **changes: Any) -> NetworkSpec:
    """Write a description beside a network and read it; `changes` are the values of the sections."""
    sections: dict[str, dict[str, Any]] = {
        "input": {"layout": layouts[0], "size_px": SIZE, "region": "frame", **changes.get("input", NORMAL)},
        "output": {"layout": layouts[1], "kind": kind, **changes.get("output", {})},
        "clip": changes.get("clip", {}),
    }
    file = path.with_suffix(".toml")
    text = [[f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in values.items())] for name, values in sections.items()]
    file.write_text("\n".join(itertools.chain(*text)))
    return read_network_spec(file)


# Layouts


@pytest.mark.parametrize(
    ("layouts", "kind", "graph", "changes"),
    [
        (("NCHW", "NCHW"), "logits", {"channels": 3}, {"input": {"channels": 3, **NORMAL}}),
        (("NHWC", "NHW"), "labels", {"channels": 3}, {"input": {"channels": 3, "mean": [0.5] * 3, "std": 0.25}}),
        (("NCHW", "NCHW"), "softmax", {"batch": 1}, {}),
        (("NCHW", "NHWC"), "argmax", {"batch": 4}, {}),
        (("HW", "HW"), "probabilities", {"dtype": "uint8"}, {"input": {"dtype": "uint8"}}),
        (("NCWH", "NWHC"), "logits", {}, {}),
        (("NCTHW", "NCTHW"), "logits", {}, {}),
        (("NTCHW", "NTHW"), "labels", {"channels": 3}, {"input": {"channels": 3, **NORMAL}}),
        (("NTHWC", "NTHWC"), "softmax", {"batch": 1}, {}),
        (("TCHW", "TCHW"), "logits", {"dtype": "uint8"}, {"input": {}}),
    ],
)
def test_layouts(
    tmp_path: Path, layouts: tuple[str, str], kind: str, graph: dict[str, Any], changes: dict[str, Any]
) -> None:
    path = write_network(tmp_path / "net.onnx", layouts, kind, **graph)
    network = ForeignNetwork(path, described(path, layouts, kind, **changes), threads=1)
    result = network.segment(cine(), flip="none")
    assert np.array_equal(result.mask, expected())
    assert np.array_equal(result.area_px, expected().sum(axis=(1, 2)))
    assert (network.info.name, network.info.runtime, network.info.licence) == ("net", "ort", "unknown")


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize(("frames", "stride", "hidden"), [(3, 2, (4, 5, 6)), (3, 1, (2, 5, 6)), (4, 2, (6,))])
def test_clips_at_a_stride(tmp_path: Path, frames: int, stride: int, hidden: tuple[int, ...], fixed: bool) -> None:
    """The last frame of each clip is hidden, which shows how the cine was cut: 0 2 4, 2 4 6 and 1 3 5 at stride 2."""
    layouts = ("NCTHW", "NCTHW")
    path = write_network(tmp_path / "net.onnx", layouts, "logits", frames=frames, batch=1, hidden=frames - 1)
    if not fixed:
        model = onnx.load(path)
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "T"
        onnx.save(model, path)
    clip = {"stride": stride} if fixed else {"stride": stride, "frames": frames}
    network = ForeignNetwork(path, described(path, layouts, "logits", clip=clip), threads=1)
    assert np.array_equal(network.segment(cine(), flip="none").mask, expected(hidden))


def test_a_threshold_and_a_class(tmp_path: Path) -> None:
    layouts = ("NCHW", "NCHW")
    path = write_network(tmp_path / "net.onnx", layouts, "softmax")
    at = {"threshold": 0.1, "class": 0}  # background, whose probability in the cavity is 0.22
    network = ForeignNetwork(path, described(path, layouts, "softmax", output=at), threads=1)
    assert network.segment(cine(), flip="none").mask.all()
    none = {"threshold": 0.9, "class": 1}  # that of the cavity is 0.78
    network = ForeignNetwork(path, described(path, layouts, "softmax", output=none), threads=1)
    assert not network.segment(cine(), flip="none").mask.any()


def test_the_description_in_the_document(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
    (tmp_path / "net.toml").write_text(text.partition("```toml\n")[2].partition("```")[0])
    spec = read_network_spec(tmp_path / "net.toml")
    assert (spec.input.mean, spec.input.std, spec.clip.frames, spec.cavity) == ((0.13, 0.13, 0.13), (0.19,), 32, 1)


# Descriptions and graphs that do not fit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layout = 1", "unknown key layout; known: input, output, clip, name, licence"),
        ("[input]\nlayout = 'NCHW'\nsize_px = 48", "output is missing"),
        ("[input]\nsize_px = 48\n[output]\nlayout = 'NCHW'\nkind = 'logits'", "input.layout is missing"),
        ("[input]\nlayout = 'NCHW'\nsize_px = '48'\n[output]\nlayout = 'NCHW'\nkind = 'logits'", "size_px must be int"),
        ("[input]\nlayout = 'NCXY'\nsize_px = 48\n[output]\nlayout = 'NCHW'\nkind = 'logits'", "of the letters NCTHW"),
        ("[input]\nlayout = 'NCTHW'\nsize_px = 48\n[output]\nlayout = 'NCHW'\nkind = 'logits'", "T must be in both"),
        ("[input]\nlayout = 'NCHW'\nsize_px = 48\n[output]\nlayout = 'NCHW'\nkind = 'mask'", "output.kind must be one"),
        (
            "[input]\nlayout = 'NCHW'\nsize_px = 48\nmean = [1, 2]\n[output]\nlayout = 'NCHW'\nkind = 'logits'",
            "input.mean must be one number or one a channel",
        ),
        (
            "[input]\nlayout = 'NCHW'\nsize_px = 48\n[output]\nlayout = 'NCHW'\nkind = 'logits'\n[clip]\nframes = 4",
            "clip.frames and clip.stride need a T",
        ),
        ("[input", "no valid TOML"),
    ],
)
def test_a_description_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "net.toml").write_text(text)
    with pytest.raises(ConfigError, match=rf"net\.toml: .*{message}"):
        read_network_spec(tmp_path / "net.toml")


@pytest.mark.parametrize(
    ("layouts", "kind", "changes", "message"),
    [
        (("NCTHW", "NCTHW"), "logits", {}, "input x .* does not fit layout NCTHW; mend the description"),
        (("NCHW", "NCHW"), "logits", {"input": {"channels": 3}}, "does not fit layout NCHW with C 3"),
        (("NCHW", "NCHW"), "logits", {"input": {"size_px": 64}}, "does not fit layout NCHW with H 64, W 64"),
        (("NCHW", "NCHW"), "logits", {"input": {"dtype": "uint8"}}, "input x is float32, input.dtype is uint8"),
        (("NCHW", "NCHW"), "logits", {"input": {"name": "pictures"}}, "expected one input pictures, it has x"),
        (("NCHW", "NCHW"), "logits", {"output": {"name": "prob"}}, "no output 'prob'; it has out"),
    ],
)
def test_a_graph_that_is_not_as_described(
    tmp_path: Path, layouts: tuple[str, str], kind: str, changes: dict[str, Any], message: str
) -> None:
    path = write_network(tmp_path / "net.onnx", ("NCHW", "NCHW"), "logits")
    with pytest.raises(ModelFileError, match=message):
        ForeignNetwork(path, described(path, layouts, kind, **changes))


@pytest.mark.parametrize(
    ("returned", "output"), [("NHW", {}), ("NCHW", {"class": 1}), ("CNHW", {})], ids=["axes", "class", "order"]
)
def test_a_result_that_is_not_as_described(tmp_path: Path, returned: str, output: dict[str, Any]) -> None:
    path = write_network(tmp_path / "net.onnx", ("NCHW", "NCHW"), "logits")
    network = ForeignNetwork(path, described(path, ("NCHW", returned), "logits", output=output), threads=1)
    with pytest.raises(
        ModelFileError, match=rf"output 'out' is \(7, 1, 48, 48\) .* output.layout {returned} and class"
    ):
        network.segment(cine(), flip="none")


def test_a_network_that_this_machine_does_not_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, allowed = write_network(tmp_path / "net.onnx", ("NCHW", "NCHW"), "logits"), tmp_path / "allowed"
    monkeypatch.setenv(ALLOWED, str(allowed))
    allowed.write_text("")
    with pytest.raises(ModelFileError, match=r"net\.onnx: not one of the models allowed here"):
        ForeignNetwork(path, described(path, ("NCHW", "NCHW"), "logits"), threads=1)
    with pytest.raises(ModelFileError, match=r"net\.onnx: not one of the models allowed here"):
        read_onnx(path)
    allowed.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    ForeignNetwork(path, described(path, ("NCHW", "NCHW"), "logits"), threads=1)
    read_onnx(path)


def test_weights_beside_a_trusted_file_are_held_against_the_list_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, allowed = write_network(tmp_path / "net.onnx", ("NCHW", "NCHW"), "logits"), tmp_path / "allowed"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    spec, weights = described(path, ("NCHW", "NCHW"), "logits"), tmp_path / "net.data"
    ForeignNetwork(path, spec, threads=1)
    monkeypatch.setenv(ALLOWED, str(allowed))
    allowed.write_text("".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}\n" for p in (path, weights)))
    ForeignNetwork(path, spec, threads=1)
    weights.write_bytes(bytes(weights.stat().st_size))
    with pytest.raises(ModelFileError, match=r"net\.data: not one of the models allowed here"):
        ForeignNetwork(path, spec, threads=1)


# A network of ours as a foreign one, and the command line


OURS = "[input]\nlayout = 'TCHW'\nsize_px = 48\n[output]\nlayout = 'TCHW'\nkind = 'probabilities'\n"


def test_our_own_graph_as_a_foreign_one_scores_the_same(tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    description = tmp_path / "ours.toml"
    description.write_text("name = 'ours'\n" + OURS)
    ours = evaluate_model(str(tiny_bundle), f"camus:{camus}", "val", precision="fp32", threads=1)
    network = tiny_bundle / "clip.fp32.onnx"
    foreign = evaluate_network(network, description, f"camus:{camus}", "val", threads=1)
    assert foreign.figures == ours.figures
    assert (foreign.model.name, foreign.model.sha256) == ("ours", ours.model.sha256)


def test_eval_of_a_foreign_network(command: Command, camus: Path, tmp_path: Path) -> None:
    path, data = write_network(tmp_path / "net.onnx", ("NCHW", "NCHW"), "logits"), f"camus:{camus}"
    line = the_error(command("eval", path, "--data", data), tmp_path / "out")
    assert "no EdgeEcho model file; another program's network needs --spec FILE" in line
    described(path, ("NCHW", "NCHW"), "logits")
    code, stdout, stderr = command("eval", path, "--data", data)
    assert code == 0, stderr
    assert "net as exported (ort " in stdout
    line = the_error(command("eval", path, "--data", data, "--precision", "int8"), tmp_path / "out")
    assert "--precision is not for another program's network" in line
    line = the_error(command("eval", path, "--data", data, "--spec", tmp_path / "none.toml"), tmp_path / "out")
    assert "none.toml: cannot be read" in line
