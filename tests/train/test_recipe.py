"""Recipes: a miniature one from nothing to an exported model, its resumption to the same bytes, and refusals."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
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
from edgeecho.train.recipe import Recipe  # noqa: E402
from edgeecho.train.recipe_file import is_recipe, load_recipe  # noqa: E402
from edgeecho.train.recipe_run import run_recipe  # noqa: E402
from tests.cli.conftest import Command  # noqa: E402
from tests.helpers import MakeOnce  # noqa: E402

ROOT = Path(__file__).parents[2]
MINIATURE = """
# Pretraining on drawn hearts, a wider teacher, two runs from the same weights, their mean, and distillation.
[recipe]
name = "mini"

[export]
precision = "fp32"
formats = ["onnx"]
forms = ["clip"]

[defaults.model]
size_px = 48
overrides = { widths = [8, 8], encoder_time = [false, true], decoder_time = [false] }
[defaults.data]
source = "camus:CAMUS"
held_out = 2
[defaults.clips]
per_step = 2
frames = 2
phantom = 0
[defaults.optim]
steps = 4
ema = 0.5
[defaults.run]
threads = 1
workers = 0
save_every = 2

[[stage]]
name = "pretraining"
[stage.data]
source = "phantom:0,8"
[stage.clips]
stills = 0
cines = 0
phantom = 1

[[stage]]
name = "teacher"
init = "pretraining"
[stage.model]
widen = 2

[[stage]]
name = "runs"
init = "pretraining"
teacher = "teacher.last"
seeds = [1, 2]

[[stage]]
name = "mean"
kind = "average"
of = ["pretraining", "runs", "runs-2.last"]

[[stage]]
name = "student"
init = "mean"
teacher = "teacher"
[stage.loss]
teacher = 2
"""
STAGES = ["pretraining", "teacher", "runs-1", "runs-2", "mean", "student"]


def settings(camus: Path, out: Path) -> list[str]:
    return [f"defaults.data.source=camus:{camus}", f"recipe.out={out}"]


def miniature(camus: Path, out: Path, *more: str) -> Recipe:
    """The miniature recipe in a folder of its own."""
    out.mkdir(exist_ok=True)
    (out / "mini.toml").write_text(MINIATURE)
    return load_recipe(out / "mini.toml", [*settings(camus, out), *more])


def kill_at(stage: str, step: int) -> Callable[[int, int, str], None]:
    """Report function that ends a recipe at a step of a stage."""

    def report(at: int, steps: int, text: str) -> None:
        if text.startswith(f"{stage} ") and at >= step:
            raise KeyboardInterrupt

    return report


def read(text: str, tmp_path: Path, *given: str) -> Recipe:
    (tmp_path / "recipe.toml").write_text(text)
    return load_recipe(tmp_path / "recipe.toml", list(given))


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
    process = subprocess.Popen(command, start_new_session=True)
    state, end = tmp_path / "stages" / "teacher" / "last.pt", time.monotonic() + 60
    try:
        while not state.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
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


# The hash


def test_the_hash_is_of_the_content_alone(camus: Path, tmp_path: Path) -> None:
    here = miniature(camus, tmp_path)
    assert here.sha256 == read(MINIATURE, tmp_path).sha256  # another folder of data and of results
    spaced = MINIATURE.replace(" = ", "=").replace("# Pre", "# A comment\n# Pre").replace("steps=4", "steps = 0b100")
    assert read(spaced, tmp_path).sha256 == here.sha256
    for given in ("run.threads=5", "run.workers=2", "recipe.out=elsewhere"):
        assert read(MINIATURE, tmp_path, given).sha256 == here.sha256
    changes = ["optim.steps=5", "teacher.model.widen=3", "runs.seeds=[2, 1]", "recipe.name=other", "export.frames=4"]
    changes += ["recipe.release=mean", "pretraining.data.source=phantom:1,8", "data.source=cine:DIR"]
    digests = {read(MINIATURE, tmp_path, given).sha256 for given in changes} | {here.sha256}
    assert len(digests) == len(changes) + 1


def test_settings_of_the_command_line(tmp_path: Path) -> None:
    recipe = read(MINIATURE, tmp_path, "optim.steps=7", "teacher.optim.steps=9", "runs.seeds=[3, 2]")
    assert [(s.name, s.config.optim.steps) for s in recipe.stages if s.kind == "train"] == [
        *(("pretraining", 7), ("teacher", 9), ("runs-3", 7), ("runs-2", 7), ("student", 7)),
    ]
    recipe = read(MINIATURE, tmp_path, "defaults.data.source=camus:/there")
    assert [s.config.data.source for s in recipe.stages][:2] == ["phantom:0,8", "camus:/there"]


def test_the_example_of_the_document_is_a_recipe(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "recipes.md").read_text(), re.S)
    recipe = read(text, tmp_path)
    assert [stage.name for stage in recipe.stages] == [
        "pretraining",
        "teacher",
        "runs-1",
        "runs-2",
        "soup",
        "distilled",
    ]
    assert [reference.text for reference in recipe.stages[4].of] == ["pretraining", "runs-1", "runs-2"]


# What is refused


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            'init = "mean"',
            'init = "men"',
            r"stage student: init: no stage 'men' before it \(stages: .*\), and no model: ",
        ),
        ('init = "pretraining"', 'init = "student"', "stage 'student' does not come before it; reorder the stages"),
        (
            'init = "mean"',
            'init = "runs"',
            "student: init must be one run, got several: runs-1, runs-2; name one, or their mean",
        ),
        ('init = "mean"', 'init = "mean.last"', r"'mean' is a mean, which has no \.last; write 'mean'"),
        ('init = "mean"', "init = 3", "stage student: init must be str, got 3"),
        ('name = "student"', 'name = "teacher"', "two stages have the name 'teacher'"),
        ('name = "student"', 'name = "optim"', "a \\[\\[stage\\]\\] needs a name of letters"),
        ('name = "mini"', 'name = "a/b"', r"recipe\.name must be of letters, digits, _ and -, got 'a/b'"),
        ('kind = "average"', 'kind = "sum"', "stage mean: unknown kind 'sum'; known: train, average"),
        ('kind = "average"', "", "stage mean: of is for stages of kind 'average', not 'train'"),
        ('of = ["pretraining", "runs", "runs-2.last"]', "", "a mean is of two or more checkpoints, got 0"),
        ('of = ["pre', 'optim.steps = 3\nof = ["pre', "stage mean: optim is for stages of kind 'train', not 'average'"),
        ('of = ["pre', 'last = 2\nof = ["pre', r"last = 2 takes the last checkpoints of training stages"),
        ("seeds = [1, 2]", "seeds = [1, 1]", r"seeds must be different whole numbers, got \[1, 1\]"),
        ("steps = 4", "step = 4", r"stage pretraining: unknown setting 'optim\.step'; known: "),
        ("steps = 4", "steps = '4'", r"optim\.steps must be int, got '4'"),
        ("size_px = 48", 'name = "x"', r"a recipe cannot set model\.name: the stage's name is the model's"),
        ("held_out = 2", 'teacher = "x"', r"a recipe cannot set data\.teacher: write teacher = STAGE beside"),
        ("[defaults.data]", "[default.data]", "unknown table 'default' in a recipe; known: recipe, defaults, stage"),
        ('name = "mini"', 'release = "cl_unet_edge"', r"recipe\.release must name one run, got 'cl_unet_edge'"),
        ('name = "mini"', 'colour = "red"', r"\[recipe\]: unknown key 'colour'"),
    ],
)
def test_a_recipe_that_is_wrong(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in MINIATURE
    with pytest.raises(ConfigError, match=message) as found:
        read(MINIATURE.replace(before, after), tmp_path)
    assert str(found.value).startswith(f"{tmp_path / 'recipe.toml'}: ")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nothing.optim.steps=3", "no stage and no section 'nothing'; known: model, data, "),
        ("student.speed=3", "stage student: unknown key 'speed'"),
        ("student.optim.speed=3", r"stage student: unknown setting 'optim\.speed'"),
        ("steps", "--set takes key=value"),
    ],
)
def test_a_setting_that_is_wrong(tmp_path: Path, given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(MINIATURE, tmp_path, given)


def test_the_last_checkpoints_must_be_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"stage end: last = 2, but runs-1 keeps 0; set runs-1\.run\.keep = 2"):
        read(MINIATURE + '[[stage]]\nname = "end"\nkind = "average"\nof = ["runs"]\nlast = 2\n', tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "export.calib=camus:/nowhere"], r"calib: .*; give it with --set export\.calib=KIND:DIR"),
        (["--resume"], "a recipe is resumed by itself and names its first weights"),
        (["--set", "export.formats=['tflite']"], "unknown format 'tflite'; known: onnx"),
        (["--set", "export.colour=red"], r"\[export\]: unknown key 'colour'; known: precision"),
        (["--set", "export.formats=onnx"], r"\[export\]: formats must be a list of texts, got 'onnx'"),
        (["--set", "export.limits=['x=1']"], "unknown acceptance limit 'x'"),
    ],
)
def test_a_command_that_is_refused_before_any_training(
    tmp_path: Path, command: Command, arguments: list[str], message: str
) -> None:
    pytest.importorskip("onnxsim")
    (tmp_path / "mini.toml").write_text(MINIATURE)
    code, _, stderr = command("train", tmp_path / "mini.toml", "--set", f"recipe.out={tmp_path / 'out'}", *arguments)
    assert code in (1, 2)
    assert re.search(message, stderr)
    assert len(stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_data_that_are_missing_are_found_before_the_first_stage(camus: Path, tmp_path: Path) -> None:
    recipe = miniature(camus, tmp_path, "student.data.source=camus:/nowhere")
    with pytest.raises(DataError, match="no CAMUS data set here"):
        run_recipe(recipe)
    assert not (tmp_path / "stages").exists()


def test_a_plain_configuration_is_no_recipe(tmp_path: Path, command: Command) -> None:
    (tmp_path / "run.toml").write_text("[optim]\nsteps = 3\n")
    assert not is_recipe(tmp_path / "run.toml")
    code, _, stderr = command("train", tmp_path / "run.toml", "--stage", "first")
    assert code == 2
    assert "--stage and --any-revision are for recipes" in stderr
    with pytest.raises(ConfigError, match=r"a recipe needs at least one \[\[stage\]\]"):
        read('[recipe]\nname = "x"\n', tmp_path)


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


@pytest.mark.slow
@pytest.mark.parametrize("folder", packaged_models(), ids=lambda folder: folder.name)
def test_every_stage_of_a_packaged_model_runs(folder: Path, camus: Path, tmp_path: Path) -> None:
    """One step a stage, with narrow networks, on drawn data: the stages fit each other."""
    drawn = folder.name == "cl_unet_edge_free"
    given = [f"data.source={'phantom:0,8' if drawn else f'camus:{camus}'}", f"recipe.out={tmp_path}"]
    given += ["model.overrides={widths=[8, 8, 8, 8]}", "data.held_out=1", "optim.steps=1", "clips.per_step=1"]
    given += ["clips.frames=2", "run.threads=1", "run.workers=0", "run.save_every=1"]
    path = run_recipe(load_recipe(ROOT / "models" / folder.name / "training" / "recipe.toml", given))
    packaged = json.loads((folder / "bundle.json").read_text())
    spec = read_verified(path).spec
    assert (spec.name, spec.family) == (folder.name, packaged["spec"]["family"])
    assert spec.context_frames == tuple(packaged["spec"]["context_frames"])
    assert set(spec.licence.split(" AND ")) <= {packaged["licence"], "Apache-2.0"}
