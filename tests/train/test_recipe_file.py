"""Reading of recipes: the hash of their content, settings of the command line, and what is refused."""

import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from edgeecho.errors import ConfigError  # noqa: E402
from edgeecho.train.recipe_file import is_recipe  # noqa: E402
from tests.cli.conftest import Command  # noqa: E402
from tests.train.miniature_recipe import MINIATURE, miniature, read  # noqa: E402

ROOT = Path(__file__).parents[2]


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
    changes += [f"pretraining.data.source=phantom-varied:{seed}" for seed in (0, 1)]
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


def test_a_plain_configuration_is_no_recipe(tmp_path: Path, command: Command) -> None:
    (tmp_path / "run.toml").write_text("[optim]\nsteps = 3\n")
    assert not is_recipe(tmp_path / "run.toml")
    code, _, stderr = command("train", tmp_path / "run.toml", "--stage", "first")
    assert code == 2
    assert "--stage and --any-revision are for recipes" in stderr
    with pytest.raises(ConfigError, match=r"a recipe needs at least one \[\[stage\]\]"):
        read('[recipe]\nname = "x"\n', tmp_path)
