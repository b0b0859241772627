"""Packs: written with the exporter, run without it."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edgeecho.benchmarks.peers.peers import PEERS, Peer
from edgeecho.benchmarks.profile.counting import count_macs
from edgeecho.benchmarks.run import bench
from edgeecho.benchmarks.run import write_pack as write_pack_module
from edgeecho.benchmarks.run.bench import run_bench
from edgeecho.benchmarks.run.clip import speckle_clip
from edgeecho.benchmarks.run.entries import DEFAULT_MODELS, PRECISIONS, entries
from edgeecho.benchmarks.run.pack import Pack
from edgeecho.benchmarks.run.protocol import Extras, Rules
from edgeecho.benchmarks.run.write_pack import write_pack
from edgeecho.errors import ConfigError, MissingExtraError

SIZE = 48
"""Frame size of the tiny bundle, in pixels."""
CLIP = speckle_clip(8, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=10, max_seconds=1.0, warm_up_seconds=0.0, rounds=2, end_to_end_runs=1)
NO_EXTRAS = Extras(end_to_end=False)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, exported_here: None) -> None:
    """A small network in the place of the 3D U-Net, and a `command` that passes a short clip and short rules on."""
    monkeypatch.setattr(bench, "run_bench", partial(run_bench, rules=RULES, frames=CLIP))
    monkeypatch.setattr(write_pack_module, "write_pack", partial(write_pack, clip=CLIP))
    peer = Peer("unet3d", {"in_channels": 1, "classes": 1, "base_channels": 4})
    monkeypatch.setitem(PEERS, "unet3d", peer)


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide from this process and those of the rows what `pip install edgeecho` alone does not install."""
    names = ("openvino", "torch", "onnx")
    (tmp_path / "site").mkdir()
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in names)]
    (tmp_path / "site" / "sitecustomize.py").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=os.pathsep)
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def packed(folder: Path) -> dict[str, list[str]]:
    """Return the files of each model's folder."""
    return {path.name: sorted(file.name for file in path.iterdir()) for path in folder.iterdir() if path.is_dir()}


@pytest.mark.usefixtures("small")
def test_a_pack_runs_where_nothing_can_be_exported(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, said = tmp_path / "pack", []
    failures = write_pack(
        folder, [str(tiny_bundle), "unet3d"], ["ort"], ["fp32", "int8"], ["clip", "stream"], said.append, CLIP
    )
    assert failures == {}
    assert said == ["packing tiny", "packing unet3d"]
    expected = count_macs(tiny_bundle / "stream.fp32.onnx", 1)
    assert Pack.read(folder).macs["tiny", "stream"] == expected
    for name in ("torch.py", "onnx.py"):
        (tmp_path / name).write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)  # of the rows' processes
    monkeypatch.setattr("edgeecho.benchmarks.run.session.export_peer_files", None)
    monkeypatch.setattr("edgeecho.benchmarks.run.session.macs_per_frame", None)
    rows = run_bench(pack=folder, runtimes=["ort"], rules=RULES, extras=NO_EXTRAS, frames=CLIP).rows
    assert [row.error for row in rows] == [None] * 6
    asked = [(row.precision_asked, "int8 15/18" if row.model == "unet3d" else "int8") for row in rows]
    assert [row.precision_run for row in rows] == [int8 if p == "int8" else p for p, int8 in asked]  # read back too
    assert {(row.model, row.form) for row in rows} == {("tiny", "clip"), ("tiny", "stream"), ("unet3d", "clip")}
    assert [row.macs_per_frame for row in rows if row.form == "stream"] == [expected] * 2
    assert all(row.speedup_vs_unet3d and row.live_speedup_vs_unet3d for row in rows)


def test_a_pack_in_the_working_folder_is_not_mistaken(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pack whose folders have names of peers and of packaged models."""
    for name in ("unet2d", "cl_unet_edge"):
        shutil.copytree(tiny_bundle, tmp_path / name)
    sources = [str(tmp_path / name) for name in ("unet2d", "cl_unet_edge")]
    index = {"format": 1, "models": {"unet2d": "ours", "cl_unet_edge": "ours"}, "macs": []}
    (tmp_path / "pack.json").write_text(json.dumps(index))
    monkeypatch.chdir(tmp_path)
    found = Pack.read(Path()).entries(["ort"], ["int8"], ["clip"])
    assert [(entry.model, entry.source, entry.kind) for entry in found] == [
        (name, source, "ours") for name, source in zip(("unet2d", "cl_unet_edge"), sources, strict=True)
    ]
    assert entries(["."], ["ort"], ["int8"], ["clip"], Path())[0].model == tmp_path.name


def test_two_models_of_one_name_cannot_be_packed(tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    models = [str(tiny_bundle), str(tmp_path / "tiny")]
    failures = write_pack(tmp_path / "pack", models, ["ort"], ["int8"], ["clip"], lambda text: None)
    assert "two models have that name" in failures["tiny"]
    with pytest.raises(ConfigError, match="unknown model"):
        write_pack(tmp_path / "no", ["nobody"], ["ort"], ["int8"], ["clip"], lambda text: None)
    assert not (tmp_path / "no").exists()


def test_a_pack_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text(json.dumps({"format": 99, "models": {}, "macs": []}))
    with pytest.raises(ConfigError, match="a pack of format 99"):
        Pack.read(tmp_path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("runtimes", "precisions", "forms", "files", "of_peer"),
    [
        (["ort"], ["int8"], ["stream"], ["stream.int8.onnx"], None),
        (["ort"], ["int8"], ["clip"], ["clip.int8.onnx"], ["clip.int8.onnx"]),
        (["openvino"], ["int8"], ["clip"], ["clip.int8.bin", "clip.int8.xml"], ["clip.int8.bin", "clip.int8.xml"]),
        (
            ["ort", "openvino"],
            ["bf16", "int8"],
            ["clip"],
            ["clip.fp32.bin", "clip.fp32.xml", "clip.int8.bin", "clip.int8.onnx", "clip.int8.xml"],
            None,
        ),
    ],
)
def test_a_pack_holds_what_is_asked_for_and_runs_it(
    tiny_bundle: Path,
    tmp_path: Path,
    runtimes: list[str],
    precisions: list[str],
    forms: list[str],
    files: list[str],
    of_peer: list[str] | None,
) -> None:
    folder = tmp_path / "pack"
    models = [str(tiny_bundle), *(["unet3d"] if of_peer else [])]
    assert write_pack(folder, models, runtimes, precisions, forms, lambda text: None, CLIP) == {}
    assert packed(folder) == {"tiny": ["bundle.json", *files], **({"unet3d": of_peer} if of_peer else {})}
    index = json.loads((folder / "tiny" / "bundle.json").read_text())
    assert sorted(index["files"]) == files
    rows = run_bench(pack=folder, rules=RULES, extras=NO_EXTRAS, frames=CLIP).rows
    assert [(row.error, row.failed) for row in rows] == [(None, None)] * len(rows)
    expected = {(r, p) for r in runtimes for p in precisions if (r, p) != ("ort", "bf16")}
    assert {(row.model, row.form, row.runtime, row.precision_asked) for row in rows} == {
        (model, form, *row) for model in packed(folder) for form in forms for row in expected
    }
    assert all(row.macs_per_frame for row in rows)


def test_default_models_without_such_a_row_are_left_out(tmp_path: Path) -> None:
    said: list[str] = []
    rows = entries(DEFAULT_MODELS, ["ort"], ["int8"], ["stream"], tmp_path, notify=said.append)
    assert {row.model for row in rows} == {"cl_unet_edge", "cl_unet_nano", "unet2d"}
    assert said == ["unet3d: left out, no row of these forms, runtimes and precisions is possible"]
    assert "unet3d" not in {row.model for row in entries(["all"], ["ort"], ["int8"], ["stream"], tmp_path)}
    with pytest.raises(ConfigError, match="unet3d: no row of these forms"):
        entries(["default", "unet3d"], ["ort"], ["int8"], ["stream"], tmp_path)
    with pytest.raises(ConfigError, match="for any model"):
        entries(["all"], ["torch"], ["int8"], ["stream"], tmp_path)


@pytest.mark.usefixtures("small")
def test_files_of_an_earlier_pack_are_told_and_not_run(tiny_bundle: Path, tmp_path: Path) -> None:
    folder, said = tmp_path / "pack", []
    asked = (folder, [str(tiny_bundle)], ["ort"])
    write_pack(*asked, PRECISIONS, ["clip"], lambda text: None)
    assert {entry.precision for entry in Pack.read(folder).entries()} == {"fp32", "int8"}
    write_pack(*asked, ["int8"], ["clip"], said.append)
    assert said == ["packing tiny", "tiny: not of this pack, and not run: clip.fp32.onnx"]
    assert [entry.precision for entry in Pack.read(folder).entries()] == ["int8"]
    with pytest.raises(ConfigError, match="the pack holds no file of these forms"):
        Pack.read(folder).entries(precisions=["fp32"])


@pytest.mark.usefixtures("small")
def test_a_folder_packed_into_itself_is_left_whole(tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    before = {path: path.read_bytes() for path in (tmp_path / "tiny").iterdir()}
    assert write_pack(tmp_path, [str(tmp_path / "tiny")], ["ort"], ["int8"], ["clip"], lambda text: None) == {}
    assert before == {path: path.read_bytes() for path in (tmp_path / "tiny").iterdir()}
    assert len(Pack.read(tmp_path).entries()) == 1


def test_a_pack_older_than_its_lists_runs_all_that_it_holds(tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "tiny")
    (tmp_path / "pack.json").write_text(json.dumps({"format": 1, "models": {"tiny": "ours"}, "macs": []}))
    found = {(entry.form, entry.runtime, entry.precision) for entry in Pack.read(tmp_path).entries()}
    assert found == {(f, r, p) for f in ("clip", "stream") for r in ("ort", "openvino") for p in ("fp32", "int8")}


def test_models_of_a_pack_are_chosen_by_name(tiny_bundle: Path, tmp_path: Path) -> None:
    for name in ("a", "cl_unet_edge"):
        shutil.copytree(tiny_bundle, tmp_path / name)
    models = {"a": "ours", "cl_unet_edge": "ours"}
    (tmp_path / "pack.json").write_text(json.dumps({"format": 1, "models": models, "macs": []}))
    pack = Pack.read(tmp_path)
    for asked, expected in ((["a"], {"a"}), (["default"], {"cl_unet_edge"}), (["all"], set(models))):
        assert {entry.model for entry in pack.entries(models=asked)} == expected
    with pytest.raises(ConfigError, match=r"unet2d: not in the pack .*; it holds a, cl_unet_edge"):
        pack.entries(models=["a", "unet2d"])
    (tmp_path / "pack.json").write_text(json.dumps({"format": 1, "models": {"../a": "ours"}, "macs": []}))
    with pytest.raises(ConfigError, match="no pack there"):
        Pack.read(tmp_path)


@pytest.mark.usefixtures("small")
def test_the_printed_instruction_works_without_extras(
    command: Command, tiny_bundle: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    asked = ("--models", tiny_bundle, "--precisions", "int8", "--forms", "clip")
    folder, log = tmp_path / "my pack", tmp_path / "log.json"
    code, _, said = command("bench", "--prepare", folder, *asked)
    assert code == 0
    assert said.splitlines()[-1] == (
        "On the board: pip install 'edgeecho[openvino]', then edgeecho bench --pack 'my pack' "
        "(after pip install edgeecho alone, the OpenVINO rows are left out)"
    )
    plain = tmp_path / "plain"
    code, _, said = command("bench", "--prepare", plain, *asked, "--runtimes", "ort")
    assert (code, said.splitlines()[-1]) == (
        0,
        "On the board: pip install edgeecho, then edgeecho bench --pack plain",
    )
    code, _, said = command("bench", "--prepare", tmp_path / "other", *asked, "--runtimes", "openvino")
    assert said.splitlines()[-1].endswith("pip install 'edgeecho[openvino]', then edgeecho bench --pack other")

    request.getfixturevalue("board")
    line = "left out 1 of 2 rows: OpenVINO is not installed: pip install 'edgeecho[openvino]'"
    code, _, said = command("bench", "--pack", folder, "--json", log)
    assert code == 0, said
    assert said.splitlines().count(line) == 1
    rows = json.loads(log.read_text())["rows"]
    assert [(row["runtime"], row["error"], row["failed"]) for row in rows] == [("ort", None, None)]
    code, _, said = command("bench", "--pack", plain)
    assert (code, "left out" in said) == (0, False)
    for runtimes in ("openvino", "ort,openvino"):  # asked for: it fails aloud
        code, _, said = command("bench", "--pack", folder, "--runtimes", runtimes, "--json", log)
        assert code == 1
        errors = [row["error"] for row in json.loads(log.read_text())["rows"] if row["runtime"] == "openvino"]
        assert errors == ["openvino is not installed: pip install 'edgeecho[openvino]'"]
        assert "left out" not in said
    with pytest.raises(MissingExtraError, match="the pack has no rows of another engine"):
        run_bench(pack=tmp_path / "other", rules=RULES, frames=CLIP)


def test_prepare_refuses_what_it_would_ignore(command: Command, tmp_path: Path) -> None:
    code, _, said = command("bench", "--prepare", tmp_path / "p", "--rate", "50", "--model", "x.onnx")
    assert code == 2
    assert "leave --model, --rate out, or give it on the board" in said
    assert not (tmp_path / "p").exists()
