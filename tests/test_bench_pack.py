"""Packed contests: exported here, run where nothing can be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeecho.benchmarks.bench import run_bench
from edgeecho.benchmarks.contest import speckle_clip
from edgeecho.benchmarks.counting import count_macs
from edgeecho.benchmarks.entries import entries
from edgeecho.benchmarks.pack import Pack, prepare_pack
from edgeecho.benchmarks.peers import PEERS, Peer
from edgeecho.benchmarks.protocol import Rules
from edgeecho.errors import ConfigError

SIZE = 48
"""Pixels of the tiny bundle."""
CLIP = speckle_clip(8, SIZE)
RULES = Rules(min_seconds=0.0, min_runs=10, max_seconds=1.0, warm_up_seconds=0.0, rounds=2)
Command = Callable[..., tuple[int, str, str]]


def test_a_pack_runs_where_nothing_can_be_exported(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Peer("unet3d", {"in_channels": 1, "classes": 1, "base_channels": 4})
    monkeypatch.setitem(PEERS, "unet3d", small)
    monkeypatch.setattr("edgeecho.benchmarks.pack.speckle_clip", lambda: CLIP)
    folder, said = tmp_path / "pack", []
    failures = prepare_pack(
        folder, [str(tiny_bundle), "unet3d"], ["ort"], ["fp32", "int8"], ["clip", "stream"], said.append
    )
    assert failures == {}
    assert said == ["packing tiny", "packing unet3d"]
    expected = count_macs(tiny_bundle / "stream.fp32.onnx", 1)
    assert Pack.read(folder).macs["tiny", "stream"] == expected
    for name in ("torch.py", "onnx.py"):
        (tmp_path / name).write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the rows' processes
    monkeypatch.setattr("edgeecho.benchmarks.bench.prepare", None)
    monkeypatch.setattr("edgeecho.benchmarks.bench.macs_per_frame", None)
    rows = run_bench(pack=folder, runtimes=["ort"], rules=RULES, frames=CLIP).rows
    assert [row.error for row in rows] == [None] * 6
    asked = [(row.precision_asked, "int8 15/18" if row.model == "unet3d" else "int8") for row in rows]
    assert [row.precision_run for row in rows] == [int8 if p == "int8" else p for p, int8 in asked]  # read back too
    assert {(row.model, row.form) for row in rows} == {("tiny", "clip"), ("tiny", "stream"), ("unet3d", "clip")}
    assert [row.macs_per_frame for row in rows if row.form == "stream"] == [expected] * 2
    assert all(row.speedup_vs_unet3d and row.live_speedup_vs_unet3d for row in rows)


def test_a_pack_in_the_working_folder_is_not_mistaken(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folders have names of peers and of packaged models."""
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
    failures = prepare_pack(tmp_path / "pack", models, ["ort"], ["int8"], ["clip"], lambda text: None)
    assert "two models have that name" in failures["tiny"]
    with pytest.raises(ConfigError, match="unknown model"):
        prepare_pack(tmp_path / "no", ["nobody"], ["ort"], ["int8"], ["clip"], lambda text: None)
    assert not (tmp_path / "no").exists()


def test_a_pack_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text(json.dumps({"format": 99, "models": {}, "macs": []}))
    with pytest.raises(ConfigError, match="a pack of format 99"):
        Pack.read(tmp_path)
