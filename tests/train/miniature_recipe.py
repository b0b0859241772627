"""A recipe of all kinds of stages that runs in seconds, for tests."""

from pathlib import Path

from edgeecho.train.recipe import Recipe
from edgeecho.train.recipe_file import load_recipe

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
device = "cpu"
precision = "fp32"
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


def settings(camus: Path, out: Path) -> list[str]:
    return [f"defaults.data.source=camus:{camus}", f"recipe.out={out}"]


def miniature(camus: Path, out: Path, *more: str) -> Recipe:
    """The miniature recipe in a folder of its own."""
    out.mkdir(exist_ok=True)
    (out / "mini.toml").write_text(MINIATURE)
    return load_recipe(out / "mini.toml", [*settings(camus, out), *more])


def read(text: str, tmp_path: Path, *given: str) -> Recipe:
    (tmp_path / "recipe.toml").write_text(text)
    return load_recipe(tmp_path / "recipe.toml", list(given))
