"""Recipes: a miniature one from nothing to an exported model, its resumption to the same bytes, and refusals."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import edgeecho  # noqa: E402
from edgeecho.errors import ConfigError, DataError  # noqa: E402
from edgeecho.model.registry import packaged_models  # noqa: E402
from edgeecho.model.sealed_file import read_verified  # noqa: E402
from edgeecho.nn.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from edgeecho.revision import revision  # noqa: E402
from edgeecho.train import recipe_record  # noqa: E402
from edgeecho.train.average import average_checkpoints, last_checkpoints  # noqa: E402
from edgeecho.train.config import TrainConfig  # noqa: E402
from edgeecho.train.recipe_file import load_recipe  # noqa: E402
from edgeecho.train.recipe_run import run_recipe  # noqa: E402
from tests.cli.conftest import Command  # noqa: E402
from tests.helpers import MakeOnce  # noqa: E402
from tests.train.miniature_recipe import miniature, settings  # noqa: E402
from tests.train.tiny_run import kill_after_writing  # noqa: E402

ROOT = Path(__file__).parents[2]
STAGES = ["pretraining", "teacher", "runs-1", "runs-2", "mean", "student"]


def kill_at(stage: str, step: int) -> Callable[[int, int, str], None]:
    """Report function that ends a recipe at a step of a stage."""

    def report(at: int, steps: int, text: str) -> None:
        if text.startswith(f"{stage} ") and at >= step:
            raise KeyboardInterrupt

    return report


@pytest.fixture(scope="module")
def whole(camus: Path, make_once: MakeOnce) -> Path:
    """Folder of the miniature recipe, run without a break."""
    return make_once("recipe", lambda out: run_recipe(miniature(camus, out)))


# The run


def test_every_stage_leaves_its_record_and_the_released_file_names_the_recipe(camus: Path, whole: Path) -> None:
    recipe = miniature(camus, whole)
    spec = read_verified(whole / "mini.safetensors").spec
    assert (spec.name, spec.recipe, spec.size_px) == ("mini", recipe.sha256, 48)
    assert spec.revision.removesuffix("-dirty") == revision()
    summary = json.loads((whole / "recipe.json").read_text())
    assert list(summary["stages"]) == STAGES
    assert summary["recipe"] == recipe.to_dict()
    assert summary["sha256"] == recipe.sha256
    for name in STAGES:
        record = json.loads((whole / "stages" / name / "stage.json").read_text())
        assert record == summary["stages"][name]
        assert set(record["outputs"]) == {f"{name}.safetensors"} | (
            {f"{name}.last.safetensors"} - {"mean.last.safetensors"}
        )
    assert set(summary["stages"]["mean"]["inputs"]) == {"pretraining", "runs-1", "runs-2", "runs-2.last"}
    assert set(summary["stages"]["runs-1"]["inputs"]) == {"pretraining", "teacher.last"}


def test_provenance_of_all_stages_is_kept(whole: Path) -> None:
    spec = read_verified(whole / "mini.safetensors").spec
    assert spec.licence == "Apache-2.0 AND CC-BY-NC-SA-4.0"
    assert spec.trained_on.startswith("phantom training list, ")
    assert "; then camus training list, " in spec.trained_on
    assert spec.trained_on.endswith(", and the answers of teacher")


def test_the_last_weights_are_those_of_the_end_and_the_mean_counts_repeats(whole: Path) -> None:
    stages = whole / "stages"
    state = torch.load(stages / "runs-2" / "last.pt", weights_only=True)["averaged"]
    last = load_checkpoint(stages / "runs-2" / "runs-2.last.safetensors")[0].state_dict()
    assert all(torch.equal(tensor, last[name]) for name, tensor in state.items())
    of = ["pretraining/pretraining", "runs-1/runs-1", "runs-2/runs-2", "runs-2/runs-2.last"]
    parts = [load_checkpoint(stages / f"{name}.safetensors")[0].head.weight for name in of]
    mean = load_checkpoint(stages / "mean" / "mean.safetensors")[0].head.weight
    torch.testing.assert_close(mean, sum(parts) / 4)


def test_the_same_recipe_gives_the_same_bytes(camus: Path, whole: Path, tmp_path: Path) -> None:
    path = run_recipe(miniature(camus, tmp_path))
    assert path.read_bytes() == (whole / "mini.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("stage", "step"), [("pretraining", 1), ("runs-1", 3), ("runs-2", 4), ("mean", 1), ("student", 3)]
)
def test_it_goes_on_within_and_between_stages_to_the_same_bytes(
    camus: Path, whole: Path, tmp_path: Path, stage: str, step: int
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    for name in STAGES[STAGES.index(stage) :]:
        shutil.rmtree(tmp_path / "run" / "stages" / name)
    (tmp_path / "run" / "mini.safetensors").unlink()
    recipe = miniature(camus, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe, report=kill_at(stage, step))
    assert not (tmp_path / "run" / "mini.safetensors").exists()
    begun: list[str] = []
    path = run_recipe(recipe, report=lambda at, steps, text: begun.append(text.split()[0]))
    assert path.read_bytes() == (whole / "mini.safetensors").read_bytes()
    assert set(begun) == {*STAGES[STAGES.index(stage) :], "released"}  # finished stages are not run again


@pytest.mark.slow
def test_killed_in_a_stage_it_goes_on_to_the_same_bytes(camus: Path, whole: Path, tmp_path: Path) -> None:
    recipe = miniature(camus, tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from edgeecho.train.recipe_file import load_recipe\n"
        "from edgeecho.train.recipe_run import run_recipe\n"
        "def report(step, steps, text):\n"
        "    if text.startswith('teacher ') and step >= 4: time.sleep(60)\n"
        "run_recipe(load_recipe(Path(sys.argv[1]), sys.argv[2:]), report=report)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mini.toml"), *settings(camus, tmp_path)]
    state = tmp_path / "stages" / "teacher" / "last.pt"
    kill_after_writing(command, state)
    assert torch.load(state, weights_only=True)["step"] == 2
    assert run_recipe(recipe).read_bytes() == (whole / "mini.safetensors").read_bytes()


def test_one_stage_with_what_it_needs(camus: Path, tmp_path: Path) -> None:
    recipe = miniature(camus, tmp_path)
    path = run_recipe(recipe, stage="teacher")
    assert path == tmp_path / "stages" / "teacher" / "teacher.safetensors"
    assert sorted(p.name for p in (tmp_path / "stages").iterdir()) == ["pretraining", "teacher"]
    assert not (tmp_path / "mini.safetensors").exists()
    with pytest.raises(ConfigError, match="no stage 'none'; known: pretraining, teacher, runs-1"):
        run_recipe(recipe, stage="none")


@pytest.mark.slow
def test_the_command_runs_and_exports_it_and_the_export_is_loaded(
    camus: Path, whole: Path, tmp_path: Path, command: Command, heart: np.ndarray
) -> None:
    pytest.importorskip("onnxsim")
    shutil.copytree(whole, tmp_path / "run")
    file = tmp_path / "run" / "mini.toml"
    given = [part for text in settings(camus, tmp_path / "run") for part in ("--set", text)]
    code, stdout, stderr = command("train", file, *given)
    assert code == 0, stderr
    assert stdout.splitlines()[-1] == str(tmp_path / "run" / "mini.safetensors")
    digest = miniature(camus, tmp_path / "run").sha256
    assert f"mini: 6 runs, recipe of SHA-256 {digest}" in stderr
    exported = tmp_path / "run" / "exported"
    assert digest in (exported / "CARD.md").read_text()
    assert read_verified(exported / "clip.fp32.onnx").spec.recipe == digest
    assert edgeecho.load(exported, threads=1).segment(heart).mask.shape == heart.shape
    assert digest in re.sub(r"\s", "", command("info", exported)[1])
    at = (exported / "bundle.json").stat().st_mtime_ns
    assert command("train", file, *given)[0] == 0
    assert (exported / "bundle.json").stat().st_mtime_ns == at  # a finished export is not made again


# What has changed since a stage was run


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_changed_settings_are_named(camus: Path, copy: Path) -> None:
    for given, message in [
        (
            "teacher.optim.steps=5",
            r"stages/teacher: was run with optim\.steps = 4, the recipe has = 5; remove the folder",
        ),
        ("student.init=runs-1", r'stages/student: was run with init = "mean", the recipe has = "runs-1"'),
        ("student.loss.cycle=0", r"student: was run with loss\.cycle not set, the recipe has = 0\.0"),
        ("mean.of=['runs', 'pretraining']", r"stages/mean: was run with of = \["),
    ]:
        with pytest.raises(ConfigError, match=message):
            run_recipe(miniature(camus, copy, given))
    assert run_recipe(miniature(camus, copy, "run.threads=2")).is_file()  # that of a machine may change


def test_a_changed_checkpoint_is_named(camus: Path, copy: Path) -> None:
    recipe = miniature(camus, copy)
    teacher = copy / "stages" / "teacher" / "teacher.safetensors"
    network, spec = load_checkpoint(teacher)
    save_checkpoint(teacher, network, replace(spec, name="another"))
    with pytest.raises(
        ConfigError, match=r"teacher\.safetensors: is not what the stage wrote \(SHA-256 .*, now .*\); remove"
    ):
        run_recipe(recipe)
    shutil.rmtree(teacher.parent)
    run_recipe(recipe, stage="teacher")
    assert run_recipe(recipe).is_file()  # the same teacher again
    shutil.rmtree(teacher.parent)
    other = miniature(camus, copy, "teacher.optim.steps=2")
    with pytest.raises(
        ConfigError, match=r"runs-1: was made from another teacher\.last \(SHA-256 .*\); remove the folder"
    ):
        run_recipe(other)


def test_another_revision_is_refused_unless_told(camus: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, here = miniature(camus, copy), recipe_record.Code.current()
    shutil.rmtree(copy / "stages" / "student")
    monkeypatch.setattr(recipe_record, "revision", lambda: "0123456789ab")
    monkeypatch.setattr(recipe_record, "uncommitted_changes", lambda: {"edgeecho/files.py": "00"})
    message = (
        r"pretraining: was run at revision .*, this is revision 0123456789ab with uncommitted changes of edgeecho/files"
    )
    with pytest.raises(ConfigError, match=message):
        run_recipe(recipe)
    spec = read_verified(run_recipe(recipe, any_revision=True)).spec
    assert spec.revision == f"{here.name}, 0123456789ab-dirty"
    record = json.loads((copy / "stages" / "student" / "stage.json").read_text())
    assert record["codes"] == [{"revision": "0123456789ab", "changes": {"edgeecho/files.py": "00"}}]


def test_a_damaged_record_is_one_line(camus: Path, copy: Path) -> None:
    (copy / "stages" / "mean" / "stage.json").write_text('{"stage": 3')
    with pytest.raises(ConfigError, match=r"mean/stage\.json: no record of a stage; remove the folder"):
        run_recipe(miniature(camus, copy))


def test_data_that_are_missing_are_found_before_the_first_stage(camus: Path, tmp_path: Path) -> None:
    recipe = miniature(camus, tmp_path, "student.data.source=camus:/nowhere")
    with pytest.raises(DataError, match="no CAMUS data set here"):
        run_recipe(recipe)
    assert not (tmp_path / "stages").exists()


# Means of the last checkpoints of a run


def test_the_mean_of_the_last_checkpoints_of_a_run(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for step, stage in ((20, "runs-1"), (100, "runs-2"), (40, "pretraining")):
        shutil.copy(whole / "stages" / stage / f"{stage}.safetensors", run / f"a.b.step{step}.safetensors")
    assert [path.name for path in last_checkpoints(run, 2)] == ["a.b.step40.safetensors", "a.b.step100.safetensors"]
    average_checkpoints(last_checkpoints(run, 2), tmp_path / "expected.safetensors")
    call = [sys.executable, "-m", "edgeecho.train.average", run, "--out", tmp_path / "mean.safetensors"]
    refused = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: {run}: is the folder of a run; add --last N to take its last N checkpoints\n",
    )
    subprocess.run([*call, "--last", "2"], check=True, cwd=ROOT)
    assert (tmp_path / "mean.safetensors").read_bytes() == (tmp_path / "expected.safetensors").read_bytes()
    with pytest.raises(ConfigError, match=r"run: holds 3 kept checkpoints, expected 4; train with run\.keep = 4"):
        last_checkpoints(run, 4)
    with pytest.raises(ConfigError, match="must be at least 1, got 0"):
        last_checkpoints(run, 0)


# Recipes of the packaged models


@pytest.mark.parametrize("folder", packaged_models(), ids=lambda folder: folder.name)
def test_the_recipe_of_a_packaged_model(folder: Path) -> None:
    """It can be read, is of that name and family, and a file that names a recipe names this one."""
    recipe = load_recipe(ROOT / "models" / folder.name / "training" / "recipe.toml")
    spec = json.loads((folder / "bundle.json").read_text())["spec"]
    assert recipe.name == spec["name"]
    released = next(stage for stage in recipe.needed_for(recipe.release.stage) if stage.kind == "train")
    assert released.config.model.family == spec["family"]
    assert released.config != TrainConfig()
    assert spec.get("recipe", recipe.sha256) == recipe.sha256


def run_shortened(recipe: Path, source: str, widths: list[int], out: Path) -> Path:
    """Run a recipe with one step a stage and a narrow network, and return the released checkpoint."""
    given = [f"data.source={source}", f"recipe.out={out}"]
    given += [f"model.overrides={{widths={widths}}}", "data.held_out=1", "optim.steps=1", "clips.per_step=1"]
    given += ["clips.frames=2", "run.threads=1", "run.workers=0", "run.save_every=1"]
    return run_recipe(load_recipe(recipe, given))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cl_unet_edge", "cl_unet_nano"])
def test_every_stage_of_a_second_recipe_runs(name: str, camus: Path, tmp_path: Path) -> None:
    path = run_shortened(ROOT / "models" / name / "training" / "second.toml", f"camus:{camus}", [8, 8, 8], tmp_path)
    spec = read_verified(path).spec
    assert (spec.name, spec.family) == (name, {"cl_unet_edge": "strided", "cl_unet_nano": "strided_nano"}[name])
    assert ", and drawn phantoms of population varied" in spec.trained_on


@pytest.mark.slow
@pytest.mark.parametrize("folder", packaged_models(), ids=lambda folder: folder.name)
def test_every_stage_of_a_packaged_model_runs(folder: Path, camus: Path, tmp_path: Path) -> None:
    """One step a stage, with narrow networks, on drawn data: the stages fit each other."""
    source = "phantom:0,8" if folder.name == "cl_unet_edge_free" else f"camus:{camus}"
    recipe = ROOT / "models" / folder.name / "training" / "recipe.toml"
    path = run_shortened(recipe, source, [8, 8, 8, 8], tmp_path)
    packaged = json.loads((folder / "bundle.json").read_text())
    spec = read_verified(path).spec
    assert (spec.name, spec.family) == (folder.name, packaged["spec"]["family"])
    if packaged["spec"]["config"].get("encoder") != "banded":  # cl_unet is packaged with depthwise bands so far
        assert spec.context_frames == tuple(packaged["spec"]["context_frames"])
    assert set(spec.licence.split(" AND ")) <= {packaged["licence"], "Apache-2.0"}
