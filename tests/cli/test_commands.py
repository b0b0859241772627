"""The other commands: usage, help, and one clear line for what cannot be."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeecho.cli import app
from edgeecho.runtime import packaged_models
from edgeecho.runtime.engines.native_engine import is_built
from tests.cli.conftest import Command
from tests.helpers import the_error


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment"],
        ["segment", "heart.npz"],
        ["segment", "heart.npz", "--out"],
        ["segment", "heart.npz", "--out", "x", "--threads", "two"],
        ["segment", "heart.npz", "--out", "x", "--no-such-flag"],
        ["no-such-command"],
        ["eval", "default"],
    ],
)
def test_wrong_usage_exits_2(command: Command, arguments: list[str]) -> None:
    code, stdout, stderr = command(*arguments)
    assert (code, stdout, "Traceback" in stderr) == (2, "", False)
    assert "Error" in stderr


def test_every_command_has_help() -> None:
    runner = CliRunner()
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    names += [group.name for group in app.registered_groups]
    assert {"demo", "segment", "train", "eval", "export", "bench", "info", "models"} <= set(names)
    for name in names:
        result = runner.invoke(app, [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage" in result.output
    overview = runner.invoke(app, ["--help"]).output
    assert all(name in overview for name in names)
    assert "not a medical device" in overview


def test_models_lists_what_is_packaged(command: Command) -> None:
    code, stdout, _ = command("models")
    assert code == 0
    assert len(stdout.splitlines()) == len(packaged_models())
    assert "cl_unet_edge: " in stdout
    assert "CC-BY-NC-SA-4.0" in stdout


def test_eval(command: Command, tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    arguments = ["eval", tiny_bundle, "--data", f"camus:{camus}", "--json", tmp_path / "scores.json"]
    code, stdout, stderr = command(*arguments)
    assert code == 0, stderr
    assert "ED" in stdout
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert (scores["model"], scores["precision"], scores["split"]) == ("tiny", "int8", "val")
    assert [(p["phase"], p["n"]) for p in scores["phases"]] == [("ED", 2), ("ES", 2)]
    assert len(scores["dice"]) == 4
    for phase in scores["phases"]:
        assert 0.8 < phase["dice_min"] <= phase["dice_mean"] <= 1  # the tiny network was trained on such hearts


def test_eval_names_skipped_items_on_stderr(command: Command, tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    data = shutil.copytree(camus, tmp_path / "camus")
    truncated = data / "database_nifti" / "patient0008" / "patient0008_4CH_ES.nii.gz"
    truncated.write_bytes(truncated.read_bytes()[:100])
    code, stdout, stderr = command("eval", tiny_bundle, "--data", f"camus:{data}")
    assert code == 1
    assert "Dice, pooled" in stdout
    assert re.search(rf"^skipped patient0008_4CH.*: .*{truncated.name}", stderr, re.M), stderr
    assert "skipped" not in stdout


def test_eval_that_cannot_be(command: Command, tmp_path: Path, camus: Path) -> None:
    out = tmp_path / "out"
    wanted = {
        f"camus:{tmp_path}": "no CAMUS data set here",
        "videos:here": "unknown data kind 'videos'",
        "here": "data must be KIND:DIR",
    }
    for data, says in wanted.items():
        assert says in the_error(command("eval", "default", "--data", data), out)
    assert "no list subgroup_testing.txt" in the_error(
        command("eval", "default", "--data", f"camus:{camus}", "--split", "test"), out
    )


def test_export_from_the_command_line(command: Command, tiny_bundle: Path, camus: Path, tmp_path: Path) -> None:
    out, calib = tmp_path / "out", f"camus:{camus}"
    source = tiny_bundle / "clip.fp32.onnx"
    code, stdout, stderr = command("export", source, "--int8", "--format", "onnx", "--calib", calib, "--out", out)
    assert code == 0, stderr
    graphs = [
        f"{form}.{precision}.{suffix}"
        for form in ("clip", "stream")
        for precision in ("fp32", "int8")
        for suffix in ("edgeecho", "onnx")
    ]
    native = ["stream.int8.native.edgeecho"] if is_built() else []
    assert sorted(p.name for p in out.iterdir()) == sorted(["CARD.md", "bundle.json", "card.png", *graphs, *native])
    assert "clip.int8.onnx" in stdout
    assert "disagreement" in stdout
    assert "CC0-1.0" in stdout
    assert (out / "clip.int8.onnx").read_bytes() == (tiny_bundle / "clip.int8.onnx").read_bytes()


def test_export_that_cannot_be(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    both = command("export", "default", "--int8", "--fp32", "--out", out)
    assert "--int8, --fp16 and --fp32 exclude each other" in the_error(both, out)
    assert "no model 'nothing'" in the_error(command("export", "nothing", "--out", out), out)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("precious")
    line = the_error(command("export", "default", "--out", tmp_path / "thesis"), out)
    assert "exists and is no EdgeEcho bundle" in line
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "precious"


def test_train_that_cannot_be(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "out"
    (tmp_path / "run.toml").write_text("[optim]\nspeed = 1\n")
    (tmp_path / "good.toml").write_text(f"[data]\nsource = 'camus:{tmp_path}'\n")
    assert "none.toml: cannot be read" in the_error(command("train", tmp_path / "none.toml"), out)
    assert "unknown setting 'optim.speed'" in the_error(command("train", tmp_path / "run.toml"), out)
    good = tmp_path / "good.toml"
    assert "--set takes key=value" in the_error(command("train", good, "--set", "steps"), out)
    assert "no CAMUS data set here" in the_error(command("train", good, "--set", f"run.out={out}"), out)


def test_an_unforeseen_error_keeps_its_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("edgeecho.cli.app", broken)
    with pytest.raises(ZeroDivisionError):
        command("models")
